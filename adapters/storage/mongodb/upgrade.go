package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/domain/user"
)

// upgrade ends the change of a database from an older version, when all that is new has been made. A
// crash before leaves the older version, from which the next start begins again.
func (s *Store) upgrade(ctx context.Context, version int64) error {
	if version >= schemaVersion {
		return nil
	}
	s.options.NotifyBuilding(fmt.Sprintf("schema version %d, from %d", schemaVersion, version))
	if err := s.drop(ctx, "sessions", "user"); err != nil { // version 1 had it; user_created serves as well
		return err
	}
	if err := s.countMicroseconds(ctx); err != nil {
		return err
	}
	if err := s.drop(ctx, userTable.name, "joined"); err != nil {
		return err
	}
	if err := s.countSessionEpochs(ctx); err != nil {
		return err
	}
	if err := s.foldSearches(ctx); err != nil {
		return err
	}
	return s.within(ctx, "write the marker", func(ctx context.Context) error {
		_, err := s.collection(markerCollection).UpdateOne(ctx,
			is("_id", markerID), is("$max", is("version", int64(schemaVersion)))) // another instance may be newer
		return err
	})
}

// dated is what versions 1 and 2 had for the times of a user.
type dated struct {
	ID                 string    `bson:"_id"`
	Joined             time.Time `bson:"joined"`
	LastLogin          time.Time `bson:"last_login"`
	SessionsValidAfter time.Time `bson:"sessions_valid_after"`
}

// upgradeBatch is how many users are read, and then changed, by one command: few enough for its time.
const upgradeBatch = 100

// countMicroseconds gives all users their times as version 3 has them. Several instances may do so at
// the same time.
func (s *Store) countMicroseconds(ctx context.Context) error {
	const op = "count the times of users in microseconds"
	for after := ""; ; {
		page, err := findAll[dated](ctx, s, op, lookup{
			Find: userTable.name, Filter: is("_id", compared("$gt", after)), Sort: is("_id", 1),
			Projection: bson.D{{Key: "joined", Value: 1}, {Key: "last_login", Value: 1}, {Key: "sessions_valid_after", Value: 1}},
		}, upgradeBatch)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		var changes []mongo.WriteModel
		for _, d := range page {
			if d.Joined.IsZero() {
				continue // it has been done
			}
			changes = append(changes, mongo.NewUpdateOneModel().
				SetFilter(bson.D{{Key: "_id", Value: d.ID}, {Key: "joined", Value: d.Joined}}).
				SetUpdate(bson.D{
					{Key: "$set", Value: userTimes{micros{d.Joined}, micros{d.LastLogin}, micros{d.SessionsValidAfter}}},
					{Key: "$unset", Value: bson.D{{Key: "joined", Value: ""}, {Key: "last_login", Value: ""}, {Key: "sessions_valid_after", Value: ""}}},
				}))
		}
		if err := s.writeAll(ctx, op, userTable.name, changes); err != nil {
			return err
		}
	}
}

// countSessionEpochs gives a first epoch to users whose sessions were ended before version 4, and to those
// of their sessions that were confirmed since; earlier versions compared the times. A user comes after the
// sessions, so that an upgrade that was cut off leaves no live session dead. Several instances may do so at
// the same time.
func (s *Store) countSessionEpochs(ctx context.Context) error {
	const op = "count the epochs of sessions"
	none := bson.E{Key: "$exists", Value: false}
	for after := ""; ; {
		// Which of them are to be changed is decided here: the server might look for a hundred such users
		// for longer than a command has.
		page, err := findAll[userDocument](ctx, s, op, lookup{
			Find: userTable.name, Filter: is("_id", compared("$gt", after)), Sort: is("_id", 1),
			Projection: bson.D{{Key: "sessions_valid_after_us", Value: 1}, {Key: "session_epoch", Value: 1}},
		}, upgradeBatch)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		var ofSessions, ofUsers []mongo.WriteModel
		for _, u := range page {
			ended := u.Times.SessionsValidAfter.Time
			if ended.IsZero() || u.Epoch > 0 {
				continue
			}
			ofSessions = append(ofSessions, mongo.NewUpdateManyModel().
				SetFilter(bson.D{{Key: "user", Value: u.ID}, {Key: "confirmed", Value: compared("$gte", instant(ended))}, {Key: "epoch", Value: bson.D{none}}}).
				SetUpdate(is("$set", is("epoch", int64(1)))))
			ofUsers = append(ofUsers, mongo.NewUpdateOneModel().
				SetFilter(bson.D{{Key: "_id", Value: u.ID}, {Key: "session_epoch", Value: bson.D{none}}}).
				SetUpdate(is("$set", is("session_epoch", int64(1)))))
		}
		if err := s.writeAll(ctx, op, sessionTable.name, ofSessions); err != nil {
			return err
		}
		if err := s.writeAll(ctx, op, userTable.name, ofUsers); err != nil {
			return err
		}
	}
}

// foldSearches makes characters that share their upper case one in the text that is searched (see user.Fold);
// versions before 5 kept some apart. Several instances may do so at the same time.
func (s *Store) foldSearches(ctx context.Context) error {
	const op = "fold the text that is searched"
	for after := ""; ; {
		page, err := findAll[userDocument](ctx, s, op, lookup{
			Find: userTable.name, Filter: is("_id", compared("$gt", after)), Sort: is("_id", 1), Projection: is("search", 1),
		}, upgradeBatch)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		var changes []mongo.WriteModel
		for _, u := range page {
			if folded := user.Fold(u.Search); folded != u.Search {
				changes = append(changes, mongo.NewUpdateOneModel().
					SetFilter(bson.D{{Key: "_id", Value: u.ID}, {Key: "search", Value: u.Search}}).
					SetUpdate(is("$set", is("search", folded))))
			}
		}
		if err := s.writeAll(ctx, op, userTable.name, changes); err != nil {
			return err
		}
	}
}
