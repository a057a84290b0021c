package scan

import (
	"context"
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store/storetest"
)

// TestNight: one list finds what is out of order, the next what is no more.
func TestNight(t *testing.T) {
	t.Parallel()
	aNight(t, newWorld(t))
}

func aNight(t *testing.T, w *world) {
	t.Helper()
	w.cloud.set(door("live", "b", "0.0.0.0/0"))
	w.cloud.set(files("other", "g", "allUsers"))
	w.ticks(1)
	w.want("the first list", "b doors settling", "g files open")
	w.ticks(3)
	w.want("it stands", "b doors open", "g files open")
	counts, is, err := w.Counts(t.Context())
	if err != nil || !is || len(counts) != 3 || counts[0].Assertion != "doors" || counts[0].Expected != 4 || counts[0].Out != 1 || counts[0].Undetermined != 0 || counts[2].Expected != 1 {
		t.Errorf("counts: %+v %v %v", counts, is, err)
	}
	calls := w.cloud.calls
	w.ticks(10)
	if w.cloud.calls != calls {
		t.Errorf("%d calls more before the night", w.cloud.calls-calls)
	}
	w.cloud.set(door("live", "b", "10.0.0.0/8"))
	w.pass(16 * time.Hour)
	w.ticks(1)
	w.want("the next list", "b doors healed", "g files open")
	s, err := w.Status(t.Context())
	if err != nil || len(s.Places) != 4 || s.Running || s.Places[0].Assets != 5 || s.Places[0].Read.IsZero() || s.Places[0].Failed != "" {
		t.Errorf("status: %+v %v", s, err)
	}
}

// TestKilledAnywhere: wherever a process dies, at a call of the database or of the source, the next goes on, and the
// result is the same.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	build := func() *world {
		w := newWorld(t)
		w.cloud.set(door("live", "c", "0.0.0.0/0"))
		w.cloud.set(files("live", "f", "allUsers"))
		return w
	}
	whole := build()
	whole.ticks(5)
	want, counts := whole.findings(), countsOf(t, whole)
	if len(want) != 2 {
		t.Fatal(want)
	}
	for n := 1; ; n += max(4/require.Seeds(1), 1) {
		w := build()
		died := false
		calls := 0
		w.faults = func(storetest.Point, int) error {
			if calls++; calls >= n {
				died = true
				return storetest.ErrInjected // from here on the process is dead
			}
			return nil
		}
		_ = w.tick()
		w.faults = nil
		if !died {
			t.Logf("%d calls", n)
			break
		}
		w.restart()
		w.pass(3 * time.Minute) // its lease ends
		w.ticks(6)
		if got := w.findings(); !slices.Equal(got, want) {
			t.Fatalf("dead at call %d: %v, want %v", n, got, want)
		}
		if got := countsOf(t, w); got != counts {
			t.Fatalf("dead at call %d: counts %s, want %s", n, got, counts)
		}
	}
	for cut := 1; cut < 12; cut++ {
		w := build()
		ctx, stop := context.WithCancel(t.Context())
		w.cloud.cut, w.cloud.stop = cut, stop
		_ = w.Run(ctx)
		w.cloud.cut = 0
		w.restart()
		w.ticks(6)
		if got := w.findings(); !slices.Equal(got, want) {
			t.Fatalf("stopped at page %d: %v, want %v", cut, got, want)
		}
	}
}

func countsOf(t *testing.T, w *world) string {
	t.Helper()
	counts, _, err := w.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range counts {
		b.WriteString(c.Assertion)
		for _, n := range []int64{c.Expected, c.Seen, c.Undetermined, c.Out} {
			b.WriteString(" " + string(rune('0'+n)))
		}
	}
	return b.String()
}

// TestTwoProcesses: a list belongs to one of them, and the other does nothing meanwhile.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	twoProcesses(t, newWorld(t))
}

func twoProcesses(t *testing.T, w *world) {
	t.Helper()
	first := &lister{Service: w.Service}
	if mine, err := first.take(t.Context()); err != nil || !mine {
		t.Fatal(mine, err)
	}
	if whole, err := w.List(t.Context()); whole || err != nil || w.cloud.calls != 0 {
		t.Errorf("beside another: %v %v, %d calls", whole, err, w.cloud.calls)
	}
	w.pass(lease + time.Second)
	if whole, err := w.List(t.Context()); !whole || err != nil {
		t.Errorf("after it died: %v %v", whole, err)
	}
	if done, err := first.slice(t.Context()); done || err == nil {
		t.Errorf("the dead one goes on: %v %v", done, err)
	}
}

// TestRefusedPlace: of a place that may not be listed nothing is said but that nobody can tell; what was known of it stays, and
// is never called missing or healed.
func TestRefusedPlace(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"denied": denied, "away": transient} {
		w := newWorld(t)
		w.cloud.set(door("other", "d", "0.0.0.0/0"))
		w.cloud.set(door("live", "a", "0.0.0.0/0"))
		w.ticks(4)
		w.want(name, "a doors open", "d doors open")
		w.cloud.fail("projects/other", err)
		w.cloud.set(door("other", "d", "10.0.0.0/8"))
		w.cloud.set(door("live", "a", "10.0.0.0/8"))
		w.pass(20 * time.Hour)
		w.ticks(12)
		w.want(name+": the next night", "a doors healed", "d doors open unknown")
		s, _ := w.Status(t.Context())
		if s.Places[2].Place != "projects/other" || s.Places[2].Failed == "" || s.Places[0].Failed != "" {
			t.Errorf("%s: %+v", name, s.Places)
		}
		counts, _, _ := w.Counts(t.Context())
		if counts[0].Undetermined != 1 || counts[0].Expected != 4 || counts[2].Undetermined != 1 {
			t.Errorf("%s: %+v", name, counts)
		}
		w.cloud.fail("projects/other", nil)
		w.pass(7 * time.Hour)
		w.ticks(1)
		w.want(name+": readable again", "a doors healed", "d doors healed")
	}
}

// TestSuddenlyNothing: a kind of thing of which there was something and is nothing is not gone, unless asked for one by one it
// is.
func TestSuddenlyNothing(t *testing.T) {
	t.Parallel()
	suddenlyNothing(t, newWorld(t))
}

func suddenlyNothing(t *testing.T, w *world) {
	t.Helper()
	w.cloud.set(door("live", "b", "0.0.0.0/0"))
	w.ticks(4)
	w.want("at first", "b doors open")
	w.cloud.hide(firewall, true)
	w.pass(20 * time.Hour)
	w.ticks(1)
	w.want("nothing, but it answers by itself", "b doors open")
	w.cloud.fail(door("live", "b", "").Key, denied)
	w.pass(7 * time.Hour)
	w.ticks(1)
	w.want("nothing", "b doors open unknown")
	s, _ := w.Status(t.Context())
	if !slices.Equal(s.Places[0].Lost, []string{firewall}) {
		t.Errorf("status: %+v", s.Places)
	}
	w.pass(24 * time.Hour)
	w.ticks(1)
	w.want("nothing on the next day", "b doors open unknown")
	w.cloud.hide(firewall, false)
	w.cloud.fail(door("live", "b", "").Key, nil)
	for _, name := range []string{"a", "b", "c"} {
		w.cloud.drop(door("live", name, "").Key)
	}
	w.pass(24 * time.Hour)
	w.ticks(1)
	w.want("all of them deleted", "b doors healed")
}

// TestTruncated: a list whose places stop being places is begun again, one that leads nowhere ends, and a page that is cut off is
// none.
func TestTruncated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.set(door("live", "c", "0.0.0.0/0"))
	w.cloud.fail("projects/live resource 2", errInvalid)
	w.ticks(1)
	w.want("cut off")
	w.cloud.fail("projects/live resource 2", nil)
	w.ticks(4)
	w.want("begun again", "c doors open")
	if s, _ := w.Status(t.Context()); s.Places[0].Assets != 5 {
		t.Errorf("counted twice: %+v", s.Places[0])
	}
}

// TestUnreadLines: what a list says it could not read is neither in order nor healed; what it could read is judged. Where it does
// not say of which type that was, that goes for all types, and it is listed again before the night.
func TestUnreadLines(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		firewall + ": number 1 of a page could not be read": {"a doors settling", "b doors open unknown", "c doors open", "f files healed"},
		"b.json: it is cut off":                             {"a doors settling", "b doors open unknown", "c doors open", "f files healed"},
	} {
		w := newWorld(t)
		b := door("live", "b", "0.0.0.0/0")
		w.cloud.set(b)
		w.cloud.set(door("live", "c", "0.0.0.0/0"))
		w.cloud.set(files("live", "f", "allUsers"))
		w.ticks(5)
		w.want("found", "b doors open", "c doors open", "f files open")
		w.cloud.drop(b.Key)
		w.cloud.fail(b.Key, denied)
		w.cloud.unread = map[string][]string{"projects/live resource": {line}}
		w.cloud.set(door("live", "a", "0.0.0.0/0"))
		w.cloud.set(files("live", "f"))
		w.pass(24 * time.Hour)
		w.ticks(2)
		w.want(line, want...)
		all, _, err := w.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if (c.Undetermined > 0) != (c.Assertion == "doors" || !strings.Contains(line, "number")) {
				t.Errorf("%s: %+v", line, c)
			}
		}
		w.cloud.unread = nil
		w.cloud.fail(b.Key, nil)
		w.pass(7 * time.Hour)
		w.ticks(2)
		w.want("seven hours later", "a doors open", "b doors healed", "c doors open", "f files healed") // it answers by itself
		if s, _ := w.Status(t.Context()); w.clock.Now().Sub(s.Began) < time.Hour == strings.Contains(line, "number") {
			t.Errorf("%s: listed at %s, and now it is %s", line, s.Began, w.clock.Now())
		}
	}
}

// TestManyUnread: more lines of what could not be read than are kept hide no type, and what was known of it is kept.
func TestManyUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.set(files("live", "f", "allUsers"))
	w.ticks(2)
	f := files("live", "f")
	var lines []string
	for n := range 60 {
		lines = append(lines, firewall+": number "+strconv.Itoa(n)+" of a page could not be read")
	}
	w.cloud.unread = map[string][]string{"projects/live resource": append(lines, bucket+": number 1 of a page could not be read"), "projects/live iam": {bucket + ": number 1 of a page could not be read"}}
	for range 5 {
		w.cloud.drop(f.Key)
		w.cloud.fail(f.Key, denied)
		w.pass(24 * time.Hour)
		w.ticks(2)
		w.want("a type behind fifty lines of another", "f files open unknown")
		if c := w.count("files"); c.Undetermined == 0 {
			t.Errorf("%+v", c)
		}
		if err := w.learned(); err != nil {
			t.Fatal(err)
		}
		if a, there := w.known.live.Get(bucket, f.Key); !there || a.IAM == nil || a.Data == nil || !a.Read.Before(w.clock.Now().Add(-23*time.Hour)) {
			t.Errorf("what was known of it: %+v", a)
		}
	}
	var h head
	if err := w.store.Get(t.Context(), scans, headID, &h); err != nil {
		t.Fatal(err)
	}
	var l lane
	if err := w.store.Get(t.Context(), scans, laneID(h.Whole, 0), &l); err != nil || len(l.Old) > mostOld || len(l.Unread) > asset.MaxUnread || !slices.Equal(l.Dim, []string{firewall, bucket}) {
		t.Errorf("%d older parts, %d lines, %v: %v", len(l.Old), len(l.Unread), l.Dim, err)
	}
	w.cloud.unread = nil
	w.cloud.fail(f.Key, nil)
	w.pass(24 * time.Hour)
	w.ticks(2)
	w.want("it is gone", "f files healed")
}

// TestMuch: what does not fit into one document, or one transaction, is stored in several, and read again as it was.
func TestMuch(t *testing.T) {
	t.Parallel()
	much(t, newWorld(t))
}

func much(t *testing.T, w *world) {
	t.Helper()
	w.cloud.page = 100
	random := rand.NewChaCha8([32]byte{7})
	for n := range 16 {
		a := door("live", "x"+string(rune('a'+n%26))+string(rune('a'+n/26)), "10.0.0.0/8")
		noise := make([]byte, 200_000)
		_, _ = random.Read(noise)
		a.Data["description"] = base64.StdEncoding.EncodeToString(noise)
		w.cloud.set(a)
	}
	w.ticks(1)
	if err := w.learned(); err != nil {
		t.Fatal(err)
	}
	if kinds := w.known.live.Kinds(); kinds[firewall] != 20 {
		t.Errorf("known: %v", kinds)
	}
	var h head
	if err := w.store.Get(t.Context(), scans, headID, &h); err != nil {
		t.Fatal(err)
	}
	var l lane
	if err := w.store.Get(t.Context(), scans, laneID(h.Whole, 0), &l); err != nil || l.Chunks <= maxGroup {
		t.Errorf("%d chunks: %v", l.Chunks, err)
	}
}

func (w *world) learned() error {
	w.Service.mu.Lock()
	defer w.Service.mu.Unlock()
	_, err := w.learn(context.Background())
	return err
}

var errInvalid = fault.New(fault.Invalid, "no such page")
