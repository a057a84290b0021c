package parts_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/attest"
	"ostiary.internal/functions/trust/internal/parts"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/trust/promise"
)

const duties = `duties:
  - {id: risk-register-review, what: Review., owner_role: security, every: P1Y, second: owner, promises: [F05, D04]}
`

var setup = functiontest.Setup{Functions: []wiring.Function{attest.Function}, Policy: map[string]string{"duties.yaml": duties}}

func call(w *functiontest.World, who, path string, body any) functiontest.Request {
	return functiontest.Request{Method: "POST", Path: "/attest/v1" + path, Token: w.Staff(who + "@sharedcontacts.example"), Body: body}
}

func tick(t *testing.T, w *functiontest.World) error {
	t.Helper()
	p, err := parts.New(w.Deps("attest"))
	if err != nil {
		t.Fatal(err)
	}
	_, swept := p.Box.Sweep(t.Context())
	return errors.Join(swept, p.Tick(t.Context(), w.Clock.Now()))
}

// TestDeath: at whatever call of the store an instance dies, in the clockwork or in a request, sending it again ends in
// the same evidence, and the messages are the same.
func TestDeath(t *testing.T) {
	t.Parallel()
	var whole []string
	stride := max(11/require.Seeds(1), 1)
	for n := -1; ; n += stride {
		w := functiontest.New(t, setup)
		sign := attest.Sign{Promise: "F01", Until: "2027-03-03"}
		p, _ := w.Policy.Promise("F01")
		sign.Text = promise.TextHash(p.Text)
		if n >= 0 {
			w.Store.DownAfter(n)
			w.Bus.Down()
		}
		again := func(fn func() bool) {
			t.Helper()
			for range 2 {
				if fn() {
					return
				}
				w.Store.Up()
				w.Bus.Up()
				w.Restart()
			}
			t.Fatalf("killed after %d calls, it never gets through", n)
		}
		again(func() bool { return tick(t, w) == nil })
		w.Advance(t, 40*24*time.Hour)
		again(func() bool { return tick(t, w) == nil })
		for _, r := range []functiontest.Request{
			call(w, "simone.bernard", "/duties/risk-register-review/done", attest.Word{Cycle: 1}),
			call(w, "odile.martin", "/duties/risk-register-review/review", attest.Review{Cycle: 1}),
			call(w, "odile.martin", "/statements", sign),
		} {
			again(func() bool { return w.Call(t, r).Status < 300 })
		}
		died := w.Store.Failed() > 0
		w.Store.Up()
		w.Bus.Up()
		w.Advance(t, 5*time.Minute)
		if err := tick(t, w); err != nil || w.Pending(t, "attest") != 0 {
			t.Fatalf("killed after %d calls: %v, %d entries wait", n, err, w.Pending(t, "attest"))
		}
		got := outcome(t, w)
		if n < 0 {
			whole, n = got, -stride
		} else if !slices.Equal(got, whole) {
			t.Fatalf("killed after %d calls:\n%v\nwant\n%v", n, got, whole)
		} else if !died {
			t.Logf("died at %d calls: %v", n, whole)
			return
		}
	}
}

// outcome counts what went out, each message once.
func outcome(t *testing.T, w *functiontest.World) []string {
	t.Helper()
	counts := map[string]int{}
	for _, r := range w.Records(t) {
		counts[string(r.Kind)+" "+r.Control+" "+string(r.Result.State)]++
	}
	keys := map[string]bool{}
	for _, m := range w.Published("message.requested") {
		keys[m.Message.Attributes["id"]] = true
	}
	counts["messages"] = len(keys)
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, fmt.Sprint(key, " ", counts[key]))
	}
	return lines
}

// Without the vault the clock still runs, and nobody is named; without the key of messages nobody is told.
func TestWithout(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	deps := *w.Deps("attest")
	deps.Vault, deps.MessageKeys = nil, nil
	p, err := parts.New(&deps)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := p.Tick(t.Context(), w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		w.Advance(t, 20*24*time.Hour)
	}
	simone, _ := w.Policy.PersonByID("simone")
	if _, err := p.Statements.Sign(t.Context(), "F04", hash(w, "F04"), w.Clock.Now().Add(time.Hour), simone, w.Clock.Now()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("signed without a vault: %v", err)
	}
	found := 0
	for _, r := range w.Records(t) {
		if r.Kind == record.Finding {
			found++
		}
	}
	if found != 1 || len(w.Published("message.requested")) != 0 {
		t.Errorf("%d findings, %d messages", found, len(w.Published("message.requested")))
	}
}

func hash(w *functiontest.World, id string) string {
	p, _ := w.Policy.Promise(id)
	return promise.TextHash(p.Text)
}

// A wrong duties.yaml does not start; a promise that does not exist does.
func TestRules(t *testing.T) {
	t.Parallel()
	for text, starts := range map[string]bool{
		"duties: [{id: x, what: Do., owner_role: boss, every: P1Y}]":                   false,
		"duties: [{id: x, what: Do., owner_role: owner, every: P1Y, promises: [Z99]}]": true,
	} {
		w := functiontest.New(t, setup)
		deps := *w.Deps("attest")
		other := functiontest.New(t, functiontest.Setup{Policy: map[string]string{"duties.yaml": text}})
		deps.Policy = other.Policy
		if _, err := parts.New(&deps); starts != (err == nil) || !starts && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
