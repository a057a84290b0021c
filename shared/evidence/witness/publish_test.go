package witness_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/witness"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

var second = key{"customer.example/w2", "second"}

// twoWitnesses trusts another one too.
func twoWitnesses(t testing.TB) sign.Trust {
	t.Helper()
	v, err := second.Verifier(t.Context())
	check(t, err)
	v, err = sign.WitnessKey(v)
	check(t, err)
	both := trust(t)
	both.Witnesses = append(both.Witnesses, sign.TrustedKey{Key: v})
	return both
}

// headOf is a head store whose newest checkpoint is that of a log.
func headOf(t testing.TB, r *tree) log.Objects {
	t.Helper()
	head := memory.New(clock.System{})
	moveTo(t, head, r)
	return head
}

func moveTo(t testing.TB, head log.Objects, r *tree) {
	t.Helper()
	old, err := head.Get(t.Context(), "checkpoint")
	if err != nil && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	_, err = head.Swap(t.Context(), "checkpoint", r.checkpoint(t, logKey), old.Generation)
	check(t, err)
}

// tilesOf are the tiles of a log.
func tilesOf(t testing.TB, r *tree) log.Objects {
	t.Helper()
	tiles := memory.New(clock.System{})
	for _, tile := range tlog.NewTiles(8, 0, r.size) {
		data, err := tlog.ReadTileData(tile, r)
		check(t, err)
		_, err = tiles.Create(t.Context(), log.TilePath(tile.L, tile.N, tile.W), data)
		check(t, err)
	}
	return tiles
}

func cosigned(t testing.TB, r *tree, k key, at time.Time) []byte {
	t.Helper()
	note, err := sign.Cosign(t.Context(), r.checkpoint(t, logKey), at, k)
	check(t, err)
	return note
}

// What a witness confirmed is known beside the log from then on, by name, size and time, and the checkpoint bears its
// signature for as long as it is the newest.
func TestPublish(t *testing.T) {
	t.Parallel()
	both, five := twoWitnesses(t), grow(t, 5, 5, "")
	head := headOf(t, five)
	if got, err := witness.Confirmations(t.Context(), head, both); err != nil || len(got) > 0 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, k := range []key{witnessKey, second} {
		got, err := witness.Publish(t.Context(), tilesOf(t, five), head, both, cosigned(t, five, k, now.Add(time.Duration(i)*time.Minute)))
		if err != nil || len(got) != 1 || got[0].Name != k.name {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	note, err := witness.Checkpoint(t.Context(), head, both)
	check(t, err)
	v, err := both.Verify(note)
	check(t, err)
	if len(v.Witnesses) != 2 || !bytes.HasPrefix(note, five.checkpoint(t, logKey)) {
		t.Errorf("%s", note)
	}
	if alone, err := witness.Checkpoint(t.Context(), head, trust(t)); err != nil || bytes.Count(alone, []byte("— ")) != 2 {
		t.Errorf("a key the trust file does not name signs along: %s, %v", alone, err)
	}

	nine := grow(t, 9, 9, "")
	moveTo(t, head, nine)
	note, err = witness.Checkpoint(t.Context(), head, both)
	check(t, err)
	if !bytes.Equal(note, nine.checkpoint(t, logKey)) {
		t.Errorf("signed along, though it was another checkpoint: %s", note)
	}
	got, err := witness.Confirmations(t.Context(), head, both)
	check(t, err)
	if len(got) != 2 || got[0].Name != second.name || got[0].Size != 5 || !got[0].At.Equal(now.Add(time.Minute)) || got[1].Name != witnessKey.name {
		t.Errorf("%+v", got)
	}
}

// What is not newer changes nothing; what is does.
func TestPublishNewest(t *testing.T) {
	t.Parallel()
	ten := grow(t, 10, 10, "")
	head := headOf(t, ten)
	size := func(n int64) *tree { return grow(t, n, n, "") }
	for _, step := range []struct {
		size  int64
		after time.Duration
		want  int64
		at    time.Duration
	}{{4, 0, 4, 0}, {3, time.Hour, 4, 0}, {4, time.Hour, 4, time.Hour}, {10, 0, 10, 0}, {4, 2 * time.Hour, 10, 0}} {
		_, err := witness.Publish(t.Context(), tilesOf(t, ten), head, trust(t), cosigned(t, size(step.size), witnessKey, now.Add(step.after)))
		check(t, err)
		got, err := witness.Confirmations(t.Context(), head, trust(t))
		check(t, err)
		if len(got) != 1 || got[0].Size != step.want || !got[0].At.Equal(now.Add(step.at)) {
			t.Errorf("after %+v: %+v", step, got)
		}
	}
}

// What the log does not extend, and what no trusted witness has signed, is not published.
func TestPublishRefused(t *testing.T) {
	t.Parallel()
	ten := grow(t, 10, 10, "")
	head := headOf(t, ten)
	for name, test := range map[string]struct {
		note []byte
		is   func(error) bool
	}{
		"longer than the log": {cosigned(t, grow(t, 11, 11, ""), witnessKey, now), func(err error) bool { return fault.Is(err, fault.Conflict) }},
		"forked":              {cosigned(t, grow(t, 7, 3, "x"), witnessKey, now), func(err error) bool { return fault.Is(err, fault.Conflict) }},
		"forked, as long":     {cosigned(t, grow(t, 10, 3, "x"), witnessKey, now), func(err error) bool { return fault.Is(err, fault.Conflict) }},
		"by nobody":           {ten.checkpoint(t, logKey), func(err error) bool { return errors.Is(err, sign.ErrUntrusted) }},
		"by a stranger":       {cosigned(t, ten, second, now), func(err error) bool { return errors.Is(err, sign.ErrUntrusted) }},
		"prose":               {[]byte("confirmed\n"), func(err error) bool { return errors.Is(err, sign.ErrMalformed) }},
	} {
		if _, err := witness.Publish(t.Context(), tilesOf(t, ten), head, trust(t), test.note); !test.is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := witness.Confirmations(t.Context(), head, trust(t)); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// What lies under a witness's name and is none of its confirmations counts for nothing, and gives way.
func TestForeignObject(t *testing.T) {
	t.Parallel()
	ten := grow(t, 10, 10, "")
	head := headOf(t, ten)
	_, err := witness.Publish(t.Context(), tilesOf(t, ten), head, trust(t), cosigned(t, ten, witnessKey, now))
	check(t, err)
	listed, err := head.List(t.Context(), "cosigned/", "", 10)
	check(t, err)
	if len(listed) != 1 {
		t.Fatalf("%v", listed)
	}
	for _, foreign := range [][]byte{[]byte("prose"), ten.checkpoint(t, logKey), cosigned(t, ten, second, now)} {
		kept, err := head.Get(t.Context(), listed[0].Name)
		check(t, err)
		_, err = head.Swap(t.Context(), listed[0].Name, foreign, kept.Generation)
		check(t, err)
		if got, err := witness.Confirmations(t.Context(), head, trust(t)); err != nil || len(got) > 0 {
			t.Errorf("%v, %v", got, err)
		}
		_, err = witness.Publish(t.Context(), tilesOf(t, ten), head, trust(t), cosigned(t, ten, witnessKey, now))
		check(t, err)
		if got, err := witness.Confirmations(t.Context(), head, trust(t)); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	}
}
