package sqltable

import (
	"encoding/json"
	"time"

	"roster/domain/user"
)

// contactFields is the stored form of user.Contact.
type contactFields struct {
	NewEmail    string `json:"new,omitempty"`
	NewEmailKey string `json:"new_key,omitempty"`
	UndoEmail   string `json:"undo,omitempty"`
	UndoKey     string `json:"undo_key,omitempty"`
	UndoSince   int64  `json:"undo_ms,omitempty"`
	Locale      string `json:"locale,omitempty"`
}

// encodeContact returns the text of a column: "" for the zero value, else JSON.
func encodeContact(c user.Contact) string {
	if c == (user.Contact{}) {
		return ""
	}
	f := contactFields{c.NewEmail, c.NewEmailKey, c.UndoEmail, c.UndoKey, 0, c.Locale}
	if !c.UndoSince.IsZero() {
		f.UndoSince = c.UndoSince.UnixMilli()
	}
	text, _ := json.Marshal(f) // strings and a number
	return string(text)
}

// decodeContact returns the value for a result of encodeContact, and the zero value for any other text.
func decodeContact(text string) user.Contact {
	var f contactFields
	if text == "" || json.Unmarshal([]byte(text), &f) != nil {
		return user.Contact{}
	}
	c := user.Contact{NewEmail: f.NewEmail, NewEmailKey: f.NewEmailKey, UndoEmail: f.UndoEmail, UndoKey: f.UndoKey, Locale: f.Locale}
	if f.UndoSince != 0 {
		c.UndoSince = time.UnixMilli(f.UndoSince).UTC()
	}
	return c
}
