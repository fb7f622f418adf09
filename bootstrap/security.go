package bootstrap

import (
	"fmt"
	"runtime"
	"strings"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/idna"
	"roster/adapters/jwt"
	"roster/adapters/password"
	"roster/adapters/system"
	"roster/bootstrap/config"
	"roster/ports/outbound"
)

var systemModule = fx.Module("system",
	fx.Supply(
		fx.Annotate(system.Clock{}, fx.As(new(outbound.Clock))),
		fx.Annotate(system.SessionIDs{}, fx.As(new(outbound.SessionIDs))),
		fx.Annotate(system.UUIDs{}, fx.As(new(outbound.EventIDs))),
		fx.Annotate(idna.Domains{}, fx.As(new(outbound.Domains))),
	))

var passwordModule = fx.Module("password",
	fx.Provide(fx.Annotate(hasher, fx.As(new(outbound.PasswordHasher), new(outbound.StoredHashes)))))

// tokenModule is for what signs people in; the operator's commands need no keys, and make none.
var tokenModule = fx.Module("token",
	fx.Provide(keys, fx.Annotate(tokens, fx.As(new(outbound.Tokens)))))

// queuePerWorker is how many callers may wait for each place to hash; about what one place works off
// in the time that they are ready to wait.
const queuePerWorker = 64

func hasher(cfg config.Config) *password.Hasher {
	workers := cfg.HashWorkers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return password.New(password.Options{Workers: workers, Wait: cfg.HashWait, Queue: workers * queuePerWorker})
}

// keys opens the signing keys: from the configured secret, or from the data directory, where they
// are made at the first start.
func keys(cfg config.Config, log *zap.Logger) (*jwt.KeySet, error) {
	if !secretSigns(cfg) {
		set, err := jwt.LoadOrCreate(cfg.DataDir, cfg.SigningAlgorithm)
		return set, named("signing keys", err)
	}
	set, warnings, err := jwt.FromSecret(cfg.SigningKey.Reveal(), cfg.SigningAlgorithm)
	for _, w := range warnings {
		log.Warn("signing key", zap.String("warning", w))
	}
	return set, named("ROSTER_SIGNING_KEY", err)
}

// checkKeys fails as keys would, and makes nothing.
func checkKeys(cfg config.Config) error {
	if !secretSigns(cfg) {
		return named("signing keys", jwt.Check(cfg.DataDir, cfg.SigningAlgorithm))
	}
	_, _, err := jwt.FromSecret(cfg.SigningKey.Reveal(), cfg.SigningAlgorithm)
	return named("ROSTER_SIGNING_KEY", err)
}

func secretSigns(cfg config.Config) bool { return strings.HasPrefix(cfg.SigningAlgorithm, "HS") }

// named says which setting an error is about.
func named(setting string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	return nil
}

func tokens(cfg config.Config, set *jwt.KeySet) *jwt.Tokens {
	o := jwt.Options{
		Shape: jwt.ShapeSession, Issuer: cfg.TokenIssuer, Audience: cfg.TokenAudience,
		AllowMissingIssuer: cfg.SessionlessTokens, InferSession: cfg.SessionlessTokens,
	}
	if cfg.TokenClaims == "simplejwt" {
		o.Shape, o.InferSession = jwt.ShapeSimpleJWT, true
	}
	return jwt.New(set, o)
}
