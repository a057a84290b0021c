package parts

import (
	"os"
	"slices"
	"testing"

	"ostiary.internal/shared/policy"
)

func TestAssets(t *testing.T) {
	t.Parallel()
	p, problems, err := policy.Load(os.DirFS("../../../../testdata/policies"), "sharedcontacts")
	if err != nil {
		t.Fatal(err, problems)
	}
	if got := assets([]string{"compute.googleapis.com"}, p); !slices.Equal(got, []string{"compute.googleapis.com"}) {
		t.Errorf("listed: %v", got)
	}
	for _, listed := range [][]string{nil, {"all"}, {"compute.googleapis.com", "all"}} {
		got := assets(listed, p)
		// Cloud SQL logs under another name than its API has; a type only assertions look at; one only Terraform's comparison does.
		for _, want := range []string{"cloudsql.googleapis.com", "cloudresourcemanager.googleapis.com", "osconfig.googleapis.com", "cloudscheduler.googleapis.com", "logging.googleapis.com"} {
			if !slices.Contains(got, want) {
				t.Errorf("%v: no %s in %v", listed, want, got)
			}
		}
		if slices.Contains(got, "directory.ostiary") || !slices.IsSorted(got) {
			t.Errorf("%v: %v", listed, got)
		}
	}
}
