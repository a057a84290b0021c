package self_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/drift/self/selftest"
	"ostiary.internal/shared/platform/veil"
)

// veiled is an address as it may be shown.
func veiled(uri string) string { return veil.Veil{}.Over("", uri).(string) }

// TestImages: where an image is given, it is what runs, by its name or its digest.
func TestImages(t *testing.T) {
	t.Parallel()
	e := expected(t)
	const key = "//run.googleapis.com/projects/acme/locations/europe-west1/services/deliver"
	e.Images = map[string]string{"deliver": "sha256:1"}
	for image, want := range map[string]string{"repository/deliver@sha256:1": "", "sha256:1": "", "repository/deliver@sha256:11": "self-drift deliver image: repository/deliver@sha256:11", "repository/deliversha256:1": "self-drift deliver image: repository/deliversha256:1"} {
		all := selftest.Deployed(e)
		all[key].Data["template"].(object)["containers"].([]any)[0].(object)["image"] = image
		if got := strings.Join(compare(e, all, true), "; "); got != want {
			t.Errorf("%s: %q", image, got)
		}
	}
}

// TestValuesUnknown: a variable that was deployed and is gone is told; where nobody said what was deployed, nobody can tell.
func TestValuesUnknown(t *testing.T) {
	t.Parallel()
	e := expected(t)
	all := selftest.Deployed(e)
	e.Values["deliver"]["OSTIARY_BUS"] = self.Digest("x")
	if got := compare(e, all, true); len(got) != 1 || got[0] != "self-drift deliver env:" {
		t.Errorf("a variable that was deployed is gone: %q", got)
	}
	e.Values = nil
	if got := compare(e, selftest.Deployed(e), true); len(got) != len(e.Functions) || !strings.Contains(got[0], "undetermined") || !strings.Contains(got[0], "values") {
		t.Errorf("no values known: %q", got)
	}
}
