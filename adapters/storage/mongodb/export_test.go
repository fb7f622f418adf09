package mongodb

// ForgetCounter makes the store read the counter of ids again, after a test has changed it.
func (s *Store) ForgetCounter() { s.counted.Store(0) }
