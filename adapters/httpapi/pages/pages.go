// Package pages holds the pages of the service for people: the documentation of the API, and the forms that mailed links
// lead to. It also holds the files that they load: swagger-ui, from its npm package, and a few of its own. Nothing is
// loaded from another host.
package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed files swagger-ui/*.gz
var content embed.FS

// ContentSecurityPolicy allows the pages of the documentation what they need: files and requests of their own host, and the images inside
// the styles of swagger-ui. Inline scripts and styles stay forbidden.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// File is a file that a page loads.
type File struct {
	Name    string // with a digest of the content, so that it never changes
	Type    string // the media type
	Gzipped bool   // Body is compressed
	Body    []byte
}

// types are the media types by extension.
var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".svg": "image/svg+xml",
}

// Docs returns the page of the documentation, which is served at api/docs/.
func Docs() []byte { return page("docs.html", "../..", "/api/docs/") }

// Home returns the first page of the service. root is the path from the page to the root of the service, such as "..". With
// mail, it leads to the page that mails a link to a new password.
func Home(root string, mail bool) []byte {
	reset := ""
	if mail {
		reset = fill("<li><a href=\"$url\">$title</a></li>\n", "$url", root+RequestReset.Path, "$title", RequestReset.Title)
	}
	return page("home.html", root, "/api/docs/", "$reset", reset)
}

// FileNamed returns a file of the documentation by the name that a page has for it.
func FileNamed(name string) (File, bool) {
	f, ok := files()[name]
	return f, ok
}

// files returns the files by their names. It reads them once, when the first is asked for.
var files = sync.OnceValue(func() map[string]File {
	out := map[string]File{}
	for _, dir := range []string{"files", "swagger-ui"} {
		entries, err := content.ReadDir(dir)
		if err != nil {
			panic(err) // the directories are part of the program
		}
		for _, e := range entries {
			body := read(path.Join(dir, e.Name()))
			name, gzipped := strings.CutSuffix(e.Name(), ".gz")
			ext := path.Ext(name)
			if types[ext] == "" {
				continue // a page
			}
			digest := sha256.Sum256(body)
			f := File{strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(digest[:6]) + ext, types[ext], gzipped, body}
			out[f.Name] = f
		}
	}
	return out
})

// uniqueNames returns the names of the files by those in the program.
var uniqueNames = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for unique := range files() {
		out[unique[:strings.LastIndexByte(unique, '-')]+path.Ext(unique)] = unique
	}
	return out
})

// page returns a page with the path to the root for "$root", the URL of each file, which are served in a directory, for
// "$file(NAME)", and the values of further placeholders.
func page(name, root, directory string, pairs ...string) []byte {
	pairs = append(pairs, "$root", root)
	for plain, unique := range uniqueNames() {
		pairs = append(pairs, "$file("+plain+")", root+directory+unique)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(read("files/" + name))))
}

func read(name string) []byte {
	b, err := fs.ReadFile(content, name)
	if err != nil {
		panic(err) // the files are part of the program
	}
	return b
}

// Plain writes the content of f without compression.
func (f File) Plain(w io.Writer) error {
	if !f.Gzipped {
		_, err := w.Write(f.Body)
		return err
	}
	zr, err := gzip.NewReader(bytes.NewReader(f.Body))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, zr) //nolint:gosec // a file of the program, not a client's
	return errors.Join(err, zr.Close())
}
