package bootstrap

import (
	"context"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/password"
	"roster/domain/user"
	"roster/ports/outbound"
)

const (
	// sampleSize is how many users are looked at from either end, by when they joined: imports are what
	// a service begins with, or what came last.
	sampleSize = 300
	// sampleEvery is how often; the operator may import while the service runs.
	sampleEvery = 10 * time.Minute
)

// learning tells the hasher what users have brought along, so that a refused sign-in costs the same
// for all from soon after the start. It has a context of its own, as sweeping.
var learning = fx.Invoke(func(lc fx.Lifecycle, users outbound.Users, h *password.Hasher, log *zap.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.StartStopHook(
		func() {
			go func() {
				defer close(done)
				learn(ctx, users, h, log)
			}()
		},
		func() {
			cancel()
			<-done
		}))
})

func learn(ctx context.Context, users outbound.Users, h *password.Hasher, log *zap.Logger) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		switch more, err := sample(ctx, users, h); {
		case ctx.Err() != nil:
		case err != nil:
			log.Warn("look for imported hashes", zap.Error(err))
		case more:
			log.Info("refused sign-ins cost as much as the dearest imported hash", zap.String("beside argon2id", h.Ceiling()))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sample learns the hashes of those who joined first and last, and reports whether any was dearer than
// what was known.
func sample(ctx context.Context, users outbound.Users, h *password.Hasher) (more bool, err error) {
	for _, desc := range []bool{false, true} {
		found, err := users.List(ctx, user.Query{
			Order: user.Ordering("", user.Order{By: user.SortJoined, Desc: desc}), Limit: sampleSize,
		})
		if err != nil {
			return more, err
		}
		for _, u := range found {
			more = h.Learn(u.Password()) || more
		}
	}
	return more, nil
}
