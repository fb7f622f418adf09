package bootstrap

import (
	"fmt"
	"strings"

	"go.uber.org/fx"

	"roster/adapters/storage"
	"roster/adapters/system"
	"roster/bootstrap/config"
	"roster/ports/outbound"
)

var storageModule = fx.Module("storage",
	fx.Provide(
		openBackend,
		storage.Backend.Users,
		storage.Backend.Sessions,
		func(b storage.Backend) outbound.Storage { return b },
		userIDs,
	),
	fx.Invoke(func(lc fx.Lifecycle, b storage.Backend) { lc.Append(fx.StartStopHook(b.Start, b.Close)) }),
)

// openBackend picks the backend by the scheme of its URL. Nothing is connected yet.
func openBackend(cfg config.Config) (storage.Backend, error) {
	var known []string
	for _, d := range drivers {
		if d.Scheme == cfg.Database.Scheme() {
			b, err := d.Open(cfg.Database.URL(), storage.Options{DataDir: cfg.DataDir})
			return b, named("ROSTER_DATABASE", err)
		}
		known = append(known, d.Scheme)
	}
	return nil, fmt.Errorf("ROSTER_DATABASE: no backend for %q; there are %s", cfg.Database.Scheme(), strings.Join(known, ", "))
}

func userIDs(cfg config.Config, b storage.Backend) outbound.UserIDs {
	if cfg.IDs == "integer" {
		return b.UserIDs()
	}
	return system.UUIDs{}
}
