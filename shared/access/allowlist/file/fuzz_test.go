package file

import (
	"bytes"
	"testing"

	"ostiary.internal/shared/access/allowlist/targettest"
)

// seeds are the three files of a list, to start the fuzzers from.
func seeds(t testing.TB) (truth, nft, nginx []byte) {
	d := newDocument(targettest.Make("81.2.69.142/32", "92.40.1.7/32", "2a02:8109:9340:1234::/64"), 7, 3, now)
	truth, err := renderJSON(d)
	if err != nil {
		t.Fatal(err)
	}
	return truth, renderNFT(d), renderNginx(d)
}

func FuzzParseJSON(f *testing.F) {
	truth, _, _ := seeds(f)
	f.Add(truth)
	f.Add([]byte(`{"v":1,"version":1,"fence":0,"digest":"","generated":"2026-03-03T08:00:00Z","set":"","entries":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := parseJSON(data); err == nil && checkOrder(d.prefixes()) != nil {
			t.Errorf("let through %v", d.prefixes())
		}
	})
}

// What the two text parsers let through is byte for byte what we would have written.
func FuzzParseNFT(f *testing.F) {
	_, nft, _ := seeds(f)
	f.Add(nft)
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := parseNFT(data); err == nil && !bytes.Equal(renderNFT(asDocument(r)), data) {
			t.Errorf("let through %q", data)
		}
	})
}

func FuzzParseNginx(f *testing.F) {
	_, _, nginx := seeds(f)
	f.Add(nginx)
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := parseNginx(data); err == nil && !bytes.Equal(renderNginx(asDocument(r)), data) {
			t.Errorf("let through %q", data)
		}
	})
}

func asDocument(r rendering) document {
	d := document{version: r.version}
	for _, p := range r.prefixes {
		d.Entries = append(d.Entries, entry{Prefix: p})
	}
	return d
}
