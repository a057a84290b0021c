package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
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
		// An address is none of the words of a record; one inside a longer word is not looked for.
		"address-prefix":     {facts("at", "192.0.2.0/24")},
		"address-six":        {facts("at", "2001:db8::192.0.2.1")},
		"address-six-prefix": {facts("at", "2001:db8::/32")},
		"address-inside":     {facts("at", "ip:192.0.2.1")},
		"address-behind":     {facts("at", "host/192.0.2.1")},
		"address-minus":      {facts("at", "-192.0.2.1")},
		// The log says that it was set back; only behind what was kept does it say so truly.
		"rewound":       {run("ip-allowlist", 1), run("ip-allowlist", 2), rewound(t, 2)},
		"rewound-never": {run("ip-allowlist", 1), rewound(t, 2)},
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

// trustVariants are trust files, each the good one with one thing changed: those no reader may take, and two that say the
// same, or as much as can be said, in another way.
func trustVariants(t testing.TB, good string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, change := range map[string][2]string{
		"unknown-member":       {`"v": 1,`, `"v": 1, "note": "",`},
		"member-twice":         {`"v": 1,`, `"v": 1, "v": 1,`},
		"member-twice-escaped": {`"from": 0`, `"from": 99999, "fro\u006d": 0`},
		"member-escaped":       {`"origin"`, `"\u006frigin"`},
		"value-escaped":        {`"origin": "c`, `"origin": "\u0063`},
		"slash-escaped":        {`"origin": "customer.example/`, `"origin": "customer.example\/`},
		"another-version":      {`"v": 1,`, `"v": 2,`},
		"version-fraction":     {`"v": 1,`, `"v": 1.0,`},
		"another-origin":       {`"origin": "customer`, `"origin": "customers`},
		"another-hash":         {"+2661f89f+", "+2661f890+"},
		"negative-size":        {`"from": 0`, `"from": -1`},
		"size-exponent":        {`"from": 0`, `"from": 1e0`},
		"size-fraction":        {`"from": 0`, `"from": 0.0`},
		"size-minus-zero":      {`"from": 0`, `"from": -0`},
		"size-text":            {`"from": 0`, `"from": "0"`},
		"size-beyond-53-bits":  {`"from": 0`, `"from": 0, "to": 9007199254740992`},
		"size-beyond-62-bits":  {`"from": 0`, `"from": 4611686018427387903`},
		"keys-null":            {`"witnesses": [`, `"witnesses": null, "x": [`},
		"cut":                  {"]\n}\n", "]\n"},
		"byte-order-mark":      {"{\n", "\ufeff{\n"},
		"wide-space":           {"{\n", "{\u00a0\n"},
		"member-proto":         {`"v": 1,`, `"v": 1, "__proto__": {},`},
		"key-constructor":      {`"from": 0`, `"from": 0, "constructor": 0`},
	} {
		out["hostile-trust/"+name+".json"] = strings.Replace(good, change[0], change[1], 1)
	}
	out["largest-size.trust.json"] = strings.Replace(good, `"from": 0`, `"from": 0, "to": 9007199254740991`, 1)
	out["another-order.trust.json"] = strings.ReplaceAll(strings.Replace(good, `  "v": 1,`, "", 1), "  ]\n}\n", "]\t,\r\n\"v\":1}")
	for name, text := range out {
		if text == good {
			t.Fatalf("%s changes nothing", name)
		}
	}
	return out
}

// cosignedAt adds the good signature of the witness at a time no clock need have shown.
func cosignedAt(t testing.TB, note []byte, at uint64) []byte {
	t.Helper()
	text, _, _ := strings.Cut(string(note), "\n\n")
	verifier, err := sign.WitnessKey(witnessKey.verifier(t))
	check(t, err)
	raw, err := hex.DecodeString(strings.Split(verifier, "+")[1])
	check(t, err)
	raw = binary.BigEndian.AppendUint64(raw, at)
	raw = append(raw, ed25519.Sign(witnessKey.private(), fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", at, text))...)
	return fmt.Appendf(slices.Clone(note), "— %s %s\n", witness, base64.StdEncoding.EncodeToString(raw))
}
