package userlist

import (
	"roster/adapters/storage/sqltable"
	"roster/domain/user"
)

// Access for the tests, which use the backend and so cannot be in this package.
type (
	Source = source
	Lookup = lookup
)

const (
	LongStretch = longStretch
	PrimaryKey  = primaryKey
)

var (
	Lookups         = lookups
	AllUsers Source = allUsers
	OfKinds  Source = ofKinds
	Only            = only
)

type Planner struct{ planner }

func NewPlanner(t *sqltable.UserTable, q sqltable.Querier) Planner { return Planner{planner{t, q}} }

func (p Planner) Walk(q user.Query) (string, []any)               { return p.walk(q) }
func (p Planner) Stretch(q user.Query, users int) (string, []any) { return p.stretch(q, users) }
func (p Planner) Pick(q user.Query, s Source) (string, []any)     { return p.pick(q, s) }
func (p Planner) Count(f user.Filter, s Source) (string, []any)   { return p.count(f, s) }
func (p Planner) CountKind(f user.Filter) (string, []any)         { return p.countKind(f) }
func (p Planner) Probe(l Lookup) (string, []any)                  { return l.probe(p.where()) }

// Match and Begin return lookups in the trigram index.
func Match(match string) Lookup { return lookup{match: match} }
func Begin(begin string) Lookup { return lookup{begin: begin} }

// Long reports whether l is for terms of three characters or more.
func (l lookup) Long() bool { return l.match != "" }

// Users is the source of the users that l finds.
func (l lookup) Users() Source { return l.users }
