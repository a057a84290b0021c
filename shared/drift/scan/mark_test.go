package scan

import (
	"strings"
	"testing"

	"ostiary.internal/shared/drift/asset"
)

// TestGuiltyAlone: of a list, and of names, the value is what alone makes it not true, without what changes by itself: an acceptance does not
// die by what stands beside it, and does by what comes to it.
func TestGuiltyAlone(t *testing.T) {
	t.Parallel()
	item := func(version string, good bool) asset.Object {
		return asset.Object{"version": version, "good": good, "updateTime": version}
	}
	for name, c := range map[string]struct {
		assert string
		data   func(beside, guilty string, more ...any) any
	}{
		"a list": {`data.of.items.all(p, p.good)`, func(beside, guilty string, more ...any) any {
			return append([]any{item(beside, true), item(guilty, false)}, more...)
		}},
		"names": {`data.of.items.all(n, data.of.items[n].good)`, func(beside, guilty string, more ...any) any {
			o := asset.Object{"a": item(beside, true), "b": item(guilty, false)}
			for _, one := range more {
				o["c"] = one
			}
			return o
		}},
	} {
		w := newWorldOf(t, "more", assertion("asset: ["+firewall+"]\n", c.assert, "critical"))
		value := func(items any) string {
			t.Helper()
			a := door("live", "a", "10.0.0.0/8")
			a.Data["of"] = asset.Object{"items": items}
			w.cloud.set(a)
			w.look(a.Key)
			return w.get(a.Key, "more").Got
		}
		first := value(c.data("beside-1", "guilty-1"))
		if !strings.Contains(first, "guilty-1") || strings.Contains(first, "beside") || strings.Contains(first, "updateTime") {
			t.Errorf("%s: the value is %s", name, first)
		}
		if got := value(c.data("beside-2", "guilty-1")); got != first {
			t.Errorf("%s: what stands beside it made another value: %s", name, got)
		}
		if got := value(c.data("beside-2", "guilty-1", item("more", false))); got == first {
			t.Errorf("%s: another that fails made none: %s", name, got)
		}
	}
}
