// Package guessable finds passwords and secrets that an attacker tries first: common words and variations of them,
// values resembling the data of the user, and examples from documentation.
package guessable
