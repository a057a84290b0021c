package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
)

// trustExits is what the help of "ostiary evidence trust" says beside its flags.
const trustExits = `
Prints the trust file of a log, or of receipts, from the public halves of the keys that sign: what verifiers are given, and what
Terraform's evidence.trust and receipts.trust take. Keep a copy where nobody who runs the log can change it.

  ostiary evidence trust --key 'gcpkms://projects/P/locations/L/keyRings/ostiary/cryptoKeys/checkpoints/cryptoKeyVersions/1?name=acme.example/ostiary/evidence'

exit codes: 0 printed; 1 a key cannot be read; 64 usage`

// trustOf prints the trust file of keys.
func trustOf(ctx context.Context, t terminal, args []string) int {
	var keys []string
	t.explain(trustExits)
	t.flags.Func("key", "`URL` of a key that signs, with ?name= the name of the log; may be repeated, the newest last", func(s string) error {
		if s == "" || strings.HasPrefix(s, "file:") {
			return errors.New("a trust file is of keys in Cloud KMS, gcpkms://...; that of a data folder lies in it")
		}
		keys = append(keys, s)
		return nil
	})
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if len(keys) == 0 {
		return t.usage("--key: name the key that signs, as the sequencer has it")
	}
	found := sign.Trust{V: sign.TrustVersion}
	for _, url := range keys {
		name, verifier, err := verifierOf(ctx, url)
		if err != nil {
			return t.fail(err)
		}
		if found.Origin = name; len(found.Keys) > 0 && !strings.HasPrefix(found.Keys[0].Key, name+"+") {
			return t.usage("--key: all keys of a log have its name")
		}
		found.Keys = append(found.Keys, sign.TrustedKey{Key: verifier})
	}
	text, err := found.Encode()
	if err != nil {
		return t.fail(err)
	}
	fmt.Fprint(t.out, string(text))
	return exitGood
}

// verifierOf reads the public half of a key.
func verifierOf(ctx context.Context, url string) (name, verifier string, err error) {
	signer, err := sign.Signers.Open(ctx, url, sign.Options{Clock: clock.System{}})
	if err != nil {
		return "", "", err
	}
	verifier, err = signer.Verifier(ctx)
	return signer.Name(), verifier, errors.Join(err, signer.Close())
}
