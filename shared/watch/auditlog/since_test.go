package auditlog_test

import (
	"reflect"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

func TestSince(t *testing.T) {
	t.Parallel()
	ada, bob := auditlog.Binding{Role: "r", Member: "user:ada@acme.example"}, auditlog.Binding{Role: "r", Member: "user:bob@acme.example"}
	until := auditlog.Binding{Role: "r", Member: ada.Member, Condition: "request.time < x"}
	reads := auditlog.AuditChange{Service: "allServices", LogType: "DATA_READ"}
	exempt := auditlog.AuditChange{Service: "allServices", LogType: "DATA_READ", Exempted: ada.Member}
	gone := reads
	gone.Removed = true
	full := func(b []auditlog.Binding, a ...auditlog.AuditChange) auditlog.Delta {
		return auditlog.Delta{Full: true, Added: b, Audit: a}
	}
	type bindings = []auditlog.Binding
	for name, c := range map[string]struct{ before, after, want auditlog.Delta }{
		"the same":          {full(bindings{ada, bob}, reads), full(bindings{bob, ada, ada}, reads), auditlog.Delta{}},
		"one more":          {full(bindings{ada}), full(bindings{ada, bob}), auditlog.Delta{Added: bindings{bob}}},
		"one less":          {full(bindings{ada, bob}), full(bindings{ada}), auditlog.Delta{Removed: bindings{bob}}},
		"no condition more": {full(bindings{until}), full(bindings{ada}), auditlog.Delta{Added: bindings{ada}, Removed: bindings{until}}},
		"from nothing":      {full(nil), full(bindings{ada}), auditlog.Delta{Added: bindings{ada}}},
		"less is logged":    {full(nil, reads), full(nil), auditlog.Delta{Audit: []auditlog.AuditChange{gone}}},
		"one is exempt":     {full(nil, reads), full(nil, reads, exempt), auditlog.Delta{Audit: []auditlog.AuditChange{exempt}}},
	} {
		if got := c.after.Since(c.before); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := full(bindings{bob}).GivenAgain(full(bindings{ada, until}), full(bindings{ada, bob})); !reflect.DeepEqual(got, bindings{ada}) {
		t.Errorf("given again: %+v", got)
	}
}
