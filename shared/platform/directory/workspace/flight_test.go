package workspace_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/option"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/directorytest"
	"ostiary.internal/shared/platform/directory/workspace"
	"ostiary.internal/shared/platform/fault"
)

// gate answers every request with jane's account once it is opened; suspended says what it answers by then.
type gate struct {
	open      chan struct{}
	asked     atomic.Int32
	suspended atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.asked.Add(1)
	body := fmt.Sprintf(`{"primaryEmail":%q,"suspended":%t,"isEnrolledIn2Sv":true,"isEnforcedIn2Sv":true}`, jane, g.suspended.Load())
	select {
	case <-g.open:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// behind runs a test in a bubble, with a directory behind a closed gate.
func behind(t *testing.T, test func(t *testing.T, g *gate, d *workspace.Directory, clk *clock.Manual)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, clk := &gate{open: make(chan struct{})}, clock.NewManual(directorytest.Start)
		d, err := workspace.New(directory.Options{Clock: clk}, workspace.Settings{}, option.WithHTTPClient(&http.Client{Transport: g}))
		if err != nil {
			t.Fatal(err)
		}
		test(t, g, d, clk)
	})
}

type answer struct {
	account directory.Account
	err     error
}

func ask(ctx context.Context, d *workspace.Directory, maxAge time.Duration) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		a, err := d.Lookup(ctx, jane, maxAge)
		out <- answer{a, err}
	}()
	return out
}

// Requests for one account are shared, and one who leaves does not take the answer along.
func TestSingleFlight(t *testing.T) {
	behind(t, func(t *testing.T, g *gate, d *workspace.Directory, _ *clock.Manual) {
		ctx, leave := context.WithCancel(t.Context())
		left := ask(ctx, d, 0)
		synctest.Wait()
		var rest []<-chan answer
		for range 16 {
			rest = append(rest, ask(t.Context(), d, 0))
		}
		synctest.Wait()
		leave()
		if a := <-left; !fault.Is(a.err, fault.Transient) || a.account != (directory.Account{}) {
			t.Errorf("Lookup by one who left: %+v, want transient", a)
		}
		close(g.open)
		for _, out := range rest {
			if a := <-out; a.err != nil || !a.account.TwoStep {
				t.Errorf("Lookup: %+v", a)
			}
		}
		if n := g.asked.Load(); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

// A request under way is too old for a caller who came later and wants a fresh answer.
func TestFreshMeansAfterAsking(t *testing.T) {
	behind(t, func(t *testing.T, g *gate, d *workspace.Directory, clk *clock.Manual) {
		first := ask(t.Context(), d, 0)
		synctest.Wait()
		g.suspended.Store(true)
		if err := clk.Set(directorytest.Start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		second := ask(t.Context(), d, 0)
		synctest.Wait()
		close(g.open)
		if a := <-first; a.err != nil || a.account.Suspended {
			t.Errorf("the first caller: %+v", a)
		}
		if a := <-second; a.err != nil || !a.account.Suspended || !a.account.Read.Equal(directorytest.Start.Add(time.Second)) {
			t.Errorf("the second caller was given what was asked before it came: %+v", a)
		}
		if n := g.asked.Load(); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

// A source that hangs is left after ten seconds.
func TestTimeout(t *testing.T) {
	behind(t, func(t *testing.T, _ *gate, d *workspace.Directory, _ *clock.Manual) {
		began := clock.System{}.Now()
		_, err := d.Lookup(t.Context(), jane, 0)
		if waited := (clock.System{}).Now().Sub(began); !fault.Is(err, fault.Transient) || waited > 10*time.Second {
			t.Errorf("Lookup: %v after %s, want transient after at most 10 s", err, waited)
		}
	})
}
