package promise_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

func TestSnapshot(t *testing.T) {
	t.Parallel()
	reg := register()
	s := good(reg)
	s.wrong("tls", start, "W1")
	s.observe("tls", start, "M1").Result.State = record.Broken
	s.wrong("otp-gate", start, "O1")
	l := fold(t, reg, s.records)
	got := promise.Snap(l, "house.example/evidence", l.Size(), "cm9vdA==", start.Add(1234567*time.Nanosecond))
	var order []string
	sum := 0
	for _, r := range got.Promises {
		order = append(order, r.ID)
	}
	for _, n := range got.Counts {
		sum += n
	}
	// Broken ones first and critical ones first of those; N1 runs nowhere.
	if want := []string{"O1", "F1", "M1", "U1", "W1", "N1"}; !slices.Equal(order[:6], want) {
		t.Errorf("order %v, want %v first", order, want)
	}
	if len(got.Counts) != 7 || sum != len(reg.Promises) || got.Counts[record.Broken] != 5 || got.Counts[promise.Stale] != 0 {
		t.Errorf("counts %v", got.Counts)
	}
	if !got.At.Equal(start.Add(time.Millisecond)) || got.Register != reg.Digest() || got.Size != int64(len(s.records)) {
		t.Errorf("%s, %s, %d", got.At, got.Register, got.Size)
	}
	data := got.Canonical()
	for range 3 {
		again := promise.Snap(fold(t, reg, s.records), "house.example/evidence", l.Size(), "cm9vdA==", start.Add(time.Millisecond))
		if !bytes.Equal(again.Canonical(), data) {
			t.Fatal("another run, other bytes")
		}
	}
	var back promise.Snapshot
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	// The standard library sorts the names of maps and writes as little as it can, too.
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := decoder.Decode(&tree); err != nil || encoder.Encode(tree) != nil || !bytes.Equal(bytes.TrimSpace(plain.Bytes()), data) {
		t.Errorf("not canonical (%v)", err)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	reg := register()
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	page := func(s *story, at time.Time) { s.add(record.Page, promise.PageControl, at).Result.State = record.Pass }
	s := &story{}
	s.seal(midnight)
	s.sign(reg, "S1", midnight.AddDate(0, -1, 0))
	// A day of pages, a day of which nothing was seen after six o'clock, and one page today.
	for i := range 96 + 25 {
		at := midnight.Add(time.Duration(i) * 15 * time.Minute)
		s.run("database-exposure", at.Add(-time.Minute))
		page(s, at)
		s.seal(at)
	}
	page(s, midnight.AddDate(1, 0, 0)) // by a clock that was wrong
	s.seal(midnight.Add(48 * time.Hour))
	found := *s.wrong("database-exposure", midnight.Add(48*time.Hour), "A1")
	page(s, midnight.Add(48*time.Hour))
	s.closes(record.Remediation, "database-exposure", midnight.Add(48*time.Hour), found)
	page(s, midnight.Add(time.Hour)) // late, and passed over
	s.seal(midnight.Add(49 * time.Hour))
	l := fold(t, reg, s.records)
	row := rowOf(promise.Snap(l, "o", l.Size(), "r", midnight.Add(49*time.Hour)), "A1")
	if row.History.From != "2025-12-06" || len(row.History.Days) != 90 || !strings.HasSuffix(row.History.Days, "---kub") {
		t.Errorf("strip %+v", row.History)
	}
	const hour = 3600
	want := map[record.State]int64{
		record.Kept:    30*hour + 1200,                  // to six o'clock, and while the last page counts
		record.Unknown: 18*hour - 1200 + 1*hour - 20*60, // nobody looked; the last hour but for twenty minutes
		record.Broken:  20 * 60,
	}
	for i, share := range row.Shares {
		if diff := cmp.Diff(want, share.Seconds); diff != "" || share.Days != []int{30, 365}[i] {
			t.Errorf("share of %d days (-want +got):\n%s", share.Days, diff)
		}
	}
	if row.Shares[0].PerMille(record.Kept) != int((30*hour+1200)*1000/(49*hour)) || (promise.Share{}).PerMille(record.Kept) != 0 {
		t.Errorf("%d of a thousand", row.Shares[0].PerMille(record.Kept))
	}
	signed := rowOf(promise.Snap(l, "o", l.Size(), "r", midnight.Add(49*time.Hour)), "S1")
	if !strings.HasSuffix(signed.History.Days, "-auu") || !signed.Since.Equal(midnight.AddDate(0, -1, 0)) {
		t.Errorf("%s since %s", signed.History.Days, signed.Since)
	}
	// What was kept all the time has been so since the first page that said it.
	then := slices.DeleteFunc(s.records, func(r record.Record) bool { return r.Source.Observed.After(midnight.Add(30 * time.Hour)) })
	if before := promise.State(fold(t, reg, then), "A1", midnight.Add(30*time.Hour)); before.State != record.Kept {
		t.Errorf("at six: %+v", before)
	}
}

func rowOf(s promise.Snapshot, id string) promise.Row {
	return s.Promises[slices.IndexFunc(s.Promises, func(r promise.Row) bool { return r.ID == id })]
}

// TestHistoryIsBounded: whatever page records say, a piece stays small.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	reg := register()
	s := &story{}
	for i := range 300 {
		s.seal(start.AddDate(0, 0, 7*i))
		s.add(record.Page, promise.PageControl, start.AddDate(0, 0, 7*i)).Result.State = record.Pass
	}
	for i := range 500 {
		s.run("tls", start).Run = int64(2*i + 1)
	}
	l := fold(t, reg, s.records)
	for name, data := range l.Pieces() {
		if len(data) > 40_000 {
			t.Errorf("%s has %d bytes", name, len(data))
		}
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	reg := register()
	data := reg.Canonical()
	back, err := promise.ReadRegister(data)
	if err != nil || !bytes.Equal(back.Canonical(), data) || back.Digest() != reg.Digest() {
		t.Fatalf("read back: %v", err)
	}
	if again := register(); !bytes.Equal(again.Canonical(), data) {
		t.Error("another run, other bytes")
	}
	const want = `{"check":"check-F","id":"F1","kept_by":[{"mechanism":"records","refs":["otp-gate"]}],"same_as":"O1","severity":"high","source":{},"text":{"fr":"Phrase F1."},"text_hash":"`
	if !strings.Contains(string(data), want) {
		t.Errorf("%s\nis not in\n%s", want, data)
	}
	if promise.TextHash(policy.Text{EN: "A.", DE: "B."}) != record.Digest([]byte(`{"de":"B.","en":"A."}`)) {
		t.Error("the hash of a text is another one")
	}
	const odd = "\"q\" \\ \b\f\n\r\t\x01<&>\u2028é😀{[,]}"
	if promise.TextHash(policy.Text{EN: odd}) != record.Digest([]byte(`{"en":"\"q\" \\ \b\f\n\r\t\u0001<&>`+"\u2028é😀"+`{[,]}"}`)) {
		t.Error("odd characters are written otherwise")
	}
	text := string(data)
	for name, bad := range map[string]string{
		"white space":      text + "\n",
		"another version":  strings.Replace(text, `"v":1`, `"v":2`, 1),
		"unknown name":     strings.Replace(text, `"v":1`, `"v":1,"w":1`, 1),
		"changed text":     strings.Replace(text, "Phrase F1.", "Phrase F9.", 1),
		"an id twice":      strings.Replace(text, `"id":"R1"`, `"id":"A1"`, 1),
		"same as itself":   strings.Replace(text, `"same_as":"O1"`, `"same_as":"F1"`, 1),
		"same as nobody":   strings.Replace(text, `"same_as":"O1"`, `"same_as":"Z1"`, 1),
		"no period":        strings.Replace(text, `"P2D"`, `"soon"`, 1),
		"no period either": strings.Replace(text, `"P90D"`, `"soon"`, 1),
		"empty":            "",
	} {
		if bad == text {
			t.Fatal(name)
		}
		if _, err := promise.ReadRegister([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoEnd: promises made of each other, which no policy loads with, are nobody's.
func TestNoEnd(t *testing.T) {
	t.Parallel()
	reg := promise.NewRegister(&policy.Policy{Promises: []policy.Promise{
		{ID: "A", KeptBy: []policy.Keeper{keeper(policy.Rollup, "B")}}, {ID: "B", KeptBy: []policy.Keeper{keeper(policy.Rollup, "A", "nobody")}},
	}}, nil)
	if got := states(promise.NewLedger(reg), start); !maps.Equal(got, map[string]string{"A": "unknown: not running", "B": "unknown: not running"}) {
		t.Errorf("%v", got)
	}
}
