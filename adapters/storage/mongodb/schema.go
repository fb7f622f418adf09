package mongodb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/adapters/storage"
)

// The marker says whose the database is, and how new its schema.
const (
	markerCollection = "schema"
	markerID         = "marker"
	program          = "roster"
	schemaVersion    = 8
)

type marker struct {
	ID      string `bson:"_id"`
	Program string `bson:"program"`
	Version int64  `bson:"version"`
}

// claim marks an empty database as one of Roster, if it may, and makes its counter, or refuses one that is another program's or
// newer than this program. It returns the version of its schema. Several instances may do so at the same time.
func (s *Store) claim(ctx context.Context) (version int64, err error) {
	var there []mongo.CollectionSpecification
	err = s.within(ctx, "list the collections", func(ctx context.Context) (err error) {
		there, err = s.db.ListCollectionSpecifications(ctx, bson.D{})
		return err
	})
	if err != nil {
		return 0, err
	}
	if version, err := s.marked(ctx); version > 0 || err != nil {
		return version, cmp.Or(err, byBytes(there))
	}
	if s.options.Access != storage.Create {
		return 0, fmt.Errorf("mongodb: %w: the database %q holds nothing of Roster", storage.ErrNoDatabase, s.place.name)
	}
	foreign, err := s.foreign(ctx, there)
	if err != nil {
		return 0, err
	}
	// Another instance may have made it since the first look.
	if version, err := s.marked(ctx); version > 0 || err != nil {
		return version, err
	}
	if foreign != "" {
		return 0, fmt.Errorf("mongodb: database %q is another program's: it has no marker of Roster, and its collection %q is not empty",
			s.place.name, foreign)
	}
	if err := byBytes(there); err != nil {
		return 0, err
	}
	for _, d := range []struct {
		collection string
		document   any
	}{{counterCollection, counter{ID: counterID}}, {markerCollection, marker{markerID, program, schemaVersion}}} {
		if err := s.insertOne(ctx, "prepare "+d.collection, d.collection, d.document); err != nil && !duplicate(err) {
			return 0, err
		}
	}
	s.options.Notify(fmt.Sprintf("created the MongoDB database %q", s.place.name))
	return s.marked(ctx) // another instance may have been faster, and newer
}

// marked returns the version in the database's marker, 0 if there is none, and refuses one that is not
// for this program.
func (s *Store) marked(ctx context.Context) (int64, error) {
	var m marker
	err := s.findOne(ctx, "read the marker", markerCollection, is("_id", markerID), &m)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return 0, nil
	case err != nil:
		return 0, err
	case m.Program != program:
		return 0, fmt.Errorf("mongodb: database %q is another program's: its marker says %q", s.place.name, m.Program)
	case m.Version < 1:
		return 0, fmt.Errorf("mongodb: the marker of database %q has no version", s.place.name)
	case m.Version > schemaVersion:
		return 0, fmt.Errorf("mongodb: database %q has schema version %d, and this program knows %d at most: use a newer one",
			s.place.name, m.Version, schemaVersion)
	}
	return m.Version, nil
}

// foreign returns the name of a collection that holds anything, "" when none does. Empty ones may have been made for us,
// with options that only an administrator can give.
func (s *Store) foreign(ctx context.Context, there []mongo.CollectionSpecification) (string, error) {
	for _, c := range there {
		if strings.HasPrefix(c.Name, "system.") || c.Name == counterCollection {
			continue // the server's, and what we make before the marker
		}
		err := s.findOne(ctx, "look into the database", c.Name, bson.D{}, &bson.Raw{})
		if err == nil {
			return c.Name, nil
		}
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return "", err
		}
	}
	return "", nil
}

// byBytes refuses collections with a default collation, which an administrator may have made beforehand: their orders and
// comparisons, and so unique emails and the places at which pages begin, would not be by bytes.
func byBytes(there []mongo.CollectionSpecification) error {
	for _, c := range there {
		if collation, found := c.Options.Lookup("collation").DocumentOK(); found {
			return fmt.Errorf("mongodb: collection %q has the collation %s: make it without one", c.Name, collation)
		}
	}
	return nil
}
