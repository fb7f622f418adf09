package django

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"roster/domain/credential"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read opens a source and returns all of it.
func read(t *testing.T, o Options) []outbound.SourceUser {
	t.Helper()
	s := open(t, o)
	return users(t, s)
}

func open(t *testing.T, o Options) Source {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func users(t *testing.T, s Source) (out []outbound.SourceUser) {
	t.Helper()
	if err := s.Users(t.Context(), func(u outbound.SourceUser) error { out = append(out, u); return nil }); err != nil {
		t.Fatal(err)
	}
	n, _, err := s.Count(t.Context())
	if err != nil || int(n) != len(out) {
		t.Errorf("%d users were announced (%v), and %d came", n, err, len(out))
	}
	return out
}

func revoked(t *testing.T, s Source) (out []outbound.RevokedToken) {
	t.Helper()
	if err := s.RevokedTokens(t.Context(), func(r outbound.RevokedToken) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// file writes a fixture and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fixture.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// plain removes the differences between the forms of one export, and truncates times as dumpdata does.
func plain(rows []outbound.SourceUser, ids bool) []outbound.SourceUser {
	out := make([]outbound.SourceUser, len(rows))
	for i, r := range rows {
		r.Location, r.Row = "", nil
		r.Joined, r.LastLogin = r.Joined.Truncate(time.Millisecond), r.LastLogin.Truncate(time.Millisecond)
		if !ids {
			r.ID = ""
		}
		out[i] = r
	}
	return out
}

var sameHash = cmp.Comparer(func(a, b credential.Hash) bool { return a == b })

// fixtureRow is an object of a fixture, read by encoding/json.
type fixtureRow struct {
	PK     json.Number `json:"pk"`
	Fields struct {
		Password  string     `json:"password"`
		LastLogin *time.Time `json:"last_login"`
		Superuser bool       `json:"is_superuser"`
		Email     string     `json:"email"`
		FirstName string     `json:"first_name"`
		LastName  string     `json:"last_name"`
		Staff     bool       `json:"is_staff"`
		Active    bool       `json:"is_active"`
		Joined    time.Time  `json:"date_joined"`
	} `json:"fields"`
}

func export(t *testing.T) []outbound.SourceUser {
	t.Helper()
	text, err := os.ReadFile("testdata/users.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []fixtureRow
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	var out []outbound.SourceUser
	for _, r := range rows {
		f := r.Fields
		u := outbound.SourceUser{
			ID: user.ID(r.PK), Email: f.Email, FirstName: f.FirstName, LastName: f.LastName, Active: f.Active, Staff: f.Staff,
			Superuser: f.Superuser, Password: credential.RestoreHash(f.Password), Joined: f.Joined, KnownScheme: true,
		}
		if f.LastLogin != nil {
			u.LastLogin = *f.LastLogin
		}
		if f.Password == "" || f.Password[0] == '!' {
			u.KnownScheme = false
		}
		out = append(out, u)
	}
	return out
}

func zipped(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file(t, b.String())
}

// Every form of one real export has the same rows.
func TestRealExport(t *testing.T) {
	want := export(t)
	if len(want) != 51 {
		t.Fatalf("%d users", len(want))
	}
	bom, err := os.ReadFile("testdata/users.json")
	if err != nil {
		t.Fatal(err)
	}
	for source, ids := range map[string]bool{
		"testdata/users.json": true, "testdata/users.jsonl": true, "testdata/full.json": true, "testdata/users-natural.json": false,
		"testdata/db.sqlite3": true, "sqlite:testdata/db.sqlite3": true,
		zipped(t, "testdata/users.json"): true, zipped(t, "testdata/users.jsonl"): true, file(t, "\ufeff"+string(bom)): true,
	} {
		got := plain(read(t, Options{Source: source}), true)
		if diff := cmp.Diff(plain(want, ids), got, sameHash); diff != "" {
			t.Errorf("%s: %s", source, diff)
		}
	}
}

func TestDatabaseKeepsMicroseconds(t *testing.T) {
	rows := read(t, Options{Source: "sqlite:testdata/db.sqlite3"})
	if want := time.Date(2021, 3, 1, 8, 0, 0, 123456000, time.UTC); !rows[0].Joined.Equal(want) {
		t.Errorf("joined %s, want %s", rows[0].Joined, want)
	}
}

// A rejected row of a database can be read again as a fixture.
func TestRowsCanBeReadAgain(t *testing.T) {
	rows := read(t, Options{Source: "sqlite:testdata/db.sqlite3"})
	var text strings.Builder
	for _, r := range rows {
		text.Write(r.Row)
		text.WriteByte('\n')
	}
	again := read(t, Options{Source: file(t, text.String())})
	for i := range rows {
		rows[i].Location, rows[i].Row, again[i].Location, again[i].Row = "", nil, "", nil
	}
	if diff := cmp.Diff(rows, again, sameHash); diff != "" {
		t.Error(diff)
	}
}

func TestLastUserIDIncludesDeletedUsers(t *testing.T) {
	for source, want := range map[string]int64{
		"testdata/users.json": 51,
		"testdata/full.json":  52, // an outstanding token has user 52
		"testdata/db.sqlite3": 52, // so does the table's sequence
	} {
		if got, err := open(t, Options{Source: source}).LastUserID(t.Context()); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", source, got, err, want)
		}
	}
}

func TestBlacklist(t *testing.T) {
	want := outbound.RevokedToken{
		ID: "d5b1c8f4bce94fe1b0cff264899d928b", User: "1", Issued: time.Date(2026, 11, 23, 11, 4, 32, 956e6, time.UTC),
		Expires: time.Date(2066, 11, 13, 11, 4, 32, 0, time.UTC), RevokedAt: time.Date(2026, 11, 23, 11, 4, 32, 962e6, time.UTC),
	}
	for _, source := range []string{"testdata/full.json", "testdata/db.sqlite3"} {
		got := revoked(t, open(t, Options{Source: source}))
		if len(got) != 1 {
			t.Fatalf("%s: %+v", source, got)
		}
		got[0].Location, got[0].Issued, got[0].RevokedAt = "", got[0].Issued.Truncate(time.Millisecond), got[0].RevokedAt.Truncate(time.Millisecond)
		if got[0] != want {
			t.Errorf("%s: %+v", source, got[0])
		}
	}
	if got := revoked(t, open(t, Options{Source: "testdata/users.json"})); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// SimpleJWT stores no user with a token that it creates for the blacklist only; the token has the user.
func TestBlacklistedTokenWithoutUser(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjo0Mn0.c2ln"
	list := func(fields string) string {
		return file(t, `{"model":"a.user","pk":1,"fields":{"password":"","last_login":null}}
{"model":"token_blacklist.outstandingtoken","pk":9,"fields":{`+fields+`"jti":"j","created_at":null,"expires_at":"2066-01-01T00:00:00Z"}}
{"model":"token_blacklist.blacklistedtoken","pk":1,"fields":{"token":9,"blacklisted_at":"2026-01-01T00:00:00Z"}}`)
	}
	for fields, want := range map[string]user.ID{
		`"user":null,"token":"` + token + `",`: "42", `"user":7,"token":"` + token + `",`: "7",
		`"user":null,"token":"x",`: "", `"user":null,"token":"a.%.c",`: "",
	} {
		got := revoked(t, open(t, Options{Source: list(fields)}))
		if len(got) != 1 || got[0].User != want || !got[0].Issued.IsZero() {
			t.Errorf("%s: %+v", fields, got)
		}
	}
}

const oneRow = `{"model":"%s","pk":%s,"fields":{"password":"!","last_login":null%s}}`

func TestShapesOfRows(t *testing.T) {
	for name, c := range map[string]struct {
		pk, fields string
		options    Options
		check      func(outbound.SourceUser) bool
	}{
		"username is the email": {"1", `,"username":"a@b.example","email":""`, Options{}, func(u outbound.SourceUser) bool { return u.Email == "a@b.example" }},
		"username is no email":  {"1", `,"username":"ann","email":""`, Options{}, func(u outbound.SourceUser) bool { return u.Email == "" && u.Fault.Kind == outbound.NoFault }},
		"email before username": {"1", `,"username":"a@b.example","email":"c@d.example"`, Options{}, func(u outbound.SourceUser) bool { return u.Email == "c@d.example" }},
		"no email field at all": {"1", `,"username":"a@b.example"`, Options{}, func(u outbound.SourceUser) bool { return u.Email == "a@b.example" }},
		"defaults": {"1", ``, Options{}, func(u outbound.SourceUser) bool {
			return u.Active && !u.Staff && u.Joined.IsZero() && u.Fault.Kind == outbound.NoFault
		}},
		"nulls": {"1", `,"email":null,"first_name":null,"is_active":null,"date_joined":null`, Options{}, func(u outbound.SourceUser) bool {
			return !u.Active && u.FirstName == "" && u.Fault.Kind == outbound.NoFault
		}},
		"SQLite's truth":          {"1", `,"is_active":0,"is_staff":1`, Options{}, func(u outbound.SourceUser) bool { return !u.Active && u.Staff }},
		"no truth":                {"1", `,"is_active":"yes"`, Options{}, func(u outbound.SourceUser) bool { return u.Fault.Text == "is_active is neither true nor false" }},
		"no text":                 {"1", `,"email":5`, Options{}, func(u outbound.SourceUser) bool { return u.Fault.Text == "email is not a text" }},
		"no time":                 {"1", `,"date_joined":"yesterday"`, Options{}, func(u outbound.SourceUser) bool { return u.Fault.Text == "date_joined is not a date and time" }},
		"UUID":                    {`"0190B7A5-0000-7000-8000-000000000001"`, ``, Options{}, func(u outbound.SourceUser) bool { return u.ID == "0190b7a5-0000-7000-8000-000000000001" }},
		"UUID as SQLite keeps it": {`"0190b7a5000070008000000000000001"`, ``, Options{}, func(u outbound.SourceUser) bool { return u.ID == "0190b7a5-0000-7000-8000-000000000001" }},
		"number as text":          {`"12"`, ``, Options{}, func(u outbound.SourceUser) bool { return u.ID == "12" }},
		"null key":                {`null`, ``, Options{}, func(u outbound.SourceUser) bool { return u.ID == "" && u.Fault.Kind == outbound.NoFault }},
		"negative":                {`-1`, ``, Options{}, func(u outbound.SourceUser) bool { return u.Fault.Kind == outbound.IDUnsupported }},
		"a word":                  {`"ann"`, ``, Options{}, func(u outbound.SourceUser) bool { return u.Fault.Kind == outbound.IDUnsupported }},
		"too large":               {`9223372036854775808`, ``, Options{}, func(u outbound.SourceUser) bool { return u.Fault.Kind == outbound.IDUnsupported }},
		"mapped": {"1", `,"mail":"a@b.example","given":"Ann","since":"2020-01-02"`, Options{Fields: map[string]string{"email": "mail", "first_name": "given", "date_joined": "since"}}, func(u outbound.SourceUser) bool {
			return u.Email == "a@b.example" && u.FirstName == "Ann" && u.Joined.Day() == 2
		}},
		"mapped to nothing":         {"1", `,"is_staff":true`, Options{Fields: map[string]string{"is_staff": ""}}, func(u outbound.SourceUser) bool { return !u.Staff }},
		"id mapped":                 {"1", `,"uid":5`, Options{Fields: map[string]string{"id": "uid"}}, func(u outbound.SourceUser) bool { return u.ID == "5" }},
		"id given anew":             {"1", ``, Options{Fields: map[string]string{"id": ""}}, func(u outbound.SourceUser) bool { return u.ID == "" }},
		"escapes":                   {"1", `,"first_name":"\u0141ukasz \ud83d\ude00"`, Options{}, func(u outbound.SourceUser) bool { return u.FirstName == "Łukasz 😀" }},
		"lone surrogate is no text": {"1", `,"first_name":"\ud800"`, Options{}, func(u outbound.SourceUser) bool { return u.Fault.Text == "first_name is not valid Unicode text" }},
		"capital names are others'": {"1", `,"Email":"a@b.example"`, Options{}, func(u outbound.SourceUser) bool { return u.Email == "" }},
		"naive times are UTC":       {"1", `,"date_joined":"2020-01-02T03:04:05.5"`, Options{}, func(u outbound.SourceUser) bool { return u.Joined.Equal(time.Date(2020, 1, 2, 3, 4, 5, 5e8, time.UTC)) }},
		"times of a zone": {"1", `,"date_joined":"2020-01-02T03:04:05.5","last_login":"2020-07-02 03:04:05"`, Options{TimeZone: "Europe/Berlin"}, func(u outbound.SourceUser) bool {
			return u.Joined.Equal(time.Date(2020, 1, 2, 2, 4, 5, 5e8, time.UTC)) && u.LastLogin.Equal(time.Date(2020, 7, 2, 1, 4, 5, 0, time.UTC))
		}},
		"an offset beats the zone":   {"1", `,"date_joined":"2020-01-02T03:04:05Z"`, Options{TimeZone: "Asia/Tokyo"}, func(u outbound.SourceUser) bool { return u.Joined.Hour() == 3 }},
		"times with an offset":       {"1", `,"date_joined":"2020-01-02T03:04:05+02:00"`, Options{}, func(u outbound.SourceUser) bool { return u.Joined.Hour() == 1 }},
		"times as SQLite keeps them": {"1", `,"date_joined":"2020-01-02 03:04:05.123456"`, Options{}, func(u outbound.SourceUser) bool { return u.Joined.Nanosecond() == 123456000 }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, form := range []string{"[%s]", "\n%s\n\n"} {
				c.options.Source = file(t, fmt.Sprintf(form, fmt.Sprintf(oneRow, "members.member", c.pk, c.fields)))
				if got := read(t, c.options); len(got) != 1 || !c.check(got[0]) {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// SQLite stores times without offsets.
func TestDatabaseOfAnotherZone(t *testing.T) {
	utc, tokyo := read(t, Options{Source: "testdata/db.sqlite3"}), read(t, Options{Source: "testdata/db.sqlite3", TimeZone: "Asia/Tokyo"})
	if len(utc) == 0 || len(tokyo) != len(utc) {
		t.Fatalf("%d users, and %d", len(utc), len(tokyo))
	}
	for i, u := range tokyo {
		if want := utc[i].Joined.Add(-9 * time.Hour); !u.Joined.Equal(want) {
			t.Errorf("user %s joined at %v, want %v", u.ID, u.Joined, want)
		}
	}
}

func TestSchemesOfDjango(t *testing.T) {
	for encoded, want := range map[string]bool{
		"pbkdf2_sha256$1$a$b": true, "md5$a$b": true, "md5$$b": true, "sha1$$b": true, "crypt$$ab": true,
		"410b7b8f4012b96689889d821d4cb9b4": true, "410b7b8f4012b96689889d821d4cb9bg": false,
		"410b7b8f4012b96689889d821d4cb9b": false, "zz0b7b8f4012b96689889d821d4cb9b4": false,
		"homemade$x": false, "plain": false, "": false, "PBKDF2_SHA256$1$a$b": false,
	} {
		if got := knownScheme(encoded); got != want {
			t.Errorf("%s: %v", encoded, got)
		}
	}
}

func TestWhichUsers(t *testing.T) {
	ann, tim := fmt.Sprintf(oneRow, "auth.user", "1", ""), fmt.Sprintf(oneRow, "shop.user", "2", "")
	group := `{"model":"auth.group","pk":1,"fields":{"name":"x"}}`
	history := file(t, "["+fmt.Sprintf(oneRow, "auth.historicaluser", "5", "")+","+ann+"]")
	if got := read(t, Options{Source: history}); len(got) != 1 || got[0].ID != "1" {
		t.Errorf("beside a history: %+v", got)
	}
	both := file(t, "["+group+","+ann+","+tim+"]")
	if _, err := Open(t.Context(), Options{Source: both}); err == nil || !strings.Contains(err.Error(), "auth.user, shop.user") {
		t.Errorf("two models of users: %v", err)
	}
	for model, want := range map[string]user.ID{"auth.User": "1", "shop.user": "2"} {
		if got := read(t, Options{Source: both, UserModel: model}); len(got) != 1 || got[0].ID != want {
			t.Errorf("%s: %+v", model, got)
		}
	}
	for name, o := range map[string]Options{
		"no users":           {Source: file(t, "["+group+"]")},
		"empty":              {Source: file(t, "[]")},
		"another model":      {Source: both, UserModel: "users.User"},
		"no model":           {Source: both, UserModel: "User"},
		"no file":            {Source: filepath.Join(t.TempDir(), "none")},
		"no such member":     {Source: both, Fields: map[string]string{"name": "x"}},
		"table of a fixture": {Source: both, Table: "auth_user"},
		"cut":                {Source: file(t, "["+ann+",")},
		"cut in a row":       {Source: file(t, "["+ann[:40])},
		"cut array":          {Source: file(t, "["+ann)},
		"cut line":           {Source: file(t, ann+"\n"+tim[:30])},
		"no JSON":            {Source: file(t, "id,email\n1,a")},
		"more after the end": {Source: file(t, "["+ann+"]"+ann)},
		"no fixture":         {Source: file(t, `[{"id":1}]`)},
		"UTF-16":             {Source: file(t, "\xff\xfe[\x00]\x00")},
		"bad gzip":           {Source: file(t, "\x1f\x8bxx")},
		"mysql":              {Source: "mysql://root:secret@db/x"},
		"no database":        {Source: "sqlite:" + filepath.Join(t.TempDir(), "none")},
		"no such table":      {Source: "sqlite:testdata/db.sqlite3", Table: "auth_user"},
		"no such model":      {Source: "sqlite:testdata/db.sqlite3", UserModel: "auth.User"},
		"no such column":     {Source: "sqlite:testdata/db.sqlite3", Table: "users_user", Fields: map[string]string{"password": "pw"}},
		"no such time zone":  {Source: "testdata/users.json", TimeZone: "Europe/Atlantis"},
		"no such server":     {Source: "postgres://ann:secret@127.0.0.1:1/x?connect_timeout=2"},
		"bad URL":            {Source: "postgres://ann:secret@127.0.0.1:port/x"},
	} {
		s, err := Open(t.Context(), o)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func TestReadingEndsWithTheReader(t *testing.T) {
	for _, source := range []string{"testdata/users.json", "testdata/db.sqlite3"} {
		s := open(t, Options{Source: source})
		n, stop := 0, errors.New("enough")
		if err := s.Users(t.Context(), func(outbound.SourceUser) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
			t.Errorf("%s: %d, %v", source, n, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Users(ctx, func(outbound.SourceUser) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// A larger table, with a text as its key, is read completely and in order.
func TestSQLiteIsReadInBatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?.db")
	db, err := sql.Open("sqlite", "file:"+strings.ReplaceAll(path, "?", "%3f"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	const n = 2*batch + 1
	exec(`CREATE TABLE "members ""x""" (uid char(32) PRIMARY KEY, mail text, password text, last_login datetime, is_active bool, photo blob)`)
	exec(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < ?)
		INSERT INTO "members ""x""" SELECT printf('%032x', i), 'm' || i || '@example.com', '!', '2020-01-02 03:04:05', i % 2, x'ff00' FROM c`, n)
	got := read(t, Options{Source: "sqlite:" + path, Fields: map[string]string{"email": "mail"}})
	if len(got) != n {
		t.Fatalf("%d rows", len(got))
	}
	for i, u := range got {
		if want := user.ID(fmt.Sprintf("00000000-0000-0000-0000-%012x", i+1)); u.ID != want || u.Fault.Kind != outbound.NoFault || u.Active != (i%2 == 0) || u.LastLogin.Year() != 2020 {
			t.Fatalf("row %d: %+v", i, u)
		}
	}
}

// PostgreSQL gives the same rows as the other forms.
func TestPostgres(t *testing.T) {
	url := testenv.Postgres(t)
	ctx := t.Context()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := c.Exec(ctx, statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE users_user (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz, is_superuser boolean NOT NULL,
		email varchar(254) NOT NULL UNIQUE, first_name varchar(150) NOT NULL, last_name varchar(150) NOT NULL, is_staff boolean NOT NULL, is_active boolean NOT NULL, date_joined timestamptz NOT NULL)`)
	exec(`CREATE TABLE token_blacklist_outstandingtoken (id bigint PRIMARY KEY, token text NOT NULL, created_at timestamptz, expires_at timestamptz NOT NULL, user_id bigint, jti varchar(255) NOT NULL)`)
	exec(`CREATE TABLE token_blacklist_blacklistedtoken (id bigint PRIMARY KEY, blacklisted_at timestamptz NOT NULL, token_id bigint NOT NULL)`)
	want := export(t)
	for _, u := range want {
		var login *time.Time
		if !u.LastLogin.IsZero() {
			login = &u.LastLogin
		}
		exec(`INSERT INTO users_user VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, u.ID, u.Password.Encoded(), login, u.Superuser, u.Email, u.FirstName, u.LastName, u.Staff, u.Active, u.Joined)
	}
	exec(`SELECT setval('users_user_id_seq', 60)`)
	exec(`INSERT INTO token_blacklist_outstandingtoken VALUES (4, 'x', '2026-01-01', '2066-01-01T00:00:00+02:00', 7, 'jti-4'), (5, 'x', '2026-01-01', '2066-01-01', 7, 'jti-5')`)
	exec(`INSERT INTO token_blacklist_blacklistedtoken VALUES (1, '2026-02-01T00:00:00Z', 4)`)

	for _, o := range []Options{{}, {Table: "users_user"}, {UserModel: "users.User"}} {
		o.Source = url
		s := open(t, o)
		got := users(t, s)
		if diff := cmp.Diff(want, plain(got, true), sameHash); diff != "" {
			t.Error(diff)
		}
		if got[0].Location != "users_user id 1" || !bytes.HasPrefix(got[0].Row, []byte(`{"model":"users.user","pk":1,"fields":{`)) {
			t.Errorf("%s: %s", got[0].Location, got[0].Row)
		}
		if last, err := s.LastUserID(ctx); err != nil || last != 60 {
			t.Errorf("last id %d, %v", last, err)
		}
		tokens := revoked(t, s)
		if len(tokens) != 1 || tokens[0].ID != "jti-4" || tokens[0].User != "7" || tokens[0].Expires.Hour() != 22 {
			t.Errorf("%+v", tokens)
		}
	}
}
