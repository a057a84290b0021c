package notice

import (
	"cmp"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Recipient is somebody a notice goes to.
type Recipient struct {
	Tenant   string   // "" of a person
	Name     string   // of the tenant
	Address  string   // of mail
	Language string   // one there are texts in
	Channels []string // in the order to try
}

// rank is the order in which a tenant's contacts are told: who can act at night first.
var rank = []policy.ContactRole{policy.AroundTheClock, policy.SecurityContact, policy.Privacy, policy.Legal}

// Recipients returns whom a tenant wants told: every contact once, whatever her roles. Misconfigured: none. Two tenants are
// never told in one message, so there is no way to ask for two.
func Recipients(t policy.Tenant) ([]Recipient, error) {
	contacts := slices.SortedStableFunc(slices.Values(t.Contacts), func(a, b policy.Contact) int {
		return cmp.Compare(slices.Index(rank, a.Role), slices.Index(rank, b.Role))
	})
	var all []Recipient
	for _, c := range contacts {
		address := strings.TrimSpace(c.Email)
		known := slices.ContainsFunc(all, func(r Recipient) bool { return strings.EqualFold(r.Address, address) })
		if address == "" || known {
			continue
		}
		channels := c.Channels
		if len(channels) == 0 {
			channels = []string{"mail"}
		}
		all = append(all, Recipient{Tenant: t.ID, Name: t.Name, Address: address, Language: language(c.Language, t.Language), Channels: channels})
	}
	if len(all) == 0 {
		return nil, fault.Refuse(fault.Misconfigured, "contact_missing", "A tenant has nobody to be told: tenants.yaml names no contact.", "Add a contact with its address; until then somebody has to call.")
	}
	return all, nil
}

// language returns the first there are texts in, English at last.
func language(wanted ...string) string {
	for _, one := range wanted {
		if _, known := notKnown[one]; known {
			return one
		}
	}
	return "en"
}
