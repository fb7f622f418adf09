package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// upgrade brings the documents of an older version up to date, when all indexes have been made. It can be cut off and
// begun again, and several instances may do it at the same time. Instances of older versions must not run any more.
func (s *Store) upgrade(ctx context.Context, version int64) error {
	if version >= schemaVersion {
		return nil
	}
	s.options.NotifyBuilding(fmt.Sprintf("schema version %d, from %d", schemaVersion, version))
	if version < 6 { // versions 7 and 8 added what is absent from older documents
		if err := s.upgradeUsers(ctx); err != nil {
			return err
		}
	}
	return s.within(ctx, "write the marker", func(ctx context.Context) error {
		_, err := s.collection(markerCollection).UpdateOne(ctx,
			is("_id", markerID), is("$max", is("version", int64(schemaVersion)))) // another instance may be newer
		return err
	})
}

// olderUser is a user of any version.
type olderUser struct {
	User userDocument `bson:",inline"`

	// Versions 1 and 2 had these for the times.
	JoinedDate             time.Time `bson:"joined"`
	LastLoginDate          time.Time `bson:"last_login"`
	SessionsValidAfterDate time.Time `bson:"sessions_valid_after"`
}

// upgradeSize is how many users are read, and then changed, by one command: few enough for the memory.
const upgradeSize = 50

// upgradeUsers changes all users, in the order of ids.
func (s *Store) upgradeUsers(ctx context.Context) error {
	const op = "upgrade users"
	after, more := "", true
	for more {
		// A batch of which another instance has changed a user since is read again.
		err := tryAgain(ctx, op, func() (done bool, err error) {
			batch, err := findAll[olderUser](ctx, s, op, lookup{
				Find: userTable.name, Filter: is("_id", compared("$gt", after)), Sort: is("_id", 1),
			}, upgradeSize)
			if more = len(batch) > 0; err != nil || !more {
				return true, err
			}
			found, err := s.upgradeBatch(ctx, op, batch)
			if done = found == len(batch); done {
				after = batch[found-1].User.ID
			}
			return done, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// upgradeBatch changes some users, and returns how many were as they had been read. Sessions come first, so that an
// upgrade that was cut off leaves no live session ended.
func (s *Store) upgradeBatch(ctx context.Context, op string, batch []olderUser) (found int, err error) {
	var ofUsers, ofSessions []mongo.WriteModel
	for _, u := range batch {
		d, ended := u.document()
		ofUsers = append(ofUsers, mongo.NewReplaceOneModel().SetFilter(unchanged(d.ID, d.Version)).SetReplacement(d))
		if ended {
			ofSessions = append(ofSessions, u.firstEpoch())
		}
	}
	if _, err := s.writeAll(ctx, op, sessionTable.name, ofSessions); err != nil {
		return 0, err
	}
	return s.writeAll(ctx, op, userTable.name, ofUsers)
}

// document returns u as it is now, and whether sessions of u were ended by a time, as before version 4.
func (u *olderUser) document() (d userDocument, ended bool) {
	if !u.JoinedDate.IsZero() {
		u.User.Times = userTimes{micros{u.JoinedDate}, micros{u.LastLoginDate}, micros{u.SessionsValidAfterDate}}
	}
	if ended = !u.User.Times.SessionsValidAfter.IsZero() && u.User.Epoch == 0; ended {
		u.User.Epoch = 1
	}
	// The text that is searched was folded otherwise before version 5, and had no suffixes before version 6.
	return userTable.document(userTable.state(u.User)), ended
}

// firstEpoch gives the first epoch to sessions of u that were confirmed since the others were ended.
func (u *olderUser) firstEpoch() mongo.WriteModel {
	return mongo.NewUpdateManyModel().SetFilter(bson.D{
		{Key: "user", Value: u.User.ID},
		{Key: "confirmed", Value: compared("$gte", instant(u.User.Times.SessionsValidAfter.Time))},
		{Key: "epoch", Value: compared("$exists", false)},
	}).SetUpdate(is("$set", is("epoch", int64(1))))
}

// writeAll makes changes in any order, and returns how many documents their filters found.
func (s *Store) writeAll(ctx context.Context, op, collection string, changes []mongo.WriteModel) (found int, err error) {
	if len(changes) == 0 {
		return 0, nil
	}
	err = s.unhurried(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(collection).BulkWrite(ctx, changes, options.BulkWrite().SetOrdered(false))
		if err == nil {
			found = int(result.MatchedCount)
		}
		return err
	})
	return found, err
}
