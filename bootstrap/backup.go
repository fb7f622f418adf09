package bootstrap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"roster/adapters/backup"
	"roster/adapters/privatefile"
	"roster/adapters/signingkeys"
	"roster/adapters/sqlitefile"
	"roster/adapters/storage/sqlite"
	"roster/bootstrap/config"
)

// databaseName is the name of the database in a backup. That of the keys is signingkeys.FileName.
const databaseName = "roster.db"

// dumps names the tool of each database server that backs it up.
var dumps = map[string]string{
	"postgres": "pg_dump", "postgresql": "pg_dump", "mongodb": "mongodump", "mongodb+srv": "mongodump",
}

// databaseFile returns the path of the configured database, which must be a file.
func databaseFile(cfg config.Config) (string, error) {
	d, err := driver(cfg.Database)
	if err == nil {
		err = requirePersistent(cfg.Database)
	}
	if err == nil && d.File == nil {
		err = fmt.Errorf("roster backup and restore are for SQLite; use %s or roster export, and copy the signing keys from %s",
			dumps[cfg.Database.Scheme()], cfg.KeysDirectory())
	}
	if err != nil {
		return "", named(cfg, "database", err)
	}
	return d.File(cfg.Database.URL(), cfg.DataDir), nil
}

// Backup writes the configured SQLite database, as it is at one moment, and the signing keys to w. A service may be
// using both. scratch is a path in a directory that has room for the database; a hidden file beside it is removed at the
// end. It returns the SHA-256 of what it wrote.
func Backup(ctx context.Context, cfg config.Config, w io.Writer, scratch string, notice func(text string)) (sum string, err error) {
	path, err := databaseFile(cfg)
	if err != nil {
		return "", err
	}
	if scratch, err = filepath.Abs(scratch); err != nil { // SQLite takes it as a URI
		return "", err
	}
	snapshot, err := privatefile.Create(scratch)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, snapshot.Discard()) }()
	note, err := sqlite.Snapshot(ctx, path, snapshot.Name())
	if err != nil {
		return "", located(cfg, err)
	}
	if note != "" {
		notice(note)
	}
	info, err := snapshot.Stat()
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	out := backup.NewWriter(io.MultiWriter(w, digest), time.Now())
	if err := out.Add(databaseName, info.Size(), interruptible{ctx, snapshot}); err != nil {
		return "", err
	}
	// After the database, so that a key that signed a token of one of its sessions is among them.
	keys, err := keyring(cfg).Content()
	switch {
	case cfg.SigningKey.Set():
		notice("the backup has no signing keys, since signing_key is configured: keep that secret too")
	case errors.Is(err, fs.ErrNotExist):
		notice("the backup has no signing keys, since there are none in " + cfg.KeysDirectory())
	case err != nil:
		return "", fmt.Errorf("signing keys: %w", err)
	default:
		if err := out.Add(signingkeys.FileName, int64(len(keys)), bytes.NewReader(keys)); err != nil {
			return "", err
		}
	}
	err = out.Close()
	return hex.EncodeToString(digest.Sum(nil)), err
}

// CheckBackup reads a backup to its end and compares its digests.
func CheckBackup(ctx context.Context, r io.Reader) error {
	return backup.Read(interruptible{ctx, r}, func(string, io.Reader) error { return nil })
}

// RestoreBackup makes the configured SQLite database and, if withKeys, the signing keys from a backup. There must be no
// database and no other keys. It makes neither unless all of the backup is as it was written. It returns the paths of
// what it made.
func RestoreBackup(ctx context.Context, cfg config.Config, r io.Reader, withKeys bool) (made []string, err error) {
	path, err := databaseFile(cfg)
	if err != nil {
		return nil, err
	}
	if err := sqlitefile.Absent(path); err != nil {
		return nil, err
	}
	if err := privatefile.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, located(cfg, err)
	}
	database, err := privatefile.Create(path)
	if err != nil {
		return nil, err
	}
	keys, err := unpack(ctx, r, database)
	if err == nil {
		err = sqlite.Verify(ctx, database.Name())
	}
	if err == nil && withKeys && keys != nil { // first: a service that starts without them makes others
		err = keyring(cfg).Restore(ctx, keys)
		made = append(made, filepath.Join(cfg.KeysDirectory(), signingkeys.FileName))
	}
	if err == nil {
		err = sqlitefile.Absent(path)
	}
	if err != nil {
		return nil, errors.Join(err, database.Discard())
	}
	if err := database.Publish(); err != nil {
		return nil, err
	}
	return append(made, path), nil
}

// unpack reads a backup, writes its database to a file, and returns its keys, nil if there are none.
func unpack(ctx context.Context, r io.Reader, database *privatefile.File) (keys []byte, err error) {
	found := false
	err = backup.Read(interruptible{ctx, r}, func(name string, content io.Reader) (err error) {
		switch name {
		case databaseName:
			found = true
			_, err = io.Copy(database, content)
		case signingkeys.FileName:
			keys, err = io.ReadAll(io.LimitReader(content, signingkeys.MaxFile))
		default:
			err = fmt.Errorf("the backup has a file that this program does not know: %q", name)
		}
		return err
	})
	if err == nil && !found {
		err = backup.ErrDamaged
	}
	return keys, errors.Join(err, database.OwnAsDir())
}

// interruptible is a reader that fails once its context has ended.
type interruptible struct {
	ctx context.Context //nolint:containedctx // of one call
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
