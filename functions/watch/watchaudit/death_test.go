package watchaudit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/watch/episode"
)

// story pushes entries of every sort, each again until it is acknowledged, as Pub/Sub does; on the way the instance may
// die, and another goes on.
func story(t *testing.T, w *functiontest.World, died func() bool, revive func()) {
	t.Helper()
	at := w.Clock.Now()
	push := func(topic, data string) {
		t.Helper()
		for try := 0; ; try++ {
			got := w.Event(t, "watchaudit", pushed(w, topic, data))
			dead := died()
			if dead {
				revive()
			}
			switch {
			case got.Status == 204:
				return
			case try > 1 || got.Status != 503 || !dead:
				t.Fatalf("answered %d at try %d", got.Status, try)
			}
		}
	}
	push(TopicEntries, "unreadable")
	push(TopicEntries, granted("1", "emma.dubois", at))
	push(TopicLeases, fmt.Sprintf(`{"lease":"l","prefix":"198.51.100.9/32","from":%q,"until":%q}`, at.Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339)))
	for i := range 3 {
		push(TopicEntries, acted(fmt.Sprint("a", i), "erik.vogel", fmt.Sprint("u", i), "", at.Add(time.Duration(i)*time.Second)))
	}
	push(TopicEntries, granted("2", "emma.dubois", at.Add(time.Minute)))
	for _, part := range parted(w) {
		push(TopicEntries, part)
	}
	push(TopicEntries, audited("c", "compute.googleapis.com", "v1.compute.disks.resize", "projects/p/zones/z/disks/one", "marc.petit", at, `"request":{}`))
}

// TestDeath: at whatever call of the database, the bus, the inbox or a key an instance dies, also right after a
// transaction whose success nobody heard of: the alarms, the records and the messages in the end are the same.
func TestDeath(t *testing.T) {
	t.Parallel()
	whole := told(t, "nothing", func(*functiontest.World) *functiontest.Switch { return &functiontest.Switch{} }, 0)
	for name, part := range map[string]func(w *functiontest.World) *functiontest.Switch{
		"store":    func(w *functiontest.World) *functiontest.Switch { return &w.Store },
		"applied":  func(w *functiontest.World) *functiontest.Switch { return &w.Applied },
		"bus":      func(w *functiontest.World) *functiontest.Switch { return &w.Bus },
		"inbox":    func(w *functiontest.World) *functiontest.Switch { return &w.Inbox },
		"evidence": func(w *functiontest.World) *functiontest.Switch { return &w.EvidenceKey },
		"message":  func(w *functiontest.World) *functiontest.Switch { return &w.MessageKey },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stride := max(map[string]int{"store": 31, "applied": 4, "bus": 3}[name]/require.Seeds(1), 1)
			for n := 0; ; n += stride {
				got := told(t, fmt.Sprintf("%s dead after %d calls", name, n), part, n)
				if got == nil {
					t.Logf("%s: %d calls", name, n)
					return
				}
				same(t, fmt.Sprintf("%s dead after %d calls", name, n), got, whole)
			}
		})
	}
}

// told plays the story in which a part dies after n calls, and returns what there is in the end: nil when it never died.
func told(t *testing.T, what string, part func(w *functiontest.World) *functiontest.Switch, n int) []string {
	t.Helper()
	w := functiontest.New(t, setup)
	cut := part(w)
	cut.DownAfter(n)
	failed := false
	story(t, w, func() bool {
		now := cut.Failed() > 0 && !failed
		failed = failed || now
		return now
	}, func() {
		cut.Up()
		w.Restart()
	})
	if !failed && what != "nothing" {
		return nil
	}
	cut.Up()
	for range 3 {
		w.Advance(t, 5*time.Minute)
		if _, err := w.Deps("watchaudit").Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if left := w.Pending(t, "watchaudit"); left != 0 {
		t.Errorf("%s: %d entries wait", what, left)
	}
	all := alarms(t, w)
	for name, count := range sent(t, w) {
		all = append(all, fmt.Sprint(name, " ", count))
	}
	slices.Sort(all)
	if w.Published(episode.TopicChanged) == nil {
		t.Errorf("%s: nobody was told of the disk", what)
	}
	return append(all, fmt.Sprint(documents(t, w, "listed"), " listed"), fmt.Sprint(documents(t, w, "split_parts"), " parts"))
}
