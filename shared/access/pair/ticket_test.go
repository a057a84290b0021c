package pair_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
)

// One code lets both addresses of a device in; they are one change, and end together.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ first, second string }{{home4, home6}, {home6, home4}} {
		r := newRig(t)
		r.enrol("ana")
		first := r.register("ana", c.first)
		r.records = nil
		r.pass(59 * time.Second)
		second, err := r.redeem(r.token("ana"), c.second)
		must(t, err)
		if second.Root != first.ID || second.Family == first.Family || !second.Ends.Equal(first.Ends) || second.Date != first.Date || second.State != lease.Received || second.Person != "ana" || !second.InOrder() {
			t.Errorf("%s then %s: %+v", c.first, c.second, second)
		}
		if len(r.live("ana")) != 2 || len(r.waiting("ana")) != 0 {
			t.Errorf("%d live, %d wait", len(r.live("ana")), len(r.waiting("ana")))
		}
		if len(r.records) != 1 || strings.Contains(string(r.records[0].Data), c.second) {
			t.Fatalf("%d records", len(r.records))
		}
		entry, err := record.Parse(r.records[0].Data)
		must(t, err)
		if entry.Facts["event"] != "paired" || entry.Facts["family"] != string(second.Family) || len(entry.Subjects) != 4 || entry.Subjects[3].C != first.Marks.Lease {
			t.Errorf("the register says %s", r.records[0].Data)
		}
		// Whichever is ended, no other stays behind.
		id := first.ID
		if c.first == home6 {
			id = second.ID
		}
		if ended, err := r.leases.End(t.Context(), "ana", id, lease.Done); err != nil || ended.ID != id || ended.State != lease.Ended {
			t.Errorf("ended %+v, %v", ended, err)
		}
		if left := r.live("ana"); len(left) != 0 {
			t.Errorf("after the end %d live: %+v", len(left), left)
		}
	}
}

// A token is good for a minute, for one address of the missing family, while its registration lives.
func TestToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(r *rig)
		token   func(token string) string
		from    string
		code    string
	}{
		{"a stranger's", nil, func(string) string { return strings.Repeat("A", 43) }, home6, "pair_unknown"},
		{"none", nil, func(string) string { return "" }, home6, "pair_unknown"},
		{"one letter off", nil, func(t string) string { return t[:42] + "!" }, home6, "pair_unknown"},
		{"the same family", nil, nil, cafe4, "pair_unknown"},
		{"after a minute", func(r *rig) { r.pass(time.Minute) }, nil, home6, "pair_unknown"},
		{"after the person is done", func(r *rig) {
			_, err := r.leases.EndStarted(r.t.Context(), "ana", lease.Done, r.clock.Now())
			must(r.t, err)
		}, nil, home6, "pair_unknown"},
		{"used from elsewhere", func(r *rig) { _, err := r.redeem(r.token("ana"), other6); must(r.t, err) }, nil, home6, "pair_unknown"},
		{"used, and from another place of hers", func(r *rig) {
			_, err := r.redeem(r.token("ana"), other6)
			must(r.t, err)
			r.pass(30 * time.Second)
			r.register("ana", home6)
		}, nil, home6, "pair_unknown"},
		{"a private address", nil, nil, "fd00::1", "address_refused"},
		{"no room", func(r *rig) { r.leases.Capacity = 1 }, nil, home6, "capacity_full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.enrol("ana")
			r.register("ana", home4)
			token := r.token("ana")
			if c.prepare != nil {
				c.prepare(r)
			}
			if c.token != nil {
				token = c.token(token)
			}
			before := r.stored("leases", "pairings", "outbox")
			_, err := r.redeem(token, c.from)
			wantCode(t, err, c.code)
			if r.stored("leases", "pairings", "outbox") != before {
				t.Error("a refusal changed something")
			}
		})
	}
}

// The same token from the same place again is the same lease, and not another message; once that is over, it gives none.
func TestTokenAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	r.register("ana", home4)
	token := r.token("ana")
	first, err := r.redeem(token, home6)
	must(t, err)
	sent := len(r.sent)
	again, err := r.redeem(token, home6)
	if err != nil || again.ID != first.ID || len(r.sent) != sent {
		t.Errorf("again: %+v, %v, %d messages more", again, err, len(r.sent)-sent)
	}
	_, err = r.leases.Advance(t.Context(), []lease.Step{{ID: first.ID, To: []lease.State{lease.Failed}, Why: lease.NoRoom}}, r.clock.Now())
	must(t, err)
	_, err = r.redeem(token, home6)
	wantCode(t, err, "pair_unknown")
}

// A device whose other address changed gives the old one up: one code, one address of each family.
func TestOtherAddressChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	first := r.register("ana", home4)
	old, err := r.redeem(r.token("ana"), home6)
	must(t, err)
	r.pass(time.Hour)
	if kept := r.register("ana", home4); kept.ID != first.ID {
		t.Fatalf("another lease: %+v", kept)
	}
	fresh, err := r.redeem(r.token("ana"), other6)
	must(t, err)
	live := r.live("ana")
	if len(live) != 2 || fresh.Root != first.ID || fresh.ID == old.ID {
		t.Errorf("live: %+v", live)
	}
	// And the other way round: the code is typed over the family that was paired.
	r.pass(time.Hour)
	if kept := r.register("ana", other6); kept.ID != fresh.ID {
		t.Fatalf("another lease: %+v", kept)
	}
	moved, err := r.redeem(r.token("ana"), cafe4)
	must(t, err)
	if live = r.live("ana"); len(live) != 2 || moved.Root != first.ID || moved.Family != lease.IPv4 {
		t.Errorf("live: %+v", live)
	}
	if _, err := r.leases.End(t.Context(), "ana", fresh.ID, lease.Done); err != nil || len(r.live("ana")) != 0 {
		t.Errorf("after the end %d live, %v", len(r.live("ana")), err)
	}
}

// The second family counts as no change of address of its own.
func TestOneChange(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.leases.Rules.ChangesPerDay = 2
	r.enrol("ana")
	r.register("ana", home4)
	_, err := r.redeem(r.token("ana"), home6)
	must(t, err)
	r.pass(30 * time.Second)
	r.register("ana", cafe4)
	r.pass(30 * time.Second)
	_, err = r.leases.Register(t.Context(), r.request("ana", "81.2.69.9"), r.clock.Now())
	wantCode(t, err, "person_limit")
}

// Two that show a token at the same time get one lease between them.
func TestTokenRace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	r.register("ana", home4)
	token := r.token("ana")
	var group sync.WaitGroup
	var mu sync.Mutex
	given := 0
	for _, from := range []string{home6, other6, "2a02:6b8:0:3::7", "2a02:6b8:0:4::7"} {
		group.Go(func() {
			_, err := r.pairs.Redeem(t.Context(), token, netip.MustParseAddr(from), "request from "+from, r.clock.Now())
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				given++
			}
		})
	}
	group.Wait()
	if given != 1 || len(r.live("ana")) != 2 {
		t.Errorf("%d got an address, %d live", given, len(r.live("ana")))
	}
}

// Killed at any call of the store, the same token works, and gives one lease.
func TestTokenDeaths(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		r := newRig(t)
		r.enrol("ana")
		r.register("ana", home4)
		token := r.token("ana")
		var calls atomic.Int32 // the outbox sends side by side
		r.faults = func(storetest.Point, int) error {
			if calls.Add(1) > int32(n) {
				return fault.New(fault.Transient, "died")
			}
			return nil
		}
		_, died := r.redeem(token, home6)
		r.faults = nil
		if died != nil && !fault.Is(died, fault.Transient) {
			t.Fatalf("killed after %d calls: %v", n, died)
		}
		if _, err := r.redeem(token, home6); err != nil || len(r.live("ana")) != 2 {
			t.Fatalf("killed after %d calls, then %v, %d live", n, err, len(r.live("ana")))
		}
		if died == nil {
			if calls.Load() <= int32(n) {
				return
			}
		}
	}
}

// Neither a token nor a code lies in the store, nor can they be made without the key.
func TestNothingToSteal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	r.register("ana", home4)
	d := r.ask("ana", cafe4)
	all := r.stored("pairings", "devices", "leases")
	for _, s := range []string{r.token("ana"), d.Code, strings.ReplaceAll(d.Code, "-", "")} {
		if len(s) < 8 || strings.Contains(all, s) {
			t.Error("the store holds what is secret")
		}
	}
	thief, err := pair.New(pair.Config{Store: r.store, Leases: r.leases, Key: []byte(strings.Repeat("x", 32)), Random: &seeded{}})
	must(t, err)
	if waiting, err := thief.Waiting(t.Context(), "ana", r.clock.Now()); err != nil || len(waiting) != 1 || waiting[0].Token == r.token("ana") {
		t.Errorf("with another key: %v", err)
	}
	if asked, err := thief.Asked(t.Context(), "ana", r.clock.Now()); err != nil || asked[0].Code == d.Code {
		t.Errorf("with another key: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, c := range map[string]pair.Config{
		"nothing": {}, "no leases": {Store: r.store}, "no store": {Leases: r.leases},
		"a short key":     {Store: r.store, Leases: r.leases, Key: []byte("short"), Random: &seeded{}},
		"no random bytes": {Store: r.store, Leases: r.leases, Key: []byte(strings.Repeat("k", 32))},
	} {
		if _, err := pair.New(c); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Without a key nothing is made, and nothing found.
	keyless, err := pair.New(pair.Config{Store: r.store, Leases: r.leases})
	must(t, err)
	_, issue := keyless.Issue(start)
	_, look := keyless.Look(t.Context(), "ana", "ABCD-EFGH")
	for _, err := range []error{issue, look} {
		if !fault.Is(err, fault.Misconfigured) {
			t.Errorf("without a key: %v", err)
		}
	}
	broken, err := pair.New(pair.Config{Store: r.store, Leases: r.leases, Key: []byte(strings.Repeat("k", 32)), Random: noBytes{}})
	must(t, err)
	if _, err := broken.Issue(start); !fault.Is(err, fault.Transient) {
		t.Errorf("without random bytes: %v", err)
	}
}

type noBytes struct{}

// Read implements io.Reader.
func (noBytes) Read([]byte) (int, error) { return 0, errors.New("none") }
