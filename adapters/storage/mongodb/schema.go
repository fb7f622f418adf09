package mongodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"roster/adapters/storage"
)

// The marker says whose the database is, and how new its schema.
const (
	markerCollection = "schema"
	markerID         = "marker"
	program          = "roster"
	schemaVersion    = 4
)

type marker struct {
	ID      string `bson:"_id"`
	Program string `bson:"program"`
	Version int64  `bson:"version"`
}

// claim marks an empty database as ours, if it may, and makes its counter, or refuses one that is another
// program's or newer than this program. It returns the version of its schema. Several instances may do
// so at the same time.
func (s *Store) claim(ctx context.Context) (version int64, err error) {
	if version, err := s.marked(ctx); version > 0 || err != nil {
		return version, err
	}
	if s.options.Access != storage.Create {
		return 0, fmt.Errorf("mongodb: %w: the database %q holds nothing of Roster", storage.ErrNoDatabase, s.place.name)
	}
	strange, err := s.strange(ctx)
	if err != nil {
		return 0, err
	}
	// What is strange may have been made by another instance since the first look.
	if version, err := s.marked(ctx); version > 0 || err != nil {
		return version, err
	}
	if strange != "" {
		return 0, fmt.Errorf("mongodb: database %q is another program's: it has no marker of ours, and its collection %q is not empty", s.place.name, strange)
	}
	if err := s.make(ctx, counterCollection, counter{ID: counterID}); err != nil {
		return 0, err
	}
	if err := s.make(ctx, markerCollection, marker{markerID, program, schemaVersion}); err != nil {
		return 0, err
	}
	s.options.Notify(fmt.Sprintf("created the MongoDB database %q", s.place.name))
	return s.marked(ctx) // another instance may have been faster, and newer
}

// marked returns the version in the database's marker, 0 if there is none, and refuses one that is not
// for this program.
func (s *Store) marked(ctx context.Context) (int64, error) {
	var m marker
	err := s.within(ctx, "read the marker", func(ctx context.Context) error {
		return s.collection(markerCollection).FindOne(ctx, bson.D{{Key: "_id", Value: markerID}}).Decode(&m)
	})
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
		return 0, fmt.Errorf("mongodb: database %q has schema version %d, and this program knows %d at most: use a newer one", s.place.name, m.Version, schemaVersion)
	}
	return m.Version, nil
}

// strange returns the name of a collection that holds anything, "" when none does. Empty ones may have
// been made for us, with options that only an administrator can give.
func (s *Store) strange(ctx context.Context) (string, error) {
	const op = "look into the database"
	var names []string
	err := s.within(ctx, op, func(ctx context.Context) (err error) {
		names, err = s.db.ListCollectionNames(ctx, bson.D{})
		return err
	})
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "system.") || name == counterCollection {
			continue // the server's, and what we make before the marker
		}
		err := s.within(ctx, op, func(ctx context.Context) error {
			return s.collection(name).FindOne(ctx, bson.D{}).Err()
		})
		if err == nil {
			return name, nil
		}
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return "", err
		}
	}
	return "", nil
}

// make stores a document unless there is one with its id.
func (s *Store) make(ctx context.Context, collection string, document any) error {
	err := s.within(ctx, "prepare "+collection, func(ctx context.Context) error {
		_, err := s.collection(collection).InsertOne(ctx, document)
		return err
	})
	if duplicate(err) {
		return nil
	}
	return err
}

// index is one index; names are fixed, so that making it again does nothing.
type index struct {
	collection, name string
	keys             []string
	unique           bool
	expires          bool // the server may remove what has expired
}

// indexes is what serves every query but the search for a part of a text.
var indexes = []index{
	{collection: "users", name: "email_key", keys: []string{"email_key"}, unique: true},
	{collection: "users", name: "joined_us", keys: []string{"joined_us", "_id"}},
	{collection: "users", name: "email", keys: []string{"email", "_id"}},
	{collection: "users", name: "first_name", keys: []string{"first_name", "_id"}},
	{collection: "users", name: "last_name", keys: []string{"last_name", "_id"}},
	{collection: "sessions", name: "user_created", keys: []string{"user", "created", "_id"}},
	{collection: "sessions", name: "expires", keys: []string{"expires"}, expires: true},
	{collection: "attempts", name: "expires", keys: []string{"expires"}, expires: true},
	{collection: eventCollection, name: "at", keys: []string{"at", "_id"}},
	{collection: eventCollection, name: "kind", keys: []string{"kind", "at", "_id"}},
	{collection: eventCollection, name: "actor", keys: []string{"actor", "at", "_id"}},
	{collection: eventCollection, name: "actor_kind", keys: []string{"actor", "kind", "at", "_id"}},
	{collection: eventCollection, name: "target", keys: []string{"target", "at", "_id"}},
	{collection: eventCollection, name: "target_kind", keys: []string{"target", "kind", "at", "_id"}},
}

// spared is how long the server leaves alone what has expired: its clock need not be ours.
const spared = time.Hour

// index makes the indexes that are not there.
func (s *Store) index(ctx context.Context) error {
	for _, i := range indexes {
		if i.unique && s.sharded {
			if err := s.share(ctx, i); err != nil {
				return err
			}
			continue
		}
		if i.expires && !s.options.KeepExpired {
			// An extra, which some servers refuse. What keeps the plain one from being made counts.
			o := options.Index().SetExpireAfterSeconds(int32(spared / time.Second))
			if s.create(ctx, i, o) == nil {
				continue
			}
		}
		err := s.create(ctx, i, options.Index())
		if err != nil && !(i.expires && otherIndex(err)) { // with or without expiry, it serves as well
			return err
		}
	}
	return nil
}

func (s *Store) create(ctx context.Context, i index, o *options.IndexOptionsBuilder) error {
	var keys bson.D
	for _, k := range i.keys {
		keys = append(keys, bson.E{Key: k, Value: 1})
	}
	if i.unique {
		o.SetUnique(true)
	}
	return s.within(ctx, "make index "+i.name+" of "+i.collection, func(ctx context.Context) error {
		_, err := s.collection(i.collection).Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys, Options: o.SetName(i.name)})
		return err
	})
}

// drop removes an index, if it is there.
func (s *Store) drop(ctx context.Context, collection, name string) error {
	err := s.within(ctx, "drop index "+name+" of "+collection, func(ctx context.Context) error {
		return s.collection(collection).Indexes().DropOne(ctx, name)
	})
	if noIndex(err) {
		return nil
	}
	return err
}
