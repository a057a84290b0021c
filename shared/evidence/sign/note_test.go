package sign_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/platform/fault"
)

const origin = "customer.example/ostiary/evidence"

func signer(t testing.TB, name string) sign.Signer {
	t.Helper()
	s, err := file.New(filepath.Join(t.TempDir(), "key"), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func verifier(t testing.TB, s sign.Signer) string {
	t.Helper()
	key, err := s.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func checkpoint(size int64) sign.Checkpoint {
	return sign.Checkpoint{Origin: origin, Size: size, Root: sha256.Sum256([]byte{byte(size)})}
}

func signed(t testing.TB, c sign.Checkpoint, signers ...sign.Signer) []byte {
	t.Helper()
	data, err := sign.Note(t.Context(), c.Text(), signers...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestOthersReadOurNotes: the reference implementation opens what is signed here, by one key and by two.
func TestOthersReadOurNotes(t *testing.T) {
	t.Parallel()
	first, second := signer(t, origin), signer(t, origin)
	data := signed(t, checkpoint(7), first, second)
	for _, s := range []sign.Signer{first, second} {
		v, err := note.NewVerifier(verifier(t, s))
		if err != nil {
			t.Fatal(err)
		}
		opened, err := note.Open(data, note.VerifierList(v))
		if err != nil || opened.Text != checkpoint(7).Text() || len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) != 1 {
			t.Errorf("%+v, %v", opened, err)
		}
	}
}

// TestWeReadOthersNotes: a note of the reference implementation verifies here.
func TestWeReadOthersNotes(t *testing.T) {
	t.Parallel()
	private, public, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	data, err := note.Sign(&note.Note{Text: checkpoint(9).Text()}, s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: public}}}.Verify(data)
	if err != nil || got.Checkpoint != checkpoint(9) || len(got.Keys) != 1 || got.Keys[0] != public {
		t.Errorf("%+v, %v", got, err)
	}
}

// liar is a signer whose answers are not what they should be.
type liar struct {
	sign.Signer
	verifier string
	spoil    func([]byte) []byte
	err      error
}

// Verifier implements sign.Signer.
func (l liar) Verifier(ctx context.Context) (string, error) {
	if l.verifier != "" {
		return l.verifier, nil
	}
	return l.Signer.Verifier(ctx)
}

// Sign implements sign.Signer.
func (l liar) Sign(ctx context.Context, text []byte) ([]byte, error) {
	s, err := l.Signer.Sign(ctx, text)
	if l.err != nil {
		return nil, l.err
	}
	return l.spoil(s), err
}

func TestNoteRefuses(t *testing.T) {
	t.Parallel()
	good, as := signer(t, origin), func(s []byte) []byte { return s }
	for name, test := range map[string]struct {
		text    string
		signers []sign.Signer
		kind    fault.Kind
	}{
		"no key":                   {"a\n", nil, fault.Misconfigured},
		"the same key twice":       {"a\n", []sign.Signer{good, good}, fault.Misconfigured},
		"no newline":               {"a", []sign.Signer{good}, fault.Invalid},
		"nothing":                  {"", []sign.Signer{good}, fault.Invalid},
		"a control character":      {"a\x00\n", []sign.Signer{good}, fault.Invalid},
		"not UTF-8":                {"\xff\n", []sign.Signer{good}, fault.Invalid},
		"too long":                 {strings.Repeat("a", sign.MaxNote) + "\n", []sign.Signer{good}, fault.Invalid},
		"a spoilt signature":       {"a\n", []sign.Signer{liar{good, "", func(s []byte) []byte { s[0] ^= 1; return s }, nil}}, fault.Misconfigured},
		"half a signature":         {"a\n", []sign.Signer{liar{good, "", func(s []byte) []byte { return s[:32] }, nil}}, fault.Misconfigured},
		"another key":              {"a\n", []sign.Signer{liar{good, verifier(t, signer(t, origin)), as, nil}}, fault.Misconfigured},
		"no verifier key":          {"a\n", []sign.Signer{liar{good, "a+b+c", as, nil}}, fault.Misconfigured},
		"a key that does not sign": {"a\n", []sign.Signer{good, liar{signer(t, origin), "", as, fault.New(fault.Transient, "down")}}, fault.Transient},
	} {
		if data, err := sign.Note(t.Context(), test.text, test.signers...); !fault.Is(err, test.kind) || data != nil {
			t.Errorf("%s: %q, %v, want %s", name, data, err, test.kind)
		}
	}
}

// TestCosign: a witness's signature counts as one of a witness and of nothing else, with its time; a later one takes its
// place.
func TestCosign(t *testing.T) {
	t.Parallel()
	log, witness := signer(t, origin), signer(t, "witness.example/laptop")
	key, err := sign.WitnessKey(verifier(t, witness))
	if err != nil {
		t.Fatal(err)
	}
	trust := sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier(t, log)}}, Witnesses: []sign.TrustedKey{{Key: key}}}
	data := signed(t, checkpoint(7), log)
	at := time.Unix(1770000000, 0).UTC()
	for range 2 {
		at = at.Add(time.Minute)
		if data, err = sign.Cosign(t.Context(), data, at, witness); err != nil {
			t.Fatal(err)
		}
	}
	got, err := trust.Verify(data)
	if err != nil || len(got.Keys) != 1 || len(got.Witnesses) != 1 || got.Witnesses[0] != (sign.Witnessed{Key: key, At: at}) {
		t.Errorf("%+v, %v", got, err)
	}
	// What could not be read again is not handed out: somebody filled the note with lines of keys nobody knows.
	full := string(data)
	for n := strings.Count(full, "\n— "); n < 100; n++ {
		full += fmt.Sprintf("— nobody.example/%d AAAAAAAAAAA=\n", n)
	}
	if _, err := trust.Verify([]byte(full)); err != nil {
		t.Errorf("a full note: %v", err)
	}
	if _, err := sign.Cosign(t.Context(), []byte(full), at, signer(t, "another.example/witness")); !errors.Is(err, sign.ErrMalformed) {
		t.Errorf("a full note is cosigned: %v", err)
	}
	if _, err := sign.Cosign(t.Context(), data, time.Unix(-1, 0), witness); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a time before 1970: %v", err)
	}
	// The time is part of what is signed.
	altered := spoil(t, data, "witness.example/laptop", func(sig []byte) { sig[11] ^= 1 })
	if _, err := trust.Verify(altered); !errors.Is(err, sign.ErrSignature) {
		t.Errorf("an altered time: %v", err)
	}
	// The signature of the log is no cosignature, nor the other way round.
	plain := signed(t, checkpoint(7), log, witness)
	if got, err := trust.Verify(plain); err != nil || len(got.Witnesses) != 0 {
		t.Errorf("a witness that signed as a log: %+v, %v", got, err)
	}
}

// spoil changes the signature of one name, hash included, in a note.
func spoil(t *testing.T, data []byte, name string, change func(sig []byte)) []byte {
	t.Helper()
	before, after, ok := strings.Cut(string(data), "— "+name+" ")
	encoded, rest, _ := strings.Cut(after, "\n")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		t.Fatalf("no signature of %s: %v", name, err)
	}
	change(raw)
	return []byte(before + "— " + name + " " + base64.StdEncoding.EncodeToString(raw) + "\n" + rest)
}
