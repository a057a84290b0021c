package breach

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
)

// Other is where a tenant or one of the company's own people is reached when the usual ways may be read or forged by
// somebody else: the company's mail, its chat, its sign-in.
type Other struct {
	Tenant  string `yaml:"tenant"`  // id in tenants.yaml, or
	Person  string `yaml:"person"`  // id in people.yaml
	Channel string `yaml:"channel"` // mail, at a domain that is not the company's; or sms
	To      string `yaml:"to"`      // the address, or the number as in ITU-T E.164
}

// restored reads when the database was put back from a backup: nothing that was on its way to customers then leaves by itself.
func (r *reader) restored(f file) {
	if f.Restored == "" {
		return
	}
	at, err := time.Parse(time.RFC3339, f.Restored)
	if err != nil {
		r.wrong("restored", "is not an instant", "when the restored database got its first traffic, such as 2026-11-20T03:00:00Z")
	}
	r.read.Restored = at.UTC()
}

// outOfBand checks that what is meant for the day when the company's own mail cannot be trusted does not lead there.
func (r *reader) outOfBand(f file) {
	for i, o := range f.OutOfBand {
		key := fmt.Sprintf("out_of_band[%d]", i)
		_, tenant := r.policy.Tenant(o.Tenant)
		_, person := r.policy.PersonByID(o.Person)
		_, domain, _ := strings.Cut(o.To, "@")
		if tenant == person || o.Tenant != "" && o.Person != "" {
			r.wrong(key, "names nobody who is known, or two", "tenant: an id in tenants.yaml, or person: an id in people.yaml")
		}
		twice := slices.ContainsFunc(f.OutOfBand[:i], func(e Other) bool { return e.Tenant == o.Tenant && e.Person == o.Person && e.Channel == o.Channel })
		switch {
		case o.Channel != "mail" && o.Channel != "sms" || twice:
			r.wrong(key+".channel", "is no way around, or is there twice", "mail, sms, each once for one of them")
		case o.Channel == "mail" && (!policy.IsEmail(o.To) || slices.Contains(r.policy.Company.Domains, domain)):
			r.wrong(key+".to", "is no address of a domain that is not the company's", "an address such as anna@elsewhere.example")
		case o.Channel == "sms" && !policy.IsPhone(o.To):
			r.wrong(key+".to", "is not a number", "a number as in ITU-T E.164, such as +33123456789")
		}
	}
	r.read.OutOfBand = f.OutOfBand
}
