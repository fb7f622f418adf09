// Package browser is what the adapters that serve browsers share: the cookie of a browser session and the refusal of
// requests that other origins make.
package browser
