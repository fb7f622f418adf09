package password

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"roster/domain/credential"
)

// priority returns the nice value of a thread of this process.
func priority(t *testing.T, thread int) int {
	t.Helper()
	p, err := syscall.Getpriority(syscall.PRIO_PROCESS, thread)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - p // the system call returns 20 - nice
}

// Hashing runs in a thread of low priority, which is not used for other work afterwards.
func TestHashingYieldsTheCPU(t *testing.T) {
	ordinary := priority(t, syscall.Gettid())
	var thread int
	h := New(Options{})
	_, err := h.try(t.Context(), "lantern", stored{fits: func(string) bool {
		thread = syscall.Gettid()
		if p := priority(t, thread); p < niceness {
			t.Errorf("hashing has nice value %d", p)
		}
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Hash(t.Context(), credential.NewPassword("lantern orchard")); err != nil {
		t.Fatal(err)
	}
	thisOne := "/proc/self/task/" + strconv.Itoa(thread)
	for _, err := os.Stat(thisOne); !errors.Is(err, os.ErrNotExist) && thread != os.Getpid(); _, err = os.Stat(thisOne) {
		runtime.Gosched() // the thread ends soon; only the first thread of a process cannot
	}
	if p := priority(t, syscall.Gettid()); p != ordinary {
		t.Errorf("another goroutine has nice value %d", p)
	}
}
