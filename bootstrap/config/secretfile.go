package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"roster/adapters/privatefile"
)

const maxSecret = 1 << 16 // bytes of a secret's file

// secrets reads the files that stand for secrets and puts what they hold in the secrets' places.
// spell names a setting as the layer's source does.
func (l *loader) secrets(in layer, spell func(name string) string) layer {
	for _, s := range specs {
		if s.secret == "" {
			continue
		}
		path, byFile := in[s.name+fileSuffix]
		direct, byValue := in[s.name]
		delete(in, s.name+fileSuffix)
		switch {
		case byFile && byValue:
			l.fault(s.name, path.where, "cannot be given together with "+spell(s.name))
		case byFile:
			text, reason := l.secretFile(path.text)
			if reason != "" {
				l.fault(s.name, path.where, fmt.Sprintf("%q %s", path.text, reason))
				l.broken[s.name] = true
				continue
			}
			in[s.name] = given{text, path.where, path.source}
		case byValue && direct.text == "":
			l.fault(s.name, direct.where, "is empty; give a value or leave it out")
			l.broken[s.name] = true
			delete(in, s.name)
		}
	}
	return in
}

func (l *loader) secretFile(path string) (text, reason string) {
	data, info, reason := l.read(path, maxSecret)
	switch reason {
	case "":
	case denied:
		return "", fmt.Sprintf("%s for user %d; %s", denied, os.Geteuid(), privatefile.Mounted)
	default:
		return "", reason
	}
	if open := privatefile.Exposed(info); open != "" {
		return "", "is a secret, and " + open + "; " + privatefile.Mounted
	}
	text = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if strings.TrimSpace(text) == "" {
		return "", "is empty"
	}
	return text, ""
}

// read returns a small regular file, and what stat said of it. A reason says why it cannot.
func (l *loader) read(path string, most int64) (data []byte, info fs.FileInfo, reason string) {
	if l.in.Stat == nil || l.in.ReadFile == nil {
		return nil, nil, "cannot be read: no access to files"
	}
	info, err := l.in.Stat(path)
	switch {
	case err != nil:
		return nil, nil, because(err)
	case info.IsDir():
		return nil, nil, "is a directory"
	case !info.Mode().IsRegular():
		return nil, nil, "is not a regular file"
	case info.Size() > most:
		return nil, nil, fmt.Sprintf("is longer than %d bytes", most)
	}
	if data, err = l.in.ReadFile(path); err != nil {
		return nil, nil, because(err)
	}
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return nil, nil, "begins with a byte order mark; save it as UTF-8 without one"
		}
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, nil, "holds NUL characters"
	}
	return data, info, ""
}

// denied is the reason of a file that this process may not read.
const denied = "cannot be read: permission denied"

func because(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "cannot be read: there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return denied
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the message has the path already
	}
	return "cannot be read: " + err.Error()
}
