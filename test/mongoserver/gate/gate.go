// Package gate is a proxy of the MongoDB wire protocol that lets one write command at a time through
// to a FerretDB v1 server.
//
// FerretDB v1 runs update and findAndModify as "read, decide, write" in three statements, so two of
// them on one document can both succeed. MongoDB runs each as one atomic step per document. One write
// at a time gives the same; interleavings between commands stay possible, so an adapter that reads and
// then writes in two commands is still caught.
//
// It leaves out the time limits of reads: where one ends, FerretDB interrupts the SQLite connection, which may serve another
// command by then, and that fails with code 1 and "interrupted (9)". The client's own limit still ends the command for it.
//
// It also repairs a reply: a duplicate key met by an update, which FerretDB reports as code 1. And it sends
// a command that makes several indexes as one command for each, since FerretDB drops the connection when
// more than one of them is there already.
package gate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// patience is how long the server may take for an answer. One that does not come would else hold the
// gate for ever.
const patience = 30 * time.Second

const (
	opMsg      = 2013
	maxMessage = 64 << 20

	headerLen  = 16
	bodyStart  = headerLen + 4 + 1 // after the flags and the kind of the first section
	moreToCome = 2
)

// Gate forwards connections to a server.
type Gate struct {
	Dial func() (net.Conn, error)
	Log  *slog.Logger

	mu sync.Mutex // held by the one write command under way
}

var writes = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true, "findandmodify": true,
	"create": true, "createIndexes": true, "drop": true, "dropIndexes": true, "dropDatabase": true, "renameCollection": true, "collMod": true,
}

// Serve accepts connections on l until ctx ends, and then closes them all.
func (g *Gate) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		wg.Go(func() { g.handle(ctx, c) })
	}
}

func (g *Gate) handle(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }()
	server, err := g.Dial()
	if err != nil {
		g.complain(ctx, "gate: no server", "error", err)
		return
	}
	defer func() { _ = server.Close() }()
	stop := context.AfterFunc(ctx, func() { _, _ = c.Close(), server.Close() })
	defer stop()
	for {
		request, err := readMessage(c)
		if err != nil {
			return // the client went
		}
		name, unacknowledged := command(request)
		reply, err := g.ask(server, split(unlimited(request, name), name), writes[name])
		if err != nil {
			g.complain(ctx, "gate: no reply", "command", name, "error", err)
			return
		}
		if unacknowledged { // FerretDB answers all the same, and the client does not expect it
			continue
		}
		if _, err := c.Write(repaired(reply, name)); err != nil {
			return
		}
	}
}

// complain logs what went wrong, unless all is ending.
func (g *Gate) complain(ctx context.Context, message string, about ...any) {
	if ctx.Err() == nil {
		g.Log.ErrorContext(ctx, message, about...)
	}
}

// ask sends requests until one fails, and returns the last reply.
func (g *Gate) ask(server net.Conn, requests [][]byte, alone bool) (reply []byte, err error) {
	if alone {
		g.mu.Lock()
		defer g.mu.Unlock()
	}
	for _, request := range requests {
		if err := server.SetDeadline(time.Now().Add(patience)); err != nil {
			return nil, err
		}
		if _, err := server.Write(request); err != nil {
			return nil, err
		}
		if reply, err = readMessage(server); err != nil {
			return nil, err
		}
		if r, ok := resultOf(reply); ok && r.OK == 0 {
			break
		}
	}
	return reply, nil
}

func readMessage(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n < headerLen || n > maxMessage {
		return nil, errors.New("gate: bad length of a message")
	}
	b := make([]byte, n)
	copy(b, length[:])
	_, err := io.ReadFull(r, b[4:])
	return b, err
}

// command returns the name of the command that a message holds, and whether its sender expects no
// reply.
func command(b []byte) (name string, unacknowledged bool) {
	if len(b) < bodyStart+6 || binary.LittleEndian.Uint32(b[12:]) != opMsg {
		return "", false
	}
	unacknowledged = binary.LittleEndian.Uint32(b[headerLen:])&moreToCome != 0
	if b[bodyStart-1] != 0 {
		return "insert", unacknowledged // a sequence of documents comes first: some write
	}
	rest := b[bodyStart+5:] // after the document's length and the type of its first element
	i := bytes.IndexByte(rest, 0)
	if i < 0 {
		return "", unacknowledged
	}
	return string(rest[:i]), unacknowledged
}

// unlimited returns the message b without the time limit of a read.
func unlimited(b []byte, name string) []byte {
	var command bson.D
	if name != "find" && name != "aggregate" || bson.Unmarshal(b[bodyStart:], &command) != nil {
		return b
	}
	out, err := withBody(b, slices.DeleteFunc(command, func(e bson.E) bool { return e.Key == "maxTimeMS" }))
	if err != nil {
		return b
	}
	return out
}

// split returns the messages to send in the place of one: several for a command that makes several indexes.
func split(b []byte, name string) [][]byte {
	var command bson.D
	if name != "createIndexes" || bson.Unmarshal(b[bodyStart:], &command) != nil {
		return [][]byte{b}
	}
	i := slices.IndexFunc(command, func(e bson.E) bool { return e.Key == "indexes" })
	if i < 0 {
		return [][]byte{b}
	}
	indexes, _ := command[i].Value.(bson.A)
	var out [][]byte
	for _, index := range indexes {
		command[i].Value = bson.A{index}
		one, err := withBody(b, command)
		if err != nil {
			return [][]byte{b}
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return [][]byte{b}
	}
	return out
}

// withBody returns the message b with another document in it.
func withBody(b []byte, document bson.D) ([]byte, error) {
	body, err := bson.Marshal(document)
	if err != nil {
		return nil, err
	}
	out := append(bytes.Clone(b[:bodyStart]), body...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	binary.LittleEndian.PutUint32(out[headerLen:], 0)
	return out, nil
}

type result struct {
	OK     float64 `bson:"ok"`
	Code   int32   `bson:"code"`
	ErrMsg string  `bson:"errmsg"`
}

// resultOf reads what a reply says of the command as a whole.
func resultOf(b []byte) (r result, ok bool) {
	if len(b) < bodyStart+5 || binary.LittleEndian.Uint32(b[12:]) != opMsg {
		return r, false
	}
	return r, bson.Unmarshal(b[bodyStart:], &r) == nil
}

// repaired returns the reply to an update as MongoDB would have sent it.
func repaired(b []byte, name string) []byte {
	update := name == "update"
	if !update && !strings.EqualFold(name, "findAndModify") {
		return b
	}
	r, ok := resultOf(b)
	if !ok || r.OK != 0 || r.Code != 1 || !strings.Contains(r.ErrMsg, "UNIQUE constraint failed") {
		return b
	}
	const code, message = int32(11000), "E11000 duplicate key error"
	reply := bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: message}, {Key: "code", Value: code},
		{Key: "codeName", Value: "DuplicateKey"}}
	if update {
		reply = bson.D{
			{Key: "n", Value: int32(0)}, {Key: "nModified", Value: int32(0)},
			{Key: "writeErrors", Value: bson.A{
				bson.D{{Key: "index", Value: int32(0)}, {Key: "code", Value: code}, {Key: "errmsg", Value: message}},
			}},
			{Key: "ok", Value: 1.0},
		}
	}
	out, err := withBody(b, reply)
	if err != nil {
		return b
	}
	return out
}
