// Package smtpserver is an SMTP server for tests: it keeps the mails that it accepts, and fails in the ways that mail
// servers do.
package smtpserver
