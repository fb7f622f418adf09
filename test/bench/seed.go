package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"roster/adapters/ndjson"
	"roster/domain/archive"
	"roster/domain/credential"
	"roster/domain/user"
	"roster/ports/outbound"
)

// seedVersion is part of the name of a kept database. It grows when the seeded users change.
const seedVersion = 1

const (
	password = "four wide purple boats"
	// passwordHash is the argon2id hash of password with the parameters of new passwords.
	passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$GOlQo4zXUUqcqDy37N3ovCkE9C+47Fvm3AsdNr10U64"
)

var (
	firstNames = []string{
		"Ann", "Bo", "Cy", "Dee", "Eve", "Flo", "Gus", "Hal", "Ivy", "Joe", "Anna", "Bert", "Carla", "Dora", "Emil", "Fritz", "Greta",
		"Hanna", "Ines", "Jana", "Karl", "Lena", "Mia", "Nora", "Otto", "Paul", "Quinn", "Rosa", "Sam", "Tom", "Uma", "Vera", "Willem",
		"Xenia", "Yara", "Zoë", "José", "Мария", "Ελένη", "明",
	}
	lastHeads = []string{
		"Al", "Bar", "Cor", "Dal", "Ester", "Fair", "Gold", "Hart", "Iver", "Jack", "Kirk", "Lang", "Mel", "Nor", "Oak", "Pem", "Quill",
		"Rams", "Sand", "Thorn", "Under", "Vos", "Wal", "York", "Zim",
	}
	lastTails = []string{"berg", "by", "dale", "den", "field", "ford", "ham", "ley", "man", "mer", "mont", "sen", "shaw", "son", "stein",
		"ton", "well", "wick", "wood", "worth"}
)

// seeded returns user number i of a seeded database. All have one password.
func seeded(i int) user.Snapshot {
	scattered := uint32(i) * 2654435761 // neighbours have different names
	email := fmt.Sprintf("user%08d@example%d.com", i, i%97)
	joined := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 30 * time.Second)
	return user.Snapshot{
		ID: user.ID(fmt.Sprintf("%08x-%04x-7000-8000-%012x", joined.UnixMilli()>>16, joined.UnixMilli()&0xffff, i)), Email: email,
		EmailKey:  email,
		FirstName: firstNames[int(scattered>>8)%len(firstNames)],
		LastName:  lastHeads[int(scattered>>16)%len(lastHeads)] + lastTails[int(scattered>>24)%len(lastTails)],
		Active:    true, Password: credential.RestoreHash(passwordHash), Joined: joined, Version: 1,
	}
}

// writeExport writes n users as `roster export` does.
func writeExport(to io.Writer, n int) error {
	w, lines := ndjson.NewWriter(to), ndjson.Records{}
	if err := w.Begin(outbound.ExportHeader{ExportedAt: time.Now()}); err != nil {
		return err
	}
	sum := archive.NewSum("users")
	for i := range n {
		line, err := lines.Line(seeded(i))
		if err != nil {
			return err
		}
		sum.Add(line)
		if err := w.Write(line); err != nil {
			return err
		}
	}
	footer := outbound.ExportFooter{Contents: []archive.Contents{sum.Contents()}}
	for _, empty := range []string{"sessions", "attempts", "events", "mails"} {
		footer.Contents = append(footer.Contents, archive.NewSum(empty).Contents())
	}
	return w.End(footer)
}

// imported is what an import took.
type imported struct {
	Seconds float64
	MB      float64 // highest resident memory
}

// seed gives b its data directory: a copy of a seeded SQLite database, which is kept for later runs, or an empty one when
// the users are in PostgreSQL.
func (b *bench) seed() (imported, error) {
	b.data = filepath.Join(b.work, "data")
	if b.database != "" {
		return b.seedServer()
	}
	kept := filepath.Join(b.dir, fmt.Sprintf("seeded-%d-%d", seedVersion, b.users))
	if _, err := os.Stat(kept); errors.Is(err, os.ErrNotExist) {
		b.data = filepath.Join(b.work, "seed")
		i, err := b.importUsers()
		if err != nil {
			return i, err
		}
		text, err := json.Marshal(i)
		if err != nil {
			return i, err
		}
		if err := os.WriteFile(filepath.Join(b.data, "import.json"), text, 0o600); err != nil {
			return i, err
		}
		if err := os.Rename(b.data, kept); err != nil {
			return i, err
		}
		b.data = filepath.Join(b.work, "data")
	}
	if err := copyDatabase(kept, b.data); err != nil {
		return imported{}, err
	}
	text, err := os.ReadFile(filepath.Join(kept, "import.json"))
	if err != nil {
		return imported{}, err
	}
	var i imported
	return i, json.Unmarshal(text, &i)
}

// copyDatabase makes a data directory with the database of another.
func copyDatabase(from, to string) error {
	const name = "roster.db"
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	in, err := os.Open(filepath.Join(from, name))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(to, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// seedServer imports the users into PostgreSQL, unless the database has them from an earlier run.
func (b *bench) seedServer() (imported, error) {
	if err := os.Mkdir(b.data, 0o700); err != nil {
		return imported{}, err
	}
	has, err := seededUsers(b.database, b.users-1, b.users)
	switch {
	case err != nil:
		return imported{}, err
	case has[1]:
		return imported{}, fmt.Errorf("the database has more than %d users of an earlier run", b.users)
	case has[0]:
		return imported{}, nil
	}
	return b.importUsers()
}

// importUsers imports the users with the measured binary.
func (b *bench) importUsers() (imported, error) {
	if err := os.MkdirAll(b.data, 0o700); err != nil {
		return imported{}, err
	}
	path := filepath.Join(b.work, "users.jsonl")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return imported{}, err
	}
	defer func() { _ = os.Remove(path) }()
	if err := errors.Join(writeExport(file, b.users), file.Close()); err != nil {
		return imported{}, err
	}
	cmd := exec.Command(b.binary, "import", "roster", path)
	cmd.Env, cmd.Dir = b.settings(nil).Settings(), b.data
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return imported{}, fmt.Errorf("import of %d users: %w\n%s", b.users, err, out)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return imported{time.Since(begun).Seconds(), float64(usage.Maxrss) * 1024 / 1e6}, nil
}
