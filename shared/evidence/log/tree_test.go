package log_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/require"
)

// stored are all hashes of a tree as package tlog keeps them: the oracle.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = s[x]
	}
	return out, nil
}

func (s *stored) add(t testing.TB, n int64, leaf []byte) {
	t.Helper()
	more, err := tlog.StoredHashes(n, leaf, *s)
	if err != nil {
		t.Fatal(err)
	}
	*s = append(*s, more...)
}

func (s stored) root(t testing.TB, n int64) tlog.Hash {
	t.Helper()
	root, err := tlog.TreeHash(n, s)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func leaf(i int64) []byte { return fmt.Appendf(nil, "leaf %d", i) }

func TestTree(t *testing.T) {
	t.Parallel()
	var s stored
	var tree log.Tree
	for n := range int64(66_000) {
		if n < 1100 || n%997 == 0 || n > 65_530 && n < 65_545 {
			if tree.Size() != n || tree.Root() != s.root(t, n) {
				t.Fatalf("size %d: another root than package tlog's", n)
			}
		}
		s.add(t, n, leaf(n))
		tree.Append(tlog.RecordHash(leaf(n)))
	}
}

// Whatever the steps in which a log grows, it stores the tiles package tlog asks for, with its bytes.
func TestTilesOfEveryStep(t *testing.T) {
	t.Parallel()
	for seed := range uint64(require.Seeds(25)) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tiles := memory.New(clock.System{})
		var s stored
		root := s.root(t, 0)
		for size := int64(0); size < 2000; {
			var more [][]byte
			next := size + rng.Int64N(int64([]int{3, 300, 700}[rng.IntN(3)])) + 1
			for n := size; n < next; n++ {
				more = append(more, leaf(n))
				s.add(t, n, leaf(n))
			}
			got, now, err := log.Grown(t.Context(), tiles, size, root, more)
			if err != nil || now != s.root(t, next) {
				t.Fatalf("seed %d: %d to %d: root %v, %v", seed, size, next, now, err)
			}
			for _, tile := range tlog.NewTiles(8, size, next) {
				data, err := tlog.ReadTileData(tile, s)
				name := log.TilePath(tile.L, tile.N, tile.W)
				if err != nil || got[name] != string(data) {
					t.Fatalf("seed %d: %d to %d: %s differs, %v", seed, size, next, name, err)
				}
				delete(got, name)
				if tile.L > 0 {
					continue
				}
				name = log.BundlePath(tile.N, tile.W)
				leaves, err := log.ParseBundle([]byte(got[name]))
				if err != nil || len(leaves) != tile.W || string(leaves[tile.W-1]) != string(leaf(tile.N*256+int64(tile.W)-1)) {
					t.Fatalf("seed %d: %d to %d: %s has %d entries, %v", seed, size, next, name, len(leaves), err)
				}
				delete(got, name)
			}
			if len(got) > 0 {
				t.Fatalf("seed %d: %d to %d: also %d other objects", seed, size, next, len(got))
			}
			size, root = next, now
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		log.TilePath(0, 0, 256):         "tile/0/000",
		log.TilePath(0, 273, 112):       "tile/0/273.p/112",
		log.TilePath(2, 1_234_067, 256): "tile/2/x001/x234/067",
		log.BundlePath(5, 256):          "tile/entries/005",
		log.BundlePath(1_234_067, 1):    "tile/entries/x001/x234/067.p/1",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	for _, seed := range []string{"", "\x00", "\x00\x00", "\x00\x01a", "\x00\x02a", "\x00\x01a\x00\x01b", "\xff\xffa", "\x00\x01a\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		leaves, err := log.ParseBundle(data)
		if err != nil {
			return
		}
		var again []byte
		for _, l := range leaves {
			again = append(append(again, byte(len(l)>>8), byte(len(l))), l...)
		}
		if string(again) != string(data) || len(leaves) > 256 {
			t.Errorf("%d leaves of %d bytes", len(leaves), len(data))
		}
	})
}
