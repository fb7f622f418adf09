package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/signingkeys"
	"roster/bootstrap/config"
)

// The operator's view of the signing keys.
type (
	// Keyring changes them.
	Keyring = signingkeys.Keyring
	// SigningKey describes one.
	SigningKey = signingkeys.KeyInfo
)

// errConfigured refuses to change keys that the settings give.
var errConfigured = errors.New("the signing key is not kept by roster but configured, with signing_key; to rotate it, " +
	"put what it was in signing_key_fallbacks and the new one in signing_key, and restart; docs/security.md, A configured key, has the steps")

// Keys returns the signing keys for an operator to work on.
func Keys(cfg config.Config) (*Keyring, error) {
	if cfg.SigningKey.Set() {
		return nil, errConfigured
	}
	return signingkeys.NewKeyring(cfg.KeysDirectory(), cfg.SigningAlgorithm, cfg.RefreshTokenLifetime), nil
}

// ErrKeyInUse is the error of a key that is not retired while its tokens may be good.
var ErrKeyInUse = signingkeys.ErrInUse

// lookEvery is how soon an instance follows a rotation. It looks at once for an unknown key that a token names.
const lookEvery = 2 * time.Second

// keys opens the signing keys: the configured ones, or those of the key file, which the first start makes.
func keys(cfg config.Config, log *zap.Logger) (signingkeys.Source, error) {
	if cfg.SigningKey.Set() {
		return configuredKeys(cfg)
	}
	file, err := signingkeys.Open(cfg.KeysDirectory(), cfg.SigningAlgorithm, log)
	return file, keysError(err)
}

func keysError(err error) error {
	if err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	return nil
}

// checkKeys fails as keys would, and makes nothing.
func checkKeys(cfg config.Config) error {
	if cfg.SigningKey.Set() {
		_, err := configuredKeys(cfg)
		return err
	}
	return keysError(signingkeys.Check(cfg.KeysDirectory(), cfg.SigningAlgorithm))
}

func configuredKeys(cfg config.Config) (set *signingkeys.Set, err error) {
	if cfg.SigningKey.PEM() {
		set, err = signingkeys.FromPEM(cfg.SigningKey.Reveal(), cfg.SigningKeyFallbacks.Reveal())
	} else {
		set, err = signingkeys.FromSecret(cfg.SigningKey.Reveal(), cfg.SigningAlgorithm, cfg.SigningKeyFallbacks.Lines()...)
	}
	return set, named(cfg, "signing_key", err)
}

// followKeys takes over what operators do with the keys while the service runs.
var followKeys = fx.Invoke(func(lc fx.Lifecycle, source signingkeys.Source) {
	file, ok := source.(*signingkeys.File)
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
				file.Look()
			}
		}
	})
})
