package parts

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/policy"
)

// assets are the services whose changes are told, as the logs name them: those that are listed, or, where none is or all
// are wanted, those whose assets the policy's assertions and the comparison with Terraform look at.
func assets(listed []string, p *policy.Policy) []string {
	if len(listed) > 0 && !slices.Contains(listed, "all") {
		return listed
	}
	// An assertion that cannot be read is told where it is judged; what the others look at is told all the same.
	set, _ := baseline.Load(p)
	names, all := asset.NewNames(), map[string]bool{}
	for _, kind := range slices.Concat(set.Types(), diff.Types()) {
		service, _, _ := strings.Cut(kind, "/")
		// Some services log under the name their resources have in Cloud Asset Inventory.
		full, _, _ := strings.Cut(strings.TrimPrefix(names.Key(kind, "projects/p"), "//"), "/")
		for _, one := range []string{service, full} {
			if strings.HasSuffix(one, ".googleapis.com") {
				all[one] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
