// Command mongoserver is a server of the MongoDB wire protocol for the tests: FerretDB over SQLite
// files, behind a gate that makes each write command atomic. It is a module of its own, so that
// FerretDB's dependencies stay out of the product's.
//
// It prints the address that it listens on when it is ready, and ends with its standard input, so that it ends with the
// process that started it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"

	"roster/test/mongoserver/gate"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "TCP address; port 0 takes a free one")
	dir := flag.String("dir", "", "directory of the data, kept at the end; a new one that is removed when empty")
	flag.Parse()
	// The kernel sends SIGHUP to a paused server whose starter has ended. It cleans up then too.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := run(ctx, *listen, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "mongoserver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, data string) (err error) {
	private, err := os.MkdirTemp("", "mongoserver-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(private)) }()
	if data == "" {
		data = filepath.Join(private, "data")
		if err := os.Mkdir(data, 0o700); err != nil {
			return err
		}
	}
	socket := filepath.Join(private, "socket")
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: "file:" + filepath.ToSlash(data) + "/?_pragma=synchronous(off)", // no test cuts the power
		Logger:    log,
	})
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	g := &gate.Gate{Log: log, Dial: func() (net.Conn, error) { return net.DialTimeout("unix", socket, 5*time.Second) }}
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx, l) }()
	go func() {
		_ = db.MongoDBURI() // waits until FerretDB listens
		fmt.Println(l.Addr())
	}()
	err = db.Run(ctx)
	return errors.Join(err, <-ended)
}
