package accesslevel

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"ostiary.internal/shared/access/allowlist"
)

// lossy is a process that dies at its n-th request: before it went out, or after it was answered.
type lossy struct {
	next   http.RoundTripper
	n      int
	answer bool
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	l.n--
	if l.n < 0 || l.n == 0 && !l.answer {
		return nil, errors.New("the process is dead")
	}
	resp, err := l.next.RoundTrip(r)
	if l.n == 0 && err == nil {
		resp.Body.Close()
		return nil, errors.New("the process is dead")
	}
	return resp, err
}

// TestKilled dies at every request of an Apply and of a Remove. What it leaves lets in nobody beside the old and the new set,
// never reads as whole when it is not, and is made good by the next.
func TestKilled(t *testing.T) {
	t.Parallel()
	old, next := set(t, "ana "+home, "ben "+cafe, "cy "+six, "dee "+home), set(t, "ana "+cafe, "ben "+cafe+" 1", "eve "+home, "dee "+home)
	for _, answered := range []bool{false, true} {
		for n, finished := 1, false; !finished; n++ {
			f := newFake(t, 5)
			mustApply(t, f.open(1), old, 1)
			dying := f.open(1, func(next http.RoundTripper) http.RoundTripper { return &lossy{next: next, n: n, answer: answered} })
			w := write(t, f.open(1), 2)
			finished = dying.Apply(t.Context(), next, w) == nil
			seen, err := f.open(1).Read(t.Context())
			must(t, err)
			for _, who := range []string{"", "ana", "ben", "cy", "dee", "eve", "zoe"} {
				for _, text := range []string{home, cafe, six, office} {
					addr := netip.MustParsePrefix(text).Addr()
					in := f.admits(request{who + "@x.example", addr, morning})
					was, will := holds(old, who, addr), holds(next, who, addr)
					if in && !was && !will || seen.Holds(next) && in != will || seen.Holds(old) && in != was {
						t.Fatalf("killed at request %d (answered %t): %q from %s is let in: %t; torn %q", n, answered, who, text, in, seen.Torn)
					}
				}
			}
			mustApply(t, f.open(1), next, 3)
			dying = f.open(1, func(next http.RoundTripper) http.RoundTripper { return &lossy{next: next, n: n, answer: answered} })
			_ = dying.Remove(t.Context(), next.Prefixes())
			must(t, f.open(1).Remove(t.Context(), next.Prefixes()))
			if seen, err = f.open(1).Read(t.Context()); err != nil || len(seen.Prefixes) != 0 {
				t.Fatalf("killed at request %d of a removal: %v, %v", n, seen.Prefixes, err)
			}
		}
	}
}

func holds(s allowlist.Set, who string, addr netip.Addr) bool {
	return slices.ContainsFunc(s.Entries(), func(e allowlist.Entry) bool {
		return e.Prefix.Contains(addr) && slices.ContainsFunc(e.Holders, func(h allowlist.Holder) bool { return h.Person == who })
	})
}
