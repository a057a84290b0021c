package diff

import "testing"

func TestPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"google_x.y field.a":                         {"google_x.y", "field.a"},
		`module.m["a b"].google_x.y["c \" d"] iam r`: {`module.m["a b"].google_x.y["c \" d"]`, "iam r"},
		"google_x.y":                                 {"google_x.y", ""}, "": {"", ""}, `broken["`: {`broken["`, ""},
	} {
		if address, field := Place(text); address != want[0] || field != want[1] {
			t.Errorf("%s: %q and %q", text, address, field)
		}
	}
}
