//go:build race

package process

// raceDetector says whether this very program runs under the race detector.
const raceDetector = true
