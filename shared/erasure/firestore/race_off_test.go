//go:build !race

package firestore_test

const raceEnabled = false
