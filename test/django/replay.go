package django

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"roster/test/support/smtpserver"
)

// Server is a service under test that serves one profile of a transcript.
type Server struct {
	URL    string
	Secret string                           // the HS256 key of the service
	Hook   func(action, email string) error // an action of the operator: "deactivate" or "activate"
	Mails  *smtpserver.Server               // takes the mails of the service; nil where no case has any
	Wait   func(seconds float64) error      // lets time pass at the service

	// Described checks a response against the OpenAPI description of the service; nil for no check.
	Described func(r *http.Request, status int, header http.Header, body []byte) error
}

// Replay runs a case against a server. The error has the first step whose answer differs, and the difference. A step no_mail
// compares what has arrived; see Quiet.
func (s Server) Replay(c Case) error {
	env := vars{"secret_key": s.Secret, "base_url": s.URL}
	for i, step := range c.Steps {
		last, err := s.step(step, env)
		if err != nil {
			return fmt.Errorf("%s\n step %d: %w%s", c.Title, i+1, err, describe(step, last))
		}
	}
	return nil
}

// step does one step, and returns the answer if it was a request that got one.
func (s Server) step(step Step, env vars) (last *response, err error) {
	var token string
	switch step.Do {
	case "request":
		return s.request(step, env)
	case "jwt_mint":
		token, err = env.mint(step)
		env[step.Into] = token
	case "jwt_tamper":
		token, err = env.tamper(step)
		env[step.Into] = token
	case "jwt_splice":
		token, err = env.splice(step)
		env[step.Into] = token
	case "jwt_check":
		err = env.inspect(step)
	case "assert_differ":
		a, erra := env.subst(step.A)
		b, errb := env.subst(step.B)
		if err = errors.Join(erra, errb); err == nil && a == b {
			err = differ("%s and %s should differ", step.A, step.B)
		}
	case "hook":
		var email string
		if email, err = env.subst(step.Email); err == nil {
			err = s.Hook(step.Action, email)
		}
	case "mail":
		err = s.mail(step, env)
	case "no_mail":
		err = s.noMail(step, env)
	case "django_token":
		err = env.djangoToken(step)
	case "uid":
		token, err = env.subst(step.PK)
		env[step.Into] = uid(token)
	case "tamper":
		if token, err = env.subst(step.Text); err == nil {
			env[step.Into], err = alter(token, step.Index)
		}
	case "sleep":
		err = s.Wait(step.Seconds)
	default:
		err = differ("unknown step %q", step.Do)
	}
	return nil, err
}

// request makes a request, compares the answer and keeps parts of it.
func (s Server) request(step Step, env vars) (*response, error) {
	path, err := env.subst(step.Path)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	for name, value := range step.Headers {
		if headers[name], err = env.subst(value); err != nil {
			return nil, err
		}
	}
	body, err := step.body(env)
	if err != nil {
		return nil, err
	}
	resp, err := send(s.URL, step.Method, path, headers, body)
	if err != nil {
		return nil, err
	}
	if err := env.check(step.Expect, resp); err != nil {
		other := func(alt Expect) bool { return env.check(alt, resp) == nil }
		if !slices.ContainsFunc(step.ExpectAlt, other) {
			return resp, err
		}
	}
	if s.Described != nil {
		r, err := http.NewRequest(step.Method, s.URL+path, nil)
		if err == nil {
			err = s.Described(r, resp.status, resp.header, resp.body)
		}
		if err != nil {
			return resp, fmt.Errorf("not as described: %w", err)
		}
	}
	if len(step.Capture) == 0 {
		return resp, nil
	}
	var doc any
	if err := decode(resp.body, &doc); err != nil {
		return resp, err
	}
	return resp, env.capture(doc, step.Capture)
}

// body returns the bytes that the step sends, nil for none.
func (s Step) body(env vars) ([]byte, error) {
	switch {
	case s.Body != nil:
		text, err := env.subst(*s.Body)
		return []byte(text), err
	case s.BodyBase64 != nil:
		return base64.StdEncoding.DecodeString(*s.BodyBase64)
	case s.BodyRepeat != nil:
		var out strings.Builder
		for _, r := range s.BodyRepeat {
			out.WriteString(strings.Repeat(r.text, r.times))
		}
		return []byte(out.String()), nil
	}
	return nil, nil
}

// check compares an answer with what is expected.
func (e vars) check(want Expect, got *response) error {
	if !slices.Contains(want.Status, got.status) {
		return differ("status: expected %v, got %d", want.Status, got.status)
	}
	for name, value := range want.Headers {
		if err := e.matchHeader(name, value, got); err != nil {
			return err
		}
	}
	for _, name := range want.AbsentHeaders {
		if value, ok := got.get(name); ok {
			return differ("header %s: expected none, got %q", name, value)
		}
	}
	switch want.BodyKind {
	case "json":
		if !utf8.Valid(got.body) {
			return differ("body: not JSON (invalid UTF-8)")
		}
		var doc any
		if err := decode(got.body, &doc); err != nil {
			return differ("body: not JSON (%v)", err)
		}
		return e.match(want.Body, doc, want.ExtraFields, "body")
	case "empty":
		if len(got.body) > 0 {
			return differ("body: expected none, got %d bytes", len(got.body))
		}
	}
	return nil
}

// matchHeader compares one header: a media type without parameters, Allow as a set, Location as a URL.
func (e vars) matchHeader(name, want string, resp *response) error {
	want, err := e.subst(want)
	if err != nil {
		return err
	}
	got, ok := resp.get(name)
	if !ok {
		return differ("header %s: expected %q, it is absent", name, want)
	}
	switch strings.ToLower(name) {
	case "content-type":
		ok = mediaType(want) == mediaType(got)
	case "allow":
		ok = slices.Equal(set(want), set(got))
	case "location":
		ok = sameURL(want, got)
	default:
		ok = want == got
	}
	if !ok {
		return differ("header %s: expected %q, got %q", name, want, got)
	}
	return nil
}

func mediaType(v string) string {
	if t, _, err := mime.ParseMediaType(v); err == nil {
		return t
	}
	t, _, _ := strings.Cut(v, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// set returns the parts of a comma-separated list, sorted and each once.
func set(list string) []string {
	var out []string
	for part := range strings.SplitSeq(list, ",") {
		out = append(out, strings.TrimSpace(part))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// describe returns the request and the answer of a step that failed.
func describe(s Step, got *response) string {
	if s.Do != "request" {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n  request:  %s %s %s", s.Method, cut(s.Path), shown(s.Headers))
	if s.Body != nil {
		fmt.Fprintf(&out, "\n            %s", cut(*s.Body))
	}
	fmt.Fprintf(&out, "\n  expected: %v %s %s %s", s.Expect.Status, shown(s.Expect.Headers), s.Expect.BodyKind, cut(shown(s.Expect.Body)))
	if got != nil {
		fmt.Fprintf(&out, "\n  got:      %d %s %s", got.status, shown(got.header), cut(string(got.body)))
	}
	return out.String()
}

// cut shortens a long text.
func cut(s string) string {
	const most = 1500
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
