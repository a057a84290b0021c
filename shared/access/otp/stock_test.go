package otp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

const fileID = "aaaabbbbccccdddd"

// seed is the nth token of a maker; its secret is readable, so that a test can look for it.
func seed(n int) Seed {
	return Seed{Serial: fmt.Sprintf("GA-%04d", n), Kind: TOTP, Algorithm: SHA1, Digits: 6, Secret: fmt.Appendf(nil, "secret of token %04d", n)}
}

func seeds(from, to int) (all []Seed) {
	for n := from; n < to; n++ {
		all = append(all, seed(n))
	}
	return all
}

func (w *world) begin(id string, keys int) SeedFile {
	w.t.Helper()
	f, err := w.BeginSeedFile(w.t.Context(), id, keys, w.now())
	if err != nil {
		w.t.Fatalf("beginning: %v", err)
	}
	return f
}

// add sends seeds and returns what is the matter with them, by index.
func (w *world) add(id string, all ...Seed) map[int]string {
	w.t.Helper()
	_, problems, err := w.AddSeeds(w.t.Context(), id, all, w.now())
	if err != nil {
		w.t.Fatalf("adding: %v", err)
	}
	why := map[int]string{}
	for _, p := range problems {
		why[p.At] = p.Why
	}
	return why
}

// stock imports seeds as one file.
func (w *world) stock(id string, all ...Seed) {
	w.t.Helper()
	w.begin(id, len(all))
	for chunk := range slices.Chunk(all, SeedsPerCall) {
		if why := w.add(id, chunk...); len(why) > 0 {
			w.t.Fatalf("adding: %v", why)
		}
	}
	if _, err := w.FinishSeedFile(w.t.Context(), id, w.meta("sec"), w.now()); err != nil {
		w.t.Fatalf("finishing: %v", err)
	}
}

func (w *world) assign(person, serial string) string {
	w.t.Helper()
	id, err := w.AssignToken(w.t.Context(), person, serial, w.meta("sec"), w.now())
	if err != nil {
		w.t.Fatalf("assigning: %v", err)
	}
	return id
}

// count is how many documents a collection has.
func (w *world) count(collection string) int {
	w.t.Helper()
	found, err := w.Store.Query(w.t.Context(), store.Query{Collection: collection, Limit: store.MaxQueryResults})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(found)
}

func TestStockRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.BeginSeedFile(t.Context(), "short", 1, w.now())
	refused(t, err, "seedfile_invalid")
	for _, keys := range []int{0, MaxSeeds + 1} {
		_, err = w.BeginSeedFile(t.Context(), fileID, keys, w.now())
		refused(t, err, "seedfile_invalid")
	}
	for _, id := range []string{fileID, "", "a/b", "__x__"} {
		_, _, err = w.AddSeeds(t.Context(), id, seeds(0, 1), w.now())
		refused(t, err, "seedfile_unknown")
		_, err = w.FinishSeedFile(t.Context(), id, w.meta("sec"), w.now())
		refused(t, err, "seedfile_unknown")
		refused(t, w.DropSeedFile(t.Context(), id, w.now()), "seedfile_unknown")
	}
	w.begin(fileID, 2)
	_, err = w.BeginSeedFile(t.Context(), fileID, 3, w.now())
	refused(t, err, "seedfile_busy")
	for _, many := range [][]Seed{nil, seeds(0, SeedsPerCall+1)} {
		_, _, err = w.AddSeeds(t.Context(), fileID, many, w.now())
		refused(t, err, "seedfile_invalid")
	}
	_, _, err = w.AddSeeds(t.Context(), fileID, seeds(0, 3), w.now())
	refused(t, err, "seedfile_invalid") // more than announced
	w.add(fileID, seed(0))
	_, err = w.FinishSeedFile(t.Context(), fileID, w.meta("sec"), w.now())
	refused(t, err, "seedfile_incomplete")
	_, err = w.AssignToken(t.Context(), "ada", seed(0).Serial, w.meta("sec"), w.now())
	refused(t, err, "token_unknown") // not before the whole file is there
	w.add(fileID, seed(1))
	w.pass(SeedFileHours * time.Hour)
	_, err = w.FinishSeedFile(t.Context(), fileID, w.meta("sec"), w.now())
	refused(t, err, "seedfile_over")
	_, _, err = w.AddSeeds(t.Context(), fileID, seeds(0, 1), w.now())
	refused(t, err, "seedfile_over")
	w.stock(fileID, seeds(0, 2)...) // begun anew
	_, err = w.BeginSeedFile(t.Context(), fileID, 2, w.now())
	refused(t, err, "seedfile_known")
	refused(t, w.DropSeedFile(t.Context(), fileID, w.now()), "seedfile_known")
	if _, err = w.FinishSeedFile(t.Context(), fileID, w.meta("sec"), w.now()); err != nil {
		t.Errorf("finished again: %v", err)
	}
	if got := w.outcomes(); got["seeds-imported"] != 1 {
		t.Errorf("recorded %v", got)
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(fileID, seeds(0, 2)...)
	const second = "eeeeffffgggghhhh"
	w.begin(second, 5)
	serialOfOne, secretOfOne, weak := seed(7), seed(8), seed(9)
	serialOfOne.Serial, secretOfOne.Secret, weak.Secret = "ga-0001", seed(1).Secret, weak.Secret[:MinSecret-1]
	if why := w.add(second, serialOfOne, secretOfOne, seed(6)); len(why) != 2 || !strings.Contains(why[0], "serial") || !strings.Contains(why[1], "secret") {
		t.Errorf("%v", why)
	}
	if why := w.add(second, weak, seed(6), seed(6)); len(why) != 2 || !strings.Contains(why[0], "128 bits") || !strings.Contains(why[2], "another key") {
		t.Errorf("%v", why)
	}
	if n := w.count(Tokens); n != 2 {
		t.Errorf("%d tokens: what could not be taken as a whole was taken in part", n)
	}
	w.add(second, seed(6))
	again := seed(6)
	again.Secret = seed(5).Secret
	if why := w.add(second, again); why[0] == "" {
		t.Error("one serial number with two secrets")
	}
	f, _, err := w.AddSeeds(t.Context(), second, []Seed{seed(6)}, w.now()) // its answer was lost: sent again
	if err != nil || f.Added != 1 {
		t.Errorf("%+v %v", f, err)
	}
	// An import under way holds its serial numbers; one that is dropped, or over, does not.
	const third = "iiiijjjjkkkkllll"
	w.begin(third, 1)
	if why := w.add(third, seed(6)); why[0] == "" {
		t.Error("two imports of one token")
	}
	if err := w.DropSeedFile(t.Context(), second, w.now()); err != nil {
		t.Fatal(err)
	}
	if tokens, secrets := w.count(Tokens), w.count(Seeds); tokens != 2 || secrets != 3 { // the key of the digests beside them
		t.Errorf("%d tokens and %d secrets after one import was dropped", tokens, secrets)
	}
	w.add(third, seed(6))
	w.pass(SeedFileHours * time.Hour)
	w.stock(second, seed(6))
	w.begin(third, 1)
	if why := w.add(third, seed(6)); why[0] == "" {
		t.Error("two imports of one token")
	}
	if err := w.DropSeedFile(t.Context(), third, w.now()); err != nil || w.count(Tokens) != 3 {
		t.Errorf("dropping an import took another one's token: %v", err)
	}
	w.assign("ada", seed(6).Serial)
}

// Killed at any point an import is repeated and comes out whole, or is dropped and leaves nothing.
func TestImportDies(t *testing.T) {
	t.Parallel()
	all := seeds(0, 250)
	for dies := int64(1); dies <= 9; dies++ {
		w := newWorld(t)
		w.store.once.Store(true)
		w.resent = true
		w.store.dieAfter(dies)
		run := func(do func() error) {
			t.Helper()
			for range 2 {
				if err := do(); err == nil {
					return
				} else if !fault.Is(err, fault.Transient) {
					t.Fatalf("dying at %d: %v", dies, err)
				}
			}
			t.Fatal("failed twice")
		}
		whole := func() error {
			if f, err := w.BeginSeedFile(t.Context(), fileID, len(all), w.now()); err != nil {
				if fault.CodeOf(err) == "seedfile_known" && f.Added == len(all) {
					return nil
				}
				return err
			}
			for chunk := range slices.Chunk(all, SeedsPerCall) {
				if _, problems, err := w.AddSeeds(t.Context(), fileID, chunk, w.now()); err != nil || len(problems) > 0 {
					return fmt.Errorf("%v %w", problems, err)
				}
			}
			_, err := w.FinishSeedFile(t.Context(), fileID, w.meta("sec"), w.now())
			return err
		}
		run(whole)
		if n := w.count(Tokens); n != len(all) {
			t.Errorf("dying at %d: %d tokens", dies, n)
		}
		w.store.dieAfter(0)
		w.assign("ada", "GA-0249")

		w = newWorld(t)
		w.store.once.Store(true)
		w.begin(fileID, 300)
		for chunk := range slices.Chunk(all, SeedsPerCall) {
			w.add(fileID, chunk...)
		}
		w.store.dieAfter(dies)
		run(func() error { return w.DropSeedFile(t.Context(), fileID, w.now()) })
		if tokens, secrets := w.count(Tokens), w.count(Seeds); tokens != 0 || secrets != 1 {
			t.Errorf("dropping, dying at %d: %d tokens, %d secrets", dies, tokens, secrets)
		}
	}
}

// No secret is stored, logged, told or recorded in clear, nor anything a list of secrets could be held against.
func TestSeedsStaySecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(fileID, seeds(0, 3)...)
	w.assign("ada", seed(1).Serial)
	var all strings.Builder
	for _, collection := range []string{Tokens, Seeds, SeedFiles, Accounts} {
		found, err := w.Store.Query(t.Context(), store.Query{Collection: collection, Limit: store.MaxQueryResults})
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range found {
			var raw map[string]any
			if err := document.Decode(&raw); err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(raw)
			all.WriteString(document.ID + string(text))
		}
	}
	w.mu.Lock()
	told, _ := json.Marshal(w.notices)
	for _, r := range w.records {
		text, _ := r.Canonical()
		all.Write(text)
	}
	w.mu.Unlock()
	text := all.String() + string(told) + w.log.String()
	for n := range 3 {
		raw := seed(n).Secret
		for _, form := range []string{string(raw), base32NoPad.EncodeToString(raw), fmt.Sprintf("%x", raw), mustJSON(raw)} {
			if strings.Contains(text, form) {
				t.Errorf("the secret of token %d stands there as %s", n, form)
			}
		}
	}
	found, err := w.Store.Query(t.Context(), store.Query{Collection: Tokens, Limit: 10})
	tokens, err := store.Find[HardwareToken](found, err)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if (token.Serial == seed(1).Serial) != (token.Envelope == nil) {
			t.Errorf("token %s: envelope %v", token.Serial, token.Envelope)
		}
	}
	// A second world digests the same secret to another name.
	other := newWorld(t)
	other.stock(fileID, seeds(0, 3)...)
	var here, there HardwareToken
	if err := w.Store.Get(t.Context(), Tokens, tokenID("GA-0000"), &here); err != nil {
		t.Fatal(err)
	}
	if err := other.Store.Get(t.Context(), Tokens, tokenID("GA-0000"), &there); err != nil || here.Seed == there.Seed {
		t.Errorf("%v: the digest of a secret needs no key", err)
	}
}

func mustJSON(b []byte) string {
	text, _ := json.Marshal(b)
	return strings.Trim(string(text), `"`)
}
