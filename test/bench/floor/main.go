// Command floor is the plainest server with the duties of the users API: it routes (gorilla/mux), verifies the
// signature and the expiry of a token (golang-jwt, HS256), reads rows by prepared statements from the database that
// Roster serves, and encodes them (encoding/json). It has no sessions, no policy and no log. The benchmark compares
// Roster with it: what it costs is what such a request must cost.
//
// It prints its address and a token, and serves until its standard input ends.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/mux"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

// key signs the token. It protects nothing: the server listens on the loopback interface during a measurement.
var key = []byte("0123456789abcdef0123456789abcdef")

func main() {
	database := flag.String("database", "", "a postgres:// URL, or the path of an SQLite file")
	flag.Parse()
	if err := serve(*database); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func serve(database string) error {
	s, err := open(database)
	if err != nil {
		return err
	}
	defer s.close()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"token_type": "access", "exp": time.Now().Add(24 * time.Hour).Unix(), "iat": time.Now().Unix(),
		"jti": "0123456789abcdef0123456789abcdef", "user_id": "01a208b2-6e2d-7c91-a437-c100ad54b0ef", "sid": "014de29431a1ff7d7f2a9e23",
	}).SignedString(key)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Shutdown(context.Background())
	}()
	fmt.Println(l.Addr(), token)
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// store holds the two reads that the server knows.
type store struct {
	db         *sql.DB
	user, page *sql.Stmt
}

// open opens the database that Roster serves, for reading only.
func open(database string) (*store, error) {
	driver, source := "sqlite", "file:"+database+"?mode=ro&_pragma=query_only(1)"
	if strings.HasPrefix(database, "postgres") {
		driver, source = "pgx", database
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	const columns = "SELECT id, email, first_name, last_name, active, staff, joined_us FROM users "
	s := &store{db: db}
	var first, second error
	s.user, first = db.Prepare(columns + "WHERE id = $1")
	s.page, second = db.Prepare(columns + "ORDER BY joined_us, id LIMIT 20")
	return s, errors.Join(first, second)
}

func (s *store) close() {
	_ = s.user.Close()
	_ = s.page.Close()
	_ = s.db.Close()
}

type user struct {
	ID        string     `json:"id"`
	Email     string     `json:"email"`
	FirstName string     `json:"first_name"`
	LastName  string     `json:"last_name"`
	IsActive  bool       `json:"is_active"`
	IsStaff   bool       `json:"is_staff"`
	Joined    time.Time  `json:"date_joined"`
	LastLogin *time.Time `json:"last_login"`
}

func scan(row interface{ Scan(...any) error }) (user, error) {
	var u user
	var micros int64
	err := row.Scan(&u.ID, &u.Email, &u.FirstName, &u.LastName, &u.IsActive, &u.IsStaff, &micros)
	u.Joined = time.UnixMicro(micros).UTC()
	return u, err
}

func (s *store) routes() http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/api/users/{id:[^/.]+}/", authenticated(s.get)).Methods("GET")
	r.HandleFunc("/api/users/", authenticated(s.list)).Methods("GET")
	return r
}

func authenticated(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, err := jwt.Parse(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
			func(*jwt.Token) (any, error) { return key, nil }, jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func (s *store) get(w http.ResponseWriter, r *http.Request) {
	u, err := scan(s.user.QueryRowContext(r.Context(), mux.Vars(r)["id"]))
	if err != nil {
		fail(w, err)
		return
	}
	write(w, u)
}

func (s *store) list(w http.ResponseWriter, r *http.Request) {
	rows, err := s.page.QueryContext(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	defer rows.Close()
	users := make([]user, 0, 20)
	for rows.Next() {
		u, err := scan(rows)
		if err != nil {
			fail(w, err)
			return
		}
		users = append(users, u)
	}
	if err := rows.Err(); err != nil {
		fail(w, err)
		return
	}
	write(w, map[string]any{"next": "x", "previous": nil, "results": users})
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, sql.ErrNoRows) {
		status = http.StatusNotFound
	}
	http.Error(w, err.Error(), status)
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
