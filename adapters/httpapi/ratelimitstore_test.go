package httpapi

import (
	"testing"
	"time"
)

func TestRateLimitStore(t *testing.T) {
	at := &testClock{noon}
	s, err := newRateLimitStore(8, at.now)
	if err != nil {
		t.Fatal(err)
	}
	until := func(after time.Duration) int64 { return noon.Add(after).UnixNano() }
	get := func(want int64) {
		t.Helper()
		if got, now, err := s.GetWithTime(t.Context(), "ann"); got != want || !now.Equal(at.Time) || err != nil {
			t.Errorf("%d at %v, %v; want %d at %v", got, now, err, want, at.Time)
		}
	}
	set := func(value int64, want bool) {
		t.Helper()
		if ok, err := s.SetIfNotExistsWithTTL(t.Context(), "ann", value, 0); ok != want || err != nil {
			t.Errorf("set: %v, %v; want %v", ok, err, want)
		}
	}
	swap := func(was, value int64, want bool) {
		t.Helper()
		if ok, err := s.CompareAndSwapWithTTL(t.Context(), "ann", was, value, 0); ok != want || err != nil {
			t.Errorf("swap: %v, %v; want %v", ok, err, want)
		}
	}
	get(-1)
	swap(-1, until(time.Second), false)
	get(-1)
	set(until(time.Second), true)
	set(until(time.Minute), false)
	get(until(time.Second))
	swap(until(time.Minute), until(time.Hour), false)
	swap(until(time.Second-1), until(time.Hour), false)
	get(until(time.Second))
	swap(until(time.Second), until(2*time.Second), true)
	get(until(2 * time.Second))
	at.Time = noon.Add(2*time.Second - 1)
	get(until(2 * time.Second))
	at.Time = noon.Add(2 * time.Second) // expired
	get(-1)
	swap(until(2*time.Second), until(time.Hour), false)
	set(until(3*time.Second), true)
	get(until(3 * time.Second))
}
