package engine

import (
	"bytes"
	"cmp"
	"math"
	"testing"

	"ostiary.internal/shared/platform/store"
)

var faultySchemas = map[string]store.Schema{
	"a collection without a name":      {{}},
	"a collection named like a path":   {{Name: "a/b"}},
	"a collection declared twice":      {{Name: "a"}, {Name: "a"}},
	"an index without a field":         {{Name: "a", Indexes: []store.Index{{}}}},
	"an index on a field twice":        {{Name: "a", Indexes: []store.Index{{"f", "f"}}}},
	"an index on a field with no name": {{Name: "a", Indexes: []store.Index{{""}}}},
	"an index on a reserved field":     {{Name: "a", Indexes: []store.Index{{"__f__"}}}},
	"an index declared twice":          {{Name: "a", Indexes: []store.Index{{"f", "g"}, {"f", "g"}}}},
}

// FuzzKeyOrder checks that keys order like the values they are made of, whatever follows.
func FuzzKeyOrder(f *testing.F) {
	f.Add("a", "a\x00", "x", "", int64(-1), int64(0))
	f.Add("", "\x00", "\xff", "\x00", int64(math.MinInt64), int64(math.MaxInt64))
	f.Add("\x00\xff", "\x00\x01", "", "", int64(255), int64(256))
	f.Fuzz(func(t *testing.T, a, b, idA, idB string, m, n int64) {
		index := store.Index{"f"}
		key := func(value any, id string) []byte {
			k, ok := Key(index, map[string]any{"f": value}, id)
			if !ok {
				t.Fatalf("%v is not indexed", value)
			}
			return k
		}
		if got, want := bytes.Compare(key(a, idA), key(b, idB)), cmp.Or(cmp.Compare(a, b), cmp.Compare(idA, idB)); got != want {
			t.Errorf("texts %q/%q and %q/%q compare %d; want %d", a, idA, b, idB, got, want)
		}
		if got, want := bytes.Compare(key(m, idA), key(n, idB)), cmp.Or(cmp.Compare(m, n), cmp.Compare(idA, idB)); got != want {
			t.Errorf("integers %d/%q and %d/%q compare %d; want %d", m, idA, n, idB, got, want)
		}
		if bytes.Compare(key(true, idA), key(m, idB)) >= 0 || bytes.Compare(key(m, idA), key(a, idB)) >= 0 {
			t.Error("bools, integers and texts are not in this order")
		}
		if end := behind(key(a, "")); end != nil && bytes.Compare(key(a, idA), end) >= 0 {
			t.Errorf("%q/%q is not before the end of its value", a, idA)
		}
	})
}

func TestBehind(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string][]byte{"": nil, "a": []byte("b"), "a\xff\xff": []byte("b"), "\xff": nil} {
		if got := behind([]byte(prefix)); !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("behind %q is %q; want %q", prefix, got, want)
		}
	}
}
