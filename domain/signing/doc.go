// Package signing describes the keys that tokens are signed and verified with. The keys themselves are kept by an adapter.
package signing
