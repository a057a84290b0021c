package parts

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// Standing is how an instruction stands, in the words of OpenDSR. One about a person whom an earlier one is about already
// stands as that one does.
func (p *Parts) Standing(ctx context.Context, requests *request.Service, r request.Request) (opendsr.State, error) {
	own := r
	r, err := requests.Counting(ctx, r)
	if err != nil {
		return opendsr.State{}, err
	}
	counts, err := run.Standing(ctx, p.Store, r.ID)
	if err != nil {
		return opendsr.State{}, err
	}
	s, err := p.state(own, r, counts)
	if err != nil {
		return opendsr.State{}, err
	}
	told := p.told(own, r)
	told.Entries = totals(r, counts)
	if len(told.Entries) == 0 && r.Made > 0 { // the engine has forgotten it
		if told.Entries, err = p.receipted(ctx, r); err != nil {
			return opendsr.State{}, err
		}
	}
	s.Extensions = p.Extended(told)
	return s, nil
}

// Taken is Standing without what the engine counts, of an instruction that was put on record a moment ago.
func (p *Parts) Taken(ctx context.Context, requests *request.Service, r request.Request) (opendsr.State, error) {
	own := r
	r, err := requests.Counting(ctx, r)
	if err != nil {
		return opendsr.State{}, err
	}
	return p.state(own, r, nil)
}

func (p *Parts) state(own, r request.Request, counts []run.EntryCount) (opendsr.State, error) {
	status, known := r.Status()
	if !known {
		return opendsr.State{}, fault.New(fault.Invalid, "telling how an instruction stands: state %q has no name in OpenDSR", r.State)
	}
	return opendsr.State{Controller: own.Tenant, Expected: p.expected(r, status, counts), ID: own.External, Status: status, APIVersion: "2.0"}, nil
}

// told is what the four states do not tell, but for counts by entry.
func (p *Parts) told(own, r request.Request) opendsr.Extension {
	told := opendsr.Extension{Detail: string(r.State), Erased: r.Totals.Erased, Anonymised: r.Totals.Anonymised}
	if r.State == request.Cancelled {
		told.Reason = string(r.Why)
	}
	if r.Refusal != nil {
		told.Reason = string(r.Refusal.Ground)
	}
	for _, k := range r.Outcome.Kept {
		told.Retained = append(told.Retained, opendsr.Retained{Entry: k.Entry, Ground: string(k.Ground), Until: k.Until.String(), Count: k.Items})
	}
	if slices.Contains([]request.State{request.Completed, request.Retained}, r.State) {
		told.Receipt = p.Page("opendsr") + "v2/requests/" + own.External + "/receipt"
	}
	return told
}

// expected is when an instruction will have been carried out: by its deadline, unless it is known by now that it takes longer.
// A day that has passed is moved to the end of the next one, for as long as something is left.
func (p *Parts) expected(r request.Request, status opendsr.Status, counts []run.EntryCount) time.Time {
	zone := p.Policy.Company.Location()
	at := r.Deadline.Conservative.End(zone)
	if r.Extended != nil {
		at = r.Deadline.Due.End(zone)
	}
	if status != opendsr.Pending && status != opendsr.InProgress {
		return at
	}
	later := []time.Time{r.After}
	if status == opendsr.InProgress {
		later = append(later, r.Pass)
		for _, c := range counts {
			if c.Left > 0 && c.Freed.Year() < 9999 { // the store lets go then, and not before
				later = append(later, c.Freed)
			}
		}
	}
	if now := p.Clock.Now(); at.Before(now) {
		later = append(later, now)
	}
	for _, one := range later {
		if one.After(at) {
			at = calendar.EndOfDay(one, zone)
		}
	}
	return at
}

// totals counts by entry, with the ground of what is retained.
func totals(r request.Request, counts []run.EntryCount) (all []opendsr.Entry) {
	for _, c := range counts {
		e := opendsr.Entry{Entry: c.Entry, Found: c.Found, Deleted: c.Erased, Anonymised: c.Anonymised, Retained: c.Kept, Open: c.Left, Why: c.Open}
		for _, k := range r.Outcome.Kept {
			if k.Entry == c.Entry {
				e.Ground = string(k.Ground)
			}
		}
		for _, h := range r.Holds {
			if h.Entry == c.Entry && e.Ground == "" && e.Retained > 0 {
				e.Ground = string(h.Ground)
			}
		}
		all = append(all, e)
	}
	return all
}

// receipted counts by entry as the newest receipt does.
func (p *Parts) receipted(ctx context.Context, r request.Request) (all []opendsr.Entry, err error) {
	book, err := p.Book(ctx)
	if err != nil {
		return nil, err
	}
	made, err := book.Made(ctx, r.ID, r.Made)
	if fault.Is(err, fault.NotFound) {
		return nil, nil // it has expired
	} else if err != nil {
		return nil, err
	}
	for _, e := range made.Entries {
		one := opendsr.Entry{Entry: e.Entry, Found: e.Found, Deleted: e.Erased, Anonymised: e.Anonymised, Why: e.Open}
		for _, k := range made.Retained {
			if k.Entry == e.Entry {
				one.Retained, one.Ground = k.Items, k.Ground
			}
		}
		for _, left := range lastLeft(made) {
			if left.Entry == e.Entry {
				one.Open = left.Items
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// lastLeft is what the last search of a receipt found left.
func lastLeft(r receipt.Receipt) []receipt.Items {
	if len(r.Verify) == 0 {
		return nil
	}
	return r.Verify[len(r.Verify)-1].Left
}
