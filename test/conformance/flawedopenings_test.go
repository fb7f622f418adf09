package conformance_test

import (
	"context"
	"testing"

	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/test/conformance"
)

// flawedPlace is a place for one database in memory, which is opened with one defect.
type flawedPlace struct {
	defect string
	store  *memory.Store // nil for none
}

func spoiltPlace(defect string) func(*testing.T) conformance.Opener {
	return func(*testing.T) conformance.Opener {
		p := &flawedPlace{defect: defect}
		return func(o storage.Options) (storage.Backend, error) { return &flawedOpening{p: p, o: o}, nil }
	}
}

type flawedOpening struct {
	*memory.Store
	p *flawedPlace
	o storage.Options
}

func (f *flawedOpening) Start(context.Context) error {
	may := f.o.Access == storage.Create ||
		f.o.Access == storage.Read && f.p.defect == "creates to read" || f.o.Access == storage.Write && f.p.defect == "creates to write"
	switch {
	case f.p.store == nil && !may:
		return storage.ErrNoDatabase
	case f.p.store == nil:
		f.p.store = memory.New()
		if f.p.defect != "does not report a creation" {
			f.o.Notify("created")
		}
	case f.p.defect == "always reports a creation":
		f.o.Notify("created")
	}
	f.Store = f.p.store
	if f.p.defect == "reads another" && f.o.Access == storage.Read {
		f.Store = memory.New()
	}
	return nil
}

func (f *flawedOpening) Close(context.Context) error { return nil }

func (f *flawedOpening) Same(_ context.Context, other storage.Backend) (bool, error) {
	o, ok := other.(*flawedOpening)
	switch f.p.defect {
	case "takes all for one":
		return true, nil
	case "takes none for one":
		return false, nil
	}
	return ok && o.Store == f.Store, nil
}
