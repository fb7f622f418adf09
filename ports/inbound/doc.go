// Package inbound declares the use cases that driving adapters call: an interface for each group of them.
package inbound
