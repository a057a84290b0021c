package cases

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/fault"
)

// Contract is one of the company that wants to hear of a breach and is not with a tenant, such as with an insurer. A report
// ends its clock, or the decision of two that it does not apply.
type Contract struct {
	ID       string          `json:"id"`
	To       string          `json:"to"` // who is told
	Start    clock.Start     `json:"start"`
	Hours    int             `json:"hours"`
	Business *clock.Business `json:"business,omitempty"` // nil: hours count through
}

// contractRow is the row of the data file for such contracts, and begins the ids of their clocks.
const contractRow = "contract_x"

// IsContract reports whether an id is that of the clock of a Contract.
func IsContract(id string) bool { return strings.HasPrefix(id, contractRow+":") }

// ContractOf returns a contract by the id of its clock, of those that bind a case.
func (c *Case) ContractOf(id string, r Rules) (Contract, bool) {
	all := c.bound(r).Contracts
	at := slices.IndexFunc(all, func(x Contract) bool { return contractRow+":"+x.ID == id })
	if at < 0 {
		return Contract{}, false
	}
	return all[at], true
}

func (x Contract) check() error {
	starts := []clock.Start{clock.Aware, clock.ProcessorAware, clock.Classified}
	if x.ID == "" || x.To == "" || x.Hours < 1 || x.Hours > clock.MaxHours || !slices.Contains(starts, x.Start) {
		return fault.New(fault.Misconfigured, "a contract without a name, hours or a start")
	}
	if x.Business != nil {
		return x.Business.Check()
	}
	return nil
}

// contracts are the clocks of the contracts that bind a case.
func (c *Case) contracts(r Rules, f clock.Facts, settled map[string]*Decision, now time.Time) (all []clock.Clock) {
	row, known := clock.RowOf(contractRow)
	if !known {
		return nil
	}
	for _, x := range r.Contracts {
		id := contractRow + ":" + x.ID
		f := f
		f.Hours, f.Business = x.Hours, x.Business
		f.Submitted, f.Met = nil, map[string]time.Time{row.ID: f.Met[id]}
		if no := settled[id]; no != nil && !no.Yes {
			f.Ended = no.Settled // it does not apply
		}
		row.Start = x.Start
		one, err := clock.Of(row, f, now)
		if err != nil {
			continue // Rules.Check refuses such hours
		}
		one.ID = id
		all = append(all, one)
	}
	return all
}
