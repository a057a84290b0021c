package record_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// TestStamp: a stamped record has the bytes it would have had, had its maker named the code.
func TestStamp(t *testing.T) {
	t.Parallel()
	code := record.Digest([]byte("code"))
	whole := record.New(record.Run, "backup-freshness", "beat 1", "B109")
	whole.Source.Collected, whole.Config = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC), record.Digest([]byte("policy"))
	bare := record.New(record.Case, "a", "event")
	bare.Source.Collected = whole.Source.Collected
	for _, r := range []record.Record{whole, bare} {
		before, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		r.Code = code
		want, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range [][]byte{before, want} {
			if got, err := record.Stamp(from, code); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %v; want %s", got, err, want)
			}
		}
		if got, err := record.Stamp(before, ""); err != nil || !bytes.Equal(got, before) {
			t.Errorf("by nobody: %s, %v", got, err)
		}
		if parsed, err := record.Parse(want); err != nil || parsed.Code != code || parsed.ID() != r.ID() {
			t.Errorf("%+v, %v", parsed, err)
		}
	}
	for name, bad := range map[string]struct{ data, code string }{
		"no object":   {"[]", code},
		"nothing":     {"", code},
		"empty":       {"{}", code},
		"no digest":   {`{"control":"a"}`, "v1.0"},
		"upper case":  {`{"control":"a"}`, strings.ToUpper(code)},
		"too large":   {`{"` + strings.Repeat("a", record.MaxBytes-3), code},
		"a quotation": {`{"control":"a"}`, code[:len(code)-1] + `"`},
	} {
		if got, err := record.Stamp([]byte(bad.data), bad.code); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %.100s, %v", name, got, err)
		}
	}
}
