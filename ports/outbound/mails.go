package outbound

import (
	"context"
	"time"

	"roster/domain/fault"
	"roster/domain/link"
	"roster/domain/mail"
)

// Mails is the queue of mails. Mails that a change causes are queued with it, see Effects. Returned mails share no memory
// with stored ones.
type Mails interface {
	// Add queues mails that belong to no change. A mail whose id is stored already is skipped without an error, so that
	// Add can be repeated after a lost answer. After Add or Update returns nil, a loss of power does not undo it.
	Add(ctx context.Context, mails ...*mail.Mail) error

	// Update changes a mail atomically, as Users.Update does, and returns it as stored. Concurrent updates run one after
	// the other. It fails with mail.ErrNotFound.
	Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error)

	// Due returns up to limit waiting mails that are due at now or before, in the order in which they became due.
	Due(ctx context.Context, now time.Time, limit int) ([]*mail.Mail, error)

	// Begun returns up to limit mails to an address key of which an attempt was begun or that were finished at since or
	// later, the newest ids first: those that wait with at least one attempt, and those that were sent since.
	Begun(ctx context.Context, key string, since time.Time, limit int) ([]*mail.Mail, error)

	// List returns the mails that q selects, in its order. The list may be empty.
	List(ctx context.Context, q mail.Query) ([]*mail.Mail, error)

	// Sweep deletes at most limit mails in a final state that were finished before a time, the oldest first, and returns their
	// number.
	Sweep(ctx context.Context, state mail.State, before time.Time, limit int) (int, error)
}

// MailIDs generates ids of mails. They are unique and increase with time.
type MailIDs interface {
	NewMailID() mail.ID
}

// Letter is a mail to be sent, with what its text needs.
type Letter struct {
	ID        mail.ID
	Kind      mail.Kind
	To        string        // an address as shown; its domain may be international
	Languages []string      // preferred languages, the most preferred first: each a BCP 47 tag or an Accept-Language header
	Link      string        // for kinds with a link
	Lifetime  time.Duration // of the link, for the text; zero to leave it out
	Code      string        // uid and token as one text, to be pasted into the built-in page where scripts are off; "" for none
	Address   string        // for EmailChangeNotice: the new address
	Detail    string        // for NewDevice: the client
	Queued    time.Time     // when it was caused, the Date of the mail
}

// ErrMailRefused is the error of a mail that the server refused for good. Another try is of no use.
var ErrMailRefused = fault.New(fault.Invalid, "mail_refused", "the mail server refused the mail")

// MailSender sends mails.
type MailSender interface {
	// Send returns nil when the next server has accepted the mail. It fails with ErrMailRefused after a permanent refusal.
	// The text of an error contains no token, link or password.
	Send(ctx context.Context, l Letter) error
}

// MailTexts writes mails without sending them.
type MailTexts interface {
	// Languages returns the languages of mails, as BCP 47 tags.
	Languages() []string

	// Preview returns the mail of a kind in a language, with examples for its data.
	Preview(k mail.Kind, language string) (mail.Text, error)
}

// LinkTokens makes and checks the tokens of mailed links.
type LinkTokens interface {
	// Make returns a token for s at now. It contains only letters, digits, "-" and "_".
	Make(s link.State, now time.Time) (string, error)

	// Check fails with link.ErrBadToken unless token was made for s at most lifetime before now.
	Check(s link.State, token string, lifetime time.Duration, now time.Time) error
}
