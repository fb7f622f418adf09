package mongodb

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// index is one index of a collection. One that is there by its name, unique or not as it is to be, is not made again.
type index struct {
	name   string
	keys   []string
	unique bool
	sparse bool // holds only documents with the field
}

// indexes serve the queries. An order by several fields sorts all users. A filter with an order by another field than the
// id either sorts what the filter's index finds, or walks the order's index past what does not fit: the server decides.
//
// Those for filters hold all users, not the few that are staff or inactive: so the server counts the users of every
// filter by the index alone.
//
// Those named events and mails find what a crash left in documents; they and the other sparse ones have no entry, and so
// cost a write nothing, where a document has no such field. The lists of mails of a state sort what its index finds: only an
// operator asks for them.
var indexes = []struct {
	collection string
	indexes    []index
}{
	{"users", []index{
		{name: "email_key", keys: []string{"email_key"}, unique: true},
		{name: "joined_us", keys: []string{"joined_us", "_id"}},
		{name: "email", keys: []string{"email", "_id"}},
		{name: "first_name", keys: []string{"first_name", "_id"}},
		{name: "last_name", keys: []string{"last_name", "_id"}},
		{name: "staff", keys: []string{"staff", "_id"}},
		{name: "active", keys: []string{"active", "_id"}},
		{name: "suffixes", keys: []string{"suffixes"}}, // since version 6
		{name: "events", keys: []string{"events._id"}, sparse: true},
		{name: "mails", keys: []string{"mails._id"}, sparse: true},
		{name: "invited", keys: []string{"invited"}, sparse: true},
	}},
	{"sessions", []index{
		{name: "user_created", keys: []string{"user", "created", "_id"}},
		{name: "expiry", keys: []string{"expires"}},
		{name: "events", keys: []string{"events._id"}, sparse: true},
		{name: "mails", keys: []string{"mails._id"}, sparse: true},
	}},
	{"attempts", []index{
		{name: "expiry", keys: []string{"expires"}},
	}},
	{eventTable.name, []index{
		{name: "at", keys: []string{"at", "_id"}},
		{name: "kind", keys: []string{"kind", "at", "_id"}},
		{name: "actor", keys: []string{"actor", "at", "_id"}},
		{name: "actor_kind", keys: []string{"actor", "kind", "at", "_id"}},
		{name: "target", keys: []string{"target", "at", "_id"}},
		{name: "target_kind", keys: []string{"target", "kind", "at", "_id"}},
	}},
	{mailTable.name, []index{
		{name: "due", keys: []string{"due"}, sparse: true},
		{name: "begun", keys: []string{"begun"}, sparse: true},
		{name: "state_finished", keys: []string{"state", "finished"}},
	}},
}

// former are indexes of earlier versions, by collection. By those named expires the server deleted what had expired, by
// its own clock.
var former = [][2]string{
	{"sessions", "user"}, {"users", "joined"}, {"sessions", "expires"}, {"attempts", "expires"},
	{"mails", "finished"},
}

// dropFormer drops the former indexes.
func (s *Store) dropFormer(ctx context.Context) error {
	for _, i := range former {
		if err := s.drop(ctx, i[0], i[1]); err != nil {
			return err
		}
	}
	return nil
}

// index makes the indexes that are not there, those of one collection with one command: the server then reads its
// documents once.
func (s *Store) index(ctx context.Context) error {
	for _, of := range indexes {
		there, err := s.indexesOf(ctx, of.collection)
		if err != nil {
			return err
		}
		var missing []index
		for _, i := range of.indexes {
			// A unique index on another field than the shard key cannot span shards; emails are claimed.
			i.unique = i.unique && !s.sharded
			unique, found := there[i.name]
			if found && unique && s.sharded { // from before
				if err := s.drop(ctx, of.collection, i.name); err != nil {
					return err
				}
			}
			if !found || unique != i.unique {
				missing = append(missing, i)
			}
		}
		if err := s.create(ctx, of.collection, missing); err != nil {
			return err
		}
	}
	return nil
}

// indexesOf returns the indexes of a collection by their names, and whether each is unique.
func (s *Store) indexesOf(ctx context.Context, collection string) (unique map[string]bool, err error) {
	var found []mongo.IndexSpecification
	err = s.within(ctx, "look for the indexes of "+collection, func(ctx context.Context) (err error) {
		found, err = s.collection(collection).Indexes().ListSpecifications(ctx)
		return err
	})
	unique = make(map[string]bool, len(found))
	for _, i := range found {
		unique[i.Name] = i.Unique != nil && *i.Unique
	}
	return unique, err
}

// create makes indexes of one collection.
func (s *Store) create(ctx context.Context, collection string, missing []index) error {
	if len(missing) == 0 {
		return nil
	}
	models := make([]mongo.IndexModel, len(missing))
	names := make([]string, len(missing))
	for n, i := range missing {
		var keys bson.D
		for _, k := range i.keys {
			keys = append(keys, bson.E{Key: k, Value: 1})
		}
		o := options.Index().SetName(i.name)
		if i.unique {
			o.SetUnique(true)
		}
		if i.sparse {
			o.SetSparse(true)
		}
		models[n], names[n] = mongo.IndexModel{Keys: keys, Options: o}, i.name
	}
	o := options.CreateIndexes()
	if s.replicated {
		// The server's own default is all voting members: with one of them down it would wait for that.
		o.SetCommitQuorumMajority()
	}
	what := "indexes " + strings.Join(names, ", ") + " of " + collection
	s.options.NotifyBuilding(what)
	return s.unhurried(ctx, "make "+what, func(ctx context.Context) error {
		_, err := s.collection(collection).Indexes().CreateMany(ctx, models, o)
		return err
	})
}

// drop removes an index, if it is there. It waits for the builds of others.
func (s *Store) drop(ctx context.Context, collection, name string) error {
	err := s.unhurried(ctx, "drop index "+name+" of "+collection, func(ctx context.Context) error {
		return s.collection(collection).Indexes().DropOne(ctx, name)
	})
	if answered(err, indexNotFound, namespaceNotFound) {
		return nil
	}
	return err
}
