package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

//go:embed files/*.css files/*.svg files/*.gz
var embedded embed.FS

// filesPath is where the files are, below the path of an area.
const filesPath = "files/"

// file is a file that pages load.
type file struct {
	mediaType       string
	plain, compress []byte
}

var mediaTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// files returns the files by the names under which they are served, and these names by those in the program. A name has
// a digest of the content, so that browsers may keep the file for ever.
var files = sync.OnceValues(func() (byName map[string]file, names map[string]string) {
	byName, names = map[string]file{}, map[string]string{}
	entries, err := embedded.ReadDir("files")
	if err != nil {
		panic(err) // the files are part of the program
	}
	for _, e := range entries {
		body, err := embedded.ReadFile("files/" + e.Name())
		if err != nil {
			panic(err)
		}
		name, compressed := strings.CutSuffix(e.Name(), ".gz")
		f := file{mediaType: mediaTypes[path.Ext(name)], plain: body}
		if compressed {
			f.plain, f.compress = uncompressed(body), body
		}
		digest := sha256.Sum256(f.plain)
		ext := path.Ext(name)
		unique := strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(digest[:6]) + ext
		byName[unique], names[name] = f, unique
	}
	return byName, names
})

func uncompressed(body []byte) []byte {
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		panic(err) // the files are part of the program
	}
	plain, err := io.ReadAll(zr)
	if err != nil {
		panic(err)
	}
	return plain
}

// file returns the URL of a file by its name in the program.
func (v *visit) file(name string) templ.SafeURL {
	_, names := files()
	return v.to(filesPath + names[name])
}

func serveFile(w http.ResponseWriter, r *http.Request) {
	byName, _ := files()
	f, ok := byName[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'")
	body := f.plain
	if f.compress != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.compress
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
