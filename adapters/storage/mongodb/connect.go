package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"roster/adapters/storage"
)

// unreached says of a failure to connect what the operator can do about it; storage.ErrAway is one that may pass.
func (s *Store) unreached(ctx context.Context, err error) error {
	if err == nil || storage.Ended(ctx) != nil {
		return err
	}
	if isA[*auth.Error](err) {
		return fmt.Errorf("give the user and the password that the server knows, and authSource=NAME where another database "+
			"than admin holds the user: %w", s.place.redacted(err))
	}
	if answered(err, unauthorized) {
		return fmt.Errorf("give the user the role dbOwner in the database %s: %w", s.place.name, s.place.redacted(err))
	}
	e, ok := errors.AsType[topology.ServerSelectionError](err)
	if !ok {
		return err
	}
	var causes []string
	for _, server := range e.Desc.Servers {
		text := "no answer"
		if one := server.LastError; one != nil {
			if !isA[net.Error](one) {
				return err
			}
			text = s.place.redacted(one).Error()
		}
		causes = append(causes, string(server.Addr)+": "+text)
	}
	slices.Sort(causes)
	return fmt.Errorf("%w: start it, or correct hosts and ports: mongodb: %s", storage.ErrAway, strings.Join(causes, "; "))
}

// greet reads whether the emails have to be claimed, since the URL says so or the server is a mongos, and whether there
// are several members.
func (s *Store) greet(ctx context.Context) error {
	var server greeting
	err := s.within(ctx, "greet the server", func(ctx context.Context) error {
		return s.client.Database("admin").RunCommand(ctx, is("hello", 1)).Decode(&server)
	})
	s.sharded = s.place.sharded || server.mongos()
	s.replicated = server.replicated()
	return err
}

// greeting is what a server says of itself.
type greeting struct {
	Msg     string `bson:"msg"`
	SetName string `bson:"setName"`
}

func (g greeting) mongos() bool { return g.Msg == "isdbgrid" }

func (g greeting) replicated() bool { return g.SetName != "" || g.mongos() }
