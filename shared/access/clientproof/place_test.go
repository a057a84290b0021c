package clientproof_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// TestIncomplete: a place some requests did not get to is undetermined, and the others stand by their own; a forgery that was
// believed is believed whatever else did not arrive.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		seen map[string]netip.Addr
		want record.State
	}{"right as far as it went": {nil, record.Undetermined}, "a forger is believed": {map[string]netip.Addr{"one": forged}, record.Violation},
		"another address": {map[string]netip.Addr{"one": sender6}, record.Violation}} {
		r := newRig(t)
		p := r.begin(t, "direct", sender)
		r.send(t, p, morning4, nil)
		r.end(t, p)
		p = r.begin(t, "direct", sender)
		r.send(t, p, second4, nil)
		r.send(t, p, morning4, row.seen, "real-ip")
		if p = r.end(t, p); p.Places[0].Verdict != row.want || p.Places[1].Verdict != record.Pass {
			t.Errorf("%s: %+v", name, p.Places)
		}
		r.proven(t, morning4, "direct", row.want == record.Undetermined, now)
	}
}

// TestBlocked: a forged request that what stands in front refuses is not believed; that is who sends' word alone, and counts
// for nothing that arrived, for no plain request, and where no forged one arrived at all.
func TestBlocked(t *testing.T) {
	t.Parallel()
	var every, lists, documented []string
	for _, c := range clientproof.Cases("direct", netip.Addr{})[1:] {
		every = append(every, c.Name)
		text := fmt.Sprint(c.Headers)
		if c.Name != "junk" && strings.Contains(text, "X-Forwarded-For") {
			lists = append(lists, c.Name)
		}
		if strings.Contains(text, "198.51.100.7") || strings.Contains(text, "2001:db8:") {
			documented = append(documented, c.Name)
		}
	}
	for name, row := range map[string]struct {
		seen           map[string]netip.Addr
		unsent, denied []string
		want           record.State
	}{
		"two of them":           {nil, []string{"many", "junk"}, []string{"many", "junk", "nothing"}, record.Pass},
		"one of two":            {nil, []string{"many", "junk"}, []string{"many"}, record.Undetermined},
		"all of them":           {nil, every, every, record.Undetermined},
		"what names an address": {nil, lists, lists, record.Undetermined}, // junk, and other headers, show nothing of those that are read
		"bogons":                {nil, documented, documented, record.Pass},
		"bogons, one believed":  {map[string]netip.Addr{"routable-two": netip.MustParseAddr("193.0.14.129")}, documented, documented, record.Violation},
		"the plain one":         {nil, []string{"plain"}, []string{"plain"}, record.Undetermined},
		"one that was believed": {map[string]netip.Addr{"one": forged}, nil, []string{"one"}, record.Violation},
	} {
		r := newRig(t)
		p := r.begin(t, "direct", sender)
		r.send(t, p, morning4, row.seen, row.unsent...)
		ended, err := r.End(t.Context(), p.ID, "simone", []clientproof.Block{{Spot: morning4, Cases: row.denied}, {Spot: second4, Cases: every}, {Spot: clientproof.Spot{Function: "no"}}}, now)
		if err != nil || ended.Places[0].Verdict != row.want || ended.Places[1].Verdict == record.Pass {
			t.Errorf("%s: %v, %+v", name, err, ended.Places)
		}
		r.proven(t, morning4, "direct", row.want == record.Pass, now)
		if last := r.records[0]; row.want == record.Pass && last.Facts["blocked"] != strconv.Itoa(len(row.unsent)) {
			t.Errorf("%s: recorded %v", name, last.Facts)
		}
	}
}

// TestOverlap: of two proofs at a time, the one that found a forgery believed counts, in whichever order they end; only one
// that began after it shows that the matter is mended.
func TestOverlap(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	for _, first := range []bool{false, true} { // whether the good one ends first
		r := newRig(t)
		open := func(minutes int) clientproof.Proof {
			p, err := r.Begin(t.Context(), "simone", "direct", spots, []netip.Addr{sender}, netip.Addr{}, at(minutes))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		end := func(p clientproof.Proof, minutes int) {
			if _, err := r.End(t.Context(), p.ID, "simone", nil, at(minutes)); err != nil {
				t.Fatal(err)
			}
		}
		good, bad := open(0), open(1)
		r.send(t, good, morning4, nil)
		r.send(t, bad, morning4, map[string]netip.Addr{"one": forged})
		if first {
			end(good, 2)
			r.proven(t, morning4, "direct", true, at(2))
			end(bad, 3)
		} else {
			end(bad, 2)
			end(good, 3)
		}
		r.proven(t, morning4, "direct", false, at(4))
		mended := open(4)
		r.send(t, mended, morning4, nil)
		end(mended, 5)
		r.proven(t, morning4, "direct", true, at(6))
	}
}

// TestForgetsWho: whom a proof was from is kept for a day, and how the place stands for as long as it counts.
func TestForgetsWho(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.begin(t, "direct", sender)
	r.send(t, p, morning4, nil)
	if p = r.end(t, p); !p.Expires.Equal(now.Add(24 * time.Hour)) {
		t.Errorf("a proof with %s goes at %s", p.Places[0].From, p.Expires)
	}
	r.proven(t, morning4, "direct", true, now.Add(399*24*time.Hour))
}

// TestBlockedHeader: where the layout reads two headers, each was forged in a request that arrived.
func TestBlockedHeader(t *testing.T) {
	t.Parallel()
	const header = "X-Address"
	for layout, both := range map[string]bool{"header:" + header: false, "header:" + header + ",loadbalancer": true} {
		for blocked, needed := range map[string]bool{header: true, "X-Forwarded-For": both, "Forwarded": false} {
			r := newRig(t)
			p := r.begin(t, layout, sender)
			var names []string
			for _, c := range p.Cases() {
				if strings.Contains(fmt.Sprint(c.Headers), "["+blocked+" ") {
					names = append(names, c.Name)
				}
			}
			r.send(t, p, morning4, nil, names...)
			ended, err := r.End(t.Context(), p.ID, "simone", []clientproof.Block{{Spot: morning4, Cases: names}}, now)
			if want := map[bool]record.State{true: record.Undetermined, false: record.Pass}[needed]; err != nil || ended.Places[0].Verdict != want {
				t.Errorf("%s without %s: %v, %s, want %s", layout, blocked, err, ended.Places[0].Verdict, want)
			}
		}
	}
}

// TestProofsOfBefore: whose proofs of an older version were, and from where, goes once another proof begins; how places stand stays.
func TestProofsOfBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.begin(t, "direct", sender)
	r.send(t, p, morning4, nil)
	r.end(t, p)
	old := clientproof.Proof{V: 2, ID: "0123", Layout: "direct", By: "simone", Places: []clientproof.Place{{Spot: morning4, From: sender}}, Began: now.Add(-48 * time.Hour),
		Ended: now.Add(-48 * time.Hour), Expires: now.Add(352 * 24 * time.Hour)}
	recent := old
	recent.ID, recent.Began = "0124", now.Add(-time.Hour)
	if err := r.Store.Tx(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put("proofs", "p-0123", old), tx.Put("proofs", "p-0124", recent))
	}); err != nil {
		t.Fatal(err)
	}
	next := r.begin(t, "direct", sender)
	var got clientproof.Proof
	if err := r.Store.Get(t.Context(), "proofs", "p-0123", &got); !fault.Is(err, fault.NotFound) {
		t.Errorf("kept %+v, %v", got, err)
	}
	if err := r.Store.Get(t.Context(), "proofs", "p-0124", &got); err != nil || got.By != "" || len(got.Places) != 0 || !got.Expires.Equal(now.Add(23*time.Hour)) {
		t.Errorf("of an hour ago: %+v, %v", got, err)
	}
	if err := r.Store.Get(t.Context(), "proofs", "p-"+next.ID, &got); err != nil || got.By != "simone" {
		t.Errorf("the next one: %+v, %v", got, err)
	}
	r.proven(t, morning4, "direct", true, now)
}
