package policies_test

import (
	"testing"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/policy"
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

// TestPromisedAssertionsExist: a promise that an assertion keeps is kept by one that is judged.
func TestPromisedAssertionsExist(t *testing.T) {
	t.Parallel()
	for _, folder := range folders(t) {
		p := load(t, policies.FS, folder)
		set, problems := baseline.Load(p)
		told(t, problems)
		told(t, p.References(map[policy.Mechanism][]string{policy.Assertion: set.Names()}))
	}
}
