package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The golden receipt and its trust file are those of the package that signs them.
const receipts = "../../shared/erasure/receipt/testdata/"

func TestVerifyReceipt(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(receipts + "receipt.json")
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(golden), `"erased":3`, `"erased":4`, 1)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"changed.json": other, "empty.json": "{}", "large.json": string(golden) + strings.Repeat(" ", 2<<20), "nobody.json": `{"origin":"x.example/other","keys":[]}`,
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
		{"nobody's key", receipts + "receipt.json", filepath.Join(dir, "nobody.json"), 4, "malformed: "},
		{"no receipt", filepath.Join(dir, "empty.json"), trust, 4, "malformed: "},
		{"too large", filepath.Join(dir, "large.json"), trust, 4, "malformed: "},
		{"not there", filepath.Join(dir, "absent.json"), trust, 1, ""},
	} {
		var out, errs bytes.Buffer
		if exit := run(t.Context(), []string{"erase", "verify-receipt", c.file, "--trust", c.trust}, &out, &errs); exit != c.exit || !strings.Contains(out.String(), c.out) {
			t.Errorf("%s: exit %d, want %d\n%s%s", c.name, exit, c.exit, &out, &errs)
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
}
