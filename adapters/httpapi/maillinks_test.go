package httpapi

import "roster/ports/inbound"

// fakeLinks is the use cases about links, of which a test calls none.
type fakeLinks struct{ inbound.Links }
