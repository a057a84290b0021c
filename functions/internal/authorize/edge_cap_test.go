package authorize

import (
	"net/http"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/web"
)

// TestSourceCap: a network that sent its share of requests is refused at every route that counts, before anything is read; what
// our own accounts and gateways call goes on. Another network notices nothing.
func TestSourceCap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, wiring.EnvSourceCap, "300").furnish(t)
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		if r.Uncapped {
			return
		}
		path, _ := w.aim(m.Name, r, true)
		q := functiontest.Request{Method: r.Method, Path: path, From: "92.40.1.7"}
		empty := functiontest.Request{Method: http.MethodGet, Path: "/" + m.Name + "/nothing", From: "92.40.1.8"} // of the same network
		for range 10_000 {                                                                                        // the bucket fills up again meanwhile, a request each fifth of a second
			for w.Call(t, empty).Status != http.StatusTooManyRequests {
			}
			got := w.Call(t, q)
			if got.Status != http.StatusTooManyRequests {
				continue
			}
			if got.Header.Get("Retry-After") == "" {
				t.Errorf("%s: does not say when to come back", key(m.Name, r))
			}
			return
		}
		t.Errorf("%s: is not counted", key(m.Name, r))
	})
	for name, m := range w.manifests {
		for _, r := range w.Routes(name) {
			path, _ := w.aim(name, r, true)
			if got := w.Call(t, functiontest.Request{Method: r.Method, Path: path, From: "92.40.1.7"}); r.Uncapped && got.Status == http.StatusTooManyRequests {
				t.Errorf("%s: our own callers are counted with strangers", key(m.Name, r))
			}
			if got := w.Call(t, functiontest.Request{Method: r.Method, Path: path, From: "92.41.1.7"}); got.Status == http.StatusTooManyRequests {
				t.Errorf("%s: another network is refused too", key(m.Name, r))
			}
		}
	}
}
