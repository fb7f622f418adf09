package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usual is what standard has; more is looser.
const (
	usualGrace      = 10 * time.Second
	usualMaxSession = 720 * time.Hour
	usualFailures   = 10
	longAccess      = time.Hour
	longRefresh     = 30 * 24 * time.Hour
)

// caution says when a setting is looser than in profile standard, or unsafe otherwise, and why.
type caution struct {
	name  string
	holds func(c *Config) bool
	text  string
}

var cautions = []caution{
	{"listen", func(c *Config) bool { return !loopback(c.Listen) && !c.TLS() && len(c.TrustedProxies) == 0 }, "passwords and tokens pass in the clear; give tls_cert and tls_key, or put something that ends TLS in front and name it in trusted_proxies"},
	{"listen", func(c *Config) bool { return loopback(c.Listen) && len(c.TrustedProxies) == 0 }, "behind a proxy on this machine all clients share one address, so that one client that guesses passwords makes all wait; name the proxy in trusted_proxies, such as 127.0.0.1"},
	{"admin_listen", func(c *Config) bool { return c.AdminListen != Off && !loopback(c.AdminListen) }, "metrics and profiling are open to the network"},
	{"public_url", func(c *Config) bool { return c.PublicURL == FromHost }, "links follow the Host header, which the sender of a request may forge"},
	{"public_url", func(c *Config) bool {
		after, plain := strings.CutPrefix(c.PublicURL, "http://")
		host, _, _ := strings.Cut(after, "/")
		return plain && !loopback(host) && !loopback(host+":80")
	}, "links lead to a connection without TLS"},
	{"trusted_proxies", func(c *Config) bool {
		return slices.ContainsFunc(c.Proxies(), func(p netip.Prefix) bool { return p.Bits() == 0 })
	}, "every client may claim to be at any address"},
	{"cors_origins", func(c *Config) bool { return slices.Contains(c.CORSOrigins, AnyOrigin) }, "scripts of any site may use the API, from inside the networks that its visitors are in"},
	{"database", func(c *Config) bool { return c.Database.Scheme() == "memory" }, "all users and sessions are lost when the service stops"},
	{"database", func(c *Config) bool { return c.Database.unverified() }, "passwords and hashes go to a server whose identity is not verified, so that an attacker on the network can pose as it; add sslmode=verify-full (PostgreSQL; sslrootcert names the authority) or tls=true (MongoDB)"},
	{"database", func(c *Config) bool { return c.Database.secret() && c.source["database"] == FromFlag }, onCommandLine},
	{"signing_key", func(c *Config) bool { return c.SigningKey.Set() && c.source["signing_key"] == FromFlag }, onCommandLine},
	{"signing_key_fallbacks", func(c *Config) bool {
		return c.SigningKeyFallbacks.Set() && c.source["signing_key_fallbacks"] == FromFlag
	}, onCommandLine},
	{"signing_key", func(c *Config) bool { return c.SigningKey.wrapped() }, aroundKey},
	{"signing_key_fallbacks", func(c *Config) bool { return c.SigningKeyFallbacks.wrapped() }, aroundKey},
	{"signing_key", func(c *Config) bool { return strings.HasPrefix(c.SigningKey.Reveal(), "django-insecure-") }, "the key is one that Django made for development; it may lie in a repository"},
	{"signing_key", func(c *Config) bool {
		bits, _ := strconv.Atoi(strings.TrimPrefix(c.SigningAlgorithm, "HS"))
		return c.hmac() && c.SigningKey.Set() && 8*len(c.SigningKey.Reveal()) < bits
	}, "the key is shorter than its algorithm asks for (RFC 7518, 3.2)"},
	{"signing_algorithm", (*Config).hmac, "a service that can check tokens can also make them"},
	{"access_token_lifetime", func(c *Config) bool { return c.AccessTokenLifetime > longAccess }, "a stolen access token is of use for long"},
	{"refresh_token_lifetime", func(c *Config) bool { return c.RefreshTokenLifetime > longRefresh }, "a stolen refresh token is of use for long"},
	{"session_max_lifetime", func(c *Config) bool { return c.SessionMaxLifetime == 0 }, "a session that is refreshed has no end"},
	{"session_max_lifetime", func(c *Config) bool { return c.SessionMaxLifetime > usualMaxSession }, "a session lives long before its user must sign in again"},
	{"max_sessions", func(c *Config) bool { return c.MaxSessions == 0 }, "one account can begin sessions without end"},
	{"rotate_refresh_tokens", func(c *Config) bool { return !c.RotateRefreshTokens }, "the theft of a refresh token goes unnoticed"},
	{"reuse_grace", func(c *Config) bool { return c.ReuseGrace > usualGrace }, "a stolen refresh token can be used again for longer than a lost answer needs"},
	{"reuse_policy", func(c *Config) bool { return c.ReusePolicy == "refuse" }, "a thief's session goes on after the reuse of a refresh token was seen"},
	{"sessionless_tokens", func(c *Config) bool { return c.SessionlessTokens }, "tokens that name no session cannot be ended one by one"},
	{"immediate_revocation", func(c *Config) bool { return !c.ImmediateRevocation }, "access tokens outlive the end of their session until they expire"},
	{"password_change_ends", func(c *Config) bool { return c.PasswordChangeEnds == "others" }, "the session that changed a password goes on, even if a thief's"},
	{"ids", func(c *Config) bool { return c.IDs == "integer" }, "counted ids show how many users there are and can be guessed"},
	{"access_policy", func(c *Config) bool { return c.AccessPolicy == "open" }, "any signed-in user may read, change and delete every other, administrators too"},
	{"access_policy", func(c *Config) bool {
		return c.AccessPolicy == "directory" && c.Registration == "open" && (!loopback(c.Listen) || len(c.TrustedProxies) > 0)
	}, "registration is open: any client that registers can read the addresses of all users; set registration to staff, or access_policy to private"},
	{"password_blocklist", func(c *Config) bool { return c.PasswordBlocklist == "django" }, "passwords such as passwordpassword and qwertyuiopasdfghjkl are taken"},
	{"legacy_digests", func(c *Config) bool { return c.LegacyDigests }, "an imported SHA-1 or MD5 of a password signs in; the password can be found from the database"},
	{"trim_passwords", func(c *Config) bool { return c.TrimPasswords }, "blanks at the ends of passwords do not count"},
	{"lockout_failures", func(c *Config) bool { return c.LockoutFailures == 0 }, "passwords of one account can be guessed without a pause, from however many addresses"},
	{"lockout_failures", func(c *Config) bool { return c.LockoutFailures > usualFailures }, "passwords of one account can be guessed for long without a pause"},
	{"lockout_address_failures", func(c *Config) bool { return c.LockoutAddressFailures == 0 }, "one client can try a few passwords of everybody without a pause"},
	{"throttle_user", func(c *Config) bool { return c.ThrottleUser.Off() }, "one account can fill the audit trail, a change at a time"},
	{"throttle_token", func(c *Config) bool { return c.ThrottleToken.Off() }, "one client can fill the audit trail and the table of sessions, a sign-in at a time"},
	{"throttle_register", func(c *Config) bool { return c.ThrottleRegister.Off() && c.Registration == "open" }, "one client may register users without end"},
	{"lenient_json", func(c *Config) bool { return c.LenientJSON }, "of two JSON members of one name the last counts; something in front may look at the first"},
}

const onCommandLine = "a secret on the command line can be read by every user of the machine; use the environment or a file"

const aroundKey = "blanks, line feeds or quotes around it are part of the key; remove them, unless tokens were signed with them"

// Warning says that a setting is looser than in profile standard, or unsafe otherwise.
type Warning struct {
	Setting   string
	Text      string // one line, which begins with the setting; without any secret
	OfProfile bool   // the value is the one of the profile
}

// Warnings returns what is unsafe in the settings.
func (c Config) Warnings() []Warning {
	var out []Warning
	for _, w := range cautions {
		if w.holds(&c) {
			s, _ := specNamed(w.name)
			text, own := s.in(c.Profile)
			value := show(c.value(s))
			usual, _ := s.parse(text)
			out = append(out, Warning{w.name, fmt.Sprintf("%s is %s: %s", w.name, value, w.text), own && usual != nil && show(usual) == value})
		}
	}
	return out
}

// loopback reports whether only this machine can reach an address.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}
