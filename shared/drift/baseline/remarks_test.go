package baseline

import (
	"slices"
	"strings"
	"testing"
)

// TestRemarks: what is read all the same and is most likely a slip, also where an expression looks for it.
func TestRemarks(t *testing.T) {
	t.Parallel()
	const kind = "sqladmin.googleapis.com/Instance"
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"none":           {"severity", "severity", nil},
		"looked for":     {"data.on]", `data.on, 'size(assets("` + kind + `s")) == 0']`, []string{`baseline/kept.yaml:7: assert: remark: "` + kind + `s" is no type of asset that is known here (did you mean "` + kind + `"?)`}},
		"nothing alike":  {kind, "made.googleapis.com/Up", []string{`baseline/kept.yaml:3: asset[0]: remark: "made.googleapis.com/Up" is no type of asset that is known here; allowed: a type of https://`}},
		"what is filled": {"severity: high", "severity: high\nrepair: do {name} {project} {location} {days}", nil},
		"what is not":    {"severity: high", "severity: high\nrepair: do {pitr} {dyas}", []string{`baseline/kept.yaml:9: repair: remark: nothing fills {dyas} (did you mean "days"?), so it is shown as DYAS; allowed: {name}, {project}, {location}, {days}`, "nothing fills {pitr}, so it is shown as PITR"}},
	} {
		remarks := Remarks(load(t, strings.Replace(good, c.old, c.new, 1)))
		if len(remarks) != len(c.want) {
			t.Errorf("%s: %v", name, remarks)
			continue
		}
		for i, want := range c.want {
			if !remarks[i].Remark || !strings.Contains(remarks[i].String(), want) {
				t.Errorf("%s: told %s\nwanted %s", name, remarks[i], want)
			}
		}
	}
}

func TestKnownTypes(t *testing.T) {
	t.Parallel()
	all := knownTypes()
	for _, one := range all {
		if !typed.MatchString(one) {
			t.Errorf("%s is no type of asset", one)
		}
	}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) || len(all) < 200 {
		t.Errorf("%d types, or one of them twice", len(all))
	}
}
