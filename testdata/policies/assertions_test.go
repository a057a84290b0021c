package policies_test

import (
	"testing"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/testdata/policies"
)

// TestAssertionsAreInOrder: every assertion of every folder loads with the parameters its promises set, and passes its own
// tests, of which one is in order, one out of order and one cannot be told.
func TestAssertionsAreInOrder(t *testing.T) {
	t.Parallel()
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			told(t, baseline.Lint(load(t, policies.FS, folder)))
		})
	}
}
