package bootstrap

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/signingkeys"
	"roster/bootstrap/config"
	"roster/domain/signing"
	"roster/ports/outbound"
)

type (
	// Keyring lists and changes the signing keys.
	Keyring = signingkeys.Keyring
	// SigningKey describes a signing key.
	SigningKey = signing.Key
)

// Keys returns the signing keys for an operator to work on.
func Keys(cfg config.Config) (*Keyring, error) {
	if cfg.SigningKey.Set() {
		return nil, signing.ErrConfigured
	}
	return keyring(cfg), nil
}

func keyring(cfg config.Config) *Keyring {
	return signingkeys.NewKeyring(cfg.KeysDirectory(), cfg.SigningAlgorithm, cfg.RefreshTokenLifetime)
}

// keyringOf returns the keys that the service uses, to be listed and changed.
func keyringOf(cfg config.Config, source signingkeys.Source) outbound.Keyring {
	if set, ok := source.(*signingkeys.Set); ok {
		return signingkeys.Configured{Set: set}
	}
	return keyring(cfg)
}

// ErrKeyInUse is the error of retiring a key while its tokens may be valid.
var ErrKeyInUse = signing.ErrInUse

// lookEvery is how soon an instance follows a rotation. When a token names an unknown key it looks at once.
const lookEvery = 2 * time.Second

// keys opens the configured signing keys, or those of the key file, which the first start makes.
func keys(cfg config.Config, log *zap.Logger) (signingkeys.Source, error) {
	if cfg.SigningKey.Set() {
		return configuredKeys(cfg)
	}
	file, err := signingkeys.Open(cfg.KeysDirectory(), cfg.SigningAlgorithm, log)
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	return file, nil
}

// checkKeys fails as keys would, and makes nothing.
func checkKeys(cfg config.Config) error {
	if cfg.SigningKey.Set() {
		_, err := configuredKeys(cfg)
		return err
	}
	if err := signingkeys.Check(cfg.KeysDirectory(), cfg.SigningAlgorithm); err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	return nil
}

func configuredKeys(cfg config.Config) (set *signingkeys.Set, err error) {
	if cfg.SigningKey.PEM() {
		set, err = signingkeys.FromPEM(cfg.SigningKey.Reveal(), cfg.SigningKeyFallbacks.Reveal())
	} else {
		set, err = signingkeys.FromSecret(cfg.SigningKey.Reveal(), cfg.SigningAlgorithm, cfg.SigningKeyFallbacks.Lines()...)
	}
	return set, named(cfg, "signing_key", err)
}

// followKeys makes the service use the keys that operators add, and drop those that they retire. Configured keys stay.
var followKeys = fx.Invoke(func(lc fx.Lifecycle, source signingkeys.Source) {
	if file, ok := source.(*signingkeys.File); ok {
		every(lc, lookEvery, func(context.Context) { file.Look() })
	}
})
