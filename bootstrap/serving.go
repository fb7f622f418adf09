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
	URL             string // of the API
	Docs            string // URL of the documentation; "" for none
	Address         string // that the API listens on
	Admin           string // URL of the admin listener; "" for none
	Console         string // URL of the pages for administrators; "" for none
	Profile         string
	Database        string // the scheme of its URL
	Place           string // the absolute path of the database's file, or its URL without the password
	Mail            string // where mails go
	Created         bool   // this start created the database
	NoAdministrator bool   // there is no active staff user, and roster createsuperuser can make one

	administrable bool // by another process
}

func newServing(cfg config.Config) *Serving {
	s := &Serving{
		Profile: cfg.Profile, Database: cfg.Database.Scheme(), Place: cfg.Database.String(), Mail: MailState(cfg),
		administrable: requirePersistent(cfg.Database) == nil,
	}
	if d, err := driver(cfg.Database); err == nil && d.File != nil {
		s.Place = d.File(cfg.Database.URL(), cfg.DataDir)
	}
	return s
}

// lookTimeout bounds lookForAdministrator, which must not delay the start for long.
const lookTimeout = 2 * time.Second

// lookForAdministrator sets NoAdministrator, unless the storage fails.
func (s *Serving) lookForAdministrator(ctx context.Context, admin inbound.Administration) {
	if !s.administrable {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := admin.HasAdministrator(ctx)
	s.NoAdministrator = err == nil && !found
}

// fields returns the fields of the log line. Programs that wait for the start read the address.
func (s *Serving) fields() []zap.Field {
	fields := []zap.Field{
		zap.String("url", s.URL), zap.String("address", s.Address), zap.String("profile", s.Profile),
		zap.String("database", s.Database), zap.String("place", s.Place), zap.Bool("created", s.Created),
		zap.String("mail", s.Mail),
	}
	if s.Admin != "" {
		fields = append(fields, zap.String("admin", s.Admin))
	}
	if s.Console != "" {
		fields = append(fields, zap.String("console", s.Console))
	}
	if s.NoAdministrator {
		fields = append(fields, zap.String("administrator", "none yet; roster createsuperuser makes one"))
	}
	return fields
}
