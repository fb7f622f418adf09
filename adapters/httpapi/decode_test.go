package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"roster/domain/field"
)

func decodeOne(lenient bool, contentType, body string) (members, error) {
	s := &server{Settings: Settings{MaxBody: 64 << 10, AcceptForms: true, LenientJSON: lenient}}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return s.decode(httptest.NewRecorder(), r)
}

func TestFormAndOtherBodies(t *testing.T) {
	part := "--B\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b\r\n--B--\r\n"
	file := "--B\r\nContent-Disposition: form-data; name=\"email\"; filename=\"x\"\r\n\r\na@b\r\n--B--\r\n"
	for name, c := range map[string]struct {
		contentType, body string
		status            int
		email             field.Text
	}{
		"form":                      {"application/x-www-form-urlencoded", "email=x&email=a%40b+c;d", 0, field.Given("a@b c;d")},
		"form, odd escapes":         {"application/x-www-form-urlencoded; charset=utf8", "email=%zz", 0, field.Given("%zz")},
		"form of too many members":  {"application/x-www-form-urlencoded", strings.Repeat("a=1&", 1001), 400, field.Text{}},
		"multipart":                 {"multipart/form-data; boundary=B", part, 0, field.Given("a@b")},
		"multipart, a file":         {"multipart/form-data; boundary=B", file, 0, field.NotText()},
		"multipart, no boundary":    {"multipart/form-data", part, 400, field.Text{}},
		"multipart, cut":            {"multipart/form-data; boundary=B", part[:40], 400, field.Text{}},
		"no body, odd content type": {"text/plain", "", 0, field.Text{}},
		"no content type":           {"", "{}", 415, field.Text{}},
		"text":                      {"text/plain", "{}", 415, field.Text{}},
		"JSON in capitals":          {"Application/JSON; charset=utf-8", `{"email":"a"}`, 0, field.Given("a")},
		"too large":                 {"application/json", `{"a":"` + strings.Repeat("x", 70000) + `"}`, 413, field.Text{}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := decodeOne(false, c.contentType, c.body)
			if c.status != 0 {
				if err == nil || explain(err).status != c.status {
					t.Errorf("got %v, want %d", err, c.status)
				}
				return
			}
			if err != nil || m["email"].Value() != c.email.Value() || m["email"].Present() != c.email.Present() {
				t.Errorf("got %q %v, want %q", m["email"].Value(), err, c.email.Value())
			}
		})
	}
}

// No body is decompressed, so a small body cannot become a large one.
func TestCompressedBodyIsRefused(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(`{"email":"a"}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	e := newTestAPI(t, Settings{}, fakeApp{})
	r := e.send("POST", "/api/token/", packed.String(), "Content-Encoding", "gzip")
	if r.StatusCode != http.StatusUnsupportedMediaType || r.Header.Get("Accept-Encoding") != "identity" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// FuzzDecode checks that any body of any content type is decoded or refused with a 4xx, and that encoding/json decodes
// the same JSON.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"email":"a"}`, `{"a":"\ud800"}`, `{"a":[{"b":null}]}`, "a=1&b=%zz", "[]", `{"a":1e5}`, "\ufeff{}"} {
		f.Add("application/json", s, true)
		f.Add("application/x-www-form-urlencoded", s, false)
		f.Add("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"+s+"\r\n--B--", false)
	}
	f.Fuzz(func(t *testing.T, contentType, body string, lenient bool) {
		m, err := decodeOne(lenient, strings.Map(printable, contentType), body)
		if err != nil {
			if s := explain(err).status; s < 400 || s > 499 {
				t.Fatalf("%q: %d", body, s)
			}
			return
		}
		for name, v := range m {
			if _, _, faults := (field.Rule{Name: name}).Check(v); len(faults) == 0 && v.Present() && !utf8.ValidString(v.Value()) {
				t.Fatalf("%q gives text that is not UTF-8: %q", body, v.Value())
			}
		}
		if strings.HasPrefix(contentType, "application/json") && body != "" && !lenient {
			var object map[string]any
			if err := json.NewDecoder(bytes.NewReader([]byte(body))).Decode(&object); err != nil || len(object) != len(m) {
				t.Fatalf("%q: %d members, encoding/json finds %d, %v", body, len(m), len(object), err)
			}
		}
	})
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}
