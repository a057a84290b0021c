package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/evidence/sign"
)

// The golden receipt and its trust file are those of the package that signs them.
const receipts = "../../shared/erasure/receipt/testdata/"

func TestVerifyReceipt(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(receipts + "receipt.json")
	if err != nil {
		t.Fatal(err)
	}
	known, err := os.ReadFile(receipts + "trust.json")
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(golden), `"erased":3`, `"erased":4`, 1)
	dir := t.TempDir()
	const origin = "sharedcontacts.example/ostiary/receipts"
	for name, text := range map[string]string{
		"changed.json": other, "empty.json": "{}", "large.json": string(golden) + strings.Repeat(" ", 2<<20), "nobody.json": `{"v":1,"origin":"` + origin + `","keys":[]}`,
		"rubbish.json": "rubbish", "foreign.json": trusting(t, "other.example/ostiary/receipts"), "namesake.json": trusting(t, origin),
		"not-yet.json": strings.Replace(string(known), `"from": 0`, `"from": 9007199254740991`, 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust := receipts + "trust.json"
	for _, c := range []struct {
		name, file, trust string
		exit              int
		out               string
	}{
		{"good", receipts + "receipt.json", trust, 0, "  kept       4 of invoices until 2034-12-31: statute"},
		{"changed", filepath.Join(dir, "changed.json"), trust, 1, "tampered: "},
		{"somebody else's key", receipts + "receipt.json", filepath.Join(dir, "foreign.json"), 3, "untrusted: "},
		{"another key by that name", receipts + "receipt.json", filepath.Join(dir, "namesake.json"), 3, "untrusted: "},
		{"a key for later", receipts + "receipt.json", filepath.Join(dir, "not-yet.json"), 3, "untrusted: "},
		{"changed, somebody else's key", filepath.Join(dir, "changed.json"), filepath.Join(dir, "foreign.json"), 3, "untrusted: "},
		{"nobody's key", receipts + "receipt.json", filepath.Join(dir, "nobody.json"), 4, "malformed: "}, // as ostiary evidence verify
		{"no trust file", receipts + "receipt.json", filepath.Join(dir, "rubbish.json"), 4, "malformed: "},
		{"the receipt for a trust file", receipts + "receipt.json", receipts + "receipt.json", 4, "malformed: "},
		{"no receipt", filepath.Join(dir, "empty.json"), trust, 4, "malformed: "},
		{"too large", filepath.Join(dir, "large.json"), trust, 4, "malformed: "},
		{"not there", filepath.Join(dir, "absent.json"), trust, 64, ""},
		{"a folder", dir, trust, 64, ""},
		{"a trust file that is not there", receipts + "receipt.json", filepath.Join(dir, "absent.json"), 64, ""},
		{"a folder for a trust file", receipts + "receipt.json", dir, 64, ""},
	} {
		var out, errs bytes.Buffer
		if exit := run(t.Context(), []string{"erase", "verify-receipt", c.file, "--trust", c.trust}, &out, &errs); exit != c.exit || !strings.Contains(out.String(), c.out) {
			t.Errorf("%s: exit %d, want %d\n%s%s", c.name, exit, c.exit, &out, &errs)
		}
		if c.exit == exitUsage && (out.Len() > 0 || errs.Len() == 0) {
			t.Errorf("%s: printed %q and %q", c.name, &out, &errs)
		}
		if c.exit != 0 && strings.Contains(out.String(), "sessions") {
			t.Errorf("%s: what nobody vouches for was shown", c.name)
		}
	}
	var out, errs bytes.Buffer
	if exit := run(t.Context(), []string{"erase", "verify-receipt", "--trust", trust, "--json", receipts + "receipt.json"}, &out, &errs); exit != 0 || !json.Valid(out.Bytes()) {
		t.Errorf("as JSON: exit %d, %s%s", exit, &out, &errs)
	}
	for _, args := range [][]string{{"--trust", trust}, {receipts + "receipt.json"}, {receipts + "receipt.json", "again", "--trust", trust}} {
		if exit := run(t.Context(), append([]string{"erase", "verify-receipt"}, args...), &out, &errs); exit != 64 {
			t.Errorf("%v: exit %d, want 64", args, exit)
		}
	}
	out.Reset()
	if exit := run(t.Context(), []string{"erase", "verify-receipt", "--help"}, &out, &errs); exit != 0 || !strings.Contains(out.String(), "exit codes: 0 good, 1 tampered, 3 ") || !strings.Contains(out.String(), "64 ") {
		t.Errorf("help: exit %d\n%s", exit, &out)
	}
}

// trusting is the trust file of a key that nobody else has.
func trusting(t *testing.T, origin string) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.VerifierKey(origin, public)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: key}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a receipt says of statistics is printed as far as it says it, and what nobody counted by name.
func TestStatistics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows receipt.Rows
		want string
	}{
		{receipt.Rows{Before: 4, After: 4}, "unchanged: 4 of 4 rows looked at again, 4 in their place"},
		{
			receipt.Rows{Before: 4, After: 4, Same: 4, By: []string{"city", "day"}, Uncounted: []string{"minutes"}},
			"unchanged: 4 of 4 rows looked at again, 4 in their place, 4 in their group by city and day; not counted: the total of minutes",
		},
		{receipt.Rows{Before: 3, After: 3}, "not shown to be unchanged: 3 of 4 rows looked at again, 3 in their place"},
		{
			receipt.Rows{Before: 4, After: 4, Same: 3, Moved: 1, By: []string{"city"}},
			"not shown to be unchanged: 4 of 4 rows looked at again, 4 in their place, 3 in their group by city, 1 in another",
		},
	} {
		if got := statistics(receipt.Entry{Anonymised: 4, Rows: &c.rows}); got != c.want {
			t.Errorf("it prints\n%s\nwant\n%s", got, c.want)
		}
	}
}

// What rests on a person's word is printed as a word, with its reference, and what was not searched for is named.
func TestWords(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(receipts + "receipt.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := receipt.Parse(golden)
	if err != nil {
		t.Fatal(err)
	}
	r.Unsearched = []string{"email"}
	for _, why := range []string{receipt.Elsewhere, "letters", "group", "unasked", "review"} {
		r.Settled = append(r.Settled, receipt.Settled{At: r.Issued, Entry: "e-" + why, Why: why})
	}
	r.Settled[0].Reference = "receipt-77"
	var out bytes.Buffer
	if err := printReceipt(&out, r, receipt.Report{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a word     e-region: lies in another region and was not searched; somebody says that it was erased there, reference receipt-77 (2026-03-04)",
		"e-letters: somebody says that no address", "e-group: somebody says that nobody can be told apart", "e-unasked: could not be searched; somebody says", "e-review: somebody has looked",
		"unsearched email: named beside an id, not the one on file, and proved by nobody",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
}
