//go:build !race

package main_test

// raceEnabled tells whether these tests run with the race detector.
const raceEnabled = false
