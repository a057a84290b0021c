package receipt

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/fault"
)

var update = flag.Bool("update", false, "write the golden files")

// The file that people keep for years reads the same for ever.
func TestGolden(t *testing.T) {
	t.Parallel()
	k := newKey(1, keyName)
	keys, err := trust(t, k).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"testdata/receipt.json": signed(t, built(t), k), "testdata/trust.json": keys} {
		if *update {
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, data, want)
		}
	}
	if got := Verify(signed(t, built(t), k), trust(t, k)); got.Outcome != verify.Good || got.Request != "r7k2m9q4w8x3" || got.State != Retained || len(got.Keys) != 1 {
		t.Errorf("it is %+v", got)
	}
}

// Whoever has the file, the key and a library for Ed25519 can check it by what the package comment says.
func TestByHand(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/receipt.json")
	if err != nil {
		t.Fatal(err)
	}
	body, rest, _ := bytes.Cut(bytes.TrimPrefix(file, []byte(`{"receipt":`)), []byte(`,"signatures":[`))
	_, rest, _ = bytes.Cut(rest, []byte(`"signature":"`))
	signature, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(rest, []byte(`"}]}`))))
	if err != nil {
		t.Fatal(err)
	}
	public := newKey(1, keyName).private.Public().(ed25519.PublicKey)
	if text := fmt.Appendf(nil, "ostiary erasure receipt v1\nsha256:%x\n", sha256.Sum256(body)); !ed25519.Verify(public, text, signature) {
		t.Error("the signature is not over what the comment says")
	}
}

// The canonical form is that of RFC 8785: members in order, nothing between them, integers and text alone.
func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	data := signed(t, built(t), newKey(1, keyName))
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	if got := plain(t, tree); got != string(data) {
		t.Errorf("written\n%s\nby the rule\n%s", data, got)
	}
}

// plain writes a value by the rule itself.
func plain(t *testing.T, v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for name, value := range v {
			parts = append(parts, plain(t, name)+":"+plain(t, value))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, plain(t, item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case json.Number:
		return v.String()
	case string:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	t.Fatalf("a receipt holds a %T", v)
	return ""
}

func TestVerify(t *testing.T) {
	t.Parallel()
	old, new, strange := newKey(1, keyName), newKey(2, keyName), newKey(3, keyName)
	good := signed(t, built(t), old)
	replace := func(from, to string) []byte {
		if !bytes.Contains(good, []byte(from)) {
			t.Fatalf("the receipt does not hold %q", from)
		}
		return bytes.Replace(good, []byte(from), []byte(to), 1)
	}
	lifted := bytes.Replace(signed(t, built(t), strange), []byte(hash(t, strange)), []byte(hash(t, old)), 1)
	unsigned := append(bytes.Clone(good[:bytes.Index(good, []byte(`"signatures"`))]), `"signatures":[]}`...)
	seconds := built(t).Issued.Unix()
	window := func(from, to int64) sign.Trust {
		out := trust(t, old)
		out.Keys[0].From, out.Keys[0].To = from, to
		return out
	}
	for _, c := range []struct {
		why   string
		data  []byte
		trust sign.Trust
		want  verify.Outcome
	}{
		{"as it was signed", good, trust(t, old), verify.Good},
		{"one of two keys is trusted", signed(t, built(t), strange, old), trust(t, old), verify.Good},
		{"both keys of a change are trusted", signed(t, built(t), old, new), trust(t, old, new), verify.Good},
		{"the first second a key counts for", good, window(seconds, seconds), verify.Good},
		{"another count", replace(`"found":1203`, `"found":1204`), trust(t, old), verify.Tampered},
		{"another digest of the plan", replace(`"plan":"`+digest([]byte("plan")), `"plan":"`+digest([]byte("plam"))), trust(t, old), verify.Tampered},
		{"says completed", replace(`"completed_with_retention"`, `"completed"`), trust(t, old), verify.Tampered},
		{"what was left is gone", replace(`"left":[{"entry":"orders","items":2}],`, ``), trust(t, old), verify.Tampered},
		{"another time, that no key counts for", replace(`"issued":"2026`, `"issued":"2036`), window(seconds, seconds), verify.Tampered},
		{"the signature of another key", lifted, trust(t, old), verify.Tampered},
		{"nobody trusted has signed", good, trust(t, strange), verify.Untrusted},
		{"before the key counts", good, window(seconds+1, 0), verify.Untrusted},
		{"after the key ended", good, window(0, seconds-1), verify.Untrusted},
		{"no signature", unsigned, trust(t, old), verify.Untrusted},
		{"a claim no search proves, and nobody trusted has signed", replace(`"completed_with_retention"`, `"completed"`), trust(t, strange), verify.Malformed},
		{"a space", replace(`,"kind"`, `, "kind"`), trust(t, old), verify.Malformed},
		{"a newline behind", append(bytes.Clone(good), '\n'), trust(t, old), verify.Malformed},
		{"another member", replace(`"v":1`, `"v":1,"w":1`), trust(t, old), verify.Malformed},
		{"a member twice", replace(`"v":1`, `"v":1,"v":1`), trust(t, old), verify.Malformed},
		{"another order", replace(`"receipt":{`, `"receipt":{"v":1,`), trust(t, old), verify.Malformed},
		{"a fraction", replace(`"found":1203`, `"found":1203.0`), trust(t, old), verify.Malformed},
		{"another version", replace(`"v":1,"verify"`, `"v":2,"verify"`), trust(t, strange), verify.Malformed},
		{"cut", good[:len(good)-1], trust(t, old), verify.Malformed},
		{"nothing", nil, trust(t, old), verify.Malformed},
		{"too large", bytes.Repeat([]byte(" "), MaxBytes+1), trust(t, old), verify.Malformed},
	} {
		got := Verify(c.data, c.trust)
		if got.Outcome != c.want || got.Exit != c.want.Exit() || (got.Why == "") != (c.want == verify.Good) || (len(got.Keys) > 0) != (c.want == verify.Good) {
			t.Errorf("%s: %+v, want %s", c.why, got, c.want)
		}
	}
	for outcome, exit := range map[verify.Outcome]int{verify.Good: 0, verify.Tampered: 1, verify.Untrusted: 3, verify.Malformed: 4} {
		if outcome.Exit() != exit {
			t.Errorf("%s exits %d", outcome, outcome.Exit())
		}
	}
}

func hash(t *testing.T, k *key) string {
	t.Helper()
	h, err := sign.KeyHash(verifier(t, k))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// No byte of a receipt can be another.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	k := newKey(1, keyName)
	good, keys := signed(t, built(t), k), trust(t, k)
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 7)
		if got := Verify(bad, keys); got.Exit == 0 {
			t.Errorf("byte %d of %q may be %q", at, good[max(0, at-10):at+1], bad[at])
		}
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	r, k := built(t), newKey(1, keyName)
	broken, down := newKey(2, keyName), newKey(3, keyName)
	broken.sign = func([]byte) ([]byte, error) { return k.Sign(t.Context(), []byte("something else")) }
	down.sign = func([]byte) ([]byte, error) { return nil, errDown }
	lying := r
	lying.State = Completed
	for why, c := range map[string]struct {
		receipt Receipt
		signers []sign.Signer
		kind    fault.Kind
	}{
		"no key":                     {r, nil, fault.Misconfigured},
		"the same key twice":         {r, []sign.Signer{k, k}, fault.Misconfigured},
		"a signature that is no use": {r, []sign.Signer{k, broken}, fault.Misconfigured},
		"a claim nothing proves":     {lying, []sign.Signer{k}, fault.Conflict},
		"not built":                  {sample(), []sign.Signer{k}, fault.Invalid},
		"the key service is down":    {r, []sign.Signer{down}, ""},
	} {
		data, err := Sign(t.Context(), c.receipt, c.signers...)
		if err == nil || data != nil || fault.KindOf(err) != c.kind {
			t.Errorf("%s: %q, %v", why, data, err)
		}
	}
}

// Sums of what is built do not depend on the zone of a clock, nor on fractions of seconds.
func TestBuildKeepsSeconds(t *testing.T) {
	t.Parallel()
	r := sample()
	zone := time.FixedZone("somewhere", 3*3600)
	for _, at := range []*time.Time{&r.Received, &r.Executed, &r.Issued, &r.Verify[0].At, &r.Verify[1].At, &r.Recipients[0].At} {
		*at = at.In(zone).Add(999 * time.Millisecond)
	}
	got, err := Build(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := string(signed(t, got, newKey(1, keyName))), string(signed(t, built(t), newKey(1, keyName))); a != b {
		t.Errorf("got  %s\nwant %s", a, b)
	}
	if fmt.Sprint(r.Verify[0].At.Location()) != "somewhere" {
		t.Error("what was handed over was changed")
	}
}

func FuzzVerify(f *testing.F) {
	k := newKey(1, keyName)
	good := signed(f, built(f), k)
	keys := trust(f, k)
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`"seq":1`), []byte(`"seq":2`), 1))
	f.Add([]byte(`{"receipt":{},"signatures":[]}`))
	f.Add([]byte(`{"receipt":{"deadline":{"conservative":"","due":"2026-02-30","months":1}},"signatures":[{"key":"","name":"","signature":""}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := Verify(data, keys)
		if got.Exit == 0 && !bytes.Equal(data, good) {
			t.Errorf("%q verifies", data)
		}
		if r, err := Parse(data); err == nil {
			if _, err := r.Canonical(); err != nil {
				t.Errorf("%q is read and cannot be written: %v", data, err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := newKey(1, keyName)
	data, keys := signed(b, built(b), k), trust(b, k)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if Verify(data, keys).Exit != 0 {
			b.Fatal("it does not verify")
		}
	}
}
