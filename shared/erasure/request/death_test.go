package request

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

// again does something until it is done, while the process dies at one call; then it goes on living.
func (w *world) again(fn func() error) {
	w.T.Helper()
	for range 3 {
		err := fn()
		if err == nil {
			return
		}
		if !fault.Is(err, fault.Transient) && code(err) != "token_used" { // confirmed before it died
			w.T.Fatalf("after a death: %v", err)
		}
		if w.Left = -1; code(err) == "token_used" {
			return
		}
	}
	w.T.Fatal("it never gets through")
}

// outcome counts what went out, and says how requests stand.
func (w *world) outcome(ids ...string) []string {
	counts := map[string]int{}
	for i, id := range ids {
		r := w.read(id)
		counts[fmt.Sprintf("%d %s %s holds %d linked %d answered %s finding %v", i, r.State, r.Why, len(r.Holds), len(r.Linked), r.Answered, r.Finding != "")]++
	}
	for _, r := range w.Order {
		counts[string(r.Kind)+" "+r.Facts["event"]]++
	}
	for key, m := range w.Mail {
		if parts := strings.Split(key, "/"); parts[0] == "dsr" {
			counts["letter "+parts[2]]++
		} else {
			counts["staff "+m.Person+" "+strings.Split(m.Subject, ":")[0]]++
		}
	}
	for _, e := range w.asked {
		counts[e.Target]++
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s: %d", what, counts[what]))
	}
	return all
}

// Whatever call of the store, the keys, the vault, the directory or a sink fails, in whatever operation, doing it again ends
// in the same states, the same evidence, the same letters and the same messages.
func TestDeath(t *testing.T) {
	t.Parallel()
	var whole []string
	stride := max(29/require.Seeds(1), 1)
	for n := -1; ; n += stride {
		w := newWorld(t)
		ctx := t.Context()
		w.known("acme", "mia@customer.example")
		w.Left = n
		var first, second Receipt
		w.again(func() (err error) { // a request that was lost with its answer is another request: this one is about the rest
			w.Left = -1
			first, err = w.Ask(ctx, Ask{Tenant: "acme", Email: "mia@customer.example"}, w.now())
			w.Left = n
			return err
		})
		w.again(func() error { return w.Identify(ctx, first.ID, w.now()) })
		w.again(func() error {
			_, err := w.Confirm(ctx, first.Number, strings.Repeat("a", 52), w.now())
			return wrong(err)
		})
		w.to(2 * time.Minute)
		w.again(func() error { return w.Renew(ctx, first.Number, first.Secret, w.now()) })
		w.again(func() error { return w.Identify(ctx, first.ID, w.now()) })
		w.sweep()
		left := w.Left
		w.Left = -1
		token := w.code(first.ID)
		third := w.ask("mia@customer.example") // waits for the same letter
		w.must(w.Identify(ctx, third.ID, w.now()))
		second, err := w.Enter(ctx, w.person("sam"), Entry{Channel: Paper, Received: noon.Add(-48 * time.Hour), Tenant: "acme", Email: "mia@customer.example"}, w.now())
		w.must(err)
		w.Left = left
		w.again(func() error { _, err := w.Confirm(ctx, first.Number, token, w.now()); return err })
		w.again(func() error { return w.Identify(ctx, second.ID, w.now()) })
		w.sweep()
		left = w.Left
		w.Left = -1
		token = w.code(second.ID)
		w.Left = left
		w.again(func() error { _, err := w.Confirm(ctx, second.Number, token, w.now()); return err })
		h := Hold{Entry: "invoices", Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 3, Day: 20}}
		for _, who := range []string{"dan", "dora"} {
			w.again(func() error { _, err := w.Hold(ctx, first.ID, w.person(who), h, w.now()); return err })
		}
		p := Plan{Digest: "d", Items: 900, Own: true, Theirs: true}
		round := func() int { return w.read(first.ID).Round }
		carry := func(search int, o Outcome) {
			r := round()
			w.again(func() error { _, err := w.Started(ctx, first.ID, r, "d", w.now()); return err })
			w.again(func() error { _, err := w.Executed(ctx, first.ID, r, Totals{Erased: 5}, w.now()); return err })
			w.again(func() error { _, err := w.Verified(ctx, first.ID, r, search, o, w.now()); return settled(err) })
		}
		planned := func() {
			r := round()
			w.again(func() error { _, err := w.Planned(ctx, first.ID, r, p, w.now()); return err })
			w.again(func() error { _, err := w.Approve(ctx, first.ID, w.person("dan"), "d", w.now()); return err })
		}
		planned()
		carry(1, Outcome{Left: 2})
		carry(1, Outcome{Kept: []Kept{{Entry: "invoices", Items: 1, Ground: LegalClaims, Until: h.Until}}})
		left = w.Left
		w.Left = -1
		w.must(w.Clock.Set(calendar.Day{Year: 2026, Month: 4, Day: 2}.End(w.Rules.Zone)))
		w.Left = left
		w.again(func() error { return w.Tick(ctx, w.now()) })
		planned()
		carry(1, Outcome{Open: []Open{{Entry: "notes", Why: review, Items: 2}}})
		w.again(func() error {
			_, err := w.Reviewed(ctx, first.ID, w.person("dan"), "notes", 2, w.now())
			return settled(err)
		})
		r := round()
		w.again(func() error { _, err := w.Verified(ctx, first.ID, r, 2, Outcome{}, w.now()); return settled(err) })
		for i, after := range Passes()[1:] {
			left = w.Left
			w.Left = -1
			w.must(w.Clock.Set(w.read(first.ID).Ran.Add(after)))
			w.Left = left
			w.again(func() error { _, err := w.Verified(ctx, first.ID, round(), i+2, Outcome{}, w.now()); return err })
		}
		for n := range w.read(first.ID).Receipts {
			w.again(func() error { return w.Receipted(ctx, first.ID, n+1, w.now()) })
		}
		w.again(func() error { return w.Forgotten(ctx, first.ID, w.now()) })
		died := w.Left <= 0
		w.Left = -1
		w.sweep()
		got := w.outcome(first.ID, second.ID, third.ID)
		switch {
		case n < 0:
			whole, n = got, -stride
		case !slices.Equal(got, whole):
			t.Fatalf("killed after %d calls:\n%s\nwant\n%s", n, strings.Join(got, "\n"), strings.Join(whole, "\n"))
		case !died:
			t.Logf("%d calls:\n%s", n, strings.Join(whole, "\n"))
			return
		}
	}
}

// wrong is what a wrong code is answered with.
func wrong(err error) error {
	if code(err) == "token_invalid" {
		return nil
	}
	return err
}

// settled: the engine's word was taken before it died, and the request has moved on because of it.
func settled(err error) error {
	if code(err) == "request_moved" {
		return nil
	}
	return err
}

// sweep sends what a death left behind.
func (w *world) sweep() {
	w.T.Helper()
	left := w.Left
	w.Left = -1
	for range 3 {
		w.must(w.Clock.Set(w.now().Add(time.Minute)))
		if _, err := w.Box.Sweep(w.T.Context()); err != nil {
			w.T.Fatal(err)
		}
	}
	w.Left = left
}
