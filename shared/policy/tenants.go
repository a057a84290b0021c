package policy

import (
	"slices"
	"strings"
)

// Tenant is one entry of tenants.yaml: a customer whose data the company processes.
type Tenant struct {
	ID       string   `yaml:"id"`
	Name     string   `yaml:"name"`
	Country  string   `yaml:"country"`
	Language string   `yaml:"language"`
	Domains  []string `yaml:"domains"` // no two tenants share one; lower case
	// ContractHours is how soon the contract wants to hear of a breach (GDPR, article 33(2), sets no hours); 0 when
	// it sets none.
	ContractHours int       `yaml:"contract_hours"`
	Contacts      []Contact `yaml:"contacts"`
	// Processor says that the tenant processes the data for controllers of its own: it is for it to tell them (GDPR, article 33(2)).
	Processor bool   `yaml:"processor"`
	Region    string `yaml:"region"` // where the tenant's data stays; "" for anywhere
}

// TenantOf returns the tenant to which a domain, or the domain of an e-mail address, belongs, in any case of letters. A subdomain is
// another domain.
func (p *Policy) TenantOf(address string) (Tenant, bool) {
	domain := strings.ToLower(address[strings.LastIndex(address, "@")+1:])
	i := slices.IndexFunc(p.Tenants, func(t Tenant) bool { return slices.Contains(t.Domains, domain) })
	if i < 0 {
		return Tenant{}, false
	}
	return p.Tenants[i], true
}

const maxContractHours = 720

func (l *loading) tenants() {
	const file = "tenants.yaml"
	var doc struct {
		Tenants []Tenant `yaml:"tenants"`
	}
	if !l.decode(file, false, &doc) {
		return
	}
	ids := unique{l: l, file: file, what: "tenant"}
	domains := unique{l: l, file: file, what: "tenant"}
	for i := range doc.Tenants {
		t, key := &doc.Tenants[i], index("tenants", i)
		ids.id(key+".id", t.ID)
		if !isName(t.Name) {
			l.wrong(file, key+".name", "is not a name", "one line of text, at most 200 characters")
		}
		if !isCountry(t.Country) {
			l.wrong(file, key+".country", quote(t.Country)+" is not a country", allowedCountry)
		}
		if !isLanguage(t.Language) {
			l.wrong(file, key+".language", quote(t.Language)+" is not a language of the pages", allowedLang)
		}
		if len(t.Domains) == 0 {
			l.wrong(file, key+".domains", "names no domain", "a list of domains: [customer.example]")
		}
		for j, domain := range t.Domains {
			if at := index(key+".domains", j); !isDomain(domain) {
				l.wrong(file, at, quote(domain)+" is not a domain", allowedDomain)
			} else {
				domains.once(at, domain, quote(domain)+" belongs to a tenant already")
			}
		}
		if t.ContractHours < 0 || t.ContractHours > maxContractHours {
			l.wrong(file, key+".contract_hours", "is out of range", "whole hours from 0 to 720")
		}
		if t.Region != "" && !isID(t.Region) {
			l.wrong(file, key+".region", quote(t.Region)+" is not a region", "a name such as europe-west9")
		}
		l.contacts(file, key, t.Contacts)
	}
	l.policy.Tenants = doc.Tenants
	l.policy.tenants = indexed(doc.Tenants, func(t Tenant) string { return t.ID })
}
