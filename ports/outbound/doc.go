// Package outbound declares the ports that the use cases call: storage, hashing, tokens, clock.
//
// The comment of each method lists its errors. Any other error is a defect or an outage. Every method that takes a
// context stops when the context ends and returns the error of the context, even if another part failed because of
// it. A method fails with fault.Unavailable when the resource behind it is down or overloaded.
package outbound
