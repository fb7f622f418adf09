package pages

import (
	"html"
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

// AccountPage is a page with a form about an account. A mailed link leads to it, with a code in the fragment of
// the address. A script moves the code into the form; without it, the user copies the code from the mail.
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

type input struct{ Label, Type, Autocomplete string }

// Form returns the page with its form. values are those that the form was posted with; passwords are not shown again. A
// fault that belongs to no input is shown above the form. The first fault has the focus.
func (p AccountPage) Form(values map[string]string, faults []fault.Field) []byte {
	focus := " autofocus" // of the first fault
	var b strings.Builder
	other := slices.IndexFunc(faults, func(f fault.Field) bool { return !slices.Contains(p.Inputs, f.Name) })
	if other >= 0 {
		b.WriteString(fill("<p class=\"fault\" role=\"alert\" tabindex=\"-1\" autofocus>$message</p>\n", "$message", faults[other].Message))
		focus = ""
	}
	b.WriteString(fill("<p>$text</p>\n<form method=\"post\" action=\".\" novalidate>\n", "$text", p.Text))
	for _, name := range p.Inputs {
		messages := messagesOf(name, faults)
		hide := name == InputCode && values[name] != "" && len(messages) == 0
		if len(messages) == 0 {
			writeInput(&b, name, values[name], hide, nil, "")
			continue
		}
		writeInput(&b, name, values[name], false, messages, focus)
		focus = ""
	}
	b.WriteString(fill("<button>$button</button>\n</form>\n", "$button", p.Button))
	if p.MoreURL != "" {
		b.WriteString(fill("<p><a href=\"$url\">$more</a></p>\n", "$url", p.MoreURL, "$more", p.More))
	}
	title := p.Title
	if len(faults) > 0 {
		title = "Error: " + title
	}
	return p.render(title, b.String())
}

// Success returns the page after success.
func (p AccountPage) Success() []byte {
	return p.render(p.Title, fill("<p role=\"status\">$result</p>\n", "$result", p.Result))
}

func (p AccountPage) render(title, content string) []byte {
	root := strings.TrimSuffix(strings.Repeat("../", strings.Count(p.Path, "/")-1), "/")
	title, heading := html.EscapeString(title), html.EscapeString(p.Title)
	return page("account.html", root, "/account/files/", "$title", title, "$heading", heading, "$content", content)
}

func messagesOf(name string, faults []fault.Field) (messages []string) {
	for _, f := range faults {
		if f.Name == name {
			messages = append(messages, f.Message)
		}
	}
	return messages
}

// writeInput writes an input with its label, its faults, and a further attribute of a faulty one.
func writeInput(b *strings.Builder, name, value string, hide bool, faults []string, attribute string) {
	in := inputs[name]
	if in.Type == "password" {
		value = ""
	}
	hidden := ""
	if hide {
		hidden = " hidden"
	}
	b.WriteString("<div" + hidden + ">\n" + fill(`<label for="$name">$label</label>
<input id="$name" name="$name" type="$type" autocomplete="$autocomplete" autocapitalize="none" spellcheck="false" required value="$value"`,
		"$name", name, "$label", in.Label, "$type", in.Type, "$autocomplete", in.Autocomplete, "$value", value))
	if len(faults) == 0 {
		b.WriteString(">\n</div>\n")
		return
	}
	b.WriteString(fill(` aria-invalid="true" aria-describedby="$name-fault"`, "$name", name) + attribute + ">\n")
	b.WriteString(fill("<ul class=\"fault\" id=\"$name-fault\">\n", "$name", name))
	for _, message := range faults {
		b.WriteString(fill("<li>$message</li>\n", "$message", message))
	}
	b.WriteString("</ul>\n</div>\n")
}

// fill returns a piece of HTML with values for its placeholders. pairs alternates placeholders and values, which it escapes.
//
// The package html/template is not used: it finds methods by name, so with it the linker would keep every exported method
// of the program.
func fill(piece string, pairs ...string) string {
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = html.EscapeString(pairs[i])
	}
	return strings.NewReplacer(pairs...).Replace(piece)
}

// AccountFile returns a file of the pages of an account by the name that a page has for it.
func AccountFile(name string) (File, bool) {
	f, ok := FileNamed(name)
	return f, ok && slices.ContainsFunc(accountFiles, func(plain string) bool { return uniqueNames()[plain] == name })
}
