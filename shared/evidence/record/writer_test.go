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
		"checkotp": {Controls: map[string][]record.Kind{"otp-gate": {record.Access, record.Review}, "other-gate": {record.Run}}},
		"attest":   {Controls: map[string][]record.Kind{record.Others: {record.Waiver, record.Review}, "waiver": {record.Waiver}}},
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
		{"checkotp", "other-gate", record.Run, true},
		{"checkotp", "other-gate", record.Access, false}, // about the other one only
		{"checkotp", "otp-gate", record.Run, false},
		{"checkotp", "waiver", record.Access, false},
		{"checkotp", "nda", record.Access, false},
		{"checkotp", record.Others, record.Access, false},
		{"attest", "waiver", record.Waiver, true},
		{"attest", "waiver", record.Review, false},
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
	type part = map[string][]record.Kind
	good := record.Scope{Controls: part{"otp-gate": {record.Access}}}
	for name, bad := range map[string]record.Writers{
		"nobody":         {},
		"no name":        {"": good},
		"a path":         {"a/b": good},
		"a step out":     {"..": good},
		"upper case":     {"A": good},
		"too long":       {"a" + strings.Repeat("b", 63): good},
		"nothing":        {"a": {}},
		"no kinds":       {"a": {Controls: part{"otp-gate": nil}}},
		"no bound kinds": {"a": {Bound: part{"duty": {}}}},
		"no word":        {"a": {Controls: part{"otp gate": {record.Run}}}},
		"no control":     {"a": {Controls: part{"": {record.Run}}}},
		"kind twice":     {"a": {Controls: part{"x": {record.Run, record.Run}}}},
		"no kind":        {"a": {Controls: part{"x": {"anything"}}}},
		"no such bound":  {"a": {Bound: part{"duty": {"anything"}}}},
	} {
		if err := bad.Check(); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBound: about what a policy binds, a record counts for the mechanism it is of, and only its writers write it, whatever
// name another mechanism has given too.
func TestBound(t *testing.T) {
	t.Parallel()
	w := record.Writers{
		"tickwatch":    {Bound: map[string][]record.Kind{"rule": {record.Run}}},
		"keeppromises": {Bound: map[string][]record.Kind{"probe": {record.Run}, "duty": {record.Finding}, "certificate": {record.Attestation, record.Finding}}},
	}
	bound := record.Names{"rule": {"a-rule", "both"}, "probe": {"a-probe", "both"}, "duty": {"a-duty"}, "certificate": {"a-document"}}
	for _, test := range []struct {
		writer, control, says, source string
		kind                          record.Kind
		allowed                       bool
	}{
		{"tickwatch", "a-rule", "rule", "", record.Run, true},
		{"tickwatch", "a-rule", "", "", record.Run, false}, // it would be a check's
		{"tickwatch", "both", "rule", "", record.Run, true},
		{"tickwatch", "both", "probe", "", record.Run, false},
		{"tickwatch", "both", "", "probe", record.Run, false},
		{"keeppromises", "both", "probe", "", record.Run, true},
		{"keeppromises", "both", "", "probe", record.Run, true},
		{"keeppromises", "both", "rule", "", record.Run, false},
		{"keeppromises", "a-rule", "probe", "", record.Run, false},
		{"keeppromises", "a-duty", "", "duty", record.Finding, true},
		{"keeppromises", "a-document", "", "duty", record.Finding, true}, // of the duty that files it
		{"keeppromises", "a-document", "certificate", "duty", record.Attestation, true},
		{"keeppromises", "a-duty", "hearsay", "duty", record.Finding, false},
		{"tickwatch", "of-nobody", "rule", "", record.Run, true}, // it keeps no promise
		{"tickwatch", "of-nobody", "probe", "", record.Run, false},
	} {
		r := record.New(test.kind, test.control, "event")
		r.Source.Type = test.source
		if test.says != "" {
			r.Facts = map[string]string{record.Mechanism: test.says}
		}
		if got := w.Allow(test.writer, r, bound); got != test.allowed {
			t.Errorf("%s writes %s about %s as %q from %q: %v", test.writer, test.kind, test.control, test.says, test.source, got)
		}
	}
}
