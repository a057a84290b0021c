package otp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func TestCheckOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	result := w.check("ada", phone.code(0), OK)
	if result.Authenticator != phone.id || result.Wrap != "1" {
		t.Errorf("%+v", result)
	}
	w.check("ada", phone.code(0), Replay)
	w.check("ada", "12345", Malformed)
	w.check("ada", phone.code(-8), Stale)
	for range 2 {
		w.check("ada", "nothing", Malformed)
	}
	w.check("nobody", phone.code(0), Unknown)
	acc := w.account("ada")
	if acc.Throttle.Failures != 2 || acc.Throttle.Malformed != 3 || acc.Subject != "subject-of-ada" {
		t.Errorf("%+v", acc.Throttle)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{CodeReplayed}) {
		t.Errorf("told %v", told)
	}
	want := map[string]int{"bind ok": 1, "check ok": 1, "check replay": 1, "check malformed": 3, "check stale": 1, "check unknown": 1}
	if got := w.outcomes(); !maps.Equal(got, want) {
		t.Errorf("recorded %v, want %v", got, want)
	}
	if w.log.Len() > 0 {
		t.Errorf("logged %s", w.log.String())
	}
}

func TestReplayIsMailedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.check("ada", phone.code(0), OK)
	for range 3 {
		w.check("ada", phone.code(0), Replay)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{CodeReplayed}) {
		t.Errorf("told %v", told)
	}
	w.check("ada", phone.code(-1), Replay) // older, and perhaps never used: no alarm
	if told := w.told(); len(told) != 0 {
		t.Errorf("told %v", told)
	}
}

func TestHardStopIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	for n := 1; n <= 50; n++ {
		w.check("ada", phone.code(-3), Stale)
		if n < 50 {
			w.pass(time.Hour)
		}
	}
	w.check("ada", phone.code(0), Locked)
	if o, err := w.List(t.Context(), "ada", w.now()); err != nil || !o.Locked || o.Failures != 50 || !o.Until.IsZero() {
		t.Errorf("%+v %v", o, err)
	}
	if told := w.told(); !slices.Equal(told, []NoticeKind{AccountLocked}) {
		t.Errorf("told %v", told)
	}
}

// Fifty requests with one valid code: one is granted, and every attempt leaves its record.
func TestRace(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]kindOfStore{"memory": inMemory, "bolt": onDisk} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, open)
			phone, _ := w.phone("ada")
			w.store.once.Store(true)
			code := phone.code(0)
			results := make([]Result, 50)
			var group sync.WaitGroup
			start := make(chan struct{})
			for i := range results {
				group.Go(func() {
					<-start
					var err error
					if results[i], err = w.CheckOnce(t.Context(), "ada", code, w.meta(), w.now()); err != nil {
						t.Error(err)
					}
				})
			}
			close(start)
			group.Wait()
			count := map[Outcome]int{}
			for _, r := range results {
				count[r.Outcome]++
			}
			if count[OK] != 1 || count[Replay] != 4 || count[Waiting] != 45 {
				t.Errorf("outcomes %v", count)
			}
			recorded := w.outcomes()
			if recorded["check ok"] != 1 || recorded["check replay"] != 4 || recorded["check waiting"] != 45 {
				t.Errorf("recorded %v", recorded)
			}
			if pending, err := w.Box.Pending(t.Context()); pending != 0 || err != nil {
				t.Errorf("%d entries wait, %v", pending, err)
			}
		})
	}
}

func TestNothingChangesWhenSomethingIsDown(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(w *world, down bool){
		"store":       func(w *world, down bool) { w.store.down.Store(down) },
		"commit":      func(w *world, down bool) { w.store.commit.Store(down) },
		"key service": func(w *world, down bool) { w.keys.down.Store(down) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			phone, done := w.phone("ada")
			next := w.enrol("ada", EnrolRequest{Name: "next", Replaces: phone.id})
			before, records := w.account("ada"), len(w.records)
			w.told()
			breakIt(w, true)
			for call, err := range map[string]error{
				"check":      second(w.CheckOnce(t.Context(), "ada", phone.code(0), w.meta(), w.now())),
				"wrong":      second(w.CheckOnce(t.Context(), "ada", "000000", w.meta(), w.now())),
				"enrol":      second(w.Enrol(t.Context(), "ada", EnrolRequest{}, w.meta(), w.now())),
				"confirm":    third(w.Confirm(t.Context(), "ada", next.id, next.code(0), phone.code(0), w.meta(), w.now())),
				"resync":     second(w.Resync(t.Context(), "ada", phone.id, []string{phone.code(0), phone.code(1)}, w.meta(), w.now())),
				"regenerate": third(w.Regenerate(t.Context(), "ada", phone.code(0), w.meta(), w.now())),
			} {
				if !fault.Is(err, fault.Transient) {
					t.Errorf("%s: %v", call, err)
				}
			}
			if name != "key service" {
				if token, _, err := w.Recover(t.Context(), "ada", done.RecoveryCodes[0], w.meta(), w.now()); err == nil || token.Text != "" {
					t.Errorf("recovery: %v", err)
				}
			}
			breakIt(w, false)
			if after := w.account("ada"); !same(t, before, after) {
				t.Errorf("the account changed:\n%+v\n%+v", before, after)
			}
			if len(w.records) != records || len(w.told()) != 0 {
				t.Error("something left that was not committed")
			}
			w.check("ada", phone.code(0), OK) // and nothing was burned
		})
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }

func same(t testing.TB, a, b any) bool {
	t.Helper()
	left, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	right, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(left, right)
}

// The account changes between unwrapping and the transaction: the check unlocks again, once.
func TestUnlocksAgainWhenTheAccountChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	another := base32NoPad.EncodeToString(rfcSeeds[SHA256])
	w.keys.during = func() {
		if _, err := w.Import(t.Context(), "ada", ImportRequest{Secret: another}, w.meta("sec"), w.now()); err != nil {
			t.Error(err)
		}
	}
	w.check("ada", phone.code(0), OK)
	fresh := newWorld(t) // the account itself appears in between
	fresh.check("ada", "123456", Unknown)
	_, err := fresh.Import(t.Context(), "ada", ImportRequest{Secret: base32NoPad.EncodeToString(rfcSeeds[SHA1])}, fresh.meta("sec"), fresh.now())
	if err != nil {
		t.Fatal(err)
	}
	err = fresh.Store.Tx(t.Context(), func(tx store.Tx) error {
		_, err := fresh.Attempt(tx, nil, nil, "ada", "123456", fresh.meta(), fresh.now())
		return err
	})
	if err != ErrStale {
		t.Errorf("checked without a secret: %v", err)
	}
}

func TestAnEnvelopeOpensInItsPlaceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	_, _ = w.Import(t.Context(), "bob", ImportRequest{Secret: base32NoPad.EncodeToString(rfcSeeds[SHA1])}, w.meta("sec"), w.now())
	mine, his := w.account("ada"), w.account("bob")
	mine.Authenticators[0].Envelope = his.Authenticators[0].Envelope
	if err := w.Store.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(Accounts, "ada", mine) }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CheckOnce(t.Context(), "ada", phone.code(0), w.meta(), w.now()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("an envelope of somebody else: %v", err)
	}
	places := map[string]bool{}
	for _, place := range [][]byte{binding("ab", "c", 1), binding("a", "bc", 1), binding("ab", "c", 2), binding("ab", "c1", 1), binding("", "abc", 1), binding("2:a", "bc", 1)} {
		places[string(place)] = true
	}
	if len(places) != 6 {
		t.Errorf("places share a binding: %q", slices.Collect(maps.Keys(places)))
	}
}

func TestSubjectIsBoundOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	other := w.meta()
	other.Subject = "an account made anew under the same address"
	if _, err := w.CheckOnce(t.Context(), "ada", phone.code(0), other, w.now()); fault.CodeOf(err) != "subject_changed" {
		t.Errorf("another sign-in account: %v", err)
	}
	if _, err := w.EnrolLink(t.Context(), "bob", w.meta("sec"), w.now()); err != nil {
		t.Fatal(err)
	}
	first := w.meta()
	first.Subject = "subject-of-bob"
	if result, err := w.CheckOnce(t.Context(), "bob", "123456", first, w.now()); err != nil || result.Outcome != Unknown || w.account("bob").Subject != "subject-of-bob" {
		t.Errorf("the first visit binds: %+v %v", result, err)
	}
	unnamed := w.meta("gateway")
	if result, err := w.CheckOnce(t.Context(), "ada", phone.code(0), unnamed, w.now()); err != nil || result.Outcome != OK {
		t.Errorf("a service that knows no subject: %+v %v", result, err)
	}
}

// What is stored and recorded holds neither a secret nor a code nor a name, and stays small.
func TestEvidenceAndStateHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, done := w.phone("ada")
	w.check("ada", phone.code(0), OK)
	w.check("ada", phone.code(0), Replay)
	token, _, err := w.Recover(t.Context(), "ada", done.RecoveryCodes[0], w.meta(), w.now())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Revoke(t.Context(), "ada", phone.id, ReportLost, w.meta(), w.now()); err != nil {
		t.Fatal(err)
	}
	hidden := []string{
		base32NoPad.EncodeToString(phone.secret), string(phone.secret), fmt.Sprintf("%x", phone.secret), phone.code(0), token.Text,
		strings.ReplaceAll(done.RecoveryCodes[0], "-", ""), done.RecoveryCodes[1],
	}
	var state []string
	for _, collection := range Collection() {
		documents, err := w.Store.Query(t.Context(), store.Query{Collection: collection.Name, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range documents {
			var raw json.RawMessage
			if err := d.Decode(&raw); err != nil {
				t.Fatal(err)
			}
			state = append(state, string(raw))
		}
	}
	var evidence []string
	for _, r := range w.records {
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 1500 {
			t.Errorf("a record of %d bytes: %s", len(data), data)
		}
		evidence = append(evidence, string(data))
	}
	for _, text := range hidden {
		if strings.Contains(strings.Join(append(state, evidence...), "\n"), text) {
			t.Errorf("%q is stored or recorded", text)
		}
	}
	for _, personal := range []string{`"ada"`, "ada@example.com", "81.2.69", "subject-of-ada", "request-1"} {
		if strings.Contains(strings.Join(evidence, "\n"), personal) {
			t.Errorf("%q is recorded", personal)
		}
	}
}

func TestRecordOfAnAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.records = map[string]record.Record{}
	w.check("ada", phone.code(-1)[:3]+" "+phone.code(-1)[3:], Replay)
	w.check("ada", phone.code(1), OK)
	acc := w.account("ada")
	for _, r := range w.records {
		if r.Kind != record.Access || r.Control != Control || !slices.Equal(r.Promises, []string{"D25", "L24"}) || r.Config == "" ||
			r.Facts["authenticator"] != phone.id || r.Facts["phishing_resistant"] != "no" || r.Facts["key"] != record.Digest([]byte("1")) {
			t.Errorf("%+v", r)
		}
		if delta := map[string]string{"ok": "1", "replay": "-1"}[r.Facts["outcome"]]; r.Facts["step_delta"] != delta {
			t.Errorf("step delta %q of %s", r.Facts["step_delta"], r.Facts["outcome"])
		}
		want := []record.Subject{{Type: "person", C: acc.Mark("person", "ada", w.now())}, {Type: "source", C: acc.Mark("source", "81.2.69.142/32", w.now())}}
		if !slices.Equal(r.Subjects, want) {
			t.Errorf("subjects %v", r.Subjects)
		}
	}
	month := w.now().AddDate(0, 1, 0)
	if acc.Mark("person", "ada", w.now()) == acc.Mark("person", "ada", month) {
		t.Error("a person can be followed from month to month")
	}
}

func TestDecoyDoesTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone("ada")
	before := w.keys.unwrapped.Load()
	w.check("nobody", "123456", Unknown)
	if n := w.keys.unwrapped.Load() - before; n != 1 {
		t.Errorf("%d calls to the key service for an unknown person", n)
	}
	w.Decoy(t.Context(), "not a code", w.now())
	w.enrol("ada", EnrolRequest{})
	before = w.keys.unwrapped.Load()
	w.check("ada", "000000", Wrong)
	if n := w.keys.unwrapped.Load() - before; n != 1 {
		t.Errorf("%d secrets were unwrapped, one is active", n)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, spoil := range map[string]func(c *Config){
		"store": func(c *Config) { c.Store = nil }, "outbox": func(c *Config) { c.Box = nil }, "keys": func(c *Config) { c.Keys = nil },
		"notices": func(c *Config) { c.Notify = nil }, "rules": func(c *Config) { c.Rules = Rules{} },
	} {
		c := w.Config
		spoil(&c)
		if _, err := New(c); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
