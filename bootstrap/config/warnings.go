package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// caution is a reason why the value of a setting is unsafe, or less safe than in profile standard.
type caution struct {
	setting string
	holds   bool
	why     string
}

func (c *Config) cautions() []caution {
	const (
		onCommandLine = "a secret on the command line can be read by every user of the machine; use the environment or a file"
		aroundKey     = "blanks, line feeds or quotes around it are part of the key; remove them, unless tokens were signed with them"
		longAccess    = time.Hour
		longRefresh   = 30 * 24 * time.Hour
		longBrowser   = 14 * 24 * time.Hour
	)
	local, proxied := loopback(c.Listen), len(c.TrustedProxies) > 0
	inClear, _ := parseURL(c.PublicURL)
	bits, _ := strconv.Atoi(strings.TrimPrefix(c.SigningAlgorithm, "HS"))
	return append(c.mailCautions(), []caution{
		{"listen", !local && !c.TLS() && !proxied, "passwords and tokens are sent without TLS; give tls_cert and tls_key, " +
			"or let a proxy end TLS and name it in trusted_proxies"},
		{"listen", local && !proxied, "behind a proxy on this machine all clients share one address, " +
			"so that one client that guesses passwords makes all wait; name the proxy in trusted_proxies, such as 127.0.0.1"},
		{"admin_listen", c.AdminListen != Off && !loopback(c.AdminListen), "metrics and profiling are open to the network"},
		{"public_url", c.PublicURL == FromHost, "links follow the Host header, which the sender of a request may forge"},
		{"public_url", inClear != nil && inClear.Scheme == "http" && !loopback(inClear.Host), "links lead to a connection without TLS"},
		{"trusted_proxies", slices.ContainsFunc(c.Proxies(), func(p netip.Prefix) bool { return p.Bits() == 0 }),
			"every client may claim to be at any address"},
		{"cors_origins", slices.Contains(c.CORSOrigins, AnyOrigin),
			"scripts of any site may use the API, from inside the networks that its visitors are in"},
		{"database", c.Database.Scheme() == "memory", "all users and sessions are lost when the service stops"},
		{"database", c.Database.unverified(), "passwords and hashes go to a server whose identity is not verified, so that an attacker " +
			"on the network can pose as it; add sslmode=verify-full (PostgreSQL; sslrootcert names the authority) or tls=true (MongoDB)"},
		{"database", c.Database.secret() && c.source["database"] == FromFlag, onCommandLine},
		{"signing_key", c.SigningKey.Set() && c.source["signing_key"] == FromFlag, onCommandLine},
		{"signing_key_fallbacks", c.SigningKeyFallbacks.Set() && c.source["signing_key_fallbacks"] == FromFlag, onCommandLine},
		{"signing_key", c.SigningKey.wrapped(), aroundKey},
		{"signing_key_fallbacks", c.SigningKeyFallbacks.wrapped(), aroundKey},
		{"signing_key", strings.HasPrefix(c.SigningKey.Reveal(), "django-insecure-"),
			"the key is one that Django made for development; it may be in a repository"},
		{"signing_key", c.hmac() && c.SigningKey.Set() && 8*len(c.SigningKey.Reveal()) < bits,
			"the key is shorter than its algorithm requires (RFC 7518, 3.2)"},
		{"signing_algorithm", c.hmac(), "a service that can check tokens can also make them"},
		{"access_token_lifetime", c.AccessTokenLifetime > longAccess, "a stolen access token is of use for long"},
		{"refresh_token_lifetime", c.RefreshTokenLifetime > longRefresh, "a stolen refresh token is of use for long"},
		{"session_max_lifetime", c.SessionMaxLifetime == 0, "a session that is refreshed never ends"},
		{"session_max_lifetime", c.SessionMaxLifetime > 720*time.Hour, "a session lives long before its user must sign in again"},
		{"max_sessions", c.MaxSessions == 0, "one account can begin any number of sessions"},
		{"rotate_refresh_tokens", !c.RotateRefreshTokens, "the theft of a refresh token is not noticed"},
		{"reuse_grace", c.ReuseGrace > 10*time.Second, "a stolen refresh token can be used again for longer than a lost answer needs"},
		{"reuse_policy", c.ReusePolicy == "refuse", "the session of a thief goes on after the reuse of a refresh token was seen"},
		{"sessionless_tokens", c.SessionlessTokens, "tokens that name no session cannot be ended one by one"},
		{"immediate_revocation", !c.ImmediateRevocation, "access tokens outlive the end of their session until they expire"},
		{"password_change_ends", c.PasswordChangeEnds == "others", "the session that changed a password goes on, even if a thief's"},
		{"browser_sessions", c.BrowserSessions == "on" && !c.TLS() && !proxied, "without TLS browsers can sign in on this machine only, " +
			"and send the cookie to every program that they reach at localhost"},
		{"browser_session_lifetime", c.BrowserSessionLifetime > longBrowser, "a browser that is left behind stays signed in for long"},
		{"browser_origins", slices.ContainsFunc(c.BrowserOrigins, func(origin string) bool {
			u, _ := parseURL(origin)
			return u != nil && u.Scheme == "http" && !loopback(u.Host)
		}), "a page over plain HTTP can be changed on its way, to act for the users that open it"},
		{"ids", c.IDs == "integer", "counted ids show how many users there are and can be guessed"},
		{"access_policy", c.AccessPolicy == "open", "any signed-in user may read, change and delete every other, administrators too"},
		{"access_policy", c.AccessPolicy == "directory" && c.Registration == "open" && (!local || proxied),
			"registration is open: any client that registers can read the addresses of all users; " +
				"set registration to staff, or access_policy to private"},
		{"password_blocklist", c.PasswordBlocklist == "django", "passwords such as passwordpassword and qwertyuiopasdfghjkl are accepted"},
		{"legacy_digests", c.LegacyDigests,
			"an imported SHA-1 or MD5 of a password signs in; the password can be found from the database"},
		{"trim_passwords", c.TrimPasswords, "blanks at the ends of passwords do not count"},
		{"lockout_failures", c.LockoutFailures == 0, "passwords of one account can be guessed without a pause, from any number of addresses"},
		{"lockout_failures", c.LockoutFailures > 10, "passwords of one account can be guessed for long without a pause"},
		{"lockout_address_failures", c.LockoutAddressFailures == 0, "one client can try a few passwords of every account without a pause"},
		{"throttle_user", c.ThrottleUser.Off(), "one account can fill the audit trail, a change at a time"},
		{"throttle_token", c.ThrottleToken.Off(), "one client can fill the audit trail and the table of sessions, a sign-in at a time"},
		{"throttle_register", c.ThrottleRegister.Off() && c.Registration == "open", "one client may register any number of users"},
		{"lenient_json", c.LenientJSON, "of two JSON members of one name the last counts; a proxy in front may look at the first"},
	}...)
}

// Warning says that the value of a setting is unsafe, or less safe than in profile standard.
type Warning struct {
	Setting   string
	Text      string // one line, which begins with the setting; without any secret
	OfProfile bool   // the value is the one of the profile
}

// Warnings returns what is unsafe in the settings.
func (c Config) Warnings() []Warning {
	var out []Warning
	for _, w := range c.cautions() {
		if w.holds {
			s := named(w.setting)
			value := show(c.value(s))
			usual, _ := s.parse(s.profiles[c.Profile])
			ofProfile := s.profiles[c.Profile] != s.profiles[standard] && show(usual) == value
			out = append(out, Warning{w.setting, fmt.Sprintf("%s is %s: %s", w.setting, value, w.why), ofProfile})
		}
	}
	return out
}
