// Package mail holds the queue of mails to users: the kinds of mails, when a mail is tried again, and how many mails an
// address gets.
package mail
