package scan

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
)

// TestAbove: who has rights in what a project lies in is judged of the project where it could be read; where it could not, nobody
// can tell, and it is named with what has to be granted.
func TestAbove(t *testing.T) {
	t.Parallel()
	const kind, text = "cloudresourcemanager.googleapis.com/Organization", `above().all(o, o.iam.all(b, !b.members.exists(m, public(m))))`
	const lacks = kind + ": organizations/1 may not be read: grant it"
	top := func(members ...string) asset.Asset {
		a := asset.Asset{Key: "//cloudresourcemanager.googleapis.com/organizations/1", Type: kind, Ancestors: []string{"organizations/1"}, Data: asset.Object{"name": "organizations/1"}, IAM: &asset.Policy{}}
		a.IAM.Grant("roles/viewer", "", members...)
		return a
	}
	below := newWorldOf(t, "above", assertion("asset: ["+firewall+"]\n", text, "high"))
	told := func(w *world) (out, dark int64, untold []Untold) {
		w.ticks(2)
		s, err := w.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Counts {
			if c.Assertion == "above" {
				out, dark = int64(c.Out), int64(c.Undetermined)
			}
		}
		for _, u := range s.Untold {
			if u.Assertion == "above" {
				untold = append(untold, u)
			}
		}
		return out, dark, untold
	}
	below.cloud.unread = map[string][]string{"projects/live resource": {lacks}, "projects/other resource": {lacks}}
	_, dark, untold := told(below)
	if dark != 4 || len(untold) != 4 || untold[0].Why != NoAsset || untold[0].About != "organizations/1: resourcemanager.organizations.get, resourcemanager.organizations.getIamPolicy" {
		t.Errorf("refused: %d could not be told: %+v", dark, untold)
	}
	s, err := below.Status(t.Context())
	if err != nil || !slices.ContainsFunc(s.Places, func(p Place) bool { return slices.Equal(p.Unread, []string{lacks}) }) {
		t.Errorf("refused: %+v, %v", s.Places, err)
	}
	below.want("refused")
	for members, want := range map[string]int64{"user:sara@firm.example": 0, "allUsers": 4} {
		w := newWorldOf(t, "above", assertion("asset: ["+firewall+"]\n", text, "high"))
		w.cloud.set(top(members))
		if out, dark, untold := told(w); out != want || dark != 0 || len(untold) > 0 {
			t.Errorf("%s: %d are out of order, %d could not be told: %+v", members, out, dark, untold)
		}
	}
	// Read once and refused since: nothing is in order, and what was out of order is so until what was read is too old, and not healed.
	for members, want := range map[string][]string{"user:sara@firm.example": nil, "allUsers": {"a above open", "b above open", "c above open", "d above open"}} {
		w := newWorldOf(t, "above", assertion("asset: ["+firewall+"]\n", text, "high"))
		w.cloud.set(top(members))
		w.ticks(10)
		w.cloud.skip(top().Key)
		w.cloud.fail(top().Key, denied)
		w.cloud.unread = map[string][]string{"projects/live resource": {lacks}, "projects/other resource": {lacks}}
		w.pass(24 * time.Hour)
		if out, dark, _ := told(w); out != int64(len(want)) || out == 0 && dark < 4 || dark == 0 {
			t.Errorf("%s, refused since: %d are out of order, %d could not be told", members, out, dark)
		}
		w.want(members+", refused since", want...)
		w.pass(24 * time.Hour)
		if out, dark, _ := told(w); out != 0 || dark < 4 {
			t.Errorf("%s, refused for long: %d are out of order, %d could not be told", members, out, dark)
		}
		for i := range want {
			want[i] += " unknown"
		}
		w.want(members+", refused for long", want...)
	}
}
