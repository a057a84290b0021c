package run_test

import (
	"testing"

	"ostiary.internal/shared/platform/fault"
)

// A place of a tenant's own data that does not answer keeps no other from saying that it has somebody; where none has her, its
// error is told, of several one that is worth another try.
func TestHeldInTheDark(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		down  map[string]fault.Kind
		found bool
		kind  fault.Kind
	}{
		"all answer":             {nil, true, ""},
		"one is denied":          {map[string]fault.Kind{"find clients": fault.Denied}, true, ""},
		"the one that has her":   {map[string]fault.Kind{"find letters": fault.Denied}, false, fault.Denied},
		"both are":               {map[string]fault.Kind{"find clients": fault.Denied, "find letters": fault.Misconfigured}, false, fault.Denied},
		"one only does not come": {map[string]fault.Kind{"find clients": fault.Denied, "find letters": fault.Transient}, false, fault.Transient},
	} {
		w := clients(t, 1)
		w.people.fail = func(call string) error {
			if kind := c.down[call]; kind != "" {
				return fault.New(kind, "no")
			}
			return nil
		}
		found, address, err := w.engine().HeldFor(t.Context(), "acme", "jo@acme.example")
		if found != c.found || found != (address != "") || fault.KindOf(err) != c.kind && c.kind != "" || c.kind == "" && err != nil {
			t.Errorf("%s: %t %q %v", name, found, address, err)
		}
	}
}
