package breach_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/breach/clock"
)

const contracts = `business_hours:
- {tenant: nord, open: "09:00", close: "18:00"}
contracts:
- {id: insurer, to: Example Insurance, within: PT48H}
- {id: bank, to: Bank, start: classified, within: PT8H, business: {open: "08:00", close: "16:00", zone: Europe/Berlin, country: DE}}
`

// TestContracts: whose hours count in business hours alone, and who else hears of a breach. What is left out is the company's,
// or the tenant's.
func TestContracts(t *testing.T) {
	t.Parallel()
	b, problems := read(t, good+contracts)
	if len(problems) > 0 || b.Rules.Check() != nil {
		t.Fatal(problems)
	}
	if got, want := b.Rules.Business["nord"], (clock.Business{Open: "09:00", Close: "18:00", Zone: "Europe/Paris", Country: "FR"}); got != want {
		t.Errorf("business hours %+v", got)
	}
	all := b.Rules.Contracts
	if len(all) != 2 || all[0].Hours != 48 || all[0].Start != clock.Aware || all[0].Business != nil || all[1].Start != clock.Classified || all[1].Business == nil || all[1].Business.Country != "DE" {
		t.Errorf("contracts %+v", all)
	}
	for _, one := range []struct{ old, new, key string }{
		{"tenant: nord, open", "tenant: sued, open", "business_hours[0].tenant"}, {`open: "09:00"`, `open: "9"`, "business_hours[0]"}, {`close: "18:00"`, `close: "09:30"`, "business_hours[0]"},
		{"id: insurer", "id: bank", "contracts[1].id"}, {"id: insurer", `id: "a:b"`, "contracts[0].id"}, {"to: Bank", `to: ""`, "contracts[1].to"}, {"start: classified", "start: told", "contracts[1].start"},
		{"PT8H", "P1D", "contracts[1].within"}, {"PT8H", "PT90M", "contracts[1].within"}, {"country: DE", "country: ZZ", "contracts[1].business"}, {"zone: Europe/Berlin", "zone: Mars", "contracts[1].business"},
	} {
		_, problems := read(t, good+strings.Replace(contracts, one.old, one.new, 1))
		if len(problems) != 1 || problems[0].Key != one.key || problems[0].Line == 0 {
			t.Errorf("%s: %v", one.key, problems)
		}
	}
}
