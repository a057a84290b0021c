package sign_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// TestVerify: what is signed in time by a trusted key counts, and nothing that only looks like it.
func TestVerify(t *testing.T) {
	t.Parallel()
	log, stranger := signer(t, origin), signer(t, origin)
	trust := sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier(t, log), From: 5, To: 10}}}
	good := string(signed(t, checkpoint(7), log))
	body, last := good[:strings.LastIndex(good[:len(good)-1], "\n")+1], good[strings.LastIndex(good[:len(good)-1], "\n")+1:]
	other := checkpoint(7)
	other.Origin = "customer.example/another"
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the note", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, test := range map[string]struct {
		note string
		want error
	}{
		"good":                                 {good, nil},
		"signed by a stranger too":             {string(signed(t, checkpoint(7), stranger, log)), nil},
		"signed by a stranger":                 {string(signed(t, checkpoint(7), stranger)), sign.ErrUntrusted},
		"before the key began":                 {string(signed(t, checkpoint(4), log)), sign.ErrUntrusted},
		"after the key ended":                  {string(signed(t, checkpoint(11), log)), sign.ErrUntrusted},
		"at the key's ends":                    {string(signed(t, checkpoint(5), log)), nil},
		"of another log":                       {string(signed(t, other, log)), sign.ErrUntrusted},
		"another size":                         {replace("\n7\n", "\n8\n"), sign.ErrSignature},
		"a line more":                          {replace("=\n\n", "=\nmore\n\n"), sign.ErrSignature},
		"a size with a sign":                   {replace("\n7\n", "\n+7\n"), sign.ErrMalformed},
		"a size with a leading zero":           {replace("\n7\n", "\n07\n"), sign.ErrMalformed},
		"a size below zero":                    {replace("\n7\n", "\n-7\n"), sign.ErrMalformed},
		"a size beyond numbers":                {replace("\n7\n", "\n9223372036854775808\n"), sign.ErrMalformed},
		"no signature":                         {body, sign.ErrMalformed},
		"the same signature twice":             {good + last, sign.ErrMalformed},
		"a signature without a name":           {body + "—  AAAAAAAA\n", sign.ErrMalformed},
		"another dash":                         {body + "– " + strings.TrimPrefix(last, "— "), sign.ErrMalformed},
		"a hyphen":                             {body + "- " + strings.TrimPrefix(last, "— "), sign.ErrMalformed},
		"two spaces":                           {replace(origin+" ", origin+"  "), sign.ErrMalformed},
		"a look-alike letter":                  {strings.Replace(good, "— customer", "— сustomer", 1), sign.ErrMalformed},
		"an invisible letter":                  {strings.Replace(good, "— customer", "— customer\u200b", 1), sign.ErrMalformed},
		"a carriage return behind a signature": {strings.TrimSuffix(good, "\n") + "\r\n", sign.ErrMalformed},
		"carriage returns":                     {strings.ReplaceAll(good, "\n", "\r\n"), sign.ErrMalformed},
		"NUL":                                  {replace("customer", "customer\x00"), sign.ErrMalformed},
		"not UTF-8":                            {replace("customer", "customer\xff"), sign.ErrMalformed},
		"no newline at the end":                {strings.TrimSuffix(good, "\n"), sign.ErrMalformed},
		"an empty line at the end":             {good + "\n", sign.ErrMalformed},
		"base64 with stray bits":               {stray(good), sign.ErrMalformed},
		"base64 without its padding":           {strings.TrimRight(good, "=\n") + "\n", sign.ErrMalformed},
		"a signature that is cut":              {body + "— " + origin + " AAAA\n", sign.ErrMalformed},
		"nothing":                              {"", sign.ErrMalformed},
		"too long":                             {strings.Repeat("a", sign.MaxNote) + good, sign.ErrMalformed},
		"a hundred and one signature":          {good + many(101, last), sign.ErrMalformed},
	} {
		got, err := trust.Verify([]byte(test.note))
		switch {
		case !errors.Is(err, test.want) || test.want == nil && err != nil:
			t.Errorf("%s: %v, want %v", name, err, test.want)
		case err == nil && (got.Origin != origin || len(got.Keys) != 1):
			t.Errorf("%s: %+v", name, got)
		case errors.Is(err, sign.ErrUntrusted) != fault.Is(err, fault.Denied), err != nil && !errors.Is(err, sign.ErrUntrusted) && !fault.Is(err, fault.Invalid):
			t.Errorf("%s: kind %s", name, fault.KindOf(err))
		}
	}
}

// stray sets a bit that decoding would drop: an Ed25519 signature with its hash has 68 bytes, one "=" of padding.
func stray(note string) string {
	at := len(note) - len("x=\n")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return note[:at] + string(alphabet[strings.IndexByte(alphabet, note[at])|1]) + note[at+1:]
}

func many(n int, line string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Replace(line, "— customer", "— customer"+strings.Repeat("x", i+1), 1))
	}
	return b.String()
}

func TestReadTrust(t *testing.T) {
	t.Parallel()
	key, witness := verifier(t, signer(t, origin)), verifier(t, signer(t, "witness.example"))
	cosigner, err := sign.WitnessKey(witness)
	if err != nil {
		t.Fatal(err)
	}
	good := `{"v":1,"origin":"` + origin + `","keys":[{"key":"` + key + `","from":0}],"witnesses":[{"key":"` + cosigner + `","from":0}]}`
	trust, err := sign.ReadTrust([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := trust.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := sign.ReadTrust(encoded); err != nil || again.Keys[0] != trust.Keys[0] || again.Witnesses[0] != trust.Witnesses[0] {
		t.Errorf("read again: %+v, %v", again, err)
	}
	for _, change := range [][2]string{
		{`"v":1`, `"v":2`}, {`"v":1,`, ``}, {`"v":1`, `"v":1,"v":1`}, {`"v":1`, `"V":1`}, {`"v":1`, `"v":1,"more":1`}, {`"v":1`, `"v":1.5`},
		{`"origin":"customer`, `"origin":"other`}, {`"origin":"customer`, `"origin":"https://customer`},
		{`{"key":"` + key + `","from":0}`, ``}, {`"from":0`, `"from":-1`}, {`"from":0`, `"from":9,"to":8`}, {`"from":0`, `"from":1e30`},
		{key, cosigner}, {cosigner, key}, {cosigner, witness}, {key, key + "="}, {key, strings.Replace(key, "+", "+0", 1)}, {key, "x" + key}, {key, ""},
		{key, strings.ToUpper(key[:8]) + key[8:]}, {`,"witnesses"`, `,{"key":"` + key + `","from":0}],"witnesses"`}, {`}]}`, `}]}{}`},
		{`{"key":"` + key + `","from":0}`, `{"key":"` + key + `","from":0},{"key":"` + key + `","from":3}`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s is not in the file", change[0])
		}
		if _, err := sign.ReadTrust([]byte(bad)); !errors.Is(err, sign.ErrMalformed) || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s -> %s: %v", change[0], change[1], err)
		}
	}
}

// TestRotation walks a key's change through its steps: bundles from before, during and after verify by the last trust
// file, a reader with the old file reads on through the overlap, and the old key counts for nothing once it ended.
func TestRotation(t *testing.T) {
	t.Parallel()
	old, next := signer(t, origin), signer(t, origin)
	first := sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier(t, old)}}}
	before := signed(t, checkpoint(10), old)
	overlap := signed(t, checkpoint(20), old, next)
	after := signed(t, checkpoint(30), next)
	late := signed(t, checkpoint(31), old) // stolen after it ended
	second, err := first.Add(verifier(t, next), 11)
	if err != nil {
		t.Fatal(err)
	}
	third, err := second.Close(verifier(t, old), 29)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		trust sign.Trust
		note  []byte
		good  bool
	}{
		{"before, old file", first, before, true}, {"overlap, old file", first, overlap, true}, {"after, old file", first, after, false},
		{"before, new file", third, before, true}, {"overlap, new file", third, overlap, true}, {"after, new file", third, after, true}, {"late, new file", third, late, false},
		{"the new key before it began", third, signed(t, checkpoint(10), next), false},
	} {
		if _, err := test.trust.Verify(test.note); (err == nil) != test.good || err != nil && !errors.Is(err, sign.ErrUntrusted) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if len(first.Keys) != 1 || second.Keys[0].To != 0 {
		t.Error("an older trust file was changed")
	}
	for name, err := range map[string]error{
		"the last key":      func() error { _, err := first.Close(verifier(t, old), 29); return err }(),
		"an ended key":      func() error { _, err := third.Close(verifier(t, old), 30); return err }(),
		"another end early": func() error { _, err := second.Close(verifier(t, old), 0); return err }(),
	} {
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("ending %s: %v", name, err)
		}
	}
	if _, err := first.Close(verifier(t, next), 29); !fault.Is(err, fault.NotFound) {
		t.Errorf("ending an unknown key: %v", err)
	}
	if _, err := first.Add(verifier(t, old), 5); !fault.Is(err, fault.Invalid) {
		t.Errorf("adding a key twice: %v", err)
	}
}

func TestKeyRecord(t *testing.T) {
	t.Parallel()
	key, at := verifier(t, signer(t, origin)), time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	hash, err := sign.KeyHash(key)
	if err != nil {
		t.Fatal(err)
	}
	begins, err := sign.KeyRecord("evidence-log", sign.Begins, key, at)
	if err != nil {
		t.Fatal(err)
	}
	data, err := begins.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	read, err := record.Parse(data)
	if err != nil || read.Kind != record.Key || read.Facts["hash"] != hash || read.Facts["rel"] != sign.Begins || read.Facts["verifier"] != record.Digest([]byte(key)) {
		t.Errorf("%+v, %v", read, err)
	}
	later, _ := sign.KeyRecord("evidence-log", sign.Begins, key, at.Add(time.Hour))
	ends, _ := sign.KeyRecord("evidence-log", sign.Ends, key, at)
	if later.ID() != begins.ID() || ends.ID() == begins.ID() {
		t.Error("ids do not follow the step")
	}
	for _, bad := range [][2]string{{"stops", key}, {sign.Begins, "no key"}} {
		if _, err := sign.KeyRecord("evidence-log", bad[0], bad[1], at); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	log := signer(f, origin)
	trust := sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier(f, log)}}}
	good := signed(f, checkpoint(7), log)
	f.Add(good)
	f.Add([]byte(stray(string(good))))
	f.Add([]byte("a\n1\n\n— a AAAAAAAA\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Whatever verifies, verifies as what was signed: nobody else's bytes read as the log's.
		if got, err := trust.Verify(data); err == nil && got.Text != checkpoint(7).Text() {
			t.Errorf("%q verifies", data)
		}
	})
}

func FuzzReadTrust(f *testing.F) {
	encoded, err := sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier(f, signer(f, origin))}}}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Add([]byte(`{"v":1,"origin":"a","keys":[{"key":"a+b+c"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := sign.ReadTrust(data)
		if err != nil {
			return
		}
		if again, err := trust.Encode(); err != nil {
			t.Errorf("%q is read and cannot be written: %v", data, err)
		} else if _, err := sign.ReadTrust(again); err != nil {
			t.Errorf("%q is written and cannot be read: %v", again, err)
		}
	})
}
