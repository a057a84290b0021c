package otp

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// rewrap goes all steps from one on and adds up what they came to.
func (w *world) rewrap(after string) (all Rewrap) {
	w.t.Helper()
	for {
		step, err := w.RewrapStep(w.t.Context(), after, w.meta("sec"), w.now())
		if err != nil {
			w.t.Fatal(err)
		}
		all.Moved, all.Closed = all.Moved+step.Moved, all.Closed+step.Closed
		if after = step.Next; after == "" {
			return all
		}
	}
}

// turn makes a new version of the master key the present one.
func (w *world) turn() {
	w.t.Helper()
	if _, err := w.rotate(); err != nil {
		w.t.Fatal(err)
	}
}

// TestRewrap: every secret moves to the present version of the key, once, whoever's it is and however many there are; what is
// sealed, the codes and a check under way stay what they are, and the evidence says how many moved.
func TestRewrap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const people = RewrapPeople + 5
	secret := base32NoPad.EncodeToString(rfcSeeds[SHA1])
	for i := range people {
		if _, err := w.Import(t.Context(), "person-"+strconv.Itoa(i), ImportRequest{Secret: secret}, w.meta("sec"), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	if all := w.rewrap(""); all != (Rewrap{}) {
		t.Errorf("under the same version: %+v", all)
	}
	before := w.account("person-0").Authenticators[0]
	w.turn()
	clear(w.records)
	if all := w.rewrap(""); all != (Rewrap{Moved: people}) {
		t.Errorf("under another version: %+v", all)
	}
	after := w.account("person-0").Authenticators[0]
	if after.Seal != before.Seal || after.Envelope.Key != "2" || !slices.Equal(after.Envelope.Sealed, before.Envelope.Sealed) || slices.Equal(after.Envelope.Wrapped, before.Envelope.Wrapped) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	secrets := 0
	for _, r := range w.records {
		n, err := strconv.Atoi(r.Facts["secrets"])
		if secrets += n; err != nil || r.Kind != record.Access || r.Facts["key"] != record.Digest([]byte("2")) || len(r.Subjects) != 3 {
			t.Errorf("%s: %v, %d subjects", r.Kind, r.Facts, len(r.Subjects))
		}
	}
	if secrets != people {
		t.Errorf("the evidence says %d secrets", secrets)
	}
	if all := w.rewrap(""); all != (Rewrap{}) {
		t.Errorf("again: %+v", all)
	}
	first, err := w.RewrapStep(t.Context(), "", w.meta("sec"), w.now())
	if err != nil {
		t.Fatal(err)
	}
	if second, err := w.RewrapStep(t.Context(), first.Next, w.meta("sec"), w.now()); err != nil || second.Next != rewrapStock {
		t.Errorf("the second step of people ends at %q: %v", second.Next, err)
	}
	// A check that has unlocked the secret goes on: it is the same under either version.
	w.turn()
	w.keys.during = func() {
		if all := w.rewrap(""); all.Moved != people {
			t.Errorf("beside a check: %+v", all)
		}
	}
	code := reference(SHA1, rfcSeeds[SHA1], uint64(w.now().Unix()/Period), 6)
	w.checkAs("person-0", code, OK)
	if result := w.checkAs("person-1", code, OK); result.Wrap != "3" {
		t.Errorf("%+v", result)
	}
}

// TestRewrapTwice: of two at once, the slower one finds the work done; what is set up anew or goes meanwhile is left alone.
func TestRewrapTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, _ := w.phone("ada")
	w.turn()
	w.keys.during = func() {
		if all := w.rewrap(""); all.Moved != 1 {
			t.Errorf("%+v", all)
		}
	}
	if all := w.rewrap(""); all.Closed != 0 {
		t.Errorf("%+v", all)
	}
	w.check("ada", phone.code(0), OK)
	w.turn()
	w.keys.during = func() {
		if err := w.Revoke(t.Context(), "ada", phone.id, Removed, w.meta("ada"), w.now()); err != nil {
			t.Error(err)
		}
	}
	if all := w.rewrap(""); all != (Rewrap{}) {
		t.Errorf("an authenticator that ended meanwhile: %+v", all)
	}
}

// TestRewrapClosed: a secret that does not open, altered or by a version that is gone, is counted and stops no other.
func TestRewrapClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, person := range []string{"ada", "bo", "cy"} {
		w.phone(person)
	}
	w.stock(fileID, seeds(0, 3)...)
	altered := w.account("bo")
	altered.Authenticators[0].Envelope.Wrapped[20] ^= 1
	if err := w.Store.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(Accounts, "bo", altered) }); err != nil {
		t.Fatal(err)
	}
	w.turn()
	if all := w.rewrap(""); all != (Rewrap{Moved: 2 + 3 + 1, Closed: 1}) {
		t.Errorf("%+v", all)
	}
	if all := w.rewrap(""); all != (Rewrap{Closed: 1}) {
		t.Errorf("again: %+v", all)
	}
	w.keys.down.Store(true)
	if _, err := w.RewrapStep(t.Context(), "", w.meta("sec"), w.now()); !fault.Is(err, fault.Transient) {
		t.Errorf("without the key service: %v", err)
	}
	w.keys.down.Store(false)
	w.store.down.Store(true)
	for _, after := range []string{"", rewrapStock, rewrapStock + "a"} {
		if _, err := w.RewrapStep(t.Context(), after, w.meta("sec"), w.now()); !fault.Is(err, fault.Transient) {
			t.Errorf("without the store, after %q: %v", after, err)
		}
	}
	w.store.down.Store(false)
	for _, after := range []string{"ada", "people", "people/a/b", "stock/\x00", "people/" + string(make([]byte, 200))} {
		if _, err := w.RewrapStep(t.Context(), after, w.meta("sec"), w.now()); fault.CodeOf(err) != "body_invalid" {
			t.Errorf("after %q: %v", after, err)
		}
	}
}

// TestRewrapStock: tokens that nobody has move too, across pages, and work when they are given out; the evidence of a page is one
// record. One that is given out meanwhile stays as it has become.
func TestRewrapStock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(fileID, seeds(0, RewrapTokens+20)...)
	given := w.assign("ada", "GA-0001")
	w.turn()
	clear(w.records)
	if all := w.rewrap(""); all.Moved != RewrapTokens+20+1 { // ada's, the stock, and the key of the digests
		t.Errorf("%+v", all)
	}
	counts := []string{}
	for _, r := range w.records {
		counts = append(counts, r.Facts["secrets"])
	}
	if slices.Sort(counts); len(counts) != 4 || counts[0] != "1" || counts[1] != "1" {
		t.Errorf("recorded %v", counts)
	}
	for n, serial := range []string{"", "GA-0001", "GA-0002"} {
		if n == 0 {
			continue
		}
		if n == 2 {
			given = w.assign("ada", serial)
		}
		token := &device{w: w, secret: seed(n).Secret}
		if result, err := w.Resync(t.Context(), "ada", given, []string{token.code(0), token.code(1)}, w.meta(), w.now()); err != nil || !result.Granted() {
			t.Errorf("%s: %+v, %v", serial, result, err)
		}
		w.pass(time.Minute)
	}
	w.turn()
	w.keys.during = func() { w.assign("bo", "GA-0004") }
	var kept HardwareToken
	all := w.rewrap(rewrapStock)
	if err := w.Store.Get(t.Context(), Tokens, tokenID("GA-0004"), &kept); err != nil || kept.State != TokenGivenOut || kept.Envelope != nil {
		t.Errorf("a token given out meanwhile: %+v, %v", kept, err)
	}
	if want := RewrapTokens + 20 - 3 + 1; all.Moved != want {
		t.Errorf("moved %d, want %d", all.Moved, want)
	}
	// What a stranger's version of the key wrapped opens for nobody.
	var bad HardwareToken
	if err := w.Store.Get(t.Context(), Tokens, tokenID("GA-0003"), &bad); err != nil || bad.Envelope.Key != "3" {
		t.Errorf("%+v, %v", bad.Envelope, err)
	}
	if _, err := seal.Open(t.Context(), w.Keys, *bad.Envelope, stockBound("elsewhere")); !fault.Is(err, fault.Invalid) {
		t.Errorf("opened elsewhere: %v", err)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = store.MaxQueryResults + 3
	for at := 0; at < many; at += 100 {
		err := w.Store.Tx(t.Context(), func(tx store.Tx) error {
			for i := at; i < min(at+100, many); i++ {
				if err := tx.Put(Accounts, "person-"+strconv.Itoa(i), NewAccount("person-"+strconv.Itoa(i), nil)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for acc, err := range w.accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[acc.Person] = true
	}
	if len(seen) != many {
		t.Errorf("%d people", len(seen))
	}
	w.store.down.Store(true)
	for _, err := range w.accounts(t.Context()) {
		if err == nil {
			t.Error("an account while the store is down")
		}
	}
}

// TestHeld: a secret that was replaced while the old one was wrapped again is not written over.
func TestHeld(t *testing.T) {
	t.Parallel()
	old, replaced := seal.Envelope{Key: "1", Wrapped: []byte{1}, Sealed: []byte{7}}, seal.Envelope{Key: "1", Wrapped: []byte{1}, Sealed: []byte{8}}
	fresh := seal.Envelope{Key: "2", Wrapped: []byte{2}, Sealed: []byte{7}}
	if !held(&old, &fresh) || held(&replaced, &fresh) || held(nil, &fresh) || held(&old, nil) {
		t.Error("it is not told by what is sealed")
	}
}
