// Package mail sends mails to users: over SMTP, into files, or into the log. It composes them from templates.
package mail
