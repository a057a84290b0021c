package receipt

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
)

// key is a signer whose key follows from one byte.
type key struct {
	name    string
	private ed25519.PrivateKey
	sign    func(text []byte) ([]byte, error) // nil for as it should be
}

const keyName = "sharedcontacts.example/ostiary/receipts"

func newKey(seed byte, name string) *key {
	return &key{name: name, private: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))}
}

func (k *key) Name() string { return k.name }

func (k *key) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(k.name, k.private.Public().(ed25519.PublicKey))
}

func (k *key) Sign(_ context.Context, text []byte) ([]byte, error) {
	if k.sign != nil {
		return k.sign(text)
	}
	return ed25519.Sign(k.private, text), nil
}

func (k *key) Close() error { return nil }

func verifier(t testing.TB, k *key) string {
	t.Helper()
	v, err := k.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func trust(t testing.TB, keys ...*key) sign.Trust {
	t.Helper()
	out := sign.Trust{V: sign.TrustVersion, Origin: keyName}
	for _, k := range keys {
		out.Keys = append(out.Keys, sign.TrustedKey{Key: verifier(t, k)})
	}
	return out
}

var errDown = errors.New("the key service is down")

// noon of the day the sample request arrived.
var noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)

func day(year int, month time.Month, d int) calendar.Day {
	return calendar.Day{Year: year, Month: month, Day: d}
}

var salt = bytes.Repeat([]byte{7}, 32)

// sample is the receipt of a person some of whose invoices have to stay.
func sample() Receipt {
	return Receipt{
		Request: "r7k2m9q4w8x3", Kind: Person, State: Retained, Strict: Yes,
		Tenant: record.Commitment(salt, "tenant", "acme"), Subject: record.Commitment(salt, "subject", "u-4711"),
		Map: digest([]byte("map")), Plan: digest([]byte("plan")),
		Received: noon, Executed: noon.Add(26 * time.Hour), Issued: noon.Add(27*time.Hour + 2*time.Minute),
		Deadline: Deadline{Due: day(2026, time.April, 7), Conservative: day(2026, time.April, 3), Months: 1},
		Entries: []Entry{
			{Action: "delete", Entry: "sessions", Found: 3, Erased: 3},
			{Action: "anonymise", Entry: "orders", Found: 1_203, Anonymised: 1_200, Gone: 3},
			{Action: "retain", Entry: "invoices", Found: 4},
			{Action: "delete", Entry: "profile", Found: 1, Erased: 1, Foreign: 1},
		},
		Retained:   []Kept{{Entry: "invoices", Ground: "statute", Citation: "§ 147 Abs. 3 AO", Items: 4, Until: day(2034, time.December, 31)}},
		Recipients: []Recipient{{Recipient: "mailer", Outcome: Acknowledged, At: noon.Add(26*time.Hour + time.Minute)}},
		Grants:     []Grant{{Provider: "google", Outcome: GrantRevoked, Items: 2}},
		Backups:    []Backup{{Class: "pitr", By: day(2026, time.April, 3)}, {Class: "files", By: day(2026, time.June, 2)}},
		Outside:    []Outside{{What: "Access logs of the platform <kept & read by nobody>", Days: 400}},
		Traces:     []Trace{{Entry: "orders", Rewind: 604_800}, {Entry: "profile", Unknown: []string{"the soft-delete policy of the bucket"}}},
		Verify: []Pass{
			{N: 1, At: noon.Add(26 * time.Hour), Searched: 4, Left: []Items{{"orders", 2}}, Kept: []Items{{"invoices", 4}}},
			{N: 2, At: noon.Add(27 * time.Hour), Searched: 4, Kept: []Items{{"invoices", 4}}},
		},
	}
}

// built is the sample as it would be signed.
func built(t testing.TB) Receipt {
	t.Helper()
	r, err := Build(sample(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func signed(t testing.TB, r Receipt, keys ...sign.Signer) []byte {
	t.Helper()
	data, err := Sign(t.Context(), r, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
