package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/policy"
)

// Excepts is the relation of a waiver to the finding it lets be, until it expires: one's own, as with "closes". It says
// nothing of the other findings of a promise.
const Excepts = "excepts"

// evidence puts on record what happened.
func (t *turn) evidence(what Happened) error {
	if err := t.happening(what); err != nil {
		return err
	}
	if len(t.unpromised()) > 0 {
		if err := t.withdraw(Fewer); err != nil {
			return err
		}
	}
	if what != Began && len(t.unnamed()) > 0 {
		return t.broken(Promised)
	}
	return nil
}

// withdraw closes what is open in the evidence, and says nothing of how things are: they are not promised so any more.
func (t *turn) withdraw(what Happened) error {
	r := t.record(record.Remediation, what)
	r.Promises, r.Refs = slices.Sorted(slices.Values(t.f.Named)), closing(slices.Concat(t.f.Records, t.f.Waivers))
	t.f.Records, t.f.Named, t.f.Waivers = nil, nil, nil
	return t.put(r)
}

func (t *turn) happening(what Happened) error {
	switch what {
	case "", Promised, Fewer, Reminded, UnreadSaid: // nothing new about the matter itself
		return nil
	case Began:
		return t.broken(what)
	case Gone:
		r := t.record(record.Remediation, what)
		r.Source.Observed, r.Result = t.f.Ended, record.Result{State: record.Kept}
		r.Refs = closing(slices.Concat(t.f.Records, t.f.Waivers))
		t.f.Records, t.f.Named, t.f.Waivers = nil, nil, nil
		return t.put(r)
	case Unpromised:
		return t.withdraw(what)
	case Agreed:
		return t.waive(what)
	case Revoked, Over, Void, Outgrown, Own:
		// It is the acceptance that ends here; the finding was open all the time.
		r := t.record(record.Remediation, what)
		r.Refs = closing(t.f.Waivers)
		t.f.Waivers = nil
		return t.put(r)
	}
	return t.put(t.record(record.Case, what))
}

// broken is the evidence that promises are broken by what was found.
func (t *turn) broken(what Happened) error {
	named := t.unnamed()
	r := t.record(record.Finding, what)
	r.Promises, r.Source.Observed, r.Method = named, t.f.Seen, record.Test
	r.Result = record.Result{State: record.Broken}
	t.f.Records, t.f.Named = append(slices.Clone(t.f.Records), r.ID()), append(slices.Clone(t.f.Named), named...)
	if err := t.put(r); err != nil || t.f.State != Accepted {
		return err
	}
	return t.waive(what)
}

// waive is the evidence that people let the finding be for a while.
func (t *turn) waive(what Happened) error {
	a := t.f.Accepted
	r := t.record(record.Waiver, what)
	r.Promises = slices.Sorted(slices.Values(t.f.Named))
	r.Result, r.Expires = record.Result{State: record.Excepted}, a.Until
	r.Subjects = append(r.Subjects, t.person("asker", a.By))
	if a.Second != "" {
		r.Subjects = append(r.Subjects, t.person("approver", a.Second))
	}
	for _, id := range t.f.Records {
		r.Refs = append(r.Refs, record.Ref{Rel: Excepts, ID: id})
	}
	t.f.Waivers = append(slices.Clone(t.f.Waivers), r.ID())
	return t.put(r)
}

func closing(ids []string) (refs []record.Ref) {
	for _, id := range ids {
		refs = append(refs, record.Ref{Rel: "closes", ID: id})
	}
	return refs
}

// word is what may stand as a fact.
var word = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// record begins a record about the finding. What tells the steps apart goes into the source event, behind the nonce that
// nobody can guess.
func (t *turn) record(kind record.Kind, what Happened) record.Record {
	f := t.f
	r := record.New(kind, Control, f.Nonce+"#"+strconv.FormatInt(f.Rev, 10)+"#"+string(what), f.Promises...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "asset", t.now, t.now
	r.Facts = map[string]string{"event": string(what), "severity": string(f.Severity), "direction": "unclear", "round": strconv.Itoa(f.Round)}
	if f.Loosened {
		r.Facts["direction"] = "loosened"
	}
	if word.MatchString(f.Data) {
		r.Facts["holds"] = f.Data
	}
	if word.MatchString(f.Class) {
		r.Facts["class"] = f.Class
	}
	if assertion, _, _ := strings.Cut(f.What, " "); f.Class == Forbidden && word.MatchString(assertion) {
		r.Facts["assertion"], r.Facts[record.Mechanism] = assertion, string(policy.Assertion)
	}
	if f.Asset != "" && kind != record.Waiver { // whose subjects are who agreed; the findings it refers to name the asset
		r.Subjects = append(r.Subjects, t.subject("asset", f.Asset))
	}
	switch what {
	case Named, Own, Began:
		for _, a := range f.Actors {
			if a.Person != "" {
				r.Subjects = append(r.Subjects, t.person("actor", a.Person))
			}
		}
	}
	if by := t.e.By.ID; by != "" && kind != record.Waiver {
		r.Subjects = append(r.Subjects, t.person("decider", by))
	}
	return r
}

// put puts a record into the batch. One that misses a commitment is not made yet.
func (t *turn) put(r record.Record) error {
	if len(t.lacks) > 0 {
		return nil
	}
	r.Config = t.s.Digest
	return r.Put(t.batch)
}

// person is somebody of the policy in a record.
func (t *turn) person(as, id string) record.Subject {
	r := t.subject("person", id)
	r.Type = as
	return r
}

// subject returns the commitment that stands for something, which may have to be made first.
func (t *turn) subject(kind, id string) record.Subject {
	if len(id) > maxSubject {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	s := vault.Subject{Type: kind, ID: id}
	mark, made := t.marks[s]
	if !made && !slices.Contains(t.lacks, s) {
		t.lacks = append(t.lacks, s)
	}
	return record.Subject{Type: kind, C: mark.C}
}

// maxSubject is the longest name a commitment is made of, in bytes.
const maxSubject = 500
