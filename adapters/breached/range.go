package breached

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"roster/domain/credential"
	"roster/ports/outbound"
)

var _ outbound.BreachedPasswords = (*Range)(nil)

const (
	prefixDigits = 5       // of the hash, all that is sent
	maxAnswer    = 1 << 20 // bytes; an answer has some 40 KB
	maxLine      = 128     // bytes
	agent        = "roster (user-management service)"
)

// Range asks a service with the range protocol of Have I Been Pwned
// (https://haveibeenpwned.com/API/v3#PwnedPasswords). It sends five digits of the password's SHA-1, which some thousand
// breached passwords share; the answer is the rest of each of their hashes.
type Range struct {
	base   string
	client *http.Client
}

// NewRange makes a Range for the service at base, such as https://api.pwnedpasswords.com, which it reaches through
// transport. A request that takes longer than timeout fails.
func NewRange(base *url.URL, timeout time.Duration, transport http.RoundTripper) *Range {
	return &Range{
		base: strings.TrimRight(base.String(), "/"),
		client: &http.Client{
			Timeout:   timeout, // of the whole answer, not only its beginning
			Transport: transport,
			// A redirect is a failure: the operator did not configure its target.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close closes idle connections.
func (r *Range) Close() { r.client.CloseIdleConnections() }

// Breached reports whether the service knows p. Its errors hold nothing of the password or its hash.
func (r *Range) Breached(ctx context.Context, p credential.Password) (bool, error) {
	hash := sum(p)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/range/"+hash[:prefixDigits], nil)
	if err != nil {
		return false, errors.New("breached passwords: the URL cannot be used")
	}
	request.Header.Set("User-Agent", agent)   // without one the service refuses
	request.Header.Set("Add-Padding", "true") // so that the length of the answer shows nothing
	answer, err := r.client.Do(request)
	if err != nil {
		return false, fmt.Errorf("breached passwords: %w", withoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("breached passwords: answered with status %d", answer.StatusCode)
	}
	found, err := listed(answer.Body, hash[prefixDigits:])
	if err != nil {
		return false, fmt.Errorf("breached passwords: %w", withoutURL(err))
	}
	return found, nil
}

// withoutURL removes the URL from an error of net/http, since it ends with a part of the hash.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

var (
	errAnswer   = errors.New("the answer is not in the form SUFFIX:COUNT")
	errTooLarge = errors.New("the answer is too large")
)

// listed reports whether suffix is among the lines "SUFFIX:COUNT" of an answer. A count of 0 is
// padding. An answer with anything else in it is an error as a whole.
func listed(body io.Reader, suffix string) (found bool, err error) {
	limited := &io.LimitedReader{R: body, N: maxAnswer + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	empty := true
	for lines.Scan() {
		rest, count, ok := strings.Cut(lines.Text(), ":")
		n, err := strconv.ParseUint(count, 10, 63)
		if !ok || err != nil || !isHex(rest, hashDigits-prefixDigits) {
			return false, errAnswer
		}
		empty = false
		found = found || n > 0 && strings.EqualFold(rest, suffix)
	}
	switch {
	case limited.N <= 0:
		return false, errTooLarge
	case errors.Is(lines.Err(), bufio.ErrTooLong), lines.Err() == nil && empty: // every prefix has hundreds
		return false, errAnswer
	case lines.Err() != nil:
		return false, lines.Err()
	}
	return found, nil
}
