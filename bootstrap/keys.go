package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/jwt"
	"roster/bootstrap/config"
)

// The operator's view of the signing keys.
type (
	// Keyring changes them.
	Keyring = jwt.Keyring
	// SigningKey describes one.
	SigningKey = jwt.KeyInfo
)

// errConfigured says that there is no folder of keys to work on.
var errConfigured = errors.New("the signing key is not kept by roster but configured, with signing_key; to rotate it, " +
	"put what it was in signing_key_fallbacks and the new one in signing_key, and restart; README, Signing keys, has the steps")

// Keys returns the signing keys for an operator to work on.
func Keys(cfg config.Config) (*Keyring, error) {
	if cfg.SigningKey.Set() {
		return nil, errConfigured
	}
	return jwt.NewKeyring(cfg.KeysFolder(), cfg.SigningAlgorithm, cfg.RefreshTokenLifetime), nil
}

// ErrKeyInUse says that a key is not retired since tokens that it signed may be good still.
var ErrKeyInUse = jwt.ErrInUse

// lookEvery is how soon an instance follows a rotation; a key that a token names it looks for at once.
const lookEvery = 2 * time.Second

// keys opens the signing keys: the configured ones, or those of a folder, where the first is made at
// the first start.
func keys(cfg config.Config, log *zap.Logger) (jwt.Source, error) {
	if !cfg.SigningKey.Set() {
		folder, err := jwt.OpenFolder(cfg.KeysFolder(), cfg.SigningAlgorithm, log)
		return folder, keysError(err)
	}
	set, warnings, err := configuredKeys(cfg)
	for _, w := range warnings {
		log.Warn("signing key", zap.String("warning", w))
	}
	return set, err
}

func keysError(err error) error {
	if err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	return nil
}

// checkKeys fails as keys would, and makes nothing.
func checkKeys(cfg config.Config) error {
	if !cfg.SigningKey.Set() {
		return keysError(jwt.Check(cfg.KeysFolder(), cfg.SigningAlgorithm))
	}
	_, _, err := configuredKeys(cfg)
	return err
}

func configuredKeys(cfg config.Config) (set *jwt.KeySet, warnings []string, err error) {
	if cfg.SigningKey.PEM() {
		set, err = jwt.FromPEM(cfg.SigningKey.Reveal(), cfg.SigningKeyFallbacks.Reveal())
	} else {
		set, warnings, err = jwt.FromSecret(cfg.SigningKey.Reveal(), cfg.SigningAlgorithm, cfg.SigningKeyFallbacks.Lines()...)
	}
	return set, warnings, named(cfg, "signing_key", err)
}

// watching follows what operators do with the keys while the service runs.
var watching = fx.Invoke(func(lc fx.Lifecycle, source jwt.Source) {
	folder, ok := source.(*jwt.Folder)
	if !ok {
		return // configured keys stay as they are
	}
	background(lc, func(ctx context.Context) {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				folder.Look()
			}
		}
	})
})
