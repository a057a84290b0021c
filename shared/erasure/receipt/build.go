package receipt

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Outcome is the state that the searches in a receipt prove, and no other. The last of them decides: it has to have
// looked at every entry, but for those of which a person says what was done elsewhere, and to have found nothing but what
// Retained lists.
func (r Receipt) Outcome() State {
	if len(r.Verify) == 0 || slices.ContainsFunc(r.Entries, func(e Entry) bool { return e.Open != "" }) {
		return Partial
	}
	last := r.Verify[len(r.Verify)-1]
	listed := map[string]int64{}
	for _, k := range r.Retained {
		listed[k.Entry] += k.Items
	}
	unlisted := func(i Items) bool { return i.Items > listed[i.Entry] }
	switch {
	case last.Searched+r.elsewhere() != int64(len(r.Entries)), len(last.Left) > 0, slices.ContainsFunc(last.Kept, unlisted):
		return Partial
	case r.Strict == Yes && last.Unmapped > 0:
		return Partial
	case len(r.Retained) > 0:
		return Retained
	}
	return Completed
}

// elsewhere counts the entries that were not searched and a person says were done elsewhere.
func (r Receipt) elsewhere() (n int64) {
	for _, s := range r.Settled {
		if s.Why == Elsewhere && r.has(s.Entry) {
			n++
		}
	}
	return n
}

// Build puts a receipt behind the tenant's previous one, nil for the first, and returns it as it will be signed. What it
// refuses goes nowhere: Conflict where State says more, or less, than Outcome; Invalid where a field has not its form, or
// holds one of the identifiers the request was about (those of at least 6 bytes, whatever the case of letters). The errors
// name fields and hold no value.
func Build(r Receipt, previous *Receipt, identifiers ...string) (Receipt, error) {
	if previous == nil {
		return build(r, link{}, identifiers)
	}
	digest, err := previous.Digest()
	if err != nil {
		return Receipt{}, err
	}
	return build(r, link{previous.Seq, digest, previous.Tenant, previous.Issued}, identifiers)
}

// link is what a receipt has to know of the one before it; the zero link of the first.
type link struct {
	seq            int64
	digest, tenant string
	issued         time.Time
}

func build(r Receipt, before link, identifiers []string) (Receipt, error) {
	r.V, r.Seq, r.Previous = Version, before.seq+1, before.digest
	for _, t := range []*time.Time{&r.Executed, &r.Issued, &r.Received} {
		*t = t.UTC().Truncate(time.Second)
	}
	r.Verify, r.Recipients, r.Settled = slices.Clone(r.Verify), slices.Clone(r.Recipients), slices.Clone(r.Settled)
	for i := range r.Settled {
		r.Settled[i].At = r.Settled[i].At.UTC().Truncate(time.Second)
	}
	for i := range r.Verify {
		r.Verify[i].At = r.Verify[i].At.UTC().Truncate(time.Second)
	}
	for i := range r.Recipients {
		r.Recipients[i].At = r.Recipients[i].At.UTC().Truncate(time.Second)
	}
	if before.seq > 0 {
		if err := before.follows(r); err != nil {
			return Receipt{}, err
		}
	}
	if err := r.check(); err != nil {
		return Receipt{}, err
	}
	if field := r.names(identifiers); field != "" {
		return Receipt{}, fault.New(fault.Invalid, "making a receipt: %s holds an identifier of the request", field)
	}
	if _, err := r.Canonical(); err != nil { // it may be too large to be read again
		return Receipt{}, err
	}
	return r, nil
}

// Chain checks that receipts are those of one tenant, in order and none missing; the first may have others before it. Not
// in one chain is Invalid.
func Chain(receipts ...Receipt) error {
	for i := range receipts[:max(len(receipts)-1, 0)] {
		previous, next := receipts[i], receipts[i+1]
		digest, err := previous.Digest()
		if err != nil {
			return err
		}
		if next.Seq != previous.Seq+1 || next.Previous != digest {
			return fault.New(fault.Invalid, "following receipts: number %d does not name number %d", next.Seq, previous.Seq)
		}
		if err := (link{tenant: previous.Tenant, issued: previous.Issued}).follows(next); err != nil {
			return err
		}
	}
	return nil
}

func (l link) follows(next Receipt) error {
	if next.Tenant != l.tenant || next.Issued.Before(l.issued) {
		return fault.New(fault.Invalid, "following receipts: number %d is of another tenant than the one before, or older", next.Seq)
	}
	return nil
}

// leastIdentifier is how long an identifier is that is looked for: shorter ones are found everywhere.
const leastIdentifier = 6

// names returns a field that holds an identifier, among those whose form alone does not keep it out.
func (r Receipt) names(identifiers []string) string {
	for field, text := range r.open() {
		text = strings.ToLower(text)
		for _, id := range identifiers {
			if len(id) >= leastIdentifier && strings.Contains(text, strings.ToLower(id)) {
				return field
			}
		}
	}
	return ""
}
