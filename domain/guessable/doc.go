// Package guessable finds passwords and secrets that an attacker would try first: common words and what is
// made of them, what resembles the user's own data, and examples from documentation.
package guessable
