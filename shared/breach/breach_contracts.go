package breach

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
)

// business says of a tenant that the hours of its contract count in business hours alone. Zone and country are the company's
// and the tenant's where it says none.
type business struct {
	Tenant  string `yaml:"tenant"`
	Open    string `yaml:"open"`
	Close   string `yaml:"close"`
	Zone    string `yaml:"zone"`
	Country string `yaml:"country"`
}

// contract is one that is not with a tenant, and wants to hear of a breach.
type contract struct {
	ID       string          `yaml:"id"`
	To       string          `yaml:"to"`
	Start    clock.Start     `yaml:"start"` // aware, processor_aware or classified; left out: aware
	Within   calendar.Period `yaml:"within"`
	Business *clock.Business `yaml:"business"`
}

const (
	maxContracts    = 20
	allowedBusiness = "open and close as 09:00, an hour apart at least; a zone such as Europe/Paris; a country with a calendar"
)

// business reads of which tenants the contract's hours count in business hours alone.
func (r *reader) business(f file) {
	r.read.Rules.Business = map[string]clock.Business{}
	for i, b := range f.Business {
		key := fmt.Sprintf("business_hours[%d]", i)
		t, known := r.policy.Tenant(b.Tenant)
		_, twice := r.read.Rules.Business[b.Tenant]
		switch {
		case !known || twice:
			r.wrong(key+".tenant", "is no tenant, or is there twice", "an id in tenants.yaml, each once")
			continue
		case t.ContractHours == 0:
			r.wrong(key+".tenant", "has a contract that names no hours", "contract_hours of the tenant in tenants.yaml")
		}
		r.read.Rules.Business[b.Tenant] = r.hours(key, clock.Business{Open: b.Open, Close: b.Close, Zone: b.Zone, Country: b.Country}, t.Country)
	}
}

// hours are business hours with what they leave out.
func (r *reader) hours(key string, b clock.Business, country string) clock.Business {
	if b.Zone == "" {
		b.Zone = r.read.Rules.Zone.String()
	}
	if _, known := calendar.HolidaysOf(country); b.Country == "" && known {
		b.Country = country
	}
	if b.Check() != nil {
		r.wrong(key, "are no business hours", allowedBusiness)
	}
	return b
}

// contracts reads who else is to hear of a breach.
func (r *reader) contracts(f file) {
	if len(f.Contracts) > maxContracts {
		r.wrong("contracts", "has too many", "at most 20")
		return
	}
	for i, c := range f.Contracts {
		key := fmt.Sprintf("contracts[%d]", i)
		twice := slices.ContainsFunc(f.Contracts[:i], func(o contract) bool { return o.ID == c.ID })
		if c.ID == "" || len(c.ID) > 40 || strings.ContainsAny(c.ID, ": ") || twice {
			r.wrong(key+".id", "is missing, or another contract's", "a short name of its own, without colons and spaces")
		}
		if strings.TrimSpace(c.To) == "" || len(c.To) > 200 {
			r.wrong(key+".to", "is missing, or too long", "who is to be told")
		}
		if c.Start == "" {
			c.Start = clock.Aware
		}
		if !slices.Contains([]clock.Start{clock.Aware, clock.ProcessorAware, clock.Classified}, c.Start) {
			r.wrong(key+".start", fmt.Sprintf("%.40q starts nothing", c.Start), "aware, processor_aware, classified")
		}
		within, exact := c.Within.Exact()
		if hours := int(within / time.Hour); !exact || within%time.Hour != 0 || hours < 1 || hours > clock.MaxHours {
			r.wrong(key+".within", "is out of bounds", "whole hours, PT1H to PT2160H")
		}
		one := cases.Contract{ID: c.ID, To: strings.TrimSpace(c.To), Start: c.Start, Hours: int(within / time.Hour)}
		if c.Business != nil {
			b := r.hours(key+".business", *c.Business, r.policy.Company.Country)
			one.Business = &b
		}
		r.read.Rules.Contracts = append(r.read.Rules.Contracts, one)
	}
}
