package django

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const patience = time.Minute // for one request, as in the recorder

// response is an answer as it came over the wire.
type response struct {
	status int
	header http.Header
	body   []byte
}

// get returns a header's values joined as one, and whether the header is there.
func (r *response) get(name string) (string, bool) {
	values := r.header.Values(name)
	return strings.Join(values, ", "), len(values) > 0
}

// send makes one request over a connection of its own. It adds no header except Host, and Content-Length when there is a
// body or the method usually has one. It does not follow redirects, and writes the whole request before it reads the
// answer, as most clients do.
func send(base, method, path string, headers map[string]string, body []byte) (*response, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", u.Host, patience)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(compose(u, method, path, headers, body)); err != nil {
		return nil, fmt.Errorf("sending: %w", err)
	}
	return receive(conn, method)
}

// compose returns the bytes of a request.
func compose(base *url.URL, method, path string, headers map[string]string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s%s HTTP/1.1\r\nHost: %s\r\n", method, strings.TrimSuffix(base.Path, "/"), path, base.Host)
	length := body != nil || method == "POST" || method == "PUT" || method == "PATCH"
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, headers[name])
		length = length && !strings.EqualFold(name, "Content-Length")
	}
	if length {
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// receive reads the answer to a request of the method. It skips interim answers.
func receive(conn io.Reader, method string) (*response, error) {
	in := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return nil, fmt.Errorf("no answer: %w", err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("the answer breaks off: %w", err)
		}
		if resp.StatusCode >= 200 {
			return &response{resp.StatusCode, resp.Header, body}, nil
		}
	}
}
