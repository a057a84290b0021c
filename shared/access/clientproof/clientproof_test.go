package clientproof_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/access/lease"
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

	sender6 = netip.MustParseAddr("2a02:6b8:0:1::7")
	own     = map[lease.Family]netip.Addr{lease.IPv4: sender, lease.IPv6: sender6}

	morning4, morning6 = clientproof.Spot{Function: "registerip", Family: lease.IPv4}, clientproof.Spot{Function: "registerip", Family: lease.IPv6}
	second4, second6   = clientproof.Spot{Function: "pairaddress", Family: lease.IPv4}, clientproof.Spot{Function: "pairaddress", Family: lease.IPv6}
	spots              = []clientproof.Spot{morning4, second4, morning6, second6}
)

type rig struct {
	*clientproof.Service
	mu      sync.Mutex // entries leave side by side
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
		if err != nil || strings.Contains(string(e.Data), sender.String()) || strings.Contains(string(e.Data), forged.String()) || strings.Contains(string(e.Data), sender6.String()) {
			t.Errorf("recorded %s: %v", e.Data, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.records = append(r.records, parsed)
		return nil
	}})
	r.Service = &clientproof.Service{Store: s, Box: box, Random: rand.NewChaCha8([32]byte{1}), Screen: address.NewScreen(netip.MustParsePrefix("34.8.0.0/31"))}
	return r
}

func (r *rig) begin(t *testing.T, layout string, from ...netip.Addr) clientproof.Proof {
	t.Helper()
	p, err := r.Begin(t.Context(), "simone", layout, spots, from, netip.MustParseAddr("34.1.2.3"), now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// send sends every case to a place but those named, seen from the sender's own address but where said otherwise.
func (r *rig) send(t *testing.T, p clientproof.Proof, to clientproof.Spot, seen map[string]netip.Addr, without ...string) {
	t.Helper()
	for _, c := range p.Cases() {
		from, other := seen[c.Name]
		if !other {
			from = own[to.Family]
		}
		if slices.Contains(without, c.Name) {
			continue
		}
		if _, err := r.Saw(t.Context(), p.ID, "simone", clientproof.Request{Spot: to, Layout: p.Layout, Case: c.Name, Seen: from}, now); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *rig) end(t *testing.T, p clientproof.Proof) clientproof.Proof {
	t.Helper()
	p, err := r.End(t.Context(), p.ID, "simone", nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (r *rig) proven(t *testing.T, spot clientproof.Spot, layout string, want bool, at time.Time) {
	t.Helper()
	if got, err := r.Proven(t.Context(), spot, layout, at); err != nil || got != want {
		t.Errorf("%s over %s, layout %s, is proven: %t, %v; want %t", spot.Function, spot.Family, layout, got, err, want)
	}
}

// TestJudged: what each outcome of one request makes of a place that was proven before, and of one that was not.
func TestJudged(t *testing.T) {
	t.Parallel()
	none, balancer, elsewhere := netip.Addr{}, netip.MustParseAddr("34.1.2.3"), netip.MustParseAddr("92.40.1.7")
	const layout = "header:X-Address,loadbalancer"
	for name, row := range map[string]struct {
		seen map[string]netip.Addr
		want record.State
	}{
		"all right":                {want: record.Pass},
		"mapped":                   {map[string]netip.Addr{"one": netip.MustParseAddr("::ffff:81.2.69.142")}, record.Pass},
		"a forger is refused":      {map[string]netip.Addr{"private-twice": none, "all": none}, record.Pass},
		"a forger is believed":     {map[string]netip.Addr{"one": forged}, record.Violation},
		"the balancer itself":      {map[string]netip.Addr{"own": balancer}, record.Violation},
		"only the private one":     {map[string]netip.Addr{"private": forged}, record.Violation},
		"everything together":      {map[string]netip.Addr{"all": forged}, record.Violation},
		"of the other family":      {map[string]netip.Addr{"six": sender6}, record.Violation},
		"plain from another":       {map[string]netip.Addr{"plain": elsewhere}, record.Undetermined},
		"all from another":         {map[string]netip.Addr{"plain": elsewhere, "one": elsewhere, "all": elsewhere}, record.Undetermined},
		"plain cannot be told":     {map[string]netip.Addr{"plain": none}, record.Undetermined},
		"plain from a proxy":       {map[string]netip.Addr{"plain": netip.MustParseAddr("35.191.0.9")}, record.Violation},
		"plain from our entrance":  {map[string]netip.Addr{"plain": netip.MustParseAddr("34.8.0.1")}, record.Violation},
		"plain from the balancer":  {map[string]netip.Addr{"plain": balancer}, record.Violation},
		"everybody is the balance": {map[string]netip.Addr{"plain": balancer, "one": balancer, "all": balancer}, record.Violation},
		"from a wrong --from":      {map[string]netip.Addr{"plain": elsewhere, "one": forged}, record.Violation},
		"nobody told, one forged":  {map[string]netip.Addr{"plain": none, "six": netip.MustParseAddr("2001:db8::7")}, record.Violation},
		"mapped forgery":           {map[string]netip.Addr{"plain": elsewhere, "one": netip.MustParseAddr("::ffff:198.51.100.7")}, record.Violation},
	} {
		for _, before := range []bool{false, true} {
			r := newRig(t)
			if before {
				p := r.begin(t, layout, sender)
				r.send(t, p, morning4, nil)
				r.end(t, p)
			}
			r.proven(t, morning4, layout, before, now)
			p := r.begin(t, layout, sender)
			r.send(t, p, morning4, row.seen)
			if p = r.end(t, p); p.Places[0].Verdict != row.want || p.Places[1].Verdict != "" {
				t.Errorf("%s: %+v", name, p.Places)
			}
			want := row.want == record.Pass || row.want == record.Undetermined && before
			r.proven(t, morning4, layout, want, now)
			r.proven(t, morning4, "loadbalancer", false, now) // another layout
			r.proven(t, morning6, layout, false, now)
			r.proven(t, second4, layout, false, now)
			r.proven(t, morning4, layout, false, now.Add(401*24*time.Hour))
			last := r.records[len(r.records)-1]
			if last.Result.State != row.want || last.Facts["layout"] != "header:X-Address+loadbalancer" || last.Facts["function"] != "registerip" || last.Facts["family"] != "ipv4" {
				t.Errorf("%s: recorded %+v", name, last)
			}
		}
	}
}

// TestEachPlace: a place stands by what was sent to it, and by nothing else.
func TestEachPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.begin(t, "loadbalancer", sender6, sender)
	r.send(t, p, morning4, nil)
	r.send(t, p, second4, map[string]netip.Addr{"lines": forged})
	r.send(t, p, second6, nil)
	r.end(t, p)
	for spot, want := range map[clientproof.Spot]bool{morning4: true, morning6: false, second4: false, second6: true} {
		r.proven(t, spot, "loadbalancer", want, now)
	}
	if len(r.records) != 3 {
		t.Errorf("%d records", len(r.records))
	}
	// A wrong answer is not mended by asking again, and what was not asked this time stays.
	p = r.begin(t, "loadbalancer", sender)
	r.send(t, p, morning4, map[string]netip.Addr{"lines": forged})
	r.send(t, p, morning4, nil)
	r.end(t, p)
	r.proven(t, morning4, "loadbalancer", false, now)
	r.proven(t, second6, "loadbalancer", true, now)
}

// TestOfAny: a place that knows nobody takes part in the proofs whose ids it is told, of its own layout.
func TestOfAny(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.begin(t, "direct", sender)
	saw := func(id string, to clientproof.Spot, layout string) (clientproof.Outcome, string) {
		outcome, err := r.SawOfAny(t.Context(), id, clientproof.Request{Spot: to, Layout: layout, Case: "one", Seen: forged}, now)
		return outcome, fault.CodeOf(err)
	}
	if outcome, code := saw(p.ID, second4, "direct"); outcome != clientproof.Forged || code != "" {
		t.Errorf("saw %s %s", outcome, code)
	}
	for name, row := range map[string]struct {
		id     string
		to     clientproof.Spot
		layout string
	}{
		"another id": {"0", second4, "direct"}, "another layout": {p.ID, second4, "loadbalancer"}, "a family without a sender": {p.ID, second6, "direct"},
		"no place": {p.ID, clientproof.Spot{Function: "admit", Family: lease.IPv4}, "direct"}, "no family": {p.ID, clientproof.Spot{Function: "pairaddress"}, "direct"},
	} {
		if outcome, code := saw(row.id, row.to, row.layout); outcome != "" || code != "proof_unknown" {
			t.Errorf("%s: %s %s", name, outcome, code)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, from := range []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("35.191.0.1"), netip.MustParseAddr("34.8.0.1"), forged} {
		if _, err := r.Begin(t.Context(), "simone", "direct", spots, []netip.Addr{sender6, from}, netip.Addr{}, now); fault.CodeOf(err) != "address_refused" {
			t.Errorf("from %s: %v", from, err)
		}
	}
	if _, err := r.Begin(t.Context(), "simone", "direct", spots, []netip.Addr{sender, netip.MustParseAddr("92.40.1.7")}, netip.Addr{}, now); !fault.Is(err, fault.Invalid) {
		t.Errorf("from two of one family: %v", err)
	}
	p := r.begin(t, "direct", sender)
	if _, err := r.End(t.Context(), p.ID, "simone", nil, now); fault.CodeOf(err) != "proof_incomplete" {
		t.Errorf("with nothing sent: %v", err)
	}
	saw := func(id, by, name string, at time.Time) error {
		_, err := r.Saw(t.Context(), id, by, clientproof.Request{Spot: morning4, Layout: "direct", Case: name, Seen: sender}, at)
		return err
	}
	for want, err := range map[string]error{
		"case_unknown":  saw(p.ID, "simone", "private", now), // of no direct layout
		"proof_unknown": saw("0", "simone", "plain", now),
	} {
		if fault.CodeOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := saw(p.ID, "stefan", "plain", now); fault.CodeOf(err) != "proof_unknown" {
		t.Errorf("another's proof: %v", err)
	}
	if _, err := r.End(t.Context(), p.ID, "stefan", nil, now); fault.CodeOf(err) != "proof_unknown" {
		t.Errorf("another's end: %v", err)
	}
	if err := saw(p.ID, "simone", "plain", now.Add(clientproof.Life+time.Second)); fault.CodeOf(err) != "proof_unknown" {
		t.Errorf("after its time: %v", err)
	}
	r.send(t, p, second4, nil)
	r.send(t, p, morning4, nil, "all", "junk") // two not sent: nothing is said of that place, and of that one alone
	r.end(t, p)
	r.proven(t, second4, "direct", true, now)
	r.proven(t, morning4, "direct", false, now)
	if err := saw(p.ID, "simone", "plain", now); fault.CodeOf(err) != "proof_ended" {
		t.Errorf("after its end: %v", err)
	}
}
