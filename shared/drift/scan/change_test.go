package scan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
)

// said are the lines of a place of the status.
func (w *world) said(place string) []string {
	w.t.Helper()
	s, err := w.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	at := slices.IndexFunc(s.Places, func(p Place) bool { return p.Place == place })
	if at < 0 {
		return nil
	}
	return s.Places[at].Unread
}

func (w *world) count(assertion string) finding.Count {
	w.t.Helper()
	all, _, err := w.Counts(w.t.Context())
	at := slices.IndexFunc(all, func(c finding.Count) bool { return c.Assertion == assertion })
	if err != nil || at < 0 {
		w.t.Fatal(all, err)
	}
	return all[at]
}

// TestChangeUnread: what is said to have changed and cannot be read is in order no more: nobody can tell, of it and of what looks
// at it, on any process, and it is named; as soon as it answers it is judged, though nobody says anything again.
func TestChangeUnread(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]error{"denied": denied, "nobody reads these": fault.New(fault.NotFound, "no service"), "the service is off": fault.New(fault.Misconfigured, "off"), "away": transient} {
		w := newWorld(t)
		w.ticks(2)
		key := door("live", "a", "").Key
		w.cloud.set(door("live", "a", "0.0.0.0/0"))
		w.cloud.fail(key, why)
		w.pass(time.Minute)
		if err := w.Look(t.Context(), "", key); (err != nil) != fault.Is(why, fault.Transient) {
			t.Fatal(name, err)
		}
		for range 2 {
			w.ticks(2)
			if c := w.count("doors"); c.Undetermined == 0 || c.Out != 0 {
				t.Errorf("%s: %+v", name, c)
			}
			if c := w.count("files"); c.Undetermined != 0 {
				t.Errorf("%s: %+v", name, c)
			}
			if got := w.said(Changes); len(got) != 1 || !strings.HasPrefix(got[0], firewall+": "+key+": ") {
				t.Errorf("%s: it is said %q", name, got)
			}
			w.restart()
		}
		calls := w.cloud.calls
		w.ticks(60)
		if n := w.cloud.calls - calls; n > 10 {
			t.Errorf("%s: asked %d times in an hour", name, n)
		}
		w.cloud.fail(key, nil)
		w.ticks(60)
		w.want(name+": it answers", "a doors open")
		if got := w.said(Changes); got != nil {
			t.Errorf("%s: it answers, and it is said %q", name, got)
		}
	}
}

// TestReadAgain: what was read once by itself is read again while a list may not tell of it, and not every night for ever; what is as
// it was known is not read again at all.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticks(2)
	changed, same := door("live", "a", "10.0.0.0/9"), door("live", "b", "")
	w.pass(time.Hour)
	w.cloud.set(changed)
	w.look(changed.Key)
	w.look(same.Key)
	var asked []string
	w.cloud.asked = func(key string) { asked = append(asked, asset.Base(key)) }
	for range 20 {
		w.pass(24 * time.Hour)
		w.ticks(3)
	}
	if !slices.Equal(asked, []string{"a"}) {
		t.Errorf("read again: %v", asked)
	}
	w.want("in order all the time")
}

// TestUnreadAgain: what changes again and again, and can never be read, stays unknown, whatever lists come meanwhile; when nothing was said
// for longer than lists are behind, the list is believed.
func TestUnreadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticks(2)
	key := door("live", "a", "").Key
	w.cloud.fail(key, denied)
	for range 4 {
		w.look(key)
		w.pass(24 * time.Hour)
		w.ticks(2)
		if c := w.count("doors"); c.Undetermined == 0 {
			t.Errorf("%s: %+v", w.clock.Now(), c)
		}
	}
	for range 3 {
		w.pass(24 * time.Hour)
		w.ticks(2)
	}
	if c := w.count("doors"); c.Undetermined != 0 || w.said(Changes) != nil {
		t.Errorf("three days later: %+v %q", c, w.said(Changes))
	}
}
