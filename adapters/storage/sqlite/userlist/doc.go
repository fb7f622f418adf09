// Package userlist lists and counts users in a SQLite database. SQLite's own planner would sort or read all users
// for many of these lists; this package names the index of each.
package userlist
