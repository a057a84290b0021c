package diff

import (
	"testing"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// What is looser, or other in a way nobody can tell, weighs one step more where data of people lies; what is stricter, or what
// nobody can tell, does not.
func TestHoldsWeighs(t *testing.T) {
	t.Parallel()
	const state = `{"name":"files","project":"acme-live","location":"EU","public_access_prevention":"inherited","uniform_bucket_level_access":true,"versioning":[]}`
	there := func(data string) *asset.Inventory {
		return live(t, [3]string{"storage.googleapis.com/Bucket", "//storage.googleapis.com/files", `"resource":{"data":` + data + `}`})
	}
	for name, c := range map[string]struct {
		live *asset.Inventory
		up   bool
	}{
		"looser":     {there(`{"name":"files","location":"EU","iamConfiguration":{"uniformBucketLevelAccess":{"enabled":false},"publicAccessPrevention":"inherited"}}`), true},
		"stricter":   {there(`{"name":"files","location":"EU","iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true},"publicAccessPrevention":"enforced"}}`), false},
		"not listed": {live(t), false},
	} {
		o := options
		plain := Compare(desired(t, resource("google_storage_bucket", "files", state)), c.live, o).Findings
		o.Holds = func(kind, key string, _ *asset.Asset) string {
			if kind == "storage.googleapis.com/Bucket" && key == "//storage.googleapis.com/files" {
				return "personal"
			}
			return ""
		}
		held := Compare(desired(t, resource("google_storage_bucket", "files", state)), c.live, o).Findings
		if len(plain) != 1 || len(held) != 1 {
			t.Fatalf("%s: %+v %+v", name, plain, held)
		}
		want, class := plain[0].Severity, ""
		if c.up {
			want, class = want.More(), "personal"
		}
		if held[0].Severity != want || held[0].Data != class || plain[0].Data != "" {
			t.Errorf("%s: %+v, without %+v", name, held[0], plain[0])
		}
	}
	for s, want := range map[policy.Severity]policy.Severity{policy.Info: policy.Low, policy.Low: policy.Medium, policy.Medium: policy.High, policy.High: policy.Critical, policy.Critical: policy.Critical} {
		if s.More() != want {
			t.Errorf("%s: %s", s, s.More())
		}
	}
}
