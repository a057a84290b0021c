package otp

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"ostiary.internal/shared/platform/store"
)

func TestRewrap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := base32NoPad.EncodeToString(rfcSeeds[SHA1])
	for i := range 5 {
		if _, err := w.Import(t.Context(), "person-"+strconv.Itoa(i), ImportRequest{Secret: secret}, w.meta("sec"), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 0 || err != nil {
		t.Errorf("moved %d under the same key: %v", n, err)
	}
	before := w.account("person-0").Authenticators[0]
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 5 || err != nil {
		t.Errorf("moved %d: %v", n, err)
	}
	after := w.account("person-0").Authenticators[0]
	if after.Seal != before.Seal+1 || after.Envelope.Key != "2" || slices.Equal(after.Envelope.Sealed, before.Envelope.Sealed) {
		t.Errorf("%+v", after)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 0 || err != nil {
		t.Errorf("moved %d twice: %v", n, err)
	}
	code := reference(SHA1, rfcSeeds[SHA1], uint64(w.now().Unix()/Period), 6)
	if result := w.checkAs("person-0", code, OK); result.Wrap != "2" {
		t.Errorf("%+v", result)
	}
	// Two jobs at once: the slower one finds the work done.
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	w.keys.during = func() {
		if n, err := w.Rewrap(t.Context(), "person-0", w.meta("job"), w.now()); n != 1 || err != nil {
			t.Errorf("moved %d: %v", n, err)
		}
	}
	if n, err := w.Rewrap(t.Context(), "person-0", w.meta("job"), w.now()); n != 0 || err != nil {
		t.Errorf("moved %d over what another job had moved: %v", n, err)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 4 || err != nil {
		t.Errorf("moved %d: %v", n, err)
	}
	// One account that cannot be opened does not stop the others.
	broken := w.account("person-1")
	broken.Authenticators[0].Envelope.Sealed[20] ^= 1
	if err := w.Store.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(Accounts, "person-1", broken) }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != 4 || err == nil {
		t.Errorf("moved %d: %v", n, err)
	}
}

// TestRewrapStock: the secrets of tokens that nobody has move to the new key too, across pages and imports, and work when they
// are given out; one that cannot be opened stops no other, and one that was given out meanwhile is left alone.
func TestRewrapStock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(fileID, seeds(0, stockPage+20)...)
	given := w.assign("ada", "GA-0001")
	rewrap := func(want int, broken bool) {
		t.Helper()
		if n, err := w.RewrapAll(t.Context(), w.meta("job"), w.now()); n != want || (err != nil) != broken {
			t.Errorf("moved %d, %v; want %d", n, err, want)
		}
	}
	rewrap(0, false)
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	rewrap(stockPage+20+1, false) // ada's, the stock, and the key of the digests
	rewrap(0, false)
	id := w.assign("ada", "GA-0002")
	token := &device{w: w, secret: seed(2).Secret}
	if result, err := w.Resync(t.Context(), "ada", id, []string{token.code(0), token.code(1)}, w.meta(), w.now()); err != nil || !result.Granted() {
		t.Errorf("a token given out after: %+v, %v", result, err)
	}
	w.pass(time.Minute)
	first := &device{w: w, secret: seed(1).Secret}
	if result, err := w.Resync(t.Context(), "ada", given, []string{first.code(0), first.code(1)}, w.meta(), w.now()); err != nil || !result.Granted() {
		t.Errorf("a token given out before: %+v, %v", result, err)
	}
	// One envelope is broken; another token is given out while the job runs.
	var bad HardwareToken
	if err := w.Store.Tx(t.Context(), func(tx store.Tx) error {
		if err := tx.Get(Tokens, tokenID("GA-0003"), &bad); err != nil {
			return err
		}
		bad.Envelope.Sealed[20] ^= 1
		return tx.Put(Tokens, tokenID("GA-0003"), bad)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	rewrap(2+stockPage+20-3+1, true)
	// What was given out between the reading and the writing keeps what it has become.
	if _, err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	found, err := w.Store.Query(t.Context(), store.Query{Collection: Tokens, Limit: store.MaxQueryResults})
	if err != nil {
		t.Fatal(err)
	}
	w.assign("bo", "GA-0004")
	if n, err := w.rewrapTokens(t.Context(), found, "4"); err == nil || n != stockPage+20-4 {
		t.Errorf("moved %d, %v", n, err)
	}
	var kept HardwareToken
	if err := w.Store.Get(t.Context(), Tokens, tokenID("GA-0004"), &kept); err != nil || kept.State != TokenGivenOut || kept.Envelope != nil {
		t.Errorf("a token given out meanwhile: %+v, %v", kept, err)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = store.MaxQueryResults + 3
	for at := 0; at < many; at += 100 {
		err := w.Store.Tx(t.Context(), func(tx store.Tx) error {
			for i := at; i < min(at+100, many); i++ {
				if err := tx.Put(Accounts, "person-"+strconv.Itoa(i), NewAccount("x", nil)); err != nil {
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
	for person, err := range w.People(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[person] = true
	}
	if len(seen) != many {
		t.Errorf("%d people", len(seen))
	}
	for range w.People(t.Context()) {
		break
	}
	w.store.down.Store(true)
	for _, err := range w.People(t.Context()) {
		if err == nil {
			t.Error("a person while the store is down")
		}
	}
	if _, err := w.RewrapAll(t.Context(), w.meta(), w.now()); err == nil {
		t.Error("all moved while the store is down")
	}
}
