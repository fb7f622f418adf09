// Package field checks the text fields of an input, whatever they mean, with the messages of Django REST
// Framework's CharField and BooleanField, which clients match on.
package field
