package linktoken

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"roster/domain/link"
	"roster/ports/outbound"
)

// Label separates the keys of these tokens from all other keys that are derived from the signing keys.
const Label = "roster link token 1"

// Native makes tokens that are bound to everything in a link.State. It is safe for concurrent use.
type Native struct {
	macs func() ([]func(message []byte) []byte, error)
}

var _ outbound.LinkTokens = (*Native)(nil)

// NewNative returns tokens of keyed functions such as signingkeys.Set.MACs(Label). They are asked for with each token. The
// first one makes tokens; each of them checks, so that tokens outlive a rotation of the keys.
func NewNative(macs func() ([]func(message []byte) []byte, error)) *Native { return &Native{macs} }

// Make returns a token: the seconds since 1970 in base 36, a dash, and the code in base64url.
func (n *Native) Make(s link.State, now time.Time) (string, error) {
	macs, err := n.macs()
	if err != nil {
		return "", err
	}
	return native(macs[0], s, now.Unix()), nil
}

// ahead is how far the clock of the instance that made a token may be ahead of that of the instance that checks it.
const ahead = time.Minute

// Check implements outbound.LinkTokens.
func (n *Native) Check(s link.State, token string, lifetime time.Duration, now time.Time) error {
	macs, err := n.macs()
	if err != nil {
		return err
	}
	made, ok := seconds(token)
	if !ok {
		return link.ErrBadToken
	}
	good := false
	for _, mac := range macs {
		good = equal(native(mac, s, made), token) || good
	}
	if age := now.Unix() - made; !good || age > wholeSeconds(lifetime) || age < -wholeSeconds(ahead) {
		return link.ErrBadToken
	}
	return nil
}

func native(mac func([]byte) []byte, s link.State, made int64) string {
	return strconv.FormatInt(made, 36) + "-" + base64.RawURLEncoding.EncodeToString(mac(message(s, made)))
}

// message returns a form of the state and a time that no other state and time has: each text follows its length.
func message(s link.State, made int64) []byte {
	var m []byte
	for _, text := range []string{string(s.Purpose), string(s.User), s.Password, s.Email, s.EmailKey, s.NewEmail} {
		m = binary.BigEndian.AppendUint64(m, uint64(len(text)))
		m = append(m, text...)
	}
	return fmt.Appendf(m, "%d %d %d", s.LastLogin.UnixMilli(), s.Epoch, made)
}

func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// seconds returns the time of a token. Spellings other than that of Make pass too: the comparison refuses them.
func seconds(token string) (int64, bool) {
	digits, _, found := strings.Cut(token, "-")
	n, err := strconv.ParseUint(digits, 36, 40) // a sum with it does not overflow
	return int64(n), found && err == nil
}
