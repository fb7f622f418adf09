package user

// Networks is the networks from which a user signed in, in the form that storage keeps. The zero value is
// none. Two values can be compared with ==.
type Networks struct{ encoded string }

// RestoreNetworks returns the value that Encoded returned s for.
func RestoreNetworks(s string) Networks { return Networks{s} }

// Encoded returns the form for storage.
func (n Networks) Encoded() string { return n.encoded }

// Equal reports whether n and m are the same.
func (n Networks) Equal(m Networks) bool { return n == m }
