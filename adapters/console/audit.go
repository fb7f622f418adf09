package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"

	"github.com/a-h/templ"
)

const auditPath = "audit/"

var auditRoutes = []route{{http.MethodGet, auditPath, (*server).listEvents, false}}

// The parameters of the audit trail, beside paramKind, paramFrom, paramFromID and paramBack.
const (
	paramUser    = "user"    // that it was done to: an address or an id
	paramBy      = "by"      // that did it
	paramSession = "session" // of paramUser
	paramSince   = "since"
	paramUntil   = "until"
	paramLive    = "live"
)

const (
	eventsPerPage = 50
	// sessionReads bounds what the events of one session cost: they are found among those of the user.
	sessionReads = 10
	readAtOnce   = 200
)

// inputTime is the format of <input type="datetime-local">.
const inputTime = "2006-01-02T15:04"

var errBadTime = fault.New(fault.Invalid, "bad_time", "A time has the form 2026-01-31T12:00, in UTC.")

// eventList is a page of the audit trail.
type eventList struct {
	query    url.Values // of the page, without its position
	first    bool       // the newest events, unless another page leads here
	live     bool
	events   []audit.Event
	problem  string
	searched bool   // the events of a session were searched for, not all of the user's
	previous string // the query of the page with newer events, "" for none
	next     string
}

// parseEventList returns the list that a URL selects, without its events.
func parseEventList(query url.Values) eventList {
	l := eventList{query: url.Values{}, first: query.Get(paramFromID) == "", live: query.Get(paramLive) != ""}
	for _, name := range []string{paramKind, paramUser, paramBy, paramSession, paramSince, paramUntil} {
		if value := strings.TrimSpace(query.Get(name)); value != "" {
			l.query.Set(name, value)
		}
	}
	l.live = l.live && l.first && l.query.Get(paramUntil) == ""
	return l
}

// filtered reports whether the list leaves events out.
func (l eventList) filtered() bool { return len(l.query) > 0 }

// with returns the query of the list with other values of some parameters, in pairs; "" removes one.
func (l eventList) with(pairs ...string) string {
	q := url.Values{}
	for name, values := range l.query {
		q[name] = values
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// at returns the query of the page from a position on.
func (l eventList) at(p audit.Position, back string) string {
	return l.with(paramFrom, p.At.UTC().Format(time.RFC3339Nano), paramFromID, string(p.ID), paramBack, back)
}

func (s *server) listEvents(w http.ResponseWriter, r *http.Request, v *visit) error {
	l := parseEventList(v.query)
	status := http.StatusOK
	if err := s.fillEvents(r, v, &l); err != nil {
		if kind := fault.KindOf(err); kind == fault.Unauthenticated || kind == fault.Forbidden {
			return err
		}
		p := s.explain(w, r, err)
		l.problem, status = p.text, p.status
	}
	return s.show(r.Context(), w, v, page{title: "Audit trail", section: auditPath, status: status, body: auditPage(v, l)})
}

// fillEvents reads the events of a page, and one more, which shows whether there is a further page.
func (s *server) fillEvents(r *http.Request, v *visit, l *eventList) error {
	q, err := s.eventQuery(r, v, l)
	if err != nil {
		return err
	}
	back := v.query.Get(paramBack) != ""
	q.Back = back
	if l.query.Get(paramSession) == "" {
		q.Limit = eventsPerPage + 1
		if l.events, err = s.eventsOf(r, v, q); err != nil {
			return err
		}
	} else if err = s.searchSession(r, v, l, q); err != nil {
		return err
	}
	more := len(l.events) > eventsPerPage
	l.events = l.events[:min(len(l.events), eventsPerPage)]
	if back {
		slices.Reverse(l.events)
	}
	if len(l.events) == 0 {
		return nil
	}
	if more && back || !back && !l.first {
		l.previous = l.at(l.events[0].Position(), "1")
	}
	if more && !back || back {
		l.next = l.at(l.events[len(l.events)-1].Position(), "")
	}
	return nil
}

func (s *server) eventsOf(r *http.Request, v *visit, q audit.Query) ([]audit.Event, error) {
	return s.Trail.Events(r.Context(), v.Actor, func() (audit.Query, error) { return q, nil })
}

// searchSession reads the events of a session, among those of its user.
func (s *server) searchSession(r *http.Request, v *visit, l *eventList, q audit.Query) error {
	q.Limit, l.searched = readAtOnce, true
	for range sessionReads {
		found, err := s.eventsOf(r, v, q)
		if err != nil {
			return err
		}
		for _, e := range found {
			if e.Session == l.query.Get(paramSession) {
				l.events = append(l.events, e)
			}
		}
		if len(found) < readAtOnce || len(l.events) > eventsPerPage {
			break
		}
		last := found[len(found)-1].Position()
		q.From = &last
	}
	return nil
}

var errSessionAlone = fault.New(fault.Invalid, "session_alone", "Name the user of the session too.")

// eventQuery returns the query for the events of a list.
func (s *server) eventQuery(r *http.Request, v *visit, l *eventList) (q audit.Query, err error) {
	if kind := l.query.Get(paramKind); kind != "" {
		q.Kinds = []audit.Kind{audit.Kind(kind)}
	}
	if q.User, err = s.namedUser(r, v, l.query.Get(paramUser)); err != nil {
		return q, err
	}
	if q.Actor, err = s.namedUser(r, v, l.query.Get(paramBy)); err != nil {
		return q, err
	}
	if l.query.Get(paramSession) != "" && q.User == "" {
		return q, errSessionAlone
	}
	for name, into := range map[string]*time.Time{paramSince: &q.Since, paramUntil: &q.Until} {
		if text := l.query.Get(name); text != "" {
			if *into, err = time.Parse(inputTime, text); err != nil {
				return q, errBadTime
			}
		}
	}
	if id := v.query.Get(paramFromID); id != "" {
		at, err := time.Parse(time.RFC3339Nano, v.query.Get(paramFrom))
		if err != nil {
			return q, errBadPosition
		}
		q.From = &audit.Position{At: at, ID: audit.ID(id)}
	}
	return q, nil
}

var errNoUser = fault.New(fault.NotFound, "no_such_user",
	"No user has this address or id. The events of deleted users are found by their id.")

// namedUser returns the id of the user with an address or an id; "" for none. Deleted users have events too, so that an id needs
// no user.
func (s *server) namedUser(r *http.Request, v *visit, name string) (user.ID, error) {
	if !strings.Contains(name, "@") {
		if name == "" {
			return "", nil
		}
		id, err := user.ParseID(name)
		if err != nil {
			return "", errNoUser
		}
		return id, nil
	}
	q := inbound.UserQuery{Email: name}
	q.Limit = 1
	found, err := s.Accounts.List(r.Context(), v.Actor, q)
	if err == nil && len(found) == 0 {
		err = errNoUser
	}
	if err != nil {
		return "", err
	}
	return found[0].ID(), nil
}

// toSession returns the URL of the events of the session of an event.
func (v *visit) toSession(e audit.Event) templ.SafeURL {
	return v.to(auditPath + "?" + url.Values{paramUser: {string(e.User)}, paramSession: {e.Session}}.Encode())
}

// short returns the beginning of the id of a session.
func short(id string) string { return id[:min(len(id), 8)] }
