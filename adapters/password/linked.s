// An assembly file, though an empty one, lets Go compile a function without a body: see argon2key.go.
