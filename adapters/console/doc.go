// Package console serves the pages for administrators at /console/: users with their sessions and history, and what
// concerns the service. It calls the inbound ports with the rights of the signed-in user, so it can do nothing that the
// API cannot. The pages are made on the server with templ and work without scripts; with them, a search answers during
// typing (htmx).
package console
