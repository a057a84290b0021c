package coverage_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/coverage"
)

// TestStaging: of the filter the house itself is deployed with it can be told that it lets through all of it, and that a narrower one
// does not.
func TestStaging(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../terraform/org/policies/staging/watched.json")
	if err != nil {
		t.Fatal(err)
	}
	var w struct {
		Audit      string            `json:"audit"`
		DataAccess map[string]string `json:"data_access"`
	}
	if err := json.Unmarshal(text, &w); err != nil || w.Audit == "" || len(w.DataAccess) == 0 {
		t.Fatal(err)
	}
	parts := []string{w.Audit, `labels."ostiary-heartbeat":*`}
	for _, part := range w.DataAccess {
		parts = append(parts, part)
	}
	whole := strings.Join(parts, " OR ")
	for filter, want := range map[string]coverage.Verdict{
		whole: coverage.Covered, "": coverage.Covered, "(" + whole + ") AND severity>=ERROR": coverage.NotCovered, w.Audit: coverage.NotCovered,
	} {
		if got := coverage.Lets(filter, whole); got != want {
			t.Errorf("%.40s... of %d characters: %s, want %s", filter, len(filter), got, want)
		}
	}
}
