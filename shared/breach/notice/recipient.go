package notice

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/policy"
)

// Channels a notice may leave by, beside message.Mail.
const (
	Webhook = "webhook"
	SMS     = "sms"
	Chat    = "chat" // the room that is named as the tenant
)

// ownRoom is the room of the company's own people.
const ownRoom = "staff"

// Way is one channel with where it leads.
type Way struct {
	Channel string `json:"channel"`
	To      string `json:"to"`
}

// Recipient is somebody a notice goes to.
type Recipient struct {
	Tenant   string // "" of a person
	Name     string // of the tenant
	Address  string // of mail
	Language string // one there are texts in
	Chained  bool   // the tenant is a processor itself
	Ways     []Way  // in the order to try; at least one carries the whole text
}

// text is the text of a kind for a recipient.
func (r Recipient) text(k Kind) string {
	if r.Chained {
		return string(k) + chained
	}
	return string(k)
}

// rank is the order in which a tenant's contacts are told: who can act at night first.
var rank = []policy.ContactRole{policy.AroundTheClock, policy.SecurityContact, policy.Privacy, policy.Legal}

// Recipients returns whom a tenant wants told: every contact once, whatever her roles. Misconfigured: none. Two tenants are
// never told in one message, so there is no way to ask for two.
func Recipients(t policy.Tenant, now time.Time) ([]Recipient, error) {
	contacts := slices.SortedStableFunc(slices.Values(t.Contacts), func(a, b policy.Contact) int {
		return cmp.Compare(slices.Index(rank, a.Role), slices.Index(rank, b.Role))
	})
	var all []Recipient
	for _, c := range contacts {
		address := strings.TrimSpace(c.Email)
		known := slices.ContainsFunc(all, func(r Recipient) bool { return strings.EqualFold(r.Address, address) })
		if address == "" || known || !c.Active(now) {
			continue
		}
		all = append(all, Recipient{Tenant: t.ID, Name: t.Name, Address: address, Language: language(c.Language, t.Language), Chained: t.Processor, Ways: ways(t, c, address, all)})
	}
	if len(all) == 0 {
		return nil, missing("tenants.yaml names no contact of theirs", t.ID)
	}
	return all, nil
}

// ways are a contact's channels with where they lead, but those that lead where another contact is told already. A text
// message says only that there is something to be read: who has no other channel is written to as well.
func ways(t policy.Tenant, c policy.Contact, address string, others []Recipient) (all []Way) {
	whole := false
	for _, channel := range c.Channels {
		to := map[string]string{message.Mail: address, Webhook: c.Webhook, SMS: c.Phone, Chat: t.ID}[channel]
		same := func(w Way) bool { return w == Way{channel, to} }
		known := slices.ContainsFunc(all, same) || slices.ContainsFunc(others, func(r Recipient) bool { return slices.ContainsFunc(r.Ways, same) })
		if to == "" || known || channel == Chat && to == ownRoom {
			continue
		}
		all = append(all, Way{channel, to})
		whole = whole || channel != SMS
	}
	if !whole {
		all = append(all, Way{message.Mail, address})
	}
	return all
}

// outOfBand returns where a tenant is reached when the usual ways may be read or forged. Misconfigured: nowhere, or by text
// messages alone, which say nothing.
func outOfBand(t policy.Tenant, others []Other) ([]Recipient, error) {
	r := Recipient{Tenant: t.ID, Name: t.Name, Language: language(t.Language), Chained: t.Processor}
	for _, o := range others {
		if o.Tenant != t.ID || o.Channel != message.Mail && o.Channel != SMS {
			continue
		}
		r.Ways = append(r.Ways, Way{o.Channel, o.To})
		if o.Channel == message.Mail && r.Address == "" {
			r.Address = o.To
		}
	}
	if r.Address == "" {
		return nil, missing("a channel is compromised, and out_of_band in breach.yaml names no other address of theirs", t.ID)
	}
	return []Recipient{r}, nil
}

func missing(why string, tenants ...string) error {
	return fault.Refuse(fault.Misconfigured, "contact_missing", "There is nobody to be told at "+strings.Join(tenants, ", ")+": "+why+".", "Add it; until then leave them out of the notice, and have somebody call them.")
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
