package verify_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/require"
)

// What is no record to this verifier is none to the other, and what is one is one: the hostile texts, and good ones with
// a change that leaves most of them what they were.
func TestVerifiersAgreeOnRecords(t *testing.T) {
	t.Parallel()
	node := second(t)
	if node == nil {
		return
	}
	var leaves [][]byte
	names, err := filepath.Glob(vectors + "/records/*.json")
	check(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range names {
		good, err := os.ReadFile(name)
		check(t, err)
		leaves = append(leaves, good)
		for range require.Seeds(25) * 4 {
			leaves = append(leaves, changed(random, good))
		}
	}
	for _, hostile := range hostileLeaves(t) {
		leaves = append(leaves, hostile)
	}
	exit, out := byNode(t, node, onDisk(t, bundle(t, leaves)), vectors+"/trust.json", vectorCase{})
	if exit != verify.Malformed.Exit() {
		t.Fatalf("exit %d\n%s", exit, out)
	}
	refused := map[int]bool{}
	for line := range strings.Lines(out) {
		var index int
		if n, _ := fmt.Sscanf(line, "record %d:", &index); n == 1 {
			refused[index] = true
		}
	}
	good := 0
	for i, l := range leaves {
		_, err := record.Parse(l)
		if (err != nil) != refused[i] {
			t.Errorf("refused by this reader: %v; by the other: %t\n%s", err, refused[i], l)
		}
		if err == nil {
			good++
		}
	}
	t.Logf("%d of %d are records", good, len(leaves))
}

// A trust file that this verifier takes is one to the other.
func TestVerifiersAgreeOnTrust(t *testing.T) {
	t.Parallel()
	node := second(t)
	if node == nil {
		return
	}
	good, err := os.ReadFile(vectors + "/trust.json")
	check(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	dir, taken := onDisk(t, bundle(t, heartbeats(t, 3))), 0
	path := filepath.Join(t.TempDir(), "trust.json")
	for range require.Seeds(25) {
		text := changed(random, good)
		check(t, os.WriteFile(path, text, 0o600))
		_, err := sign.ReadTrust(text)
		exit, said := byNode(t, node, dir, path, vectorCase{})
		if (err != nil) != (exit == verify.Malformed.Exit()) {
			t.Errorf("this reader: %v; the other: exit %d %s\n%s", err, exit, said, text)
		}
		if err == nil {
			taken++
		}
	}
	t.Logf("%d were taken", taken)
}

// The other verifier tells of a rewind too, where the log says it truly.
func TestNodeTellsOfRewinds(t *testing.T) {
	t.Parallel()
	node := second(t)
	if node == nil {
		return
	}
	for name, want := range map[string]bool{"rewound": true, "rewound-never": false} {
		exit, said := byNode(t, node, vectors+"/logs/"+name, vectors+"/trust.json", vectorCase{})
		if told := strings.Contains(said, "set back") && strings.Contains(said, "9") && strings.Contains(said, "restored"); exit != 0 || told != want {
			t.Errorf("%s: exit %d\n%s", name, exit, said)
		}
	}
}

// changed is a text with one small change: a byte, a letter of another kind, a piece left out or said twice.
func changed(random *rand.Rand, text []byte) []byte {
	at, end := random.IntN(len(text)), 0
	end = min(len(text), at+random.IntN(12))
	switch random.IntN(4) {
	case 0:
		text = slices.Clone(text)
		text[at] ^= 1 << random.IntN(8)
		return text
	case 1:
		const letters = `0123456789abcdefghijklmnopqrstuvwxyz"{}[]:,.-+ \T`
		text = slices.Clone(text)
		text[at] = letters[random.IntN(len(letters))]
		return text
	case 2:
		return slices.Concat(text[:at], text[end:])
	}
	return slices.Concat(text[:end], text[at:])
}

// The second verifier is short enough to be read before it is run.
func TestNodeVerifierIsShort(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile(script)
	check(t, err)
	if lines := bytes.Count(code, []byte("\n")); lines > 200 {
		t.Errorf("%d lines", lines)
	}
	for line := range strings.Lines(string(code)) {
		if strings.HasPrefix(line, "import ") && !strings.Contains(line, " from 'node:") {
			t.Errorf("not of the standard library: %s", line)
		}
	}
}
