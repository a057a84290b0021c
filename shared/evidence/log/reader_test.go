package log_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// built is a log of n small leaves, signed, without a sequencer.
type built struct {
	tiles  *memory.Objects
	signed []byte
	leaves [][]byte
	hashes stored
	*log.Reader
}

func build(t testing.TB, n int64) *built {
	t.Helper()
	b := &built{tiles: memory.New(clock.System{})}
	for i := range n {
		b.leaves = append(b.leaves, leaf(i))
		b.hashes.add(t, i, leaf(i))
	}
	root, err := log.Build(t.Context(), b.tiles, b.leaves)
	if err != nil {
		t.Fatal(err)
	}
	b.sign(t, n, root)
	b.Reader = log.NewReader(b.tiles, func(context.Context) ([]byte, error) { return b.signed, nil }, trusting(t, newKey("first")))
	return b
}

func (b *built) sign(t testing.TB, size int64, root tlog.Hash) {
	t.Helper()
	signed, err := sign.Note(t.Context(), sign.Checkpoint{Origin: origin, Size: size, Root: root}.Text(), newKey("first"))
	if err != nil {
		t.Fatal(err)
	}
	b.signed = signed
}

func (b *built) expect(t *testing.T, from, to int64) {
	t.Helper()
	next := from
	err := b.Entries(t.Context(), from, to, func(index int64, leaf []byte) error {
		if index != next || !bytes.Equal(leaf, b.leaves[index]) {
			return fmt.Errorf("entry %d: %q after %d", index, leaf, next-1)
		}
		next++
		return nil
	})
	if err != nil || next != to {
		t.Errorf("entries %d to %d: got to %d, %v", from, to, next, err)
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	b := build(t, 70_001) // more than one tile of level 1
	for _, span := range [][2]int64{{0, 70_001}, {0, 0}, {70_001, 70_001}, {255, 257}, {65_535, 65_537}, {65_280, 69_888}, {69_999, 70_001}, {70_000, 70_001}, {512, 768}} {
		b.expect(t, span[0], span[1])
	}
	stop := fmt.Errorf("stop: %w", errGone)
	if err := b.Entries(t.Context(), 0, 10, func(int64, []byte) error { return stop }); err != stop {
		t.Errorf("error of the caller: %v", err)
	}
	for _, at := range []int64{0, 65_536, 70_000} {
		if got, err := b.Record(t.Context(), at); err != nil || !bytes.Equal(got, b.leaves[at]) {
			t.Errorf("record %d: %q, %v", at, got, err)
		}
	}
}

func TestEntriesOfEverySize(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{1, 2, 255, 256, 257, 511, 512, 513, 3000} {
		b := build(t, size)
		b.expect(t, 0, size)
	}
}

// A log may drop a partial tile once the full one is there, also while older checkpoints are read (C2SP tlog-tiles).
func TestDroppedPartials(t *testing.T) {
	t.Parallel()
	b := build(t, 505)
	old := b.hashes.root(t, 505)
	for i := int64(505); i < 512; i++ {
		b.leaves = append(b.leaves, leaf(i))
	}
	if _, _, err := log.Grown(t.Context(), b.tiles, 505, old, b.leaves[505:]); err != nil {
		t.Fatal(err)
	}
	remove(t, b.tiles, "tile/0/001.p/249")
	remove(t, b.tiles, "tile/entries/001.p/249")
	b.expect(t, 0, 505)
}

func TestOutOfRange(t *testing.T) {
	t.Parallel()
	b := build(t, 10)
	none := func(int64, []byte) error { return nil }
	wantKind(t, b.Entries(t.Context(), -1, 3, none), fault.Invalid)
	wantKind(t, b.Entries(t.Context(), 4, 3, none), fault.Invalid)
	wantKind(t, b.Entries(t.Context(), 4, 11, none), fault.NotFound)
	for _, test := range []struct {
		index, size int64
		kind        fault.Kind
	}{{-1, 5, fault.Invalid}, {5, 5, fault.Invalid}, {10, 11, fault.NotFound}} {
		_, err := b.Proof(t.Context(), test.index, test.size)
		wantKind(t, err, test.kind)
		_, err = b.Consistency(t.Context(), test.index+1, test.size)
		wantKind(t, err, test.kind)
	}
	for _, index := range []int64{-1, 10} {
		_, err := b.LogProof(t.Context(), index)
		wantKind(t, err, fault.NotFound)
	}
}

func TestProofs(t *testing.T) {
	t.Parallel()
	b := build(t, 1500)
	for _, size := range []int64{1, 2, 255, 256, 257, 1000, 1024, 1500} {
		for _, index := range []int64{0, size / 3, size - 1} {
			proof, err := b.Proof(t.Context(), index, size)
			if err == nil {
				err = tlog.CheckRecord(proof, size, b.hashes.root(t, size), index, tlog.RecordHash(b.leaves[index]))
			}
			if err != nil {
				t.Errorf("record %d of %d: %v", index, size, err)
			}
		}
		proof, err := b.Consistency(t.Context(), size, 1500)
		if err == nil {
			err = tlog.CheckTree(proof, 1500, b.hashes.root(t, 1500), size, b.hashes.root(t, size))
		}
		if err != nil {
			t.Errorf("%d to 1500: %v", size, err)
		}
	}
}

// Everything that is read is proved: a changed, cut or missing part shows, whichever it is.
func TestTampered(t *testing.T) {
	t.Parallel()
	b := build(t, 600)
	all := func(o log.Objects) error {
		r := log.NewReader(o, func(context.Context) ([]byte, error) { return b.signed, nil }, trusting(t, newKey("first")))
		for i := range int64(600) / 100 {
			if _, err := r.Proof(t.Context(), i*100, 600); err != nil {
				return err
			}
		}
		return r.Entries(t.Context(), 0, 600, func(int64, []byte) error { return nil })
	}
	for _, name := range names(t, b.tiles, "") {
		for what, test := range map[string]struct {
			do   func(o log.Objects)
			kind []fault.Kind
		}{
			"flipped": {func(o log.Objects) { change(t, o, name, flipped) }, []fault.Kind{fault.Conflict, fault.Invalid}},
			"cut off": {func(o log.Objects) { change(t, o, name, func(d []byte) []byte { return d[:len(d)/2] }) }, []fault.Kind{fault.Conflict, fault.Invalid}},
			"missing": {func(o log.Objects) { remove(t, o, name) }, []fault.Kind{fault.NotFound}},
		} {
			o := memory.New(clock.System{})
			if _, err := log.Build(t.Context(), o, b.leaves); err != nil {
				t.Fatal(err)
			}
			test.do(o)
			err := all(o)
			found := false
			for _, kind := range test.kind {
				found = found || fault.Is(err, kind)
			}
			if !found {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
	}
	if err := all(b.tiles); err != nil {
		t.Error(err)
	}
}

func TestLogProof(t *testing.T) {
	t.Parallel()
	b := build(t, 300)
	trust := trusting(t, newKey("first"))
	file, err := b.LogProof(t.Context(), 77)
	if err != nil {
		t.Fatal(err)
	}
	index, c, err := log.OpenProof(file, leaf(77), trust)
	if err != nil || index != 77 || c.Size != 300 {
		t.Fatalf("%d of %d, %v\n%s", index, c.Size, err, file)
	}
	if !strings.HasPrefix(string(file), "c2sp.org/tlog-proof@v1\nindex 77\n") || !bytes.HasSuffix(file, append([]byte("\n\n"), b.signed...)) {
		t.Errorf("%s", file)
	}
	_, _, err = log.OpenProof(file, leaf(78), trust)
	wantKind(t, err, fault.Conflict)
	_, _, err = log.OpenProof(file, leaf(77), trusting(t, newKey("other")))
	wantKind(t, err, fault.Denied)
	text := string(file)
	for name, test := range map[string]struct {
		text string
		kind fault.Kind
	}{
		"nothing":           {"", fault.Invalid},
		"other version":     {strings.Replace(text, "@v1", "@v2", 1), fault.Invalid},
		"extra data":        {strings.Replace(text, "index", "extra YQ==\nindex", 1), fault.Invalid},
		"no index":          {strings.Replace(text, "index 77\n", "", 1), fault.Invalid},
		"leading zero":      {strings.Replace(text, "index 77", "index 077", 1), fault.Invalid},
		"negative":          {strings.Replace(text, "index 77", "index -1", 1), fault.Invalid},
		"beyond the end":    {strings.Replace(text, "index 77", "index 300", 1), fault.Invalid},
		"another index":     {strings.Replace(text, "index 77", "index 76", 1), fault.Conflict},
		"a line too few":    {text[:33] + text[33+45:], fault.Conflict},
		"not a hash":        {strings.Replace(text, "index 77\n", "index 77\nYQ==\n", 1), fault.Invalid},
		"carriage returns":  {strings.ReplaceAll(text, "\n", "\r\n"), fault.Invalid},
		"no checkpoint":     {text[:strings.Index(text, "\n\n")+2], fault.Invalid},
		"another text":      {strings.Replace(text, "\n300\n", "\n301\n", 1), fault.Invalid},
		"hundred hashes":    {strings.Replace(text, "index 77\n", "index 77\n"+strings.Repeat(b.hashes[0].String()+"\n", 100), 1), fault.Invalid},
		"one hash too many": {strings.Replace(text, "index 77\n", "index 77\n"+b.hashes[0].String()+"\n", 1), fault.Conflict},
	} {
		if _, _, err := log.OpenProof([]byte(test.text), leaf(77), trust); !fault.Is(err, test.kind) {
			t.Errorf("%s: %v, want %s", name, err, test.kind)
		}
	}
}

func FuzzOpenProof(f *testing.F) {
	b := build(f, 300)
	trust := trusting(f, newKey("first"))
	file, err := b.LogProof(f.Context(), 77)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(bytes.Replace(file, []byte("index 77"), []byte("index 9223372036854775807"), 1))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if index, c, err := log.OpenProof(data, leaf(77), trust); err == nil && (index != 77 || c.Size != 300) {
			t.Errorf("proves entry %d of %d", index, c.Size)
		}
	})
}
