package clientproof_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

var (
	now    = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	sender = netip.MustParseAddr("81.2.69.142")
	forged = netip.MustParseAddr("198.51.100.7")
)

type rig struct {
	*clientproof.Service
	records []record.Record
}

func newRig(t *testing.T) *rig {
	t.Helper()
	clk := clock.NewManual(now)
	base, err := memory.New(store.Options{Schema: append(store.Schema{outbox.Collection()}, clientproof.Collection()...), Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	s, r := storetest.Twice(base), &rig{}
	box := outbox.New(s, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: func(_ context.Context, e outbox.Entry) error {
		parsed, err := record.Parse(e.Data)
		if err != nil || strings.Contains(string(e.Data), sender.String()) || strings.Contains(string(e.Data), forged.String()) {
			t.Errorf("recorded %s: %v", e.Data, err)
		}
		r.records = append(r.records, parsed)
		return nil
	}})
	r.Service = &clientproof.Service{Store: s, Box: box, Random: rand.NewChaCha8([32]byte{1})}
	return r
}

func (r *rig) begin(t *testing.T, layout string) clientproof.Proof {
	t.Helper()
	p, err := r.Begin(t.Context(), "simone", layout, sender, netip.MustParseAddr("34.1.2.3"), now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// send sends every case but those named, seen from the sender's own address but where said otherwise.
func (r *rig) send(t *testing.T, p clientproof.Proof, seen map[string]netip.Addr, without ...string) {
	t.Helper()
	for _, c := range p.Cases() {
		from, other := seen[c.Name]
		if !other {
			from = sender
		}
		if strings.Contains(" "+strings.Join(without, " ")+" ", " "+c.Name+" ") {
			continue
		}
		if _, err := r.Saw(t.Context(), p.ID, "simone", c.Name, from, now); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *rig) proven(t *testing.T, layout string, want bool, at time.Time) {
	t.Helper()
	if got, err := r.Proven(t.Context(), layout, at); err != nil || got != want {
		t.Errorf("layout %s is proven: %t, %v; want %t", layout, got, err, want)
	}
}

// TestJudged: what each outcome of one request makes of a layout.
func TestJudged(t *testing.T) {
	t.Parallel()
	none := netip.Addr{}
	for name, row := range map[string]struct {
		seen map[string]netip.Addr
		want bool
	}{
		"all right":                {want: true},
		"mapped":                   {map[string]netip.Addr{"one": netip.MustParseAddr("::ffff:81.2.69.142")}, true},
		"a forger is refused":      {map[string]netip.Addr{"private-twice": none, "all": none}, true},
		"a forger is believed":     {map[string]netip.Addr{"one": forged}, false},
		"the balancer itself":      {map[string]netip.Addr{"own": netip.MustParseAddr("34.1.2.3")}, false},
		"plain from another":       {map[string]netip.Addr{"plain": netip.MustParseAddr("34.1.2.3")}, false},
		"plain cannot be told":     {map[string]netip.Addr{"plain": none}, false},
		"only the private one":     {map[string]netip.Addr{"private": forged}, false},
		"everything together":      {map[string]netip.Addr{"all": forged}, false},
		"everybody is the balance": {map[string]netip.Addr{"plain": netip.MustParseAddr("34.1.2.3"), "one": netip.MustParseAddr("34.1.2.3")}, false},
	} {
		r := newRig(t)
		layout := "header:X-Address,loadbalancer"
		r.proven(t, layout, false, now)
		p := r.begin(t, layout)
		r.send(t, p, row.seen)
		p, err := r.End(t.Context(), p.ID, "simone", now)
		if err != nil || p.Passed != row.want {
			t.Errorf("%s: passed %t, %v", name, p.Passed, err)
		}
		r.proven(t, layout, row.want, now)
		r.proven(t, "loadbalancer", false, now) // another layout
		r.proven(t, layout, false, now.Add(401*24*time.Hour))
		if len(r.records) != 1 || (r.records[0].Result.State == record.Pass) != row.want || r.records[0].Facts["layout"] != "header:X-Address+loadbalancer" {
			t.Errorf("%s: recorded %+v", name, r.records)
		}
	}
}

// TestFallsAgain: a later proof that fails takes the standing away, and a wrong answer is not mended by asking again.
func TestFallsAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.begin(t, "loadbalancer")
	r.send(t, p, nil)
	if _, err := r.End(t.Context(), p.ID, "simone", now); err != nil {
		t.Fatal(err)
	}
	r.proven(t, "loadbalancer", true, now)
	p = r.begin(t, "loadbalancer")
	r.send(t, p, map[string]netip.Addr{"lines": forged})
	r.send(t, p, nil)
	if p, err := r.End(t.Context(), p.ID, "simone", now); err != nil || p.Passed {
		t.Errorf("passed %t, %v", p.Passed, err)
	}
	r.proven(t, "loadbalancer", false, now)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, from := range []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("35.191.0.1"), forged} {
		if _, err := r.Begin(t.Context(), "simone", "direct", from, netip.Addr{}, now); fault.CodeOf(err) != "address_refused" {
			t.Errorf("from %s: %v", from, err)
		}
	}
	p := r.begin(t, "direct")
	saw := func(id, by, name string, at time.Time) error {
		_, err := r.Saw(t.Context(), id, by, name, sender, at)
		return err
	}
	for want, err := range map[string]error{
		"case_unknown":  saw(p.ID, "simone", "private", now), // of no direct layout
		"proof_unknown": errors.Join(saw("0", "simone", "plain", now)),
	} {
		if fault.CodeOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := saw(p.ID, "stefan", "plain", now); fault.CodeOf(err) != "proof_unknown" {
		t.Errorf("another's proof: %v", err)
	}
	if err := saw(p.ID, "simone", "plain", now.Add(clientproof.Life+time.Second)); fault.CodeOf(err) != "proof_unknown" {
		t.Errorf("after its time: %v", err)
	}
	r.send(t, p, nil, "all", "junk")
	if _, err := r.End(t.Context(), p.ID, "simone", now); fault.CodeOf(err) != "proof_incomplete" || !strings.Contains(err.(*fault.Error).Detail, "junk, all") {
		t.Errorf("with two not sent: %v", err)
	}
	r.proven(t, "direct", false, now)
	r.send(t, p, nil)
	if _, err := r.End(t.Context(), p.ID, "simone", now); err != nil {
		t.Fatal(err)
	}
	if err := saw(p.ID, "simone", "plain", now); fault.CodeOf(err) != "proof_ended" {
		t.Errorf("after its end: %v", err)
	}
}
