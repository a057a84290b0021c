package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

var observed = time.Date(2026, 11, 21, 9, 58, 41, 120e6, time.UTC)

var salt = bytes.Repeat([]byte{7}, 16)

// backup is a record with every field set.
func backup() record.Record {
	r := record.New(record.Observation, "backup-freshness", "projects/p/tick/2026-11-21T09:58", "B109", "B110")
	r.PromiseText = record.Digest([]byte("Backups are at most an hour old."))
	r.Code, r.Config = record.Digest([]byte("code")), record.Digest([]byte("policy"))
	r.Source.Type, r.Source.Observed, r.Source.Collected = "scheduler", observed, observed.Add(19*time.Second)
	r.Method = record.Test
	r.Window = record.Window{From: observed.Add(-15 * time.Minute), To: observed}
	r.Run = 18211
	r.Population = &record.Population{Expected: 12, Seen: 12}
	r.Result = record.Result{State: record.Kept, Metric: "rpo_s", Value: 1260, Op: "<=", Limit: 3600}
	r.Facts = map[string]string{"zone": "America/Argentina/Buenos_Aires", "step_delta": "-1"}
	r.Subjects = []record.Subject{{Type: "store", C: record.Commitment(salt, "store", "projects/p/databases/d")}}
	r.Payload = record.Payload{C: record.Digest([]byte("sealed")), Bytes: 4312}
	r.Refs = []record.Ref{{Rel: "closes", ID: record.New(record.Finding, "backup-freshness", "earlier", "B109").ID()}}
	r.Expires = observed.Add(30 * time.Minute)
	return r
}

// attempt is a record with what must be there and little more.
func attempt() record.Record {
	r := record.New(record.Access, "otp-check", "request-7")
	r.Source.Collected = observed
	return r
}

func TestID(t *testing.T) {
	t.Parallel()
	base := record.New(record.Run, "control", "event", "P1", "P2").ID()
	if len(base) != 32 || strings.Trim(base, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("id %q", base)
	}
	for name, same := range map[string]record.Record{
		"again":         record.New(record.Run, "control", "event", "P1", "P2"),
		"other order":   record.New(record.Run, "control", "event", "P2", "P1"),
		"with a repeat": record.New(record.Run, "control", "event", "P2", "P1", "P2"),
	} {
		if same.ID() != base {
			t.Errorf("%s: id %s, want %s", name, same.ID(), base)
		}
	}
	for name, other := range map[string]record.Record{
		"kind":         record.New(record.Gap, "control", "event", "P1", "P2"),
		"control":      record.New(record.Run, "controls", "event", "P1", "P2"),
		"event":        record.New(record.Run, "control", "events", "P1", "P2"),
		"fewer":        record.New(record.Run, "control", "event", "P1"),
		"none":         record.New(record.Run, "control", "event"),
		"joined":       record.New(record.Run, "control", "event", "P1P2"),
		"shifted":      record.New(record.Run, "contro", "levent", "P1", "P2"),
		"no event":     record.New(record.Run, "control", "", "P1", "P2"),
		"other stages": record.New(record.Run, "control", "event#done", "P1", "P2"),
	} {
		if other.ID() == base {
			t.Errorf("%s: the same id", name)
		}
	}
}

func TestCommitment(t *testing.T) {
	t.Parallel()
	base := record.Commitment(salt, "person", "p-1")
	if len(base) != len("hmac:")+52 || base != record.Commitment(salt, "person", "p-1") {
		t.Errorf("commitment %q", base)
	}
	for name, other := range map[string]string{
		"value": record.Commitment(salt, "person", "p-2"), "kind": record.Commitment(salt, "prefix", "p-1"),
		"shifted": record.Commitment(salt, "personp", "-1"), "salt": record.Commitment(bytes.Repeat([]byte{8}, 16), "person", "p-1"),
	} {
		if other == base {
			t.Errorf("%s: the same commitment", name)
		}
	}
	weak := attempt()
	weak.Subjects = []record.Subject{{Type: "person", C: record.Commitment(salt[:15], "person", "p-1")}}
	if _, err := weak.Canonical(); !fault.Is(err, fault.Invalid) {
		t.Errorf("a weak salt: %v", err)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, r := range []record.Record{backup(), attempt()} {
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		got, err := record.Parse(data)
		if err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		if diff := cmp.Diff(r, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
	}
}

func TestCanonicalNormalises(t *testing.T) {
	t.Parallel()
	want, err := backup().Canonical()
	if err != nil {
		t.Fatal(err)
	}
	r := backup()
	r.Promises = []string{"B110", "B109", "B110"}
	r.Source.Observed = r.Source.Observed.Add(999 * time.Microsecond).In(time.FixedZone("", 19800))
	if got, err := r.Canonical(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
	if r.Promises[0] != "B110" {
		t.Error("the caller's record was changed")
	}
}

func TestPopulationForcesUnknown(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		population *record.Population
		state      record.State
		want       record.State
	}{
		"whole":              {&record.Population{Expected: 3, Seen: 3}, record.Kept, record.Kept},
		"nothing to look at": {&record.Population{}, record.Kept, record.Kept},
		"more than expected": {&record.Population{Expected: 3, Seen: 4}, record.Kept, record.Kept},
		"not counted":        {nil, record.Broken, record.Broken},
		"one missing":        {&record.Population{Expected: 3, Seen: 2}, record.Kept, record.Unknown},
		"one error":          {&record.Population{Expected: 3, Seen: 3, Errors: 1}, record.Kept, record.Unknown},
		"broken, one error":  {&record.Population{Expected: 3, Seen: 3, Errors: 1}, record.Broken, record.Unknown},
		"no state given":     {&record.Population{Expected: 3}, "", record.Unknown},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := attempt()
			r.Population, r.Result.State = c.population, c.state
			data, err := r.Canonical()
			if err != nil {
				t.Fatal(err)
			}
			got, err := record.Parse(data)
			if err != nil || got.Result.State != c.want {
				t.Errorf("state %q, %v, want %q", got.Result.State, err, c.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		field string
		spoil func(r *record.Record)
	}{
		"no kind":                {"kind", func(r *record.Record) { r.Kind = "" }},
		"unknown kind":           {"kind", func(r *record.Record) { r.Kind = "ada@customer.example" }},
		"no control":             {"control", func(r *record.Record) { r.Control = "" }},
		"free text":              {"control", func(r *record.Record) { r.Control = "two words" }},
		"e-mail address":         {"facts", func(r *record.Record) { r.Facts["who"] = "ada@customer.example" }},
		"IPv4 address":           {"facts", func(r *record.Record) { r.Facts["from"] = "81.2.69.142" }},
		"IPv4 prefix":            {"facts", func(r *record.Record) { r.Facts["from"] = "81.2.69.142/32" }},
		"IPv4 and port":          {"facts", func(r *record.Record) { r.Facts["from"] = "81.2.69.142:443" }},
		"IPv6 address":           {"facts", func(r *record.Record) { r.Facts["from"] = "2001:db8::1" }},
		"IPv6 prefix":            {"facts", func(r *record.Record) { r.Facts["from"] = "2001:db8::/64" }},
		"empty fact":             {"facts", func(r *record.Record) { r.Facts["x"] = "" }},
		"fact's name":            {"facts", func(r *record.Record) { r.Facts["X"] = "y" }},
		"too many facts":         {"facts", func(r *record.Record) { r.Facts = many(33) }},
		"not ASCII":              {"promises", func(r *record.Record) { r.Promises = []string{"é"} }},
		"promise with NUL":       {"promises", func(r *record.Record) { r.Promises = []string{"B1\x00"} }},
		"no event":               {"source.event", func(r *record.Record) { r.Source.Event = "" }},
		"event in clear":         {"source.event", func(r *record.Record) { r.Source.Event = "insertId-7" }},
		"not collected":          {"source.collected", func(r *record.Record) { r.Source.Collected = time.Time{} }},
		"year 10000":             {"source.observed", func(r *record.Record) { r.Source.Observed = observed.AddDate(8000, 0, 0) }},
		"half a window":          {"window", func(r *record.Record) { r.Window.To = time.Time{} }},
		"window backwards":       {"window", func(r *record.Record) { r.Window.From, r.Window.To = r.Window.To, r.Window.From }},
		"method":                 {"method", func(r *record.Record) { r.Method = "GUESS" }},
		"run":                    {"run", func(r *record.Record) { r.Run = -1 }},
		"population":             {"population", func(r *record.Record) { r.Population.Errors = -1 }},
		"state":                  {"result.state", func(r *record.Record) { r.Result.State = "fine" }},
		"stale is never found":   {"result.state", func(r *record.Record) { r.Result.State = "stale" }},
		"metric without a state": {"result.state", func(r *record.Record) { r.Result.State = "" }},
		"value without a metric": {"result.op", func(r *record.Record) { r.Result.Metric = "" }},
		"limit without an op":    {"result.limit", func(r *record.Record) { r.Result.Op = "" }},
		"op":                     {"result.op", func(r *record.Record) { r.Result.Op = "=" }},
		"value beyond 2^53-1":    {"result.value", func(r *record.Record) { r.Result.Value = 1 << 53 }},
		"limit beyond 2^53-1":    {"result.limit", func(r *record.Record) { r.Result.Limit = -1 << 53 }},
		"subject in clear":       {"subjects", func(r *record.Record) { r.Subjects[0].C = "p-1" }},
		"subject as a hash":      {"subjects", func(r *record.Record) { r.Subjects[0].C = record.Digest([]byte("81.2.69.142")) }},
		"reference":              {"refs", func(r *record.Record) { r.Refs[0].ID = "case-7" }},
		"payload without bytes":  {"payload", func(r *record.Record) { r.Payload.C = "" }},
		"digest":                 {"config", func(r *record.Record) { r.Config = "sha256:" + strings.Repeat("A", 64) }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := backup()
			c.spoil(&r)
			data, err := r.Canonical()
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), ": "+c.field+" is not") {
				t.Fatalf("%s, %v, want a word on %s", data, err, c.field)
			}
			if strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), "81.2") {
				t.Errorf("the error reveals the value: %v", err)
			}
		})
	}
}

func many(n int) map[string]string {
	facts := map[string]string{}
	for i := range n {
		facts[fmt.Sprintf("f%d", i)] = "x"
	}
	return facts
}

func TestCanonicalSize(t *testing.T) {
	t.Parallel()
	r := attempt()
	for i := range 700 {
		r.Subjects = append(r.Subjects, record.Subject{Type: "person", C: record.Commitment(salt, "person", fmt.Sprint(i))})
	}
	data, err := r.Canonical()
	if err != nil || len(data) > record.MaxBytes {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	r.Subjects = append(r.Subjects, r.Subjects...)
	if _, err := r.Canonical(); !fault.Is(err, fault.Invalid) {
		t.Errorf("twice as much: %v", err)
	}
	small, err := attempt().Canonical()
	if err != nil || len(small) > 1024 {
		t.Errorf("an ordinary record has %d bytes (%v)", len(small), err)
	}
}

// canonical is RFC 8785 for what a record may hold, written a second time: names sorted by UTF-16 units (bytes, for
// ASCII), no white space, no escapes.
func canonical(v any) string {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		parts := make([]string, len(names))
		for i, name := range names {
			parts[i] = `"` + name + `":` + canonical(v[name])
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = canonical(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case json.Number:
		return v.String()
	case string:
		return `"` + v + `"`
	}
	panic(fmt.Sprintf("%T in a record", v))
}

// random makes a record in which every field is sometimes there.
func random(r *rand.Rand) record.Record {
	at := func() time.Time { return observed.Add(time.Duration(r.Int64N(1e18))).Round(0) }
	word := func() string { return fmt.Sprintf("w%d.%s", r.IntN(100), strings.Repeat("x", r.IntN(20))) }
	number := func() int64 { return r.Int64N(1<<54-1) - (1<<53 - 1) }
	all := []record.Kind{record.Run, record.Observation, record.Finding, record.Access, record.Gap, record.DSR, record.Page}
	out := record.New(all[r.IntN(len(all))], word(), word())
	for range r.IntN(4) {
		out.Promises = append(out.Promises, word())
	}
	out.Source.Collected = at()
	maybe := func(set func()) {
		if r.IntN(2) == 0 {
			set()
		}
	}
	maybe(func() { out.PromiseText = record.Digest([]byte(word())) })
	maybe(func() { out.Code = record.Digest([]byte(word())) })
	maybe(func() { out.Config = record.Digest([]byte(word())) })
	maybe(func() { out.Source.Type = word() })
	maybe(func() { out.Source.Observed = at() })
	maybe(func() { out.Method = record.Examine })
	maybe(func() { from := at(); out.Window = record.Window{From: from, To: from.Add(time.Hour)} })
	maybe(func() { out.Run = 1 + r.Int64N(1<<53-1) })
	maybe(func() {
		out.Population = &record.Population{Expected: r.Int64N(3), Seen: r.Int64N(3), Errors: r.Int64N(2)}
	})
	maybe(func() { out.Result.State = record.Broken })
	if out.Result.State != "" {
		maybe(func() { out.Result.Metric, out.Result.Value = word(), number() })
		if out.Result.Metric != "" {
			maybe(func() { out.Result.Op, out.Result.Limit = ">=", number() })
		}
	}
	maybe(func() { out.Facts = many(r.IntN(5)) })
	for range r.IntN(3) {
		out.Subjects = append(out.Subjects, record.Subject{Type: word(), C: record.Commitment(salt, "x", word())})
		out.Refs = append(out.Refs, record.Ref{Rel: word(), ID: record.New(record.Run, word(), word()).ID()})
	}
	maybe(func() { out.Payload = record.Payload{C: record.Commitment(salt, "x", word()), Bytes: r.Int64N(1000)} })
	maybe(func() { out.Expires = at() })
	return out
}

// TestProperties: one writing, one reading, one name; the writing is RFC 8785's; one byte changed is refused or
// another record.
func TestProperties(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		for range 20 {
			in := random(r)
			data, err := in.Canonical()
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			out, err := record.Parse(data)
			if err != nil {
				t.Fatalf("seed %d: %v: %s", seed, err, data)
			}
			again, err := out.Canonical()
			if err != nil || !bytes.Equal(again, data) || out.ID() != in.ID() {
				t.Fatalf("seed %d: written again, %v:\n%s\n%s", seed, err, data, again)
			}
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.UseNumber()
			var tree any
			if err := decoder.Decode(&tree); err != nil || canonical(tree) != string(data) {
				t.Fatalf("seed %d: by RFC 8785 it is (%v)\n%s\nnot\n%s", seed, err, canonical(tree), data)
			}
			flipped := bytes.Clone(data)
			flipped[r.IntN(len(data))] ^= 1 << r.IntN(7)
			if other, err := record.Parse(flipped); err == nil && cmp.Equal(other, out) {
				t.Fatalf("seed %d: two writings of one record:\n%s\n%s", seed, data, flipped)
			}
		}
	}
}

// FuzzParse: whatever is accepted is the canonical form of what was read.
func FuzzParse(f *testing.F) {
	for _, r := range []record.Record{backup(), attempt()} {
		data, err := r.Canonical()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, seed := range []string{`{}`, `{"v":1}`, `{"v":1,"v":1}`, `[]`, `{"v":1.0}`, `{"run":{"seq":9007199254740992}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := record.Parse(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if again, err := r.Canonical(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%v: read from\n%s\nwritten as\n%s", err, data, again)
		}
	})
}
