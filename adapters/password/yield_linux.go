package password

import (
	"runtime"
	"syscall"
)

// niceness is the scheduling priority of a thread that hashes. Threads of priority 0 have ten times its weight and are
// scheduled before it when they wake up. It is not the lowest: sign-ins must go on when other requests take all CPUs.
const niceness = 10

// yieldThread binds the calling goroutine to its thread, and lowers the priority of that for good: an unprivileged process
// may not raise it again, so the thread ends with the goroutine. If the system refuses, the priority stays as it is.
func yieldThread() {
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), niceness)
}
