package httpapi

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// userListParams are the parameters of the user list. The lengths bound the work of a request.
type userListParams struct {
	Search   string `validate:"max=1000"`
	Ordering string `validate:"max=1000"`
	Email    string `validate:"max=1000"`
	page     string
	paged    bool // ?page= is present
	size     int  // users per page
	active   *bool
	staff    *bool
}

var validate = validator.New(validator.WithRequiredStructEnabled())

func (s *server) parseUserList(q query, f *form) (userListParams, error) {
	p := userListParams{size: s.PageSize}
	p.Ordering, _ = q.get("ordering")
	p.page, p.paged = q.get("page")
	if f.unfiltered {
		p.Ordering = strings.ReplaceAll(p.Ordering, string(user.SortJoined), "") // which is no member of a user there
	} else {
		p.size, p.active, p.staff = s.pageSize(q), boolParam(q, "is_active"), boolParam(q, "is_staff")
		p.Search, _ = q.get("search")
		p.Email, _ = q.get("email")
	}
	if tooLong, ok := errors.AsType[validator.ValidationErrors](validate.Struct(p)); ok {
		var faults []fault.Field
		for _, f := range tooLong {
			faults = append(faults, fault.Field{
				Name: strings.ToLower(f.Field()), Code: "max_length",
				Message: "Ensure this field has no more than " + f.Param() + " characters.",
			})
		}
		return p, fault.ErrInvalid.With(faults...)
	}
	return p, nil
}

// boolParam returns the value of a filter, nil unless it is true or false, as in django-filter.
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

func (p userListParams) query(order []user.Order) inbound.UserQuery {
	f := user.Filter{Terms: user.Terms(p.Search), Active: p.active, Staff: p.staff}
	return inbound.UserQuery{Query: user.Query{Filter: f, Order: order, Limit: p.size}, Email: p.Email}
}

func (s *server) listUsers(w http.ResponseWriter, r *http.Request, c call) error {
	p, err := s.parseUserList(c.query, c.form)
	if err != nil {
		return err
	}
	if c.form.numbered || s.Pagination == PageNumbers || s.Pagination == CursorsOrPageNumbers && p.paged {
		return s.listUsersByNumber(w, r, c, p)
	}
	return s.listUsersByCursor(w, r, c, p)
}

// numberedPage is a page in the form of DRF's PageNumberPagination.
type numberedPage struct {
	Count int `json:"count"`
	cursorPage
}

func (s *server) listUsersByNumber(w http.ResponseWriter, r *http.Request, c call, p userListParams) error {
	q := p.query(user.Ordering(p.Ordering, user.Order{By: user.SortID}))
	count, err := c.form.accounts.Count(r.Context(), c.actor, q)
	if err != nil {
		return err
	}
	pages := max((count+p.size-1)/p.size, 1)
	n := 1
	if p.paged {
		if n, err = pageNumber(p.page, pages); err != nil {
			return err
		}
	}
	q.Offset = (n - 1) * p.size
	users, err := c.form.accounts.List(r.Context(), c.actor, q)
	if err != nil {
		return err
	}
	page := numberedPage{count, cursorPage{Results: c.form.users(users)}}
	if n < pages {
		page.Next = s.link(r, c.query.with("page", strconv.Itoa(n+1)))
	}
	switch {
	// DRF's first page has no number. Where cursors are usual, a link without a number gives a page by cursor.
	case n == 2 && (c.form.numbered || s.Pagination == PageNumbers):
		page.Previous = s.link(r, c.query.without("page"))
	case n > 1:
		page.Previous = s.link(r, c.query.with("page", strconv.Itoa(n-1)))
	}
	s.writeJSON(w, r, http.StatusOK, page)
	return nil
}

// pageNumber parses ?page=: a number from 1 to pages, or "last".
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

func (s *server) listUsersByCursor(w http.ResponseWriter, r *http.Request, c call, p userListParams) error {
	order := user.Ordering(p.Ordering, user.Order{By: user.SortJoined}, user.Order{By: user.SortID})
	return pager[*user.User]{
		order: orderingFields(order),
		fetch: func(parse func() (cursor, error), limit int) ([]*user.User, error) {
			at, err := parse()
			if err != nil {
				return nil, err
			}
			q := p.query(order)
			if q.From, err = parseUserValues(at.Values, order); err != nil {
				return nil, err
			}
			if at.Back {
				q.Order = user.Reverse(order)
			}
			q.Limit = limit
			return c.form.accounts.List(r.Context(), c.actor, q)
		},
		values: func(u *user.User) []string { return userValues(u.Position(), order) },
		toWire: c.form.users,
	}.writePage(s, w, r, c)
}
