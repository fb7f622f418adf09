// Package linktoken makes and checks the tokens of mailed links. A token is stored nowhere: it is a time and a message
// authentication code over that time and the state of the user, so it ends with the first change of that state.
package linktoken
