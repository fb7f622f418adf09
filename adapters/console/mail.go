package console

import (
	"net/http"
	"net/url"
	"slices"

	"roster/domain/fault"
	"roster/domain/mail"
)

// The pages of mails.
const (
	mailPath     = "mail/"
	retryPath    = mailPath + "retry/"
	previewPath  = mailPath + "preview/"
	htmlPartPath = previewPath + "html"
)

// Parameters and inputs of these pages.
const (
	paramState    = "state"
	paramBefore   = "before"
	paramKind     = "kind"
	paramLanguage = "language"
	inputMail     = "mail"
)

var mailRoutes = []route{
	{http.MethodGet, mailPath, (*server).listMails, false},
	{http.MethodPost, retryPath, (*server).retryMail, false},
	{http.MethodGet, previewPath, (*server).previewMail, false},
	{http.MethodGet, htmlPartPath, (*server).showHTMLPart, false},
}

// mailsPerPage is how many mails a page of the queue has.
const mailsPerPage = 50

// mailStates are the states of mails in words, in the order of the filter.
var mailStates = []struct {
	state       mail.State
	name, class string
}{
	{mail.Waiting, "Waiting", "waiting"}, {mail.Sent, "Sent", "good"}, {mail.Failed, "Given up", "bad"}, {mail.Dropped, "Dropped", "plain"},
}

// mailTitles are the kinds of mails in words.
var mailTitles = map[mail.Kind]string{
	mail.Activation:        "Activation",
	mail.PasswordReset:     "Reset of the password",
	mail.EmailChange:       "Proof of a new address",
	mail.EmailChangeNotice: "Notice of a change of the address",
	mail.Invitation:        "Invitation",
	mail.Activated:         "Account is ready",
	mail.PasswordChanged:   "Password was changed",
	mail.EmailChanged:      "New address is in use",
	mail.AlreadyRegistered: "Address has an account",
	mail.NewDevice:         "Sign-in from a new client",
	mail.SessionsEnded:     "Sessions were ended",
	mail.Test:              "Test",
}

// mailList is a page of the queue.
type mailList struct {
	where   string // where mails go
	state   mail.State
	first   bool
	mails   []*mail.Mail
	next    string // the query of the next page, "" for none
	problem string
}

func (l mailList) url() string {
	if l.state == "" {
		return mailPath
	}
	return mailPath + "?" + url.Values{paramState: {string(l.state)}}.Encode()
}

func (s *server) listMails(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.showMails(w, r, v, nil)
}

// showMails shows the queue. After err it says what was wrong with the form on it.
func (s *server) showMails(w http.ResponseWriter, r *http.Request, v *visit, failed error) error {
	l := mailList{state: mail.State(v.query.Get(paramState)), first: v.query.Get(paramBefore) == ""}
	q := mail.Query{State: l.state, Before: mail.ID(v.query.Get(paramBefore)), Limit: mailsPerPage + 1}
	var err error
	if l.mails, err = s.Mails.List(r.Context(), v.Actor, q); err != nil {
		return err
	}
	about, err := s.Overview.About(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	l.where = about.Mail
	if len(l.mails) > mailsPerPage {
		l.mails = l.mails[:mailsPerPage]
		query := url.Values{paramBefore: {string(l.mails[mailsPerPage-1].ID())}}
		if l.state != "" {
			query.Set(paramState, string(l.state))
		}
		l.next = "?" + query.Encode()
	}
	p := page{title: "Mail", section: mailPath}
	if failed != nil {
		problem := s.explain(w, r, failed)
		p.status, p.title, l.problem = problem.status, "Error: Mail", problem.text
	}
	p.body = mailsPage(v, l)
	return s.show(r.Context(), w, v, p)
}

func (s *server) retryMail(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := s.Mails.Retry(r.Context(), v.Actor, mail.ID(r.PostForm.Get(inputMail)))
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.NotFound) {
		return s.showMails(w, r, v, err)
	}
	if err != nil {
		return err
	}
	return v.redirect(w, mailPath, "mail_retried")
}

// preview is a mail with examples for its data.
type preview struct {
	kind      mail.Kind
	language  string
	languages []string
	text      mail.Text
}

// preview returns the mail that a URL selects, the first one without a selection.
func (s *server) preview(r *http.Request, v *visit) (p preview, err error) {
	if p.languages, err = s.Mails.Languages(r.Context(), v.Actor); err != nil {
		return p, err
	}
	p.kind, p.language = mail.Kind(or(v.query.Get(paramKind), string(mail.Kinds()[0]))), v.query.Get(paramLanguage)
	if !slices.Contains(p.languages, p.language) {
		p.language = p.languages[0]
	}
	p.text, err = s.Mails.Preview(r.Context(), v.Actor, p.kind, p.language)
	return p, err
}

func (s *server) previewMail(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := s.preview(r, v)
	if err != nil {
		return err
	}
	return s.show(r.Context(), w, v, page{title: "Preview of a mail", section: mailPath, body: previewPage(v, p)})
}

// htmlPolicy is the policy of the HTML part of a mail, which the operator's templates may contain: it has an origin of its own,
// runs no script, sends no form and loads nothing.
const htmlPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'"

// showHTMLPart answers with the HTML part of a mail alone, as a reader sees it.
func (s *server) showHTMLPart(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := s.preview(r, v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", htmlPolicy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(p.text.HTML))
	return nil
}

// query returns the query of a preview.
func (p preview) query() string {
	return "?" + url.Values{paramKind: {string(p.kind)}, paramLanguage: {p.language}}.Encode()
}

// nextTime returns when a mail is tried next, or when it was finished.
func nextTime(m mail.Snapshot) string {
	if m.State == mail.Waiting {
		return "due " + date(m.Due)
	}
	return date(m.Finished)
}
