// Package httpapi serves the inbound ports over HTTP. Its paths, order of checks, headers and bodies are those of an
// API made with Django REST Framework (DRF) and SimpleJWT. Every rule of that wire format is in this package.
package httpapi
