package password

// inBackground runs work with low priority in another goroutine. It returns when work does, and panics when work does.
func inBackground(work func()) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		yieldThread()
		work()
	}()
	if reason := <-done; reason != nil {
		panic(reason)
	}
}
