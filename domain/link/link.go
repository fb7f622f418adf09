package link

import (
	"encoding/base64"
	"strings"
	"time"

	"roster/domain/fault"
	"roster/domain/user"
)

// Purpose is what a link is for. A token of one purpose is none of another.
type Purpose string

// The purposes.
const (
	Activation    Purpose = "activation"
	PasswordReset Purpose = "password_reset"
	EmailChange   Purpose = "email_change"
	EmailUndo     Purpose = "email_undo"
	Invitation    Purpose = "invitation"
)

// Errors of links. The messages are djoser's.
var (
	ErrBadUser = fault.New(fault.Invalid, "invalid_uid", "Invalid user id or user doesn't exist.").
			With(fault.Field{Name: FieldUID, Code: "invalid_uid", Message: "Invalid user id or user doesn't exist."})
	ErrBadToken = fault.New(fault.Invalid, "invalid_token", "Invalid token for given user.").
			With(fault.Field{Name: FieldToken, Code: "invalid_token", Message: "Invalid token for given user."})
	ErrStale = fault.New(fault.Forbidden, "stale_token", "Stale token for given user.") // the account is active already
)

// The names of the fields of a link.
const (
	FieldUID   = "uid"
	FieldToken = "token"
)

// EncodeUID returns the text that stands for a user in links: the id in base64url without padding, as Django's
// urlsafe_base64_encode has it.
func EncodeUID(id user.ID) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// DecodeUID returns the id of a result of EncodeUID, with or without padding. It fails with ErrBadUser.
func DecodeUID(text string) (user.ID, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return "", ErrBadUser
	}
	id, err := user.ParseID(string(raw))
	if err != nil {
		return "", ErrBadUser
	}
	return id, nil
}

// State is what a token is bound to. It ends with each change of one of its values.
type State struct {
	Purpose   Purpose
	User      user.ID
	Password  string // the stored credential
	Email     string // the present address as shown; Django's tokens are bound to it
	EmailKey  string
	NewEmail  string // the key of the address that waits for its proof
	LastLogin time.Time
	Epoch     int64 // of the user's sessions
}

// StateOf returns the state of u that tokens of a purpose are bound to. A token of EmailUndo is bound to the address
// before the change and the time of the change only, since it must survive what a thief of the account does next.
func StateOf(p Purpose, u *user.User) State {
	s := u.Snapshot()
	if p == EmailUndo {
		return State{Purpose: p, User: s.ID, EmailKey: s.Contact.UndoKey, LastLogin: s.Contact.UndoSince}
	}
	return State{
		Purpose: p, User: s.ID, Password: s.Password.Encoded(), Email: s.Email, EmailKey: s.EmailKey, NewEmail: s.Contact.NewEmailKey,
		LastLogin: s.LastLogin, Epoch: s.SessionEpoch,
	}
}
