package accesslevel

import (
	"net/http"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"
)

// TestSweptBitByBit: of many levels that have ended, one Apply deletes few: the rest of the minute's writes is for who comes and goes.
func TestSweptBitByBit(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	all := people(t, 3)
	mustApply(t, target, all, 1)
	f.Mu.Lock()
	for i := range 12 {
		until := morning.Add(-time.Duration(i+1) * time.Hour).Unix()
		f.Levels[target.end(until)] = &acm.AccessLevel{Name: target.end(until), Custom: custom(expression(until))}
	}
	f.Mu.Unlock()
	for n, want := range []int{5, 10, 12} {
		must(t, f.Clock.Set(f.Clock.Now().Add(2*time.Minute)))
		some := all
		some.V4 = all.V4[:1+n%2] // something to write
		mustApply(t, target, some, int64(n+2))
		deleted := 0
		for _, sent := range f.Sent {
			if sent.Method == http.MethodDelete {
				deleted++
			}
		}
		if deleted != want {
			t.Errorf("after %d: %d deleted, want %d", n+1, deleted, want)
		}
	}
}
