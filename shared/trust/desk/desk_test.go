package desk_test

import (
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk"
	"ostiary.internal/shared/trust/desk/desktest"
)

// A desk without one of its parts does not open.
func TestComplete(t *testing.T) {
	t.Parallel()
	whole := desktest.New(t, map[string]string{"people.yaml": people, "promises/a.yaml": promises}).Desk
	if d, err := whole.Complete(); err != nil || d.Random == nil {
		t.Errorf("whole: %v", err)
	}
	for name, without := range map[string]func(*desk.Desk){
		"store": func(d *desk.Desk) { d.Store = nil }, "outbox": func(d *desk.Desk) { d.Box = nil }, "policy": func(d *desk.Desk) { d.Policy = nil },
		"commitments": func(d *desk.Desk) { d.Commit = nil }, "notices": func(d *desk.Desk) { d.Notify = nil },
	} {
		d := whole
		without(&d)
		if _, err := d.Complete(); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("without its %s: %v", name, err)
		}
	}
}

// Whoever has left, and whoever is told not to be, holds nothing.
func TestHolders(t *testing.T) {
	t.Parallel()
	r := desktest.New(t, map[string]string{"people.yaml": people, "promises/a.yaml": promises})
	holds := func(p policy.Person) bool { return p.Has(policy.Security) }
	if got := r.Holders(holds, r.Now(), "bob"); len(got) != 1 || got[0] != "ada" {
		t.Errorf("%v", got)
	}
}

const people = `people:
  - {id: ada, email: ada@acme.example, name: Ada, roles: [employee, security], zone: Europe/Paris, language: en}
  - {id: bob, email: bob@acme.example, name: Bob, roles: [employee, security], zone: Europe/Paris, language: fr}
  - {id: dan, email: dan@acme.example, name: Dan, roles: [employee, security], zone: Europe/Paris, language: de, until: 2026-01-31}
`

const promises = `promises:
  - {id: S1, text: {en: We care.}, check: attestation-desk, severity: info, kept_by: [{statement: owner}]}
`
