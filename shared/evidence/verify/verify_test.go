package verify_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/fault"
)

// counting is a page that follows from the records: it counts their kinds.
func counting(b verify.Basis) ([]byte, error) {
	if !json.Valid(b.Register) {
		return nil, fault.New(fault.Invalid, "reading the register")
	}
	kinds := map[record.Kind]int{}
	for _, r := range b.Leaves {
		kinds[r.Kind]++
	}
	return json.Marshal(map[string]any{"origin": b.Origin, "size": b.Size, "root": b.Root().String(), "kinds": kinds})
}

// complete is a bundle with everything a bundle can hold: 300 runs, a record with a payload of each sort, a page.
func complete(t testing.TB) files {
	t.Helper()
	leaves := heartbeats(t, 300)
	sealed, salt := []byte("sealed bytes"), bytes.Repeat([]byte{9}, 32)
	for i, c := range []string{record.Digest(sealed), record.Commitment(salt, "payload", string(sealed))} {
		r := record.New(record.Access, "otp-check", fmt.Sprint("payload", i))
		r.Source.Collected = began
		r.Payload = record.Payload{C: c, Bytes: int64(len(sealed))}
		leaves = append(leaves, leaf(t, r))
	}
	e := record.New(record.Erasure, "vault", "erasure")
	e.Source.Collected = began
	e.Refs = []record.Ref{{Rel: "erased", ID: heartbeat("ip-allowlist", 1).ID()}}
	leaves = append(leaves, leaf(t, e))

	register := []byte(`{"promises":[]}`)
	page := pageOver(t, leaves, register)
	f := bundle(t, withPage(t, leaves, page))
	f[verify.PageFile], f[verify.RegisterFile] = page, register
	f["checkpoints/100"] = signed(t, leaves[:100], logKey)
	f["checkpoints/256"] = signed(t, leaves[:256], logKey)
	for i, name := range []string{ids(t, leaves[300]), ids(t, leaves[301])} {
		f["payloads/"+name] = sealed
		if i == 1 {
			f["payloads/"+name+".salt"] = salt
		}
	}
	for _, index := range []int64{0, 299} {
		proof, err := verify.Reader(f.source(), f[verify.CheckpointFile], trust(t)).LogProof(t.Context(), index)
		check(t, err)
		f[fmt.Sprintf("proofs/%d.tlog-proof", index)] = proof
	}
	return f
}

// pageOver computes the page the way Verify does.
func pageOver(t testing.TB, leaves [][]byte, register []byte) []byte {
	t.Helper()
	page, err := counting(verify.Basis{Register: register, Origin: origin, Size: int64(len(leaves)), Leaves: recordsOf(leaves), Root: rootOf(t, leaves)})
	check(t, err)
	return page
}

func ids(t testing.TB, leaf []byte) string {
	t.Helper()
	r, err := record.Parse(leaf)
	check(t, err)
	return r.ID()
}

func TestGoodBundle(t *testing.T) {
	t.Parallel()
	since := signed(t, heartbeats(t, 200), logKey)
	r := run(t, complete(t).source(), verify.Options{Recompute: counting, Since: since, Strict: true, Promise: "P1", From: began.Add(time.Hour), To: began.Add(2 * time.Hour)})
	if r.Outcome != verify.Good || r.Records != 304 || r.Size != 304 || r.Payloads != 2 || r.Proofs != 2 || r.Erased != 1 || len(r.Keys) != 1 {
		t.Errorf("%+v", r)
	}
	if len(r.Witnesses) != 1 || !r.Witnesses[0].At.Equal(began.Add(time.Hour)) {
		t.Errorf("witnesses %v", r.Witnesses)
	}
	if !slices.Equal(r.Earlier, []int64{100, 200, 256}) {
		t.Errorf("earlier checkpoints %v", r.Earlier)
	}
	if r.Page == nil || !r.Page.Computed || r.Page.Size != 303 || r.Page.Index != 303 {
		t.Errorf("page %+v", r.Page)
	}
	if s := r.Selected; s.Records != 4 || s.First != 3 || s.Last != 6 {
		t.Errorf("selected %+v", s)
	}
}

// Logs of every shape of tree: none, one, around a full tile, two levels.
func TestSizes(t *testing.T) {
	t.Parallel()
	leaves := heartbeats(t, 770)
	for _, size := range []int{0, 1, 2, 3, 255, 256, 257, 512, 770} {
		if r := run(t, bundle(t, leaves[:size]).source(), verify.Options{Strict: true}); r.Outcome != verify.Good || r.Records != int64(size) {
			t.Errorf("size %d: %v", size, r.Failures)
		}
	}
}

// A full tile and a full entry bundle do where partial ones are gone, and what they hold beyond the log is no matter.
func TestFullTilesDoForPartialOnes(t *testing.T) {
	t.Parallel()
	leaves := heartbeats(t, 256)
	f := bundle(t, leaves)
	f[verify.CheckpointFile] = signed(t, leaves[:40], logKey)
	if r := run(t, f.source(), verify.Options{}); r.Outcome != verify.Good || r.Records != 40 {
		t.Errorf("%+v", r.Failures)
	}
}

func TestTampered(t *testing.T) {
	t.Parallel()
	base, leaves := complete(t), heartbeats(t, 300)
	partial, partialTile := "tile/entries/001.p/48", "tile/0/001.p/48"
	tests := map[string]struct {
		edit    func(f files, o *verify.Options)
		outcome verify.Outcome
		code    string
	}{
		"a byte of a record":      {func(f files, _ *verify.Options) { flip(f, partial, 700) }, verify.Tampered, "root_differs"},
		"a byte of a length":      {func(f files, _ *verify.Options) { flip(f, partial, 1) }, verify.Tampered, "entries_damaged"},
		"a digit of a value":      {func(f files, _ *verify.Options) { replace(f, "tile/entries/000", `"value":7`, `"value":9`) }, verify.Tampered, "record_differs"},
		"entries swapped":         {func(f files, _ *verify.Options) { swap(f, partial) }, verify.Tampered, "record_differs"},
		"a byte of a tile":        {func(f files, _ *verify.Options) { flip(f, partialTile, 40) }, verify.Tampered, "record_differs"},
		"a byte of an upper tile": {func(f files, _ *verify.Options) { flip(f, "tile/1/000.p/1", 3) }, verify.Tampered, "tile_differs"},
		"a tile too long":         {func(f files, _ *verify.Options) { f[partialTile] = append(slices.Clone(f[partialTile]), 0) }, verify.Tampered, "tile_differs"},
		"an entry too many":       {func(f files, _ *verify.Options) { f[partial] = append(slices.Clone(f[partial]), 0, 0) }, verify.Tampered, "entries_damaged"},
		"a signature":             {func(f files, _ *verify.Options) { f["checkpoint"] = spoilSignature(f["checkpoint"]) }, verify.Tampered, "signature_bad"},
		"the size in the text":    {func(f files, _ *verify.Options) { replace(f, "checkpoint", "\n304\n", "\n303\n") }, verify.Tampered, "signature_bad"},
		"an earlier log": {func(f files, _ *verify.Options) {
			f["checkpoints/7"] = signed(t, slices.Concat(leaves[1:7], leaves[:1]), logKey)
		}, verify.Tampered, "earlier_differs"},
		"a fork the reader kept":    {func(_ files, o *verify.Options) { o.Since = signed(t, slices.Concat(leaves[1:7], leaves[:1]), logKey) }, verify.Tampered, "earlier_differs"},
		"a payload":                 {func(f files, _ *verify.Options) { flip(f, payloadOf(f, 0), 3) }, verify.Tampered, "payload_differs"},
		"a salt":                    {func(f files, _ *verify.Options) { flip(f, payloadOf(f, 1)+".salt", 3) }, verify.Tampered, "payload_differs"},
		"a payload of nobody":       {func(f files, _ *verify.Options) { f["payloads/"+strings.Repeat("a", 32)] = []byte("x") }, verify.Tampered, "payload_unknown"},
		"a proof of another record": {func(f files, _ *verify.Options) { replace(f, "proofs/0.tlog-proof", "index 0\n", "index 1\n") }, verify.Tampered, "proof_differs"},

		"the last entries":      {func(f files, _ *verify.Options) { delete(f, partial) }, verify.Incomplete, "entries_missing"},
		"half a bundle":         {func(f files, _ *verify.Options) { f[partial] = f[partial][:2+int(binary.BigEndian.Uint16(f[partial]))] }, verify.Incomplete, "entries_cut"},
		"a tile":                {func(f files, _ *verify.Options) { delete(f, partialTile) }, verify.Incomplete, "tile_missing"},
		"the checkpoint":        {func(f files, _ *verify.Options) { delete(f, "checkpoint") }, verify.Incomplete, "checkpoint_missing"},
		"the tail, since":       {func(_ files, o *verify.Options) { o.Since = signed(t, heartbeats(t, 400), logKey) }, verify.Incomplete, "tail_cut"},
		"the tail, own witness": {func(f files, _ *verify.Options) { f["checkpoints/400"] = signed(t, heartbeats(t, 400), logKey) }, verify.Incomplete, "tail_cut"},
		"the page":              {func(f files, _ *verify.Options) { delete(f, "page.json") }, verify.Incomplete, "page_missing"},
		"the register":          {func(f files, _ *verify.Options) { delete(f, "register.json") }, verify.Incomplete, "register_missing"},
		"a salt that is gone":   {func(f files, _ *verify.Options) { delete(f, payloadOf(f, 1)+".salt") }, verify.Incomplete, "salt_missing"},

		"re-signed by another key":   {func(f files, _ *verify.Options) { f["checkpoint"] = resigned(t, f["checkpoint"], strangeKey) }, verify.Untrusted, "key_untrusted"},
		"earlier one by another key": {func(f files, _ *verify.Options) { f["checkpoints/7"] = signed(t, leaves[:7], strangeKey) }, verify.Untrusted, "key_untrusted"},
		"no witness, strict": {func(f files, o *verify.Options) {
			f["checkpoint"], o.Strict = resigned(t, f["checkpoint"], logKey), true
		}, verify.Untrusted, "witness_missing"},
		"another log":              {func(_ files, o *verify.Options) { o.Trust = elsewhere(t) }, verify.Untrusted, "key_untrusted"},
		"a key that ended":         {func(_ files, o *verify.Options) { o.Trust.Keys[0].To = 303 }, verify.Untrusted, "key_untrusted"},
		"a key that had not begun": {func(_ files, o *verify.Options) { o.Trust.Keys[0].From = 305 }, verify.Untrusted, "key_untrusted"},
		"a log's key as a witness only": {func(f files, _ *verify.Options) {
			f["checkpoint"] = resigned(t, f["checkpoint"], key{origin, "witness"})
		}, verify.Untrusted, "key_untrusted"},

		"a checkpoint of prose":   {func(f files, _ *verify.Options) { f["checkpoint"] = []byte("all is well\n") }, verify.Malformed, "checkpoint_malformed"},
		"an empty checkpoint":     {func(f files, _ *verify.Options) { f["checkpoint"] = nil }, verify.Malformed, "checkpoint_malformed"},
		"an endless checkpoint":   {func(f files, _ *verify.Options) { f["checkpoint"] = bytes.Repeat([]byte("x\n"), 1<<20) }, verify.Malformed, "checkpoint_malformed"},
		"a NUL in the checkpoint": {func(f files, _ *verify.Options) { replace(f, "checkpoint", "\n304\n", "\n304\x00\n") }, verify.Malformed, "checkpoint_malformed"},
		"a size with a plus": {func(f files, _ *verify.Options) {
			f["checkpoint"] = resignedText(t, f["checkpoint"], "\n304\n", "\n+304\n")
		}, verify.Malformed, "checkpoint_malformed"},
		"a size beyond numbers": {func(f files, _ *verify.Options) {
			f["checkpoint"] = resignedText(t, f["checkpoint"], "\n304\n", "\n9223372036854775808\n")
		}, verify.Malformed, "checkpoint_malformed"},
		"a signature twice":   {func(f files, _ *verify.Options) { f["checkpoint"] = signatureTwice(f["checkpoint"]) }, verify.Malformed, "checkpoint_malformed"},
		"a register of prose": {func(f files, _ *verify.Options) { f["register.json"] = []byte("{") }, verify.Malformed, "register_malformed"},
		"a proof of prose":    {func(f files, _ *verify.Options) { f["proofs/0.tlog-proof"] = []byte("it is there") }, verify.Malformed, "proof_malformed"},
		"a name with a space": {func(f files, _ *verify.Options) { f["payloads/a b"] = nil }, verify.Malformed, "bundle_malformed"},

		"a page":                   {func(f files, _ *verify.Options) { replace(f, "page.json", `"run":300`, `"run":301`) }, verify.PageDiffers, "page_differs"},
		"a register of other text": {func(_ files, o *verify.Options) { o.Recompute = lying }, verify.PageDiffers, "page_wrong"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, o := base.clone(), verify.Options{Trust: trust(t), Recompute: counting}
			test.edit(f, &o)
			r := run(t, f.source(), o)
			if r.Outcome != test.outcome || !slices.Contains(codesOf(r), test.code) {
				t.Errorf("%s %v, want %s with %s: %v", r.Outcome, codesOf(r), test.outcome, test.code, r.Failures)
			}
		})
	}
}

func lying(b verify.Basis) ([]byte, error) {
	page, err := counting(b)
	return append(page, '\n'), err
}

func elsewhere(t testing.TB) sign.Trust {
	other := key{"other.example/log", "log"}
	return sign.Trust{V: 1, Origin: other.name, Keys: []sign.TrustedKey{{Key: other.verifier(t)}}}
}

// flip changes one bit.
func flip(f files, name string, at int) {
	f[name] = slices.Clone(f[name])
	f[name][at] ^= 1
}

func replace(f files, name, old, new string) {
	if !bytes.Contains(f[name], []byte(old)) {
		panic(name + " does not hold " + old)
	}
	f[name] = bytes.Replace(f[name], []byte(old), []byte(new), 1)
}

// swap exchanges the first two entries.
func swap(f files, name string) {
	data := f[name]
	a := 2 + int(binary.BigEndian.Uint16(data))
	b := a + 2 + int(binary.BigEndian.Uint16(data[a:]))
	f[name] = slices.Concat(data[a:b], data[:a], data[b:])
}

func payloadOf(f files, n int) string {
	for name := range f {
		_, salted := f[name+".salt"]
		if strings.HasPrefix(name, "payloads/") && !strings.HasSuffix(name, ".salt") && salted == (n == 1) {
			return name
		}
	}
	panic("no payload")
}

// spoilSignature changes a signature and leaves name, hash and form.
func spoilSignature(note []byte) []byte {
	at := bytes.LastIndexByte(bytes.TrimSpace(note), ' ') + 20
	note = slices.Clone(note)
	note[at] ^= 1
	if c := note[at]; c < 'A' || c > 'z' {
		note[at] = 'Q'
	}
	return note
}

func textOf(note []byte) string { return string(note[:bytes.Index(note, []byte("\n\n"))+1]) }

func resigned(t testing.TB, note []byte, k key) []byte { return resignedText(t, note, "", "", k) }

func resignedText(t testing.TB, note []byte, old, new string, keys ...key) []byte {
	t.Helper()
	if len(keys) == 0 {
		keys = []key{logKey}
	}
	again, err := sign.Note(t.Context(), strings.Replace(textOf(note), old, new, 1), keys[0])
	check(t, err)
	return again
}

func signatureTwice(note []byte) []byte {
	at := bytes.Index(note, []byte("\n\n")) + 2
	return slices.Concat(note, note[at:])
}
