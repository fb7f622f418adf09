// Package backup writes and reads backups. A backup is a tar file (POSIX.1-2001) of the files of an instance, mode 0600,
// and at its end their SHA-256 as sha256sum(1) writes them, so that it can be unpacked and checked without Roster too.
package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// sumsName is the name of the last file of a backup.
const sumsName = "SHA256SUMS"

// maxSums bounds the last file of a backup that is read.
const maxSums = 1 << 16

// ErrDamaged is the error of reading what is not a complete backup, as it was written.
var ErrDamaged = errors.New("not a complete backup, or a damaged one")

// Writer writes a backup.
type Writer struct {
	tar  *tar.Writer
	at   time.Time
	sums strings.Builder
}

// NewWriter returns a Writer of the backup of a time.
func NewWriter(w io.Writer, at time.Time) *Writer { return &Writer{tar: tar.NewWriter(w), at: at} }

// Add appends a file of size bytes.
func (w *Writer) Add(name string, size int64, content io.Reader) error {
	sum := sha256.New()
	if err := w.file(name, size, io.TeeReader(content, sum)); err != nil {
		return err
	}
	fmt.Fprintf(&w.sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name)
	return nil
}

// Close ends the backup. It does not close the writer below.
func (w *Writer) Close() error {
	sums := w.sums.String()
	return errors.Join(w.file(sumsName, int64(len(sums)), strings.NewReader(sums)), w.tar.Close())
}

func (w *Writer) file(name string, size int64, content io.Reader) error {
	err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: w.at.Truncate(time.Second)})
	if err == nil {
		_, err = io.CopyN(w.tar, content, size)
	}
	return err
}

// Read calls take with each file of a backup, in order. What take gets is as it was written only if Read returns nil: the
// sums stand at the end. The error is ErrDamaged, or that of take or of r.
func Read(r io.Reader, take func(name string, content io.Reader) error) error {
	var sums strings.Builder
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if err != nil {
			return damaged(err)
		}
		if h.Typeflag != tar.TypeReg {
			return ErrDamaged
		}
		if h.Name == sumsName {
			break
		}
		sum := sha256.New()
		content := io.TeeReader(in, sum)
		if err := take(h.Name, content); err != nil {
			return damaged(err)
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return damaged(err)
		}
		fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), h.Name)
	}
	stored, err := io.ReadAll(io.LimitReader(in, maxSums))
	if err != nil {
		return damaged(err)
	}
	if string(stored) != sums.String() {
		return ErrDamaged
	}
	if _, err := in.Next(); !errors.Is(err, io.EOF) {
		return damaged(err)
	}
	return nil
}

// damaged returns ErrDamaged if err is nil or means that the tar file is cut off or has a wrong header, otherwise err.
func damaged(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader) {
		return ErrDamaged
	}
	return err
}
