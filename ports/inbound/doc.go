// Package inbound declares the use cases that driving adapters call, as one interface per group.
package inbound
