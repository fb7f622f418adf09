// Package telemetry observes the ports: it measures and reports the use cases, the operations of the storage and the
// hashing of passwords. The ports are wrapped; what they do is not changed.
package telemetry
