package vault

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

// TestCommit: a subject is recognised within a month, in no other, and never taken for another.
func TestCommit(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	first := r.commit(t, anna)
	if again := r.commit(t, anna); again != first || first.Type != "person" {
		t.Errorf("%v and then %v", first, again)
	}
	others := map[string]string{"another person": r.commit(t, bruno).C, "another type": r.commit(t, Subject{"host", anna.ID}).C}
	lastOfMarch := time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC)
	if c, err := r.Commit(t.Context(), anna, lastOfMarch); err != nil || c != first {
		t.Errorf("at the end of the month: %v, %v", c, err)
	}
	paris := time.FixedZone("CEST", 7200)
	if c, err := r.Commit(t.Context(), anna, lastOfMarch.Add(time.Minute).In(paris)); err != nil || c == first {
		t.Errorf("in the next month: %v, %v", c, err)
	} else {
		others["next month"] = c.C
	}
	for name, c := range others {
		if c == first.C || !strings.HasPrefix(c, "hmac:") {
			t.Errorf("%s: %s", name, c)
		}
	}
	if guessed := record.Commitment(bytes.Repeat([]byte{0}, 32), anna.Type, anna.ID); guessed == first.C {
		t.Error("the salt is nothing")
	}
}

// TestPut: a payload is kept once, opens for its subject and record alone, and its commitment can be checked.
func TestPut(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	kept := r.put(t, anna, leafA, secret)
	if again := r.put(t, anna, leafA, secret); again != kept || kept.Bytes != int64(len(secret)) {
		t.Errorf("%v and then %v", kept, again)
	}
	if _, err := r.Put(t.Context(), anna, leafA, []byte("other"), start); !fault.Is(err, fault.Conflict) {
		t.Errorf("other bytes: %v", err)
	}
	if r.put(t, anna, leafB, secret).C == kept.C || r.put(t, bruno, leafA, secret).C == kept.C {
		t.Error("the same payload elsewhere has the same commitment")
	}
	salt, payload, err := r.Disclose(t.Context(), anna, leafA)
	if err != nil || !bytes.Equal(payload, secret) || record.Commitment(salt, "payload", string(payload)) != kept.C {
		t.Errorf("disclosed %q with %d bytes of salt: %v", payload, len(salt), err)
	}
	for name, s := range map[string]Subject{"another subject": {"person", "nobody"}, "another type": {"host", anna.ID}} {
		if _, err := r.Open(t.Context(), s, leafA); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Open(t.Context(), anna, leafC); !fault.Is(err, fault.NotFound) {
		t.Errorf("nothing there: %v", err)
	}
	r.tick(t, Retention+time.Hour)
	if _, err := r.Open(t.Context(), anna, leafA); !fault.Is(err, fault.NotFound) {
		t.Errorf("after the time it is kept: %v", err)
	}
}

// TestMoved: what is copied to another place of the database does not open there.
func TestMoved(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.put(t, anna, leafA, secret)
	r.put(t, anna, leafB, []byte("b"))
	r.put(t, bruno, leafA, []byte("c"))
	name := func(s Subject, leaf string) string { key, _ := s.key(); return key + "." + leaf }
	for _, to := range []string{name(anna, leafB), name(bruno, leafA)} {
		if err := r.raw.Tx(t.Context(), func(tx store.Tx) error {
			var from, into payloadDoc
			if err := tx.Get(payloads, name(anna, leafA), &from); err != nil {
				return err
			}
			if err := tx.Get(payloads, to, &into); err != nil {
				return err
			}
			into.Sealed = from.Sealed
			return tx.Put(payloads, to, into)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, place := range []struct {
		s    Subject
		leaf string
	}{{anna, leafB}, {bruno, leafA}} {
		if got, err := r.Open(t.Context(), place.s, place.leaf); !fault.Is(err, fault.Invalid) {
			t.Errorf("opened %q: %v", got, err)
		}
	}
}

// TestRefuses: what is outside the limits is refused, and no refusal names a subject.
func TestRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, s := range map[string]Subject{
		"no type": {"", "x"}, "capitals": {"Person", "x"}, "spaces": {"a person", "x"}, "no id": {"person", ""}, "long": {"person", strings.Repeat("kowalska", 65)},
	} {
		_, committed := r.Commit(t.Context(), s, start)
		_, put := r.Put(t.Context(), s, leafA, secret, start)
		_, opened := r.Open(t.Context(), s, leafA)
		_, erased := r.Erase(t.Context(), s, Withdrawn, start)
		for _, err := range []error{committed, put, opened, erased, r.Hold(t.Context(), s, Hold{"a", ForClaims, start.Add(time.Hour)}, start), r.Release(t.Context(), s, "a", start)} {
			if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "kowalska") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, payload := range map[string][]byte{"none": nil, "too large": make([]byte, MaxPayload+1)} {
		if _, err := r.Put(t.Context(), anna, leafA, payload, start); !fault.Is(err, fault.Invalid) {
			t.Errorf("payload %s: %v", name, err)
		}
	}
	if p := r.put(t, anna, leafA, make([]byte, MaxPayload)); p.Bytes != MaxPayload {
		t.Errorf("the largest payload has %d bytes", p.Bytes)
	}
	for _, leaf := range []string{"", "A", leafA + "a", "anna.kowalska", strings.Repeat("1", 32)} {
		if _, err := r.Put(t.Context(), anna, leaf, secret, start); !fault.Is(err, fault.Invalid) {
			t.Errorf("leaf %q: %v", leaf, err)
		}
	}
	if _, err := r.Erase(t.Context(), anna, "because she asked", start); !fault.Is(err, fault.Invalid) {
		t.Errorf("a ground in words: %v", err)
	}
	for name, c := range map[string]Config{
		"nothing": {}, "a short horizon": {Store: r.Store, Box: r.Box, Keys: r.Keys, Random: r.Random, Horizon: LeastHorizon - 1},
		"a negative retention": {Store: r.Store, Box: r.Box, Keys: r.Keys, Random: r.Random, Horizon: LeastHorizon, Retention: -1},
	} {
		if _, err := New(c); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("a vault of %s: %v", name, err)
		}
	}
}

type deadKeys struct{ seal.Keys }

func (deadKeys) Wrap(context.Context, []byte, []byte) ([]byte, string, error) {
	return nil, "", storetest.ErrInjected
}

func (deadKeys) Unwrap(context.Context, []byte, []byte) ([]byte, error) {
	return nil, storetest.ErrInjected
}

type noBytes struct{}

func (noBytes) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

// TestOutages: without the key service or random bytes nothing is kept.
func TestOutages(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	keys, random := r.Keys, r.Random
	for name, breaks := range map[string]func(){"keys": func() { r.Keys = deadKeys{} }, "random": func() { r.Random = noBytes{} }} {
		breaks()
		_, committed := r.Commit(t.Context(), anna, start)
		_, put := r.Put(t.Context(), anna, leafA, secret, start)
		for _, err := range []error{committed, put} {
			if !fault.Is(err, fault.Transient) {
				t.Errorf("without %s: %v", name, err)
			}
		}
		if kept := r.dump(t); kept != "" {
			t.Errorf("without %s something was kept: %s", name, kept)
		}
		r.Keys, r.Random = keys, random
	}
	r.put(t, anna, leafA, secret)
	r.Keys = deadKeys{}
	if _, err := r.Open(t.Context(), anna, leafA); !fault.Is(err, fault.Transient) {
		t.Errorf("opening: %v", err)
	}
	if e := r.erase(t, anna); e.State != Pending { // an erasure needs no key: it destroys one
		t.Errorf("erasing without the key service: %v", e)
	}
}

// TestNothingPersonal: neither documents nor records hold who it is about or what was said.
func TestNothingPersonal(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.commit(t, anna)
	r.put(t, anna, leafA, secret)
	if err := r.Hold(t.Context(), anna, Hold{"case-7", ForClaims, start.Add(time.Hour)}, start); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"anna", "kowalska", "score"} {
		if strings.Contains(r.dump(t), private) {
			t.Errorf("%q stands in the clear", private)
		}
	}
	r.erase(t, anna)
	r.tick(t, 2*time.Hour)
	r.tick(t, horizon)
	for _, private := range []string{"anna", "kowalska", "score", "case-7"} {
		if strings.Contains(r.dump(t), private) {
			t.Errorf("%q stands in the clear", private)
		}
	}
}
