package verify_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/verify"
)

// oddLogs are small logs that a key holder made, by name. Each record is a good one with a piece of its text changed,
// so that nothing but that piece decides.
func oddLogs(t testing.TB) map[string][][]byte {
	t.Helper()
	run := func(control string, number int) []byte { return leaf(t, heartbeat(control, number)) }
	facts := func(name, value string) []byte {
		r := heartbeat("ip-allowlist", 1)
		r.Facts = map[string]string{"at": "standin"}
		return edited(t, leaf(t, r), `"at":"standin"`, fmt.Sprintf(`"%s":"%s"`, name, value))
	}
	good := run("ip-allowlist", 1)
	return map[string][][]byte{
		// What JavaScript's objects have by birth.
		"member-proto":       {edited(t, good, `{"control"`, `{"__proto__":{},"control"`)},
		"member-constructor": {edited(t, good, `{"control"`, `{"constructor":{},"control"`)},
		"member-tostring":    {edited(t, good, `,"v":1`, `,"toString":"x","v":1`)},
		"source-proto":       {edited(t, good, `"source":{`, `"source":{"__proto__":{},`)},
		"fact-proto":         {facts("__proto__", "x")},
		"fact-tostring":      {facts("toString", "x")},
		"fact-constructor":   {facts("constructor", "toString")},
		"control-names":      {run("constructor", 1), run("toString", 1), run("constructor", 2), run("hasOwnProperty", 1)},
		"control-gap":        {run("constructor", 1), run("constructor", 3), run("toString", 1)},
		// Addresses with a port, and what only looks like one.
		"port-zeros":         {facts("at", "1.2.3.4:000080")},
		"port-largest":       {facts("at", "1.2.3.4:65535")},
		"port-too-large":     {facts("at", "1.2.3.4:065536")},
		"port-of-no-address": {facts("at", "1.2.3.04:80")},
	}
}

func edited(t testing.TB, text []byte, old, new string) []byte {
	t.Helper()
	if bytes.Count(text, []byte(old)) != 1 {
		t.Fatalf("%s is not once in %s", old, text)
	}
	return bytes.Replace(text, []byte(old), []byte(new), 1)
}

// oddFiles are the files of those logs.
func oddFiles(t testing.TB) files {
	t.Helper()
	out := files{}
	for name, leaves := range oddLogs(t) {
		for file, data := range bundle(t, leaves) {
			out[name+"/"+file] = data
		}
	}
	return out
}

// proofVariants are proofs of record 0 that no longer, or not only, prove what they say, and notes with a mark too many.
func proofVariants(t testing.TB, f files, leaves [][]byte) files {
	t.Helper()
	prove := func(of [][]byte) []byte {
		in := bundle(t, of)
		proof, err := verify.Reader(in.source(), in[verify.CheckpointFile], trust(t)).LogProof(t.Context(), 0)
		check(t, err)
		return proof
	}
	good := string(f["proofs/0.tlog-proof"])
	first := strings.Split(good, "\n")[2]
	note := string(f[verify.CheckpointFile])
	last := strings.LastIndex(note, " ") + 20
	return files{
		// Each proves record 0; the log does not extend the second one's checkpoint, nor reach the third one's.
		"earlier.tlog-proof":                prove(leaves[:50]),
		"forked.tlog-proof":                 prove(slices.Concat(leaves[:1], leaves[2:51])),
		"longer.tlog-proof":                 prove(slices.Concat(leaves, leaves)),
		"short-hash.tlog-proof":             []byte(strings.Replace(good, first, first[:40], 1)),
		"stray-bits.tlog-proof":             []byte(strings.Replace(good, first, first[:42]+"B=", 1)),
		"extra-line.tlog-proof":             []byte(strings.Replace(good, "\nindex ", "\nextra x\nindex ", 1)),
		"forked-longer.checkpoint":          signed(t, slices.Concat(leaves[1:], leaves, leaves[:1]), logKey),
		"carriage-return.checkpoint":        []byte(note[:len(note)-1] + "\r\n"),
		"carriage-return-inside.checkpoint": []byte(note[:last] + "\r" + note[last:]),
	}
}

// A record that a log of these holds is one to the reader that makes records, or none: as the case says.
func TestOddRecords(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t) {
		name, found := strings.CutPrefix(c.Bundle, "logs/")
		if !found {
			continue
		}
		wrong := 0
		for _, l := range oddLogs(t)[name] {
			if _, err := record.Parse(l); err != nil {
				wrong++
			}
		}
		if (wrong > 0) != (c.Exit == verify.Malformed.Exit()) {
			t.Errorf("%s: %d are no records", c.Name, wrong)
		}
	}
}
