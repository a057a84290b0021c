package scan

import (
	"testing"

	"ostiary.internal/shared/drift/asset"
)

// TestPartly: what is true of none of those that were read may be true of one that was not: then nobody can tell. What is true of one
// that was read is so whatever the others are.
func TestPartly(t *testing.T) {
	t.Parallel()
	const kind = "compute.googleapis.com/FirewallPolicy"
	const lacks = kind + ": organizations/1 may not be read: grant compute.firewallPolicies.get and compute.firewallPolicies.list there"
	one := asset.Asset{Key: "//compute.googleapis.com/projects/live/global/firewallPolicies/edge", Type: kind, Project: "live", Data: asset.Object{"name": "edge"}}
	for name, c := range map[string]struct {
		text      string
		unread    string
		out, dark uint64
	}{
		"all were read":              {`assets("` + kind + `").exists(p, p.data.name == "other")`, "", 4, 0},
		"some were not":              {`assets("` + kind + `").exists(p, p.data.name == "other")`, lacks, 0, 4},
		"some were not, one is so":   {`!assets("` + kind + `").exists(p, p.data.name == "edge")`, lacks, 4, 1}, // the list itself is not whole
		"some of another type":       {`assets("` + kind + `").exists(p, p.data.name == "other")`, bucket + ": one could not be read", 4, 0},
		"some were not, one has not": {`assets("` + kind + `").all(p, p.data.name == "other")`, lacks, 4, 1},
	} {
		w := newWorldOf(t, "above", assertion("asset: ["+firewall+"]\n", c.text, "high"))
		w.cloud.set(one)
		if c.unread != "" {
			w.cloud.unread = map[string][]string{"projects/live resource": {c.unread}}
		}
		w.ticks(2)
		s, err := w.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, count := range s.Counts {
			if count.Assertion == "above" && (uint64(count.Out) != c.out || uint64(count.Undetermined) != c.dark) {
				t.Errorf("%s: %d are out of order and of %d nobody can tell, want %d and %d", name, count.Out, count.Undetermined, c.out, c.dark)
			}
		}
		for _, u := range s.Untold {
			if u.Assertion == "above" && (u.Why != NoPlace || u.About != kind) {
				t.Errorf("%s: it is told as %+v", name, u)
			}
		}
	}
}
