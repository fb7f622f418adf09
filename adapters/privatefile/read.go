package privatefile

import (
	"fmt"
	"io"
	"os"
)

// Read returns the content of a regular file of at most limit bytes that is not Exposed. Its errors name the file.
func Read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path) // before os.Open, which waits for the other end of a pipe
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if reason := Exposed(info); reason != "" {
		return nil, fmt.Errorf("%s: %s", path, reason)
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("%s: longer than %d bytes", path, limit)
	}
	return content, err
}

// CheckDir fails for a directory in which another user can replace files. On a read-only file system any mode is safe:
// Kubernetes mounts secrets in a directory of mode 1777.
func CheckDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: not a directory", dir)
	}
	if reason := Changeable(info); reason != "" && !readOnly(dir) {
		return fmt.Errorf("%s: %s", dir, reason)
	}
	return nil
}
