package httpapi

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// listQuery is the shape of the list's parameters. The lengths bound the work of a request.
type userListParams struct {
	Search   string `validate:"max=1000"`
	Ordering string `validate:"max=1000"`
	Page     string
	Email    string `validate:"max=1000"`
	size     int    // users a page
	Active   *bool
	Staff    *bool
	paged    bool // ?page= is given
}

var validate = validator.New(validator.WithRequiredStructEnabled())

func (s *server) parseUserList(q query) (userListParams, error) {
	l := userListParams{size: s.pageSize(q), Active: boolParam(q, "is_active"), Staff: boolParam(q, "is_staff")}
	l.Search, _ = q.get("search")
	l.Ordering, _ = q.get("ordering")
	l.Page, l.paged = q.get("page")
	l.Email, _ = q.get("email")
	if err := validate.Struct(l); err != nil {
		var faults []fault.Field
		for _, f := range err.(validator.ValidationErrors) { //nolint:errorlint,forcetypeassert // what Struct returns for a struct
			faults = append(faults, fault.Field{
				Name: strings.ToLower(f.Field()), Code: "max_length",
				Message: "Ensure this field has no more than " + f.Param() + " characters.",
			})
		}
		return l, fault.ErrInvalid.With(faults...)
	}
	return l, nil
}

// pageSize returns how many users a page holds: page_size, up to the most that is allowed, as DRF's
// page_size_query_param; what is no number above 0 is ignored.
func (s *server) pageSize(q query) int {
	text, _ := q.get("page_size")
	n, err := strconv.ParseInt(field.Strip(text), 10, 64)
	most := max(s.MaxPageSize, s.PageSize)
	switch {
	case s.MaxPageSize == 0:
		return s.PageSize
	case errors.Is(err, strconv.ErrRange) && n > 0:
		return most
	case err != nil || n < 1:
		return s.PageSize
	}
	return int(min(n, int64(most)))
}

// truth reads a filter as django-filter does: what is neither true nor false is no filter.
func boolParam(q query, name string) *bool {
	v, _ := q.get(name)
	switch strings.ToLower(v) {
	case "true", "1":
		return new(true)
	case "false", "0":
		return new(false)
	}
	return nil
}

func (l userListParams) query(order []user.Order) inbound.UserQuery {
	f := user.Filter{Terms: user.Terms(l.Search), Active: l.Active, Staff: l.Staff}
	return inbound.UserQuery{Query: user.Query{Filter: f, Order: order, Limit: l.size}, Email: l.Email}
}

// countedPage is a page in the form of DRF's PageNumberPagination.
type numberedPage struct {
	Count int `json:"count"`
	cursorPage[wireUser]
}

func (s *server) listUsers(w http.ResponseWriter, r *http.Request, c call) error {
	l, err := s.parseUserList(c.query)
	if err != nil {
		return err
	}
	if s.Pagination == PageNumbers || s.Pagination == Mixed && l.paged {
		return s.listByNumber(w, r, c, l)
	}
	return s.listByCursor(w, r, c, l)
}

func (s *server) listByNumber(w http.ResponseWriter, r *http.Request, c call, l userListParams) error {
	q := l.query(user.Ordering(l.Ordering, user.Order{By: user.SortID}))
	count, err := s.Accounts.Count(r.Context(), c.actor, q)
	if err != nil {
		return err
	}
	pages := max((count+l.size-1)/l.size, 1)
	n := 1
	if l.paged {
		if n, err = pageNumber(l.Page, pages); err != nil {
			return err
		}
	}
	q.Offset = (n - 1) * l.size
	users, err := s.Accounts.List(r.Context(), c.actor, q)
	if err != nil {
		return err
	}
	out := numberedPage{count, cursorPage[wireUser]{Results: toWireUsers(users)}}
	if n < pages {
		out.Next = s.link(r, c.query.with("page", strconv.Itoa(n+1)))
	}
	switch {
	case n == 2 && s.Pagination == PageNumbers: // DRF's first page has no number; in Mixed that asks for cursors
		out.Previous = s.link(r, c.query.without("page"))
	case n > 1:
		out.Previous = s.link(r, c.query.with("page", strconv.Itoa(n-1)))
	}
	s.ok(w, r, http.StatusOK, out)
	return nil
}

func pageNumber(text string, pages int) (int, error) {
	if text == "last" {
		return pages, nil
	}
	n, err := strconv.Atoi(field.Strip(text))
	if err != nil || n < 1 || n > pages {
		return 0, errInvalidPage
	}
	return n, nil
}

func (s *server) listByCursor(w http.ResponseWriter, r *http.Request, c call, l userListParams) error {
	order := user.Ordering(l.Ordering, user.Order{By: user.SortJoined}, user.Order{By: user.SortID})
	return pager[*user.User, wireUser]{
		order: orderingFields(order),
		fetch: func(parse func() (cursor, error), limit int) ([]*user.User, error) {
			at, err := parse()
			if err != nil {
				return nil, err
			}
			q := l.query(order)
			if q.From, err = parseUserValues(at.Values, order); err != nil {
				return nil, err
			}
			if at.Back {
				q.Order = user.Reverse(order)
			}
			q.Limit = limit
			return s.Accounts.List(r.Context(), c.actor, q)
		},
		place: func(u *user.User) []string { return userValues(u.Position(), order) },
		wire:  toWireUser,
	}.answer(s, w, r, c)
}

func toWireUsers(users []*user.User) []wireUser {
	out := make([]wireUser, len(users))
	for i, u := range users {
		out[i] = toWireUser(u)
	}
	return out
}

// link returns the URL of the request's path with other parameters: absolute, where it is known how
// the service is reached, else relative to the host.
func (s *server) link(r *http.Request, rawQuery string) *string {
	u := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: rawQuery}
	base := s.PublicURL
	if base == FromHost || base == "" && local(r) {
		base = "http://" + r.Host
		if s.secure(r) {
			base = "https://" + r.Host
		}
	}
	return new(strings.TrimSuffix(base, "/") + u.String())
}

// local reports whether the Host header names this very machine: a loopback name, or the address that
// the request arrived at. Any other name may be an attacker's.
func local(r *http.Request) bool {
	host := (&url.URL{Host: r.Host}).Hostname()
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	at, _ := r.Context().Value(localAddress).(netip.Addr)
	return ip.IsLoopback() || ip == at
}
