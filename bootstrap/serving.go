package bootstrap

import (
	"context"
	"time"

	"go.uber.org/zap"

	"roster/bootstrap/config"
	"roster/ports/inbound"
)

// Serving is what an operator should know of a service that has just started.
type Serving struct {
	URL      string // of the API
	Address  string // that the API listens on
	Admin    string // URL of the admin listener; "" for none
	Profile  string
	Database string // the kind: the scheme of its URL
	Place    string // the absolute path of the database's file, or its URL without the password
	Created  bool   // this start created the database

	// NoAdministrator says that there is no active staff user, and that roster createsuperuser can make one.
	NoAdministrator bool

	administrable bool // by another process
}

func newServing(cfg config.Config) *Serving {
	s := &Serving{Profile: cfg.Profile, Database: cfg.Database.Scheme(), Place: cfg.Database.String(), administrable: requirePersistent(cfg.Database) == nil}
	if d, err := driver(cfg.Database); err == nil && d.File != nil {
		s.Place = d.File(cfg.Database.URL(), cfg.DataDir)
	}
	return s
}

// lookTimeout bounds the question for an administrator, which is not worth a late start.
const lookTimeout = 2 * time.Second

// lookForAdministrator asks whether there is an administrator. Where that cannot be found out, nothing is said.
func (s *Serving) lookForAdministrator(ctx context.Context, admin inbound.Administration) {
	if !s.administrable {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := admin.HasAdministrator(ctx)
	s.NoAdministrator = err == nil && !found
}

// fields returns what the log says. Address is read by programs that wait for the start.
func (s *Serving) fields() []zap.Field {
	fields := []zap.Field{
		zap.String("url", s.URL), zap.String("address", s.Address), zap.String("profile", s.Profile),
		zap.String("database", s.Database), zap.String("place", s.Place), zap.Bool("created", s.Created),
	}
	if s.Admin != "" {
		fields = append(fields, zap.String("admin", s.Admin))
	}
	if s.NoAdministrator {
		fields = append(fields, zap.String("administrator", "none yet; roster createsuperuser makes one"))
	}
	return fields
}
