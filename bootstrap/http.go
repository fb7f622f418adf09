package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"roster/adapters/certificate"
	"roster/adapters/httpapi"
	"roster/adapters/httpapi/openapi"
	"roster/adapters/signingkeys"
	"roster/adapters/telemetry"
	"roster/application"
	"roster/bootstrap/config"
	"roster/ports/inbound"
)

var httpModule = fx.Module("http",
	fx.Provide(httpSettings, peoplePages, api, openCertificate),
	fx.Invoke(serveAdmin, serveAPI)) // the API last: once it serves, everything has started

func httpSettings(cfg config.Config, t telemetered) httpapi.Settings {
	drf := cfg.WireDetails == "drf"
	return httpapi.Settings{
		Pagination: httpapi.Pagination(cfg.Pagination), PageSize: cfg.PageSize, MaxPageSize: cfg.MaxPageSize,
		Observe: t.requests(), LogRequests: cfg.LogRequests, PublicURL: cfg.PublicURL, MaxBody: cfg.MaxBody, RequestTimeout: cfg.RequestTimeout,
		AcceptForms: cfg.AcceptForms, LenientJSON: cfg.LenientJSON, LegacyCharsets: drf,
		IntegerIDs: cfg.IDs == "integer", PythonIntegers: drf && cfg.IDs == "integer",
		LoginField: cfg.LoginField, PasswordMaxLength: cfg.PasswordMaxLength, ConfirmPassword: cfg.RequireCurrentPassword,
		MailMembers: !drf, Djoser: djoserSettings(cfg),
		DjRestAuth: httpapi.DjRestAuth{
			Path: cfg.DjRestAuthPath, Verification: cfg.EmailVerification == "required", Cookies: tokenCookies(cfg),
		},
		Schemes: schemes(cfg), ExactScheme: drf, PlainChallenge: drf, PlainRedirects: drf, BlacklistedIs400: drf,
		Throttling: httpapi.Throttling{
			Anon: httpapi.Rate(cfg.ThrottleAnon), User: httpapi.Rate(cfg.ThrottleUser),
			Token: httpapi.Rate(cfg.ThrottleToken), Register: httpapi.Rate(cfg.ThrottleRegister), Mail: httpapi.Rate(cfg.ThrottleMail),
			RegistrationMails: cfg.MailScheme() != config.Off && cfg.EmailVerification != config.Off,
		},
		TrustedProxies: cfg.Proxies(), CORSOrigins: cfg.CORSOrigins, CORSHeaders: cfg.CORSHeaders, HSTSMaxAge: cfg.HSTSMaxAge,
		BrowserOrigins: cfg.BrowserOrigins,
		Docs:           describedSettings(cfg),
	}
}

func tokenCookies(cfg config.Config) httpapi.TokenCookies {
	if names := cfg.TokenCookies; len(names) == 2 { // the settings are checked
		return httpapi.TokenCookies{Access: names[0], Refresh: names[1]}
	}
	return httpapi.TokenCookies{}
}

// schemes returns the schemes of the Authorization header. Clients of djoser send JWT, and Token after token/login/.
func schemes(cfg config.Config) []string {
	all := slices.Clone([]string(cfg.Schemes))
	add := func(scheme string, used bool) {
		if used && !slices.Contains(all, scheme) {
			all = append(all, scheme)
		}
	}
	add("JWT", cfg.DjoserPath != "")
	add("Token", cfg.DjoserPath != "" && cfg.Option("token_login"))
	return all
}

func djoserSettings(cfg config.Config) httpapi.Djoser {
	return httpapi.Djoser{
		Path:                       cfg.DjoserPath,
		UserCreatePasswordRetype:   cfg.Option("user_create_password_retype"),
		SetPasswordRetype:          cfg.Option("set_password_retype"),
		PasswordResetConfirmRetype: cfg.Option("password_reset_confirm_retype"),
		SetUsernameRetype:          cfg.Option("set_username_retype"),
		TokenLogin:                 cfg.Option("token_login"),
	}
}

// djoserAccounts returns the use cases about users with djoser's access policy: a user sees itself only, or with
// show_users the list. The rest is that of a.
func djoserAccounts(cfg config.Config, a *application.Accounts) inbound.Accounts {
	if cfg.Option("show_users") {
		return a.With(application.Listed)
	}
	return a.With(application.Private)
}

// describedSettings returns what the description of the API depends on, nil if the service serves none.
func describedSettings(cfg config.Config) *openapi.Settings {
	if !cfg.APIDocs {
		return nil
	}
	server := cfg.PublicURL
	if server == config.FromHost {
		server = ""
	}
	return &openapi.Settings{
		Server: server, Schemes: cfg.Schemes, LoginField: cfg.LoginField, IntegerIDs: cfg.IDs == "integer",
		Registration: cfg.Registration, AccessPolicy: cfg.AccessPolicy,
		Pagination: cfg.Pagination, PageSize: cfg.PageSize, MaxPageSize: cfg.MaxPageSize,
		PasswordMin: cfg.PasswordMinLength, PasswordMax: cfg.PasswordMaxLength, CurrentPassword: cfg.RequireCurrentPassword,
		Forms: cfg.AcceptForms, DRF: cfg.WireDetails == "drf", Rotation: cfg.RotateRefreshTokens, MaxBody: cfg.MaxBody,
		Mail:           cfg.MailScheme() != config.Off,
		Browser:        cfg.BrowserSessions != config.Off,
		HideRegistered: cfg.HideRegistered && cfg.MailScheme() != config.Off,
		AccessLifetime: cfg.AccessTokenLifetime, RefreshLifetime: cfg.RefreshTokenLifetime,
		AnonLimit: cfg.ThrottleAnon.Requests > 0, UserLimit: cfg.ThrottleUser.Requests > 0,
		TokenLimit: cfg.ThrottleToken.Requests > 0, RegisterLimit: cfg.ThrottleRegister.Requests > 0,
		MailLimit: cfg.ThrottleMail.Requests > 0,
	}
}

// optionalLinks is the use cases about mailed links, which are there unless mail is off.
type optionalLinks struct {
	fx.In

	Links inbound.Links `optional:"true"`
}

func api(
	cfg config.Config, own *application.Accounts, links optionalLinks,
	accounts inbound.Accounts, authentication inbound.Authentication, browsers inbound.BrowserSessions, sessions inbound.Sessions,
	trail inbound.Trail, health inbound.Health, s httpapi.Settings, keys signingkeys.Source, o telemetry.Observer,
	pages mounts, log *zap.Logger,
) (http.Handler, error) {
	jwks := func() []byte { return keys.Current("").JWKS() }
	if links.Links != nil {
		links.Links = o.Links(links.Links)
	}
	if cfg.BrowserSessions == config.Off {
		browsers = nil
	}
	return httpapi.New(httpapi.Ports{
		BrowserSessions: browsers,
		DjoserAccounts:  o.Accounts(djoserAccounts(cfg, own)), Links: links.Links,
		Accounts: accounts, Authentication: authentication, Sessions: sessions, Trail: trail, Health: health,
	}, s, jwks, log, pages.api...)
}

// serveAPI listens in its start hook, so that an address in use stops the start. Its stop hook reports that the service
// is not ready, goes on serving for shutdown_delay, in which load balancers notice that, and then finishes the requests
// under way without accepting connections.
func serveAPI(
	lc fx.Lifecycle, sd fx.Shutdowner, cfg config.Config, h http.Handler, health *application.Health,
	cert *certificate.Files, pages mounts, facts *Serving, log *zap.Logger,
) {
	l := &listening{connections: cfg.MaxConnections, shutdown: sd, log: log}
	l.server = httpapi.NewServer(l.leaving(h), httpapi.Connections{Max: cfg.MaxConnections, Trusted: cfg.Proxies()}, log)
	l.server.TLSConfig = tlsConfig(cfg, cert)
	scheme := "http"
	if l.server.TLSConfig != nil {
		scheme = "https"
	}
	lc.Append(fx.StartStopHook(
		func(ctx context.Context) error {
			if err := l.start(ctx, cfg.Listen); err != nil {
				return named(cfg, "listen", err)
			}
			facts.URL, facts.Address = scheme+"://"+l.address, l.address
			facts.setConsole(facts.URL, pages.api)
			if cfg.APIDocs {
				facts.Docs = facts.URL + "/api/docs/"
			}
			return nil
		},
		func(ctx context.Context) {
			health.Drain()
			l.leave(ctx, cfg.ShutdownDelay)
			l.stop(ctx, cfg.ShutdownTimeout)
		}))
}

// adminConnections is how many operators and probes may be connected at once.
const adminConnections = 64

// serveAdmin serves what only operators may see. Without an admin listener the service runs too, if the default address
// is in use.
func serveAdmin(
	lc fx.Lifecycle, sd fx.Shutdowner, cfg config.Config, health inbound.Health, o httpapi.Operations, s httpapi.Settings,
	pages mounts, facts *Serving, log *zap.Logger,
) error {
	if cfg.AdminListen == config.Off {
		return nil
	}
	host, _, _ := net.SplitHostPort(cfg.AdminListen) // the settings are checked
	h, err := httpapi.NewAdmin(health, o, host, s, log, pages.admin...)
	if err != nil {
		return err
	}
	l := &listening{
		server:      httpapi.NewServer(h, httpapi.Connections{Max: adminConnections}, log),
		connections: adminConnections, shutdown: sd, log: log,
	}
	l.server.WriteTimeout = 0 // the request says how long a profile takes
	lc.Append(fx.StartStopHook(
		func(ctx context.Context) error {
			err := l.start(ctx, cfg.AdminListen)
			if errors.Is(err, syscall.EADDRINUSE) && !cfg.Given("admin_listen") {
				log.Warn("no admin listener: its address is in use; set ROSTER_ADMIN_LISTEN to have one",
					zap.String("address", cfg.AdminListen))
				return nil
			}
			if err == nil {
				facts.Admin = "http://" + l.address
				facts.setConsole(facts.Admin, pages.admin)
			}
			return named(cfg, "admin_listen", err)
		},
		func(ctx context.Context) { l.stop(ctx, 0) })) // a profile in progress may be lost
	return nil
}

// listening is one server and its goroutine.
type listening struct {
	server      *http.Server // with a TLSConfig to serve TLS
	connections int          // most at once; further ones wait to be accepted
	shutdown    fx.Shutdowner
	log         *zap.Logger

	address string
	gone    atomic.Bool   // clients should go to another instance
	done    chan struct{} // closed when the server has ended; nil before it begins
}

// leaving returns h with answers that close their connection once the service is about to stop, so that clients that keep
// connections open go to another instance (RFC 9112, 9.6; over HTTP/2 it sends GOAWAY).
func (l *listening) leaving(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.gone.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// leave goes on serving for delay, or until the server ends by itself.
func (l *listening) leave(ctx context.Context, delay time.Duration) {
	if l.done == nil || delay == 0 {
		return
	}
	l.gone.Store(true)
	ctx, cancel := context.WithTimeout(ctx, delay)
	defer cancel()
	select {
	case <-ctx.Done():
	case <-l.done:
	}
}

// start begins to serve. Its error says why that failed, without the steps that package net names, and what to do.
func (l *listening) start(ctx context.Context, address string) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err == nil {
		l.begin(ln)
		return nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	hint := ""
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = "; another program listens there, perhaps another roster: stop it, or set another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = "; no network interface of this machine has that address"
	case errors.Is(err, syscall.EACCES):
		hint = "; ports below 1024 need a privilege"
	}
	return fmt.Errorf("cannot listen on %s: %w%s", address, err, hint)
}

// begin serves on ln until stop.
func (l *listening) begin(ln net.Listener) {
	l.address = ln.Addr().String()
	ln = netutil.LimitListener(ln, l.connections)
	l.done = make(chan struct{})
	serve := l.server.Serve
	if l.server.TLSConfig != nil {
		serve = func(ln net.Listener) error { return l.server.ServeTLS(ln, "", "") }
	}
	go func() {
		defer close(l.done)
		if err := serve(ln); !errors.Is(err, http.ErrServerClosed) {
			l.log.Error("stopped serving", zap.Error(err))
			_ = l.shutdown.Shutdown(fx.ExitCode(1))
		}
	}()
}

// stop accepts no more connections and waits up to grace for the requests in progress. Then it cuts them off, so that the
// service has time left to close its files and connections.
func (l *listening) stop(ctx context.Context, grace time.Duration) {
	if l.done == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		if grace > 0 {
			l.log.Warn("requests still under way were cut off", zap.Duration("after", grace))
		}
		_ = l.server.Close()
	}
	<-l.done
}
