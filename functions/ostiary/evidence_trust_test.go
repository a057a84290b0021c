package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"flag"
	"net/url"
	"testing"

	"ostiary.internal/shared/evidence/sign"
)

// held is a key of which the tests hold the private half; each letter of the address makes another.
type held struct{ name, seed string }

func (h held) key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte(h.seed), ed25519.SeedSize)[:ed25519.SeedSize])
}
func (h held) Name() string { return h.name }
func (h held) Close() error { return nil }
func (h held) Sign(_ context.Context, text []byte) ([]byte, error) {
	return ed25519.Sign(h.key(), text), nil
}
func (h held) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(h.name, h.key().Public().(ed25519.PublicKey))
}

func init() {
	sign.Signers.Register("heldintests", func(_ context.Context, u *url.URL, _ sign.Options) (sign.Signer, error) {
		name, err := sign.NameOf(u)
		return held{name, u.Opaque}, err
	})
}

// TestTrustOf: what is printed is the trust file by which what the keys sign counts, and keys of two logs make none.
func TestTrustOf(t *testing.T) {
	t.Parallel()
	const one, next, other = "heldintests:a?name=acme.example/log", "heldintests:b?name=acme.example/log", "heldintests:c?name=acme.example/receipts"
	for _, row := range []struct {
		keys []string
		exit int
	}{{[]string{one}, exitGood}, {[]string{one, next}, exitGood}, {[]string{one, other}, exitUsage}, {[]string{one, one}, exitWrong}, {nil, exitUsage}, {[]string{"nonesuch:x?name=y"}, exitWrong}} {
		var out, errs bytes.Buffer
		var args []string
		for _, key := range row.keys {
			args = append(args, "--key", key)
		}
		flags := flag.NewFlagSet("evidence", flag.ContinueOnError)
		flags.SetOutput(&errs)
		if exit := trustOf(t.Context(), terminal{out: &out, err: &errs, flags: flags}, args); exit != row.exit {
			t.Errorf("%q: exit %d, want %d: %s", row.keys, exit, row.exit, errs.String())
		}
		if row.exit != exitGood {
			if out.Len() > 0 || errs.Len() == 0 {
				t.Errorf("%q: %s%s", row.keys, out.String(), errs.String())
			}
			continue
		}
		trust, err := sign.ReadTrust(out.Bytes())
		if err != nil || len(trust.Keys) != len(row.keys) {
			t.Fatalf("%q: %v\n%s", row.keys, err, out.String())
		}
		for _, seed := range []string{"a", "b"}[:len(row.keys)] {
			note, err := sign.Note(t.Context(), sign.Checkpoint{Origin: "acme.example/log", Size: 3}.Text(), held{"acme.example/log", seed})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := trust.Verify(note); err != nil {
				t.Errorf("%q: what %s signed counts for nothing: %v", row.keys, seed, err)
			}
		}
	}
}
