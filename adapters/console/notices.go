package console

// notice says what a form has done.
type notice struct {
	text string
	// undo is the target of a form that undoes it, relative to the page that shows the notice; "" for none. input and value
	// are what it posts.
	undo, input, value string
}

// notices are the notices by their names in the URL of a page.
var notices = map[string]notice{
	"signed_out":         {text: "You are signed out."},
	"created":            {text: "The user is created."},
	"invited":            {text: "The user is invited. A mail with a link to choose a password is on its way."},
	"saved":              {text: "The changes are saved."},
	"password_set":       {text: "The new password is set. All sessions of the user have ended."},
	"deactivated":        {text: "The user is deactivated. Its sessions are refused.", undo: activePath, input: inputOn, value: "true"},
	"activated":          {text: "The user is active.", undo: activePath, input: inputOn, value: "false"},
	"staff_given":        {text: "The user is an administrator now."},
	"staff_taken":        {text: "The user is no administrator any more."},
	"reset_sent":         {text: "A mail with a link to choose a new password is on its way."},
	"invitation_sent":    {text: "Another invitation is on its way."},
	"session_ended":      {text: "The session has ended."},
	"sessions_ended":     {text: "All sessions of the user have ended."},
	"own_password_set":   {text: "The new password is set. Your other sessions have ended."},
	"own_sessions_ended": {text: "You are signed out everywhere."},
	"email_requested":    {text: "A mail with a link is on its way to the new address."},
	"deleted":            {text: "The user is deleted."},
	"key_added":          {text: "The key is added. It verifies, and signs once you rotate to it."},
	"key_rotated":        {text: "The key signs now. The former one still verifies."},
	"key_retired":        {text: "The key is retired. What it signed is refused."},
	"mail_retried":       {text: "The mail is due now. It is sent within seconds."},
	"unlocked":           {text: "The failed sign-ins are forgotten: the user can sign in at once."},
}
