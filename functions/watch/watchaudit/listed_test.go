package watchaudit

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/watch/listing"
)

// resized is an entry of one of our people who comes from an address.
func resized(who, from string, at time.Time) string {
	return strings.Replace(audited(fmt.Sprint(who, from, at.Unix()), "compute.googleapis.com", "v1.compute.disks.resize", "projects/p/zones/z/disks/one", who, at, `"request":{}`),
		"81.2.69.193", from, 1)
}

func leased(t *testing.T, w *functiontest.World, lease, prefix string, from, until time.Time) {
	t.Helper()
	data, err := json.Marshal(listing.Change{Lease: lease, Prefix: netip.MustParsePrefix(prefix), From: from, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	w.Event(t, "watchaudit", pushed(w, TopicLeases, string(data))).Want(t, 204, "")
}

// TestListed: a rule knows from where people may come by what is told of registrations, in whatever order, however often
// and to whichever instance; and by the company's own sites.
func TestListed(t *testing.T) {
	t.Parallel()
	for seed := range min(require.Seeds(3), 100) {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		w := functiontest.New(t, setup)
		start := w.Clock.Now()
		day := start.Add(14 * time.Hour)
		tellings := []func(){
			func() { leased(t, w, "emma", "81.2.69.142/32", start, day) },
			func() { leased(t, w, "emma", "81.2.69.142/32", start, start.Add(2*time.Hour)) }, // it ended early
			func() { leased(t, w, "asha", "2001:db8:1:2::/64", start, day) },
			func() { leased(t, w, "erik", "198.51.100.7/32", start.Add(time.Hour), day) },
		}
		tellings = append(tellings, tellings...)
		r.Shuffle(len(tellings), func(i, j int) { tellings[i], tellings[j] = tellings[j], tellings[i] })
		for i, tell := range tellings {
			tell()
			if i == 3 {
				w.Restart()
			}
		}
		w.Advance(t, 3*time.Hour)
		for _, fine := range []string{
			resized("emma.dubois", "81.2.69.142", start.Add(time.Hour)), resized("emma.dubois", "::ffff:81.2.69.142", start.Add(90*time.Minute)),
			resized("asha.iyer", "2001:db8:1:2:abcd::1", start.Add(time.Hour)), resized("erik.vogel", "198.51.100.7", start.Add(time.Hour)),
			resized("marc.petit", "81.2.69.200", start.Add(time.Minute)), // the office
		} {
			entry(t, w, fine).Want(t, 204, "")
		}
		same(t, fmt.Sprintf("seed %d, listed", seed), alarms(t, w), nil)
		for _, off := range []string{
			resized("emma.dubois", "81.2.69.142", start.Add(150*time.Minute)), resized("asha.iyer", "2001:db8:1:3::1", start.Add(time.Hour)),
			resized("erik.vogel", "198.51.100.7", start.Add(30*time.Minute)), resized("camila.soto", "gce-internal-ip", start.Add(time.Hour)),
		} {
			entry(t, w, off).Want(t, 204, "")
		}
		same(t, fmt.Sprintf("seed %d, not listed", seed), alarms(t, w), []string{
			"violation address-not-registered asha 1", "violation address-not-registered emma 1", "violation address-not-registered erik 1"})
	}
}

// TestListUnread: while the list cannot be read nobody is judged by it; the entry comes again and is judged then.
func TestListUnread(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	leased(t, w, "emma", "81.2.69.142/32", w.Clock.Now(), w.Clock.Now().Add(time.Hour))
	for range 2 { // an instance that never read the list, and one that did a while ago
		text := resized("emma.dubois", "81.2.69.142", w.Clock.Now())
		w.Store.Down()
		if got := entry(t, w, text); got.Status != 503 {
			t.Errorf("answered %d", got.Status)
		}
		w.Store.Up()
		entry(t, w, text).Want(t, 204, "")
		w.Advance(t, time.Minute)
	}
	same(t, "alarms", alarms(t, w), nil)
}
