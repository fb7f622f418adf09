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
		fx.Annotate(idna.Domains{}, fx.As(new(outbound.Domains))),
	))

var securityModule = fx.Module("security",
	fx.Provide(
		keys,
		fx.Annotate(tokens, fx.As(new(outbound.Tokens))),
		fx.Annotate(hasher, fx.As(new(outbound.PasswordHasher))),
	))

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
	set, warnings, err := openKeys(cfg)
	for _, w := range warnings {
		log.Warn("signing key", zap.String("warning", w))
	}
	return set, err
}

func openKeys(cfg config.Config) (set *jwt.KeySet, warnings []string, err error) {
	if strings.HasPrefix(cfg.SigningAlgorithm, "HS") {
		if set, warnings, err = jwt.FromSecret(cfg.SigningKey.Reveal(), cfg.SigningAlgorithm); err != nil {
			err = fmt.Errorf("ROSTER_SIGNING_KEY: %w", err)
		}
		return set, warnings, err
	}
	if set, err = jwt.LoadOrCreate(cfg.DataDir, cfg.SigningAlgorithm); err != nil {
		err = fmt.Errorf("signing keys: %w", err)
	}
	return set, nil, err
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
