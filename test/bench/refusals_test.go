package main

import (
	"math"
	"testing"
)

// Of twenty values each U has the mean 200 and the deviation 36.97; the probabilities follow from those.
func TestMannWhitney(t *testing.T) {
	var low, high, mixed []float64
	for i := range 20 {
		low = append(low, float64(2*i))
		mixed = append(mixed, float64(2*i)+1)
		high = append(high, float64(2*i)+100)
	}
	for _, c := range []struct {
		a, b     []float64
		share, p float64
	}{
		{low, low, 0.5, 1},
		{high, low, 1, 6.302e-8},
		{low, high, 0, 6.302e-8},
		{mixed, low, 0.525, 0.7868},
	} {
		share, p := mannWhitney(c.a, c.b)
		if math.Abs(share-c.share) > 1e-9 || math.Abs(p-c.p) > c.p*0.01 {
			t.Errorf("share %g, p %g; want %g, %g", share, p, c.share, c.p)
		}
	}
}
