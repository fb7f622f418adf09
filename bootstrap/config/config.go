// Package config reads the settings of the service from file, environment and flags, and checks them.
//
// The tags of Config hold the name, values and rules of each setting, and settings.txt the help. The names of
// environment variables and flags, the help of the command line and the tables of docs/configuration.md follow from
// them. The tags are:
//
//	name      the key in a file; ROSTER_<NAME> and --<name> follow from it
//	default   the value in profile standard; empty when absent
//	django, strict
//	          the value in that profile, where it is another
//	validate  rules of go-playground/validator, and those of rules.go
package config

import (
	"path/filepath"
	"time"
)

// Special values.
const (
	Off      = "off"       // admin_listen: no such listener; a rate: no limit; breached_passwords: no check
	FromHost = "from-host" // public_url: links follow the Host header
)

// Config holds the values of all settings. Those of Load are within their rules.
type Config struct {
	Profile     string   `name:"profile" default:"standard" django:"django" strict:"strict" validate:"oneof=django standard strict"`
	Listen      string   `name:"listen" default:"127.0.0.1:8000" validate:"listen"`
	AdminListen string   `name:"admin_listen" default:"127.0.0.1:8001" validate:"eq=off|listen"`
	PublicURL   string   `name:"public_url" django:"from-host" validate:"public_url"`
	DataDir     string   `name:"data_dir" default:"./data" validate:"required"`
	Database    Database `name:"database" default:"sqlite:"`

	TrustedProxies       List          `name:"trusted_proxies" validate:"proxy"`
	CORSOrigins          List          `name:"cors_origins" validate:"origin"`
	CORSHeaders          List          `name:"cors_headers" validate:"header_name"`
	TLSCert              string        `name:"tls_cert"`
	TLSKey               string        `name:"tls_key"`
	TLSAutocert          List          `name:"tls_autocert" validate:"host"`
	TLSAutocertDirectory string        `name:"tls_autocert_directory" default:"https://acme-v02.api.letsencrypt.org/directory" validate:"acme"`
	HSTSMaxAge           time.Duration `name:"hsts_max_age" default:"17520h" validate:"min=0s,max=87600h"`

	KeysDir             string `name:"keys_dir"`
	SigningKey          Secret `name:"signing_key"`
	SigningKeyFallbacks Secret `name:"signing_key_fallbacks"`
	SigningAlgorithm    string `name:"signing_algorithm" default:"ES256" django:"HS256" validate:"oneof=ES256 RS256 EdDSA HS256 HS384 HS512"`

	TokenIssuer         string        `name:"token_issuer" default:"roster" django:"" validate:"max=255"`
	TokenAudience       string        `name:"token_audience" default:"roster" django:"" validate:"max=255"`
	TokenClaims         string        `name:"token_claims" default:"session" django:"simplejwt" validate:"oneof=simplejwt session"`
	UserIDClaim         string        `name:"user_id_claim" default:"user_id" validate:"claim_name"`
	Schemes             List          `name:"authorization_schemes" default:"Bearer" validate:"gt=0,scheme"`
	ClockLeeway         time.Duration `name:"clock_leeway" default:"30s" validate:"min=0s,max=10m"`
	AccessTokenLifetime time.Duration `name:"access_token_lifetime" default:"5m" validate:"min=1s,max=87600h,ltefield=RefreshTokenLifetime"`

	RefreshTokenLifetime time.Duration `name:"refresh_token_lifetime" default:"24h" validate:"min=1s,max=87600h"`
	SessionMaxLifetime   time.Duration `name:"session_max_lifetime" default:"720h" django:"0" validate:"omitempty,min=1s,max=87600h"`
	MaxSessions          int           `name:"max_sessions" default:"100" django:"0" validate:"min=0,max=100000"`
	RotateRefreshTokens  bool          `name:"rotate_refresh_tokens" default:"true" django:"false"`
	ReuseGrace           time.Duration `name:"reuse_grace" default:"10s" django:"0s" validate:"min=0s,ltefield=RefreshTokenLifetime"`
	ReusePolicy          string        `name:"reuse_policy" default:"revoke" django:"refuse" validate:"oneof=refuse revoke"`
	SessionlessTokens    bool          `name:"sessionless_tokens" default:"false" django:"true"`
	ImmediateRevocation  bool          `name:"immediate_revocation" default:"true" django:"false"`
	PasswordChangeEnds   string        `name:"password_change_ends" default:"all" django:"others" validate:"oneof=others all"`

	BrowserSessions        string        `name:"browser_sessions" default:"off" validate:"oneof=off on"`
	BrowserSessionLifetime time.Duration `name:"browser_session_lifetime" default:"12h" validate:"min=1m,max=87600h"`
	BrowserOrigins         List          `name:"browser_origins" validate:"browser_origin"`
	Console                string        `name:"console" default:"admin" validate:"oneof=admin api off"`
	AccountPages           string        `name:"account_pages" default:"off" validate:"oneof=off on"`

	IDs          string `name:"ids" default:"uuid" django:"integer" validate:"oneof=integer uuid"`
	AccessPolicy string `name:"access_policy" default:"directory" django:"open" strict:"private" validate:"oneof=open directory private"`
	Registration string `name:"registration" default:"open" validate:"oneof=open staff closed"`
	PageSize     int    `name:"page_size" default:"20" validate:"min=1,max=1000"`
	MaxPageSize  int    `name:"max_page_size" default:"100" django:"0" validate:"min=0,max=1000"`
	LoginField   string `name:"login_field" default:"email" validate:"oneof=email username"`
	Pagination   string `name:"pagination" default:"mixed" django:"page" strict:"cursor" validate:"oneof=page mixed cursor"`

	PasswordMinLength      int           `name:"password_min_length" default:"8" strict:"15" validate:"min=8,ltefield=PasswordMaxLength"`
	PasswordMaxLength      int           `name:"password_max_length" default:"1024" django:"128" validate:"min=64,max=1024"`
	PasswordBlocklist      string        `name:"password_blocklist" default:"extended" django:"django" validate:"oneof=django extended"`
	BreachedPasswords      string        `name:"breached_passwords" default:"off" validate:"breached_passwords"`
	TrimPasswords          bool          `name:"trim_passwords" default:"false" django:"true"`
	RequireCurrentPassword bool          `name:"require_current_password" default:"false" strict:"true"`
	HashWorkers            int           `name:"hash_workers" default:"0" validate:"min=0,max=64"`
	ImportedHashes         bool          `name:"imported_hashes" default:"false" django:"true"`
	LegacyDigests          bool          `name:"legacy_digests" default:"false" django:"true"`
	HashWait               time.Duration `name:"hash_wait" default:"10s" validate:"min=0s,max=1h"`

	LockoutFailures        int           `name:"lockout_failures" default:"10" validate:"min=0,max=100"`
	LockoutAddressFailures int           `name:"lockout_address_failures" default:"20" django:"0" validate:"min=0,max=100000"`
	LockoutDelay           time.Duration `name:"lockout_delay" default:"30s" validate:"min=1s,ltefield=LockoutMaxDelay"`
	LockoutMaxDelay        time.Duration `name:"lockout_max_delay" default:"15m" validate:"min=1s,max=1h"`
	AuditRetention         time.Duration `name:"audit_retention" default:"2160h" validate:"min=1h,max=87600h"`

	LenientJSON     bool          `name:"lenient_json" default:"false" django:"true"`
	AcceptForms     bool          `name:"accept_forms" default:"true" strict:"false"`
	WireDetails     string        `name:"wire_details" default:"standard" django:"drf" validate:"oneof=drf standard"`
	APIDocs         bool          `name:"api_docs" default:"true" strict:"false"`
	MaxConnections  int           `name:"max_connections" default:"4096" validate:"min=16,max=1000000"`
	MaxBody         int64         `name:"max_body" default:"65536" validate:"min=1024,max=10485760"`
	RequestTimeout  time.Duration `name:"request_timeout" default:"15s" validate:"min=1ms,max=1h"`
	ShutdownDelay   time.Duration `name:"shutdown_delay" default:"0s" validate:"min=0s,max=1h"`
	ShutdownTimeout time.Duration `name:"shutdown_timeout" default:"15s" validate:"min=1ms,max=1h"`

	ThrottleAnon     Rate `name:"throttle_anon" default:"off"`
	ThrottleUser     Rate `name:"throttle_user" default:"600/min" django:"off"`
	ThrottleToken    Rate `name:"throttle_token" default:"600/min" django:"off"`
	ThrottleRegister Rate `name:"throttle_register" default:"20/min" django:"off"`
	ThrottleMail     Rate `name:"throttle_mail" default:"5/hour" django:"off"`

	Mail          Secret `name:"mail"`
	MailFrom      string `name:"mail_from"`
	MailReplyTo   string `name:"mail_reply_to"`
	MailTemplates string `name:"mail_templates"`
	MailNotices   List   `name:"mail_notices" default:"password_changed,email_changed,sessions_ended" django:"" validate:"notice"`
	MailPerMinute int    `name:"mail_per_minute" default:"1" django:"0" validate:"min=0,max=1000"`
	MailPerHour   int    `name:"mail_per_hour" default:"5" validate:"min=0,max=1000"`

	EmailVerification  string        `name:"email_verification" default:"off" strict:"required" validate:"oneof=off optional required"`
	HideRegistered     bool          `name:"hide_registered" default:"false" strict:"true"`
	LinkTokens         string        `name:"link_tokens" default:"roster" django:"django" validate:"oneof=roster django"`
	ActivationURL      string        `name:"activation_url" validate:"link_url"`
	PasswordResetURL   string        `name:"password_reset_url" validate:"link_url"`
	EmailChangeURL     string        `name:"email_change_url" validate:"link_url"`
	ActivationLifetime time.Duration `name:"activation_lifetime" default:"24h" django:"72h" validate:"min=1s,max=8760h"`
	ResetLifetime      time.Duration `name:"password_reset_lifetime" default:"1h" django:"72h" validate:"min=1s,max=8760h"`
	ChangeLifetime     time.Duration `name:"email_change_lifetime" default:"24h" django:"72h" validate:"min=1s,max=8760h"`
	InvitationLifetime time.Duration `name:"invitation_lifetime" default:"168h" validate:"min=1s,max=8760h"`

	DjoserPath     string `name:"djoser_path" validate:"mount_path"`
	DjoserOptions  List   `name:"djoser_options" validate:"djoser_option"`
	DjRestAuthPath string `name:"dj_rest_auth_path" validate:"mount_path"`
	TokenCookies   List   `name:"dj_rest_auth_cookies" validate:"cookie_name"`

	LogLevel    string `name:"log_level" default:"info" validate:"oneof=debug info warn error"`
	LogFormat   string `name:"log_format" default:"auto" validate:"oneof=auto console json"`
	LogRequests string `name:"log_requests" default:"all" validate:"oneof=all errors off"`
	Metrics     bool   `name:"metrics" default:"true"`

	TracesURL     string `name:"traces_url" default:"off" validate:"traces_url"`
	TracesPercent int    `name:"traces_percent" default:"100" validate:"min=0,max=100"`

	source map[string]Source // what gave each setting its value
	where  map[string]string // the variable, the flag or the line of a file; of a default the variable
}

// KeysDirectory returns the directory of the key file, which is in use unless signing_key is given.
func (c Config) KeysDirectory() string {
	if c.KeysDir != "" {
		return c.KeysDir
	}
	return filepath.Join(c.DataDir, "keys")
}

// TLS reports whether the API is served over TLS.
func (c Config) TLS() bool { return c.TLSCert != "" || len(c.TLSAutocert) > 0 }
