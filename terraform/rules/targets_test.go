package rules

import (
	"testing"

	"ostiary.internal/terraform/plan"
)

// TestProduct: what the data map names is given there, and neither elsewhere nor with more beside it.
func TestProduct(t *testing.T) {
	t.Parallel()
	l := &look{Input: Input{Folder: "org", Plan: &plan.Plan{Variables: values{
		"project": values{"id": "controls"},
		"data": values{
			"project": "product", "databases": []any{"a", "b"}, "buckets": []any{"exports"}, "grants": []any{"projects/1/secrets/connection-"},
			"secrets": values{"erase": values{"support-erase": "1"}},
		},
		"doors": values{"armor": values{"project": "product"}, "firewalls": values{"project": "product", "name": "wall"}, "access_levels": values{"policy": "1"}},
	}}}}
	const (
		secretMember = "google_secret_manager_secret_iam_member"
		levels       = "google_access_context_manager_access_policy_iam_member"
	)
	given := func(expression string) []any { return []any{values{"expression": expression}} }
	a := is("projects/product/databases/a") + " || " + below("projects/product/databases/a/")
	wall := `resource.type != "compute.googleapis.com/Firewall" || ` + below("projects/product/global/firewalls/wall-v4-") + " || " + below("projects/product/global/firewalls/wall-v6-")
	for _, c := range []struct {
		on, kind string
		values   values
		want     bool
	}{
		{"data:firestore", onProject, values{"project": "product", "condition": given(a)}, true},
		{"data:firestore", onProject, values{"project": "elsewhere", "condition": given(a)}, false},
		{"data:firestore", onProject, values{"project": "product"}, false},
		{"data:firestore", onProject, values{"project": "product", "condition": given("!" + a)}, false},
		{"data:firestore", onProject, values{"project": "product", "condition": given(a + " || true")}, false},
		{"data:firestore", onProject, values{"project": "product", "condition": given(is("projects/product/databases/c"))}, false},
		{"data:gcs", onBucket, values{"bucket": "exports"}, true},
		{"data:gcs", onBucket, values{"bucket": "others"}, false},
		{"data:gcs", onProject, values{"project": "product"}, false},
		{"data:project", onProject, values{"project": "product"}, true},
		{"data:project", onProject, values{"project": "controls"}, false},
		{"data:secrets-grants", onProject, values{"project": "product", "condition": given(below("projects/1/secrets/connection-"))}, true},
		{"data:secrets-grants", onProject, values{"project": "product", "condition": given(below("projects/1/secrets/"))}, false},
		{"data:secrets-grants", onProject, values{"project": "elsewhere", "condition": given(below("projects/1/secrets/connection-"))}, false},
		{"data:secrets-erase", secretMember, values{"project": "controls", "secret_id": "support-erase"}, true},
		{"data:secrets-erase", secretMember, values{"project": "controls", "secret_id": "form-key"}, false},
		{"data:secrets-read", secretMember, values{"project": "controls", "secret_id": "support-erase"}, false},
		{"data:secrets-erase", secretMember, values{"project": "elsewhere", "secret_id": "support-erase"}, false},
		{"door:armor", onProject, values{"project": "product"}, true},
		{"door:armor", onProject, values{"project": "controls"}, false},
		{"door:firewalls", onProject, values{"project": "product", "condition": given(wall)}, true},
		{"door:firewalls", onProject, values{"project": "product", "condition": given(wall + " || true")}, false},
		{"door:accesslevels", levels, values{"name": "accessPolicies/1"}, true},
		{"door:accesslevels", levels, values{"name": "accessPolicies/2"}, false},
		{"bucket:policy", onBucket, values{"bucket": "controls-policy"}, true},
		{"bucket:policy", onBucket, values{"bucket": "controls-archives"}, false},
	} {
		l.problems, c.values["role"] = nil, "projects/product/roles/ostiary.f"
		l.target(Right{Function: "f", On: c.on}, Manifest{Name: "f"}, &plan.Resource{Type: c.kind, Values: c.values})
		if have := len(l.problems) == 0; have != c.want {
			t.Errorf("%s on %s %v: %v", c.on, c.kind, c.values, have)
		}
	}
}
