// Package config holds every setting of the service: their names, defaults, profiles and rules in one
// struct, and the one place that reads them from file, environment and flags.
//
// What a setting is called, what it means and what it may be stands in the tags of Config alone. The
// names of environment variables and flags, the command line's help, the tables of docs/configuration.md and the checks
// are made from them:
//
//	name      the key in a file; ROSTER_<NAME> and --<name> follow from it
//	group     begins a group of settings in tables and help
//	default   the value in profile standard
//	django, strict
//	          the value in that profile, where it is another
//	secret    "key": never shown; "url": shown without its password. Either may lie in a file of its
//	          own that <name>_file names
//	validate  rules of go-playground/validator, and those that check.go adds
//	help      one line for people
package config

import (
	"path/filepath"
	"time"
)

// Values that stand for something else than themselves.
const (
	Off      = "off"       // admin_listen: no such listener; a rate: no limit; breached_passwords: no such check
	FromHost = "from-host" // public_url: links follow the Host header
)

// Config is the settings in force. Load makes one; its values are within their rules.
type Config struct {
	Profile     string   `name:"profile" group:"Service" default:"standard" django:"django" strict:"strict" validate:"oneof=django standard strict" help:"the set of settings to start from"`
	Listen      string   `name:"listen" default:"127.0.0.1:8000" validate:"listen" help:"address of the API, HOST:PORT; port 0 takes a free one"`
	AdminListen string   `name:"admin_listen" default:"127.0.0.1:8001" validate:"eq=off|listen" help:"address of health and profiling for operators, HOST:PORT; off for none"`
	PublicURL   string   `name:"public_url" default:"" django:"from-host" validate:"public_url" help:"base URL of links, such as https://id.example.org; from-host believes the Host header; empty believes it only when it is a loopback or the very address connected to"`
	DataDir     string   `name:"data_dir" default:"./data" validate:"required" help:"directory of the embedded database and the keys"`
	Database    Database `name:"database" default:"sqlite:" secret:"url" validate:"-" help:"URL whose scheme picks the storage: sqlite:PATH, postgres://..., mongodb://..., memory: for tests"`

	TrustedProxies       List          `name:"trusted_proxies" group:"Network" default:"" validate:"proxies" help:"addresses and ranges of proxies in front, such as 10.0.0.5,10.1.0.0/16; private for all private networks. From them X-Forwarded-For and X-Forwarded-Proto are believed, from nobody else"`
	CORSOrigins          List          `name:"cors_origins" default:"" validate:"origins" help:"origins whose scripts may use the API, such as https://app.example.org; * for any; empty for none"`
	CORSHeaders          List          `name:"cors_headers" default:"" validate:"header_names" help:"request headers that those scripts may set, beside the usual ones"`
	TLSCert              string        `name:"tls_cert" default:"" validate:"-" help:"file of the certificate and its chain, PEM; read again when it changes"`
	TLSKey               string        `name:"tls_key" default:"" validate:"-" help:"file of the certificate's private key, PEM"`
	TLSAutocert          List          `name:"tls_autocert" default:"" validate:"hosts" help:"host names to get certificates for by ACME (Let's Encrypt, whose terms you thereby accept); the API must be reached at port 443"`
	TLSAutocertDirectory string        `name:"tls_autocert_directory" default:"https://acme-v02.api.letsencrypt.org/directory" validate:"directory" help:"URL of the ACME server's directory"`
	HSTSMaxAge           time.Duration `name:"hsts_max_age" default:"17520h" validate:"min=0s,max=87600h" help:"how long browsers use nothing but TLS for this host and those below it; sent over TLS only; 0 to send nothing"`

	KeysDir             string        `name:"keys_dir" group:"Tokens" default:"" help:"directory of the file of signing keys, unless signing_key is given; empty for keys in data_dir"`
	SigningKey          Secret        `name:"signing_key" default:"" secret:"key" validate:"-" help:"secret of HS256, HS384 and HS512, at least 32 bytes (Django's SECRET_KEY, SimpleJWT's SIGNING_KEY); or a private key in PEM (PKCS #8)"`
	SigningKeyFallbacks Secret        `name:"signing_key_fallbacks" default:"" secret:"key" validate:"-" help:"what signing_key was before, which still verifies: secrets, one a line, or private or public keys in PEM"`
	SigningAlgorithm    string        `name:"signing_algorithm" default:"ES256" django:"HS256" validate:"oneof=ES256 RS256 EdDSA HS256 HS384 HS512" help:"algorithm of signatures, and with keys_dir of new keys; when signing_key is given and this is not, HS256 or what the PEM is for"`
	TokenIssuer         string        `name:"token_issuer" default:"roster" django:"" validate:"max=255" help:"iss of tokens; when set, tokens must have it, with sessionless_tokens those that have an iss at all"`
	TokenAudience       string        `name:"token_audience" default:"roster" django:"" validate:"max=255" help:"aud of tokens; when set, tokens must have it, with sessionless_tokens those that have an aud at all"`
	TokenClaims         string        `name:"token_claims" default:"session" django:"simplejwt" validate:"oneof=simplejwt session" help:"claims of tokens: SimpleJWT's alone, with the session inside jti; or sid and gen beside them"`
	UserIDClaim         string        `name:"user_id_claim" default:"user_id" validate:"claim_name" help:"claim that holds the user's id, in tokens given and taken (SimpleJWT's USER_ID_CLAIM), such as sub"`
	Schemes             List          `name:"authorization_schemes" default:"Bearer" validate:"schemes" help:"schemes of the Authorization header that announce an access token (SimpleJWT's AUTH_HEADER_TYPES), such as Bearer,JWT"`
	ClockLeeway         time.Duration `name:"clock_leeway" default:"30s" validate:"min=0s,max=10m" help:"by how much the clocks of instances and of other issuers of tokens may differ; iat and nbf of a token may be as much later than now, exp has no leeway"`
	AccessTokenLifetime time.Duration `name:"access_token_lifetime" default:"5m" validate:"min=1s,max=87600h,ltefield=RefreshTokenLifetime" help:"how long an access token is good"`

	RefreshTokenLifetime time.Duration `name:"refresh_token_lifetime" group:"Sessions" default:"24h" validate:"min=1s,max=87600h" help:"how long a refresh token is good"`
	SessionMaxLifetime   time.Duration `name:"session_max_lifetime" default:"720h" django:"0" validate:"omitempty,min=1s,max=87600h,gtefield=RefreshTokenLifetime" help:"longest life of a session, however often it is refreshed; 0 for no end"`
	MaxSessions          int           `name:"max_sessions" default:"100" django:"0" validate:"min=0,max=100000" help:"sessions of one user that count at once: a sign-in beyond them ends the oldest; 0 for any number"`
	RotateRefreshTokens  bool          `name:"rotate_refresh_tokens" default:"true" django:"false" help:"a refresh gives a new refresh token and ends the old one"`
	ReuseGrace           time.Duration `name:"reuse_grace" default:"10s" django:"0s" validate:"min=0s,ltefield=RefreshTokenLifetime" help:"how long the refresh token just used gets the same successor again"`
	ReusePolicy          string        `name:"reuse_policy" default:"revoke" django:"refuse" validate:"oneof=refuse revoke" help:"a refresh token used before is refused, or ends its session too"`
	SessionlessTokens    bool          `name:"sessionless_tokens" default:"false" django:"true" help:"honour tokens that name no session, as SimpleJWT issues them; needs an HS algorithm"`
	ImmediateRevocation  bool          `name:"immediate_revocation" default:"true" django:"false" help:"the end of a session ends its access tokens at once"`
	PasswordChangeEnds   string        `name:"password_change_ends" default:"all" django:"others" validate:"oneof=others all" help:"sessions that a change of password ends: all, or all but the one that asked for it"`

	IDs          string `name:"ids" group:"Users" default:"uuid" django:"integer" validate:"oneof=integer uuid" help:"ids of new users"`
	AccessPolicy string `name:"access_policy" default:"directory" django:"open" strict:"private" validate:"oneof=open directory private" help:"what signed-in users may do: open: change all users; directory: read all and change themselves; private: themselves alone. Staff may read and change all"`
	Registration string `name:"registration" default:"open" validate:"oneof=open staff closed" help:"open: any client registers users; staff: administrators do; closed: not over the API"`
	PageSize     int    `name:"page_size" default:"20" validate:"min=1,max=1000" help:"users on a page of the list"`
	MaxPageSize  int    `name:"max_page_size" default:"100" django:"0" validate:"min=0,max=1000" help:"most users on a page that a request may ask for with page_size, or page_size itself where that is more; 0 to ignore the request's"`
	LoginField   string `name:"login_field" default:"email" validate:"oneof=email username" help:"member of a sign-in that holds the email address; username for front ends that are made for Django's default user"`
	Pagination   string `name:"pagination" default:"mixed" django:"page" strict:"cursor" validate:"oneof=page mixed cursor" help:"how the list is paged: by number; by cursor, and by number on request; by cursor alone"`

	PasswordMinLength      int           `name:"password_min_length" group:"Passwords" default:"8" strict:"15" validate:"min=8,ltefield=PasswordMaxLength" help:"fewest characters of a new password"`
	PasswordMaxLength      int           `name:"password_max_length" default:"1024" django:"128" validate:"min=64,max=1024" help:"most characters of a password"`
	PasswordBlocklist      string        `name:"password_blocklist" default:"extended" django:"django" validate:"oneof=django extended" help:"passwords that are too common: those of Django's list; or also what is put together from common words, runs and repetitions"`
	BreachedPasswords      string        `name:"breached_passwords" default:"off" validate:"breached_passwords" help:"refuse new passwords of past data breaches: base URL of a service with Have I Been Pwned's range protocol, such as https://api.pwnedpasswords.com; or path of a downloaded file of its hashes, ordered by hash; off for neither"`
	TrimPasswords          bool          `name:"trim_passwords" default:"false" django:"true" help:"cut blanks at the ends of passwords, as Django REST Framework does"`
	RequireCurrentPassword bool          `name:"require_current_password" default:"false" strict:"true" help:"a change of one's own password or email needs current_password"`
	HashWorkers            int           `name:"hash_workers" default:"0" validate:"min=0,max=64" help:"passwords hashed at once, 19 MiB each; 0 for one less than there are CPUs, so that other requests are served at the same time"`
	ImportedHashes         bool          `name:"imported_hashes" default:"false" django:"true" help:"passwords of another system are stored, which roster import django brings: every refused sign-in then takes as long as with the costliest of them, so that the time does not show which addresses have an account; else noted when the first one is met"`
	LegacyDigests          bool          `name:"legacy_digests" default:"false" django:"true" help:"let passwords sign in that old Django projects stored as one SHA-1 or MD5; each is stored anew then"`
	HashWait               time.Duration `name:"hash_wait" default:"10s" validate:"min=0s,max=1h" help:"how long a sign-in waits for its turn to be hashed before 503"`

	LockoutFailures        int           `name:"lockout_failures" group:"Guessing" default:"10" validate:"min=0,max=100" help:"wrong passwords in a row for one account from one client address (of IPv6 from one /64) before its attempts have to wait; from all addresses that are new to the account 99; 0 for no limit of either"`
	LockoutAddressFailures int           `name:"lockout_address_failures" default:"20" django:"0" validate:"min=0,max=100000" help:"wrong passwords from one client address (of IPv6 from one /64), for whatever accounts, before its attempts have to wait; 0 for no limit"`
	LockoutDelay           time.Duration `name:"lockout_delay" default:"30s" validate:"min=1s,ltefield=LockoutMaxDelay" help:"first wait of an account, which each wrong password more doubles; and how often one wrong password of an address is forgiven"`
	LockoutMaxDelay        time.Duration `name:"lockout_max_delay" default:"15m" validate:"min=1s,max=1h" help:"longest wait; and how often one wrong password of an account is forgiven"`
	AuditRetention         time.Duration `name:"audit_retention" group:"Audit" default:"2160h" validate:"min=1h,max=87600h" help:"how long security events are kept in the database"`

	LenientJSON     bool          `name:"lenient_json" group:"Requests" default:"false" django:"true" help:"of two JSON members of one name the last counts, and numbers are taken as text"`
	AcceptForms     bool          `name:"accept_forms" default:"true" strict:"false" help:"take form and multipart bodies beside JSON"`
	WireDetails     string        `name:"wire_details" default:"standard" django:"drf" validate:"oneof=drf standard" help:"details of answers: as DRF and SimpleJWT give them; or WWW-Authenticate with the error of RFC 6750, one spelling of an id, 401 for every revoked token"`
	MaxConnections  int           `name:"max_connections" default:"4096" validate:"min=16,max=1000000" help:"most connections at once; further ones wait. One client address, of IPv6 one /64, may hold half of them, trusted_proxies all"`
	MaxBody         int64         `name:"max_body" default:"65536" validate:"min=1024,max=10485760" help:"most bytes of a request's body"`
	RequestTimeout  time.Duration `name:"request_timeout" default:"15s" validate:"min=1ms,max=1h" help:"longest time for one request"`
	ShutdownDelay   time.Duration `name:"shutdown_delay" default:"0s" validate:"min=0s,max=1h" help:"how long requests are still served after SIGTERM while /readyz is 503, so that balancers stop sending them; some 5s behind one"`
	ShutdownTimeout time.Duration `name:"shutdown_timeout" default:"15s" validate:"min=1ms,max=1h" help:"longest time for what is under way when the service stops"`

	ThrottleAnon     Rate `name:"throttle_anon" group:"Throttling" default:"off" validate:"-" help:"most requests of one client address without a signed-in user, such as 100/hour; off for no limit"`
	ThrottleUser     Rate `name:"throttle_user" default:"600/min" django:"off" validate:"-" help:"most requests of one user"`
	ThrottleToken    Rate `name:"throttle_token" default:"600/min" django:"off" validate:"-" help:"most requests of one client address to the token endpoints"`
	ThrottleRegister Rate `name:"throttle_register" default:"20/min" django:"off" validate:"-" help:"most registrations and changes of an email address that one client address tries, since both show whether an address is taken; those by staff do not count"`

	LogLevel  string `name:"log_level" group:"Log" default:"info" validate:"oneof=debug info warn error" help:"least level that is logged"`
	LogFormat string `name:"log_format" default:"auto" validate:"oneof=auto console json" help:"form of the log; auto: console on a terminal, else json"`

	source map[string]Source // what gave each setting its value
	where  map[string]string // which variable, flag or line of a file that was
}

// KeysDirectory returns the directory of the key file, which is in use unless signing_key is given.
func (c Config) KeysDirectory() string {
	if c.KeysDir != "" {
		return c.KeysDir
	}
	return filepath.Join(c.DataDir, "keys")
}
