package record_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

func TestWriters(t *testing.T) {
	t.Parallel()
	w := record.Writers{
		"checkotp": {Controls: []string{"otp-gate"}, Kinds: []record.Kind{record.Access, record.Review}},
		"attest":   {Controls: []string{record.Others, "waiver"}, Kinds: []record.Kind{record.Waiver, record.Review}},
	}
	if err := w.Check(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		writer, control string
		kind            record.Kind
		allowed         bool
	}{
		{"checkotp", "otp-gate", record.Access, true},
		{"checkotp", "otp-gate", record.Review, true},
		{"checkotp", "otp-gate", record.Waiver, false},
		{"checkotp", "waiver", record.Access, false},
		{"checkotp", "nda", record.Access, false},
		{"checkotp", record.Others, record.Access, false},
		{"attest", "waiver", record.Waiver, true},
		{"attest", "nda", record.Review, true},
		{"attest", "nda", record.Access, false},
		{"attest", "otp-gate", record.Review, false}, // another names it
		{"nobody", "otp-gate", record.Access, false},
		{"", "nda", record.Review, false},
	} {
		if got := w.Allow(test.writer, record.New(test.kind, test.control, "event"), nil); got != test.allowed {
			t.Errorf("%s writes %s about %s: %v", test.writer, test.kind, test.control, got)
		}
	}
}

func TestBadWriters(t *testing.T) {
	t.Parallel()
	good := record.Scope{Controls: []string{"otp-gate"}, Kinds: []record.Kind{record.Access}}
	for name, bad := range map[string]record.Writers{
		"nobody":        {},
		"no name":       {"": good},
		"a path":        {"a/b": good},
		"a step out":    {"..": good},
		"upper case":    {"A": good},
		"too long":      {"a" + strings.Repeat("b", 63): good},
		"no controls":   {"a": {Kinds: good.Kinds}},
		"no kinds":      {"a": {Controls: good.Controls}},
		"no word":       {"a": {Controls: []string{"otp gate"}, Kinds: good.Kinds}},
		"no control":    {"a": {Controls: []string{""}, Kinds: good.Kinds}},
		"control twice": {"a": {Controls: []string{"x", "x"}, Kinds: good.Kinds}},
		"kind twice":    {"a": {Controls: good.Controls, Kinds: []record.Kind{record.Run, record.Run}}},
		"no kind":       {"a": {Controls: good.Controls, Kinds: []record.Kind{"anything"}}},
	} {
		if err := bad.Check(); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
