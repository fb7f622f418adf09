// Package link holds what a mailed link proves: its purpose, its user, and the state of the user that its token is bound
// to. A token is stored nowhere. It is used up by the change that it permits, since that changes the state.
package link
