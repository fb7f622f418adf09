package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
)

// record is a user of the bare server, of the same shape as the service's.
type record struct {
	ID        string     `json:"id"`
	Email     string     `json:"email"`
	FirstName string     `json:"first_name"`
	LastName  string     `json:"last_name"`
	IsActive  bool       `json:"is_active"`
	IsStaff   bool       `json:"is_staff"`
	Joined    time.Time  `json:"date_joined"`
	LastLogin *time.Time `json:"last_login"`
}

// bareServer keeps users in a map: no disk, no hashing, no tokens to check, no rules.
type bareServer struct {
	mu    sync.RWMutex
	users map[string]record
	first []record // the first page
}

const pageSize = 20

// token is as long as the service's.
var token = strings.Repeat("x", 360)

func (s *bareServer) routes() http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/api/users/", s.register).Methods("POST")
	r.HandleFunc("/api/users/", s.list).Methods("GET")
	r.HandleFunc("/api/users/{id:[^/.]+}/", s.get).Methods("GET")
	r.HandleFunc("/api/users/{id:[^/.]+}/", s.rename).Methods("PATCH")
	pair := map[string]string{"access": token, "refresh": token}
	for path, body := range map[string]any{"/api/token/": pair, "/api/token/refresh/": pair, "/api/token/verify/": struct{}{}} {
		r.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			var in map[string]string
			if read(w, r, &in) {
				write(w, http.StatusOK, body)
			}
		}).Methods("POST")
	}
	return r
}

func (s *bareServer) register(w http.ResponseWriter, r *http.Request) {
	var in record
	if !read(w, r, &in) {
		return
	}
	s.mu.Lock()
	in.ID, in.IsActive, in.Joined = strconv.Itoa(len(s.users)+1), true, time.Now().UTC()
	s.users[in.ID] = in
	if len(s.first) < pageSize {
		s.first = append(s.first, in)
	}
	s.mu.Unlock()
	write(w, http.StatusCreated, in)
}

func (s *bareServer) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	page := map[string]any{"next": nil, "previous": nil, "results": s.first[:len(s.first):len(s.first)]}
	s.mu.RUnlock()
	write(w, http.StatusOK, page)
}

func (s *bareServer) get(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	u, ok := s.users[mux.Vars(r)["id"]]
	s.mu.RUnlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	write(w, http.StatusOK, u)
}

func (s *bareServer) rename(w http.ResponseWriter, r *http.Request) {
	var in struct {
		FirstName string `json:"first_name"`
	}
	if !read(w, r, &in) {
		return
	}
	id := mux.Vars(r)["id"]
	s.mu.Lock()
	u := s.users[id]
	u.FirstName = in.FirstName
	s.users[id] = u
	s.mu.Unlock()
	write(w, http.StatusOK, u)
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// serveBare is the bare server's process: it tells its address and serves until its input ends.
func serveBare() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString(0)
		os.Exit(0)
	}()
	fmt.Println(l.Addr())
	return http.Serve(l, (&bareServer{users: map[string]record{}}).routes())
}

// bareProcess is a bare server in a process of its own, as the service is.
type bareProcess struct {
	address string
	stop    func()
}

func startBare() (bareProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return bareProcess{}, err
	}
	cmd := exec.Command(self, "-bare")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return bareProcess{}, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return bareProcess{}, err
	}
	if err := cmd.Start(); err != nil {
		return bareProcess{}, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	return bareProcess{strings.TrimSpace(line), func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	}}, err
}
