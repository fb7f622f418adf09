package bootstrap

import (
	"cmp"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"go.uber.org/fx"

	"roster/adapters/idna"
	"roster/adapters/jwt"
	"roster/adapters/password"
	"roster/adapters/signingkeys"
	"roster/adapters/system"
	"roster/bootstrap/config"
	"roster/domain/credential"
	"roster/domain/guessable"
	"roster/ports/outbound"
)

// clock is replaced by tests of a clock that is set wrong; see defects.go.
var clock outbound.Clock = system.Clock{}

var systemModule = fx.Module("system",
	fx.Provide(func() outbound.Clock { return clock }),
	fx.Supply(
		fx.Annotate(system.SessionIDs{}, fx.As(new(outbound.SessionIDs))),
		fx.Annotate(system.UUIDs{}, fx.As(new(outbound.EventIDs)), fx.As(new(outbound.MailIDs))),
		fx.Annotate(idna.Domains{}, fx.As(new(outbound.Domains))),
	))

var passwordModule = fx.Module("password",
	fx.Provide(
		fx.Annotate(hasher, fx.As(fx.Self()), fx.As(new(outbound.PasswordHasher)), fx.As(new(outbound.StoredHashes))),
		breachedPasswords,
	))

// tokenModule is for signing in; the operator's commands need no keys, and make none.
var tokenModule = fx.Module("token",
	fx.Provide(keys, fx.Annotate(tokens, fx.As(new(outbound.Tokens)))))

// queuePerWorker is how many callers may wait for each worker: about as many as it can serve before their wait is over.
const queuePerWorker = 256

func hasher(cfg config.Config, t telemetered) *password.Hasher {
	return password.New(password.Options{
		Workers: workers(cfg), Queue: workers(cfg) * queuePerWorker, Wait: cfg.HashWait,
		Digests: cfg.LegacyDigests, Imported: cfg.ImportedHashes, Observe: t.hashed(),
	})
}

// cpus is the number of CPUs that the process may use.
var cpus = runtime.GOMAXPROCS(0) // before raiseGOMAXPROCS

// workers returns how many passwords are hashed at once.
func workers(cfg config.Config) int { return cmp.Or(cfg.HashWorkers, cpus) }

// collectLess lets the heap grow to three times what is in use before the garbage collector runs, not twice: what is in use
// is some 10 MB, and the collector took about a tenth of the CPU of a read. GOGC in the environment decides instead.
func collectLess() {
	const percent = 200
	if os.Getenv("GOGC") == "" { //nolint:forbidigo // a variable of Go's runtime, and no setting
		debug.SetGCPercent(percent)
	}
}

// raiseGOMAXPROCS lets other requests use every CPU beside the hashing. The Go scheduler would let them wait until a hash
// has had its 10 ms; with a thread for each hash beyond those for the CPUs, the operating system decides, which knows that
// these threads have a lower priority.
func raiseGOMAXPROCS(cfg config.Config) { runtime.GOMAXPROCS(cpus + workers(cfg)) }

// passwordPolicy returns the rules for new passwords. With the extended blocklist they refuse the name of the service and
// of its host as well (SP 800-63B-4, 3.1.1.2).
func passwordPolicy(cfg config.Config) credential.Policy {
	policy := credential.NewPolicy(cfg.PasswordMinLength, password.Common())
	if cfg.PasswordBlocklist == "django" {
		return policy
	}
	words := []string{"roster"}
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		words = append(words, strings.Split(strings.ToLower(u.Hostname()), ".")...)
	}
	return policy.WithBlocklist(guessable.NewBlocklist(password.Common(), words...))
}

func tokens(cfg config.Config, source signingkeys.Source) *jwt.Tokens {
	o := jwt.Options{
		Shape: jwt.ShapeSession, Issuer: cfg.TokenIssuer, Audience: cfg.TokenAudience,
		AllowMissingIssuer: cfg.SessionlessTokens, InferSession: cfg.SessionlessTokens, Leeway: cfg.ClockLeeway,
		UserClaim: cfg.UserIDClaim,
	}
	if cfg.TokenClaims == "simplejwt" {
		o.Shape, o.InferSession = jwt.ShapeSimpleJWT, true
	}
	return jwt.New(source, o)
}
