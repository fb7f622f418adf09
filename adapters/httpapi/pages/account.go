package pages

import (
	"bytes"
	"html/template"
	"slices"
	"strings"

	"roster/domain/fault"
)

// AccountPolicy is the Content-Security-Policy of the pages of an account: files of their own host, and a form that is
// posted to it. Inline scripts and styles stay forbidden.
const AccountPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Names of the inputs of the pages of an account.
const (
	InputCode       = "code" // uid and token of a mailed link, separated by "/"
	InputEmail      = "email"
	InputPassword   = "new_password"
	InputRePassword = "re_new_password"
)

// accountFiles are the files that the pages of an account load, served at account/files/.
var accountFiles = []string{"account.js", "page.css", "icon.svg"}

// AccountPage is a page with a form about an account. The user comes to it by a mailed link, whose code is in the fragment
// of the address. A script moves the code into the form; without it, the user copies the code from the mail.
type AccountPage struct {
	Path          string // such as /account/activate/
	Title, Text   string
	Inputs        []string // names
	Button        string
	Result        string // shown after success
	More, MoreURL string // a link to another page, "" for none
}

// The pages of an account.
var (
	Activate = AccountPage{
		Path: "/account/activate/", Title: "Activate your account",
		Text:   "Press the button to confirm your email address and activate your account.",
		Inputs: []string{InputCode}, Button: "Activate the account",
		Result: "Your account is active. You can sign in now.",
	}
	RequestReset = AccountPage{
		Path: "/account/password/reset/", Title: "Reset your password",
		Text:   "Enter the email address of your account. You get a mail with a link to choose a new password.",
		Inputs: []string{InputEmail}, Button: "Send the link",
		Result: "If there is an account with this address, a mail with a link is on its way. Look into the spam folder too.",
	}
	NewPassword = AccountPage{
		Path: "/account/password/new/", Title: "Choose a new password",
		Text:   "Enter the new password twice. All your sessions end.",
		Inputs: []string{InputCode, InputPassword, InputRePassword}, Button: "Set the password",
		Result: "The password is set. Sign in with it now.",
		More:   "Ask for another link", MoreURL: "../reset/",
	}
	ConfirmEmail = AccountPage{
		Path: "/account/email/confirm/", Title: "Confirm your new email address",
		Text:   "Press the button to use this email address for your account from now on.",
		Inputs: []string{InputCode}, Button: "Confirm the address",
		Result: "Your email address is changed.",
	}
	UndoEmail = AccountPage{
		Path: "/account/email/undo/", Title: "Undo the change of your email address",
		Text: "If you did not change the email address of your account, press the button. The account gets the earlier " +
			"address back, its password is removed, and all sessions end.",
		Inputs: []string{InputCode}, Button: "Undo the change",
		Result: "Your account has its earlier email address again. A mail with a link to choose a new password is on its way.",
	}
)

// inputs are the attributes of the inputs by name.
var inputs = map[string]input{
	InputCode:       {Label: "Code from the mail", Type: "text", Autocomplete: "off"},
	InputEmail:      {Label: "Email address", Type: "email", Autocomplete: "username"},
	InputPassword:   {Label: "New password", Type: "password", Autocomplete: "new-password"},
	InputRePassword: {Label: "New password, again", Type: "password", Autocomplete: "new-password"},
}

type input struct {
	Name, Label, Type, Autocomplete, Value string
	Faults                                 []string
	Hidden, Focus                          bool
}

// accountView is what the template shows.
type accountView struct {
	AccountPage
	Inputs  []input
	Problem string // a fault of no input
	Faulty  bool
	Done    bool
}

// File returns the URL of a file, relative to the page.
func (v accountView) File(plain string) string {
	return strings.Repeat("../", strings.Count(v.Path, "/")-1) + "account/files/" + uniqueNames()[plain]
}

// Form returns the page with its form. values are those that the form was posted with; passwords are not shown again. A
// fault whose name is none of an input is shown above the form. The first fault has the focus.
func (p AccountPage) Form(values map[string]string, faults []fault.Field) []byte {
	v := accountView{AccountPage: p, Faulty: len(faults) > 0}
	for _, f := range faults {
		if !slices.Contains(p.Inputs, f.Name) && v.Problem == "" {
			v.Problem = f.Message
		}
	}
	focused := v.Problem != ""
	for _, name := range p.Inputs {
		in := inputs[name]
		in.Name = name
		for _, f := range faults {
			if f.Name == name {
				in.Faults = append(in.Faults, f.Message)
			}
		}
		if in.Type != "password" {
			in.Value = values[name]
		}
		in.Hidden = name == InputCode && in.Value != "" && len(in.Faults) == 0
		in.Focus = len(in.Faults) > 0 && !focused
		focused = focused || in.Focus
		v.Inputs = append(v.Inputs, in)
	}
	return v.render()
}

// Success returns the page after success.
func (p AccountPage) Success() []byte { return accountView{AccountPage: p, Done: true}.render() }

var accountTemplate = template.Must(template.ParseFS(content, "files/account.html"))

func (v accountView) render() []byte {
	var b bytes.Buffer
	if err := accountTemplate.Execute(&b, v); err != nil {
		panic(err) // the template is part of the program
	}
	return b.Bytes()
}

// AccountFile returns a file of the pages of an account by the name that a page has for it.
func AccountFile(name string) (File, bool) {
	f, ok := FileNamed(name)
	return f, ok && slices.ContainsFunc(accountFiles, func(plain string) bool { return uniqueNames()[plain] == name })
}
