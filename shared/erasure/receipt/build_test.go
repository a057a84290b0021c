package receipt

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// A receipt says completed only where its last search looked everywhere and found nothing that is not listed.
func TestOutcome(t *testing.T) {
	t.Parallel()
	last := func(r *Receipt) *Pass { return &r.Verify[len(r.Verify)-1] }
	for _, c := range []struct {
		why    string
		change func(r *Receipt)
		want   State
	}{
		{"something is kept, and listed", func(*Receipt) {}, Retained},
		{"nothing is kept", func(r *Receipt) { r.Retained, last(r).Kept = nil, nil }, Completed},
		{"nothing was searched", func(r *Receipt) { r.Verify = nil }, Partial},
		{"nothing was searched, and nothing kept", func(r *Receipt) { r.Verify, r.Retained = nil, nil }, Partial},
		{"something is left", func(r *Receipt) { last(r).Left = []Items{{"orders", 1}} }, Partial},
		{"an earlier search found it gone, the last found it back", func(r *Receipt) {
			r.Verify = append(r.Verify, Pass{N: 3, At: r.Issued, Searched: 4, Left: []Items{{"profile", 1}}})
		}, Partial},
		{"kept and not listed", func(r *Receipt) { r.Retained = nil }, Partial},
		{"more kept than listed", func(r *Receipt) { last(r).Kept = []Items{{"invoices", 5}} }, Partial},
		{"kept in another entry than listed", func(r *Receipt) { last(r).Kept = []Items{{"orders", 1}} }, Partial},
		{"fewer kept than listed", func(r *Receipt) { last(r).Kept = nil }, Retained},
		{"listed by two rights", func(r *Receipt) {
			r.Retained = append(r.Retained, Kept{Entry: "invoices", Ground: "art17-3-e", Items: 2, Until: day(2027, time.May, 1)})
			last(r).Kept = []Items{{"invoices", 6}}
		}, Retained},
		{"an entry was not searched", func(r *Receipt) { last(r).Searched = 3 }, Partial},
		{"an entry lies elsewhere, and a person says it was done there", func(r *Receipt) { last(r).Searched, r.Settled = 3, []Settled{elsewhere("orders")} }, Retained},
		{"she says so of another", func(r *Receipt) { last(r).Searched, r.Settled = 3, []Settled{elsewhere("nowhere")} }, Partial},
		{"she says so of one that was searched", func(r *Receipt) { r.Settled = []Settled{elsewhere("orders")} }, Partial},
		{"what she says of letters proves no search", func(r *Receipt) {
			last(r).Searched, r.Settled = 3, []Settled{{At: r.Executed, Entry: "orders", Why: "letters"}}
		}, Partial},
		{"an entry could not be reached", func(r *Receipt) { r.Entries[1].Open = "unreachable" }, Partial},
		{"free text waits for a person", func(r *Receipt) { r.Entries[1].Open = "review" }, Partial},
		{"a place nobody mapped", func(r *Receipt) { last(r).Unmapped = 1 }, Partial},
		{"a place nobody mapped, of a company that lives with it", func(r *Receipt) { last(r).Unmapped, r.Strict = 1, No }, Retained},
	} {
		r := sample()
		c.change(&r)
		if got := r.Outcome(); got != c.want {
			t.Errorf("%s: the searches prove %s, want %s", c.why, got, c.want)
		}
		for _, claimed := range []State{Completed, Retained, Partial} {
			r.State = claimed
			_, err := Build(r, nil)
			if (err == nil) != (claimed == c.want) || err != nil && !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: a receipt that says %s is built: %v", c.why, claimed, err)
			}
		}
	}
}

// elsewhere is a person's word that an entry was done where it lies.
func elsewhere(entry string) Settled {
	return Settled{At: noon, Entry: entry, Why: Elsewhere, Reference: "receipt-77"}
}

// What may not stand in a receipt: every field out of its form, by name and without its value.
func TestRefused(t *testing.T) {
	t.Parallel()
	const secret = "erika.mustermann@customer.example"
	for field, change := range map[string]func(r *Receipt){
		"request":    func(r *Receipt) { r.Request = secret },
		"kind":       func(r *Receipt) { r.Kind = "other" },
		"tenant":     func(r *Receipt) { r.Tenant = "acme" },
		"subject":    func(r *Receipt) { r.Subject = secret },
		"subject ":   func(r *Receipt) { r.Subject = "" },
		"subject  ":  func(r *Receipt) { r.Kind = Account },
		"map":        func(r *Receipt) { r.Map = strings.ToUpper(r.Map) },
		"plan":       func(r *Receipt) { r.Plan = "" },
		"amends":     func(r *Receipt) { r.Amends = r.Plan },
		"strict":     func(r *Receipt) { r.Strict = "" },
		"state":      func(r *Receipt) { r.State = "done" },
		"deadline":   func(r *Receipt) { r.Deadline.Months = 2 },
		"deadline ":  func(r *Receipt) { r.Deadline.Due = day(2026, time.April, 2) },
		"deadline  ": func(r *Receipt) { r.Deadline.Conservative = calendar.Day{} },
		"received":   func(r *Receipt) { r.Received = time.Time{} },
		"executed":   func(r *Receipt) { r.Executed = r.Received.Add(-time.Second) },
		"issued":     func(r *Receipt) { r.Issued = r.Executed.Add(-time.Second) },
		"entries":    func(r *Receipt) { r.Entries = nil },
		"entries ":   func(r *Receipt) { r.Entries[0].Entry = "users/" + secret },
		"entries  ":  func(r *Receipt) { r.Entries[1].Entry = r.Entries[0].Entry },
		"entries   ": func(r *Receipt) { r.Entries[0].Open = "users/u1" },
		"the counts": func(r *Receipt) { r.Entries[0].Found = -1 },
		"the length": func(r *Receipt) { r.Backups = make([]Backup, maxList+1) },
		"backups":    func(r *Receipt) { r.Backups[0].Class = "" },
		"grants":     func(r *Receipt) { r.Grants[0].Outcome = "lost" },
		"outside":    func(r *Receipt) { r.Outside[0].What = "the mailbox " + secret },
		"outside ":   func(r *Receipt) { r.Outside[0].What = "two\nlines" },
		"recipients": func(r *Receipt) { r.Recipients[0].Recipient = secret },
		"retained":   func(r *Receipt) { r.Retained[0].Entry = "nowhere" },
		"retained ":  func(r *Receipt) { r.Retained[0].Citation = secret },
		"settled":    func(r *Receipt) { r.Settled = []Settled{elsewhere("orders"), elsewhere("orders")} },
		"settled ":   func(r *Receipt) { r.Settled = []Settled{{At: r.Issued, Entry: "orders", Why: Elsewhere}} },
		"settled  ": func(r *Receipt) {
			r.Settled = []Settled{{At: r.Issued, Entry: "orders", Why: Elsewhere, Reference: secret}}
		},
		"settled   ": func(r *Receipt) {
			r.Settled = []Settled{{At: r.Issued, Entry: "orders", Why: "letters", Reference: "r-1"}}
		},
		"unsearched": func(r *Receipt) { r.Unsearched = []string{secret} },
		"traces":     func(r *Receipt) { r.Traces[0].Entry = "nowhere" },
		"traces ":    func(r *Receipt) { r.Traces[1].Unknown = []string{secret} },
		"verify":     func(r *Receipt) { r.Verify[1].N = 3 },
		"verify ":    func(r *Receipt) { r.Verify[1].At = r.Verify[0].At.Add(-time.Second) },
		"verify  ":   func(r *Receipt) { r.Verify[1].At = r.Issued.Add(time.Second) },
		"verify   ":  func(r *Receipt) { r.Verify[0].At = r.Executed.Add(-time.Second) },
		"verify    ": func(r *Receipt) { r.Verify[0].Left = []Items{{"users/u1", 1}} },
	} {
		r := sample()
		change(&r)
		_, err := Build(r, nil)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fmt.Sprint(err), strings.TrimSpace(field)) || strings.Contains(fmt.Sprint(err), secret) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// An identifier that slipped into something the policy names is found, whatever its letters look like.
func TestCanary(t *testing.T) {
	t.Parallel()
	const canary = "canary-8c1f"
	for field, change := range map[string]func(r *Receipt){
		"request":    func(r *Receipt) { r.Request = canary },
		"settled":    func(r *Receipt) { r.Settled = []Settled{{At: noon, Entry: "orders", Why: "letters-" + canary}} },
		"unsearched": func(r *Receipt) { r.Unsearched = []string{canary} },
		"entries":    func(r *Receipt) { r.Entries[1].Action = "x-" + canary },
		"backups":    func(r *Receipt) { r.Backups[0].Class = strings.ToUpper(canary) },
		"grants":     func(r *Receipt) { r.Grants[0].Provider = canary },
		"outside":    func(r *Receipt) { r.Outside[0].What = "the mailbox of Canary-8C1F, by hand" },
		"recipients": func(r *Receipt) { r.Recipients[0].Recipient = canary },
		"retained":   func(r *Receipt) { r.Retained[0].Citation = "§ 1 " + canary },
		"traces":     func(r *Receipt) { r.Traces[1].Unknown = []string{"what became of " + canary} },
	} {
		r := sample()
		change(&r)
		if _, err := Build(r, nil); err != nil {
			t.Errorf("%s: refused for another reason: %v", field, err)
		}
		_, err := Build(r, nil, "u1", "Canary-8c1F")
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fmt.Sprint(err), field) || strings.Contains(strings.ToLower(fmt.Sprint(err)), canary) {
			t.Errorf("%s: %v", field, err)
		}
	}
	r, err := Build(sample(), nil, "u-4711", "acme", "erika@customer.example")
	if err != nil {
		t.Fatal(err)
	}
	data := strings.ToLower(string(signed(t, r, newKey(1, keyName))))
	for _, id := range []string{"4711", "acme", "erika"} {
		if strings.Contains(data, id) {
			t.Errorf("the receipt holds %q", id)
		}
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	first := built(t)
	if first.Seq != 1 || first.Previous != "" {
		t.Fatalf("the first receipt is number %d behind %q", first.Seq, first.Previous)
	}
	next := func(previous Receipt, later time.Duration) (Receipt, error) {
		r := sample()
		r.Issued = r.Issued.Add(later)
		return Build(r, &previous)
	}
	second, err := next(first, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	amended := sample()
	amended.Issued = amended.Issued.Add(2 * time.Hour)
	if amended.Amends, err = first.Digest(); err != nil {
		t.Fatal(err)
	}
	third, err := Build(amended, &second)
	if err != nil {
		t.Fatal(err)
	}
	for why, receipts := range map[string][]Receipt{"all": {first, second, third}, "the end": {second, third}, "one": {second}, "none": nil} {
		if err := Chain(receipts...); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
	forged, skipped := second, second
	forged.Grants, skipped.Seq = nil, 9
	for why, receipts := range map[string][]Receipt{
		"one is missing": {first, third}, "another order": {second, first}, "twice": {first, first}, "another in its place": {first, forged, third},
		"a number is left out": {first, skipped},
	} {
		if err := Chain(receipts...); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := next(second, 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("a receipt older than the one before is built: %v", err)
	}
	other := first
	other.Tenant = other.Subject
	if _, err := next(other, time.Hour); !fault.Is(err, fault.Invalid) {
		t.Errorf("a receipt follows that of another tenant: %v", err)
	}
}

// Whatever the searches found: what is built says what they prove, reads back as it was, and verifies.
func TestReceiptsInGeneral(t *testing.T) {
	t.Parallel()
	seeds := 25
	if os.Getenv("OSTIARY_SOAK") == "1" {
		seeds *= 40
	}
	k := newKey(1, keyName)
	for seed := range seeds {
		random := rand.New(rand.NewPCG(uint64(seed), 60))
		r := sample()
		last := &r.Verify[1]
		last.Searched = random.Int64N(3) + 3
		last.Unmapped = random.Int64N(2)
		if random.IntN(2) == 0 {
			last.Left = []Items{{r.Entries[random.IntN(4)].Entry, 1 + random.Int64N(9)}}
		}
		last.Kept = []Items{{"invoices", 1 + random.Int64N(6)}}
		if random.IntN(3) == 0 {
			r.Retained, last.Kept = nil, nil
		}
		clean := last.Searched == 4 && last.Unmapped == 0 && len(last.Left) == 0
		for _, items := range last.Kept {
			clean = clean && items.Items <= 4
		}
		want := Partial
		if clean && r.Retained != nil {
			want = Retained
		} else if clean {
			want = Completed
		}
		for _, state := range []State{Completed, Retained, Partial} {
			r.State = state
			b, err := Build(r, nil)
			if (err == nil) != (state == want) {
				t.Errorf("seed %d: %s is built of %+v: %v", seed, state, *last, err)
			}
			if err != nil {
				continue
			}
			data := signed(t, b, k)
			again, err := Parse(data)
			if err != nil || again.Outcome() != state {
				t.Errorf("seed %d: read back: %v", seed, err)
			}
			if got := Verify(data, trust(t, k)); got.Exit != 0 || got.State != state {
				t.Errorf("seed %d: %+v", seed, got)
			}
		}
	}
}
