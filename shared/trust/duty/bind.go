package duty

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
)

// bind joins the promises the duty names and those that name it.
func (r *reader) bind(key string, d *Duty) {
	for i, id := range d.Promises {
		if _, exists := r.policy.Promise(id); !exists {
			r.report(r.policy.NoPromise(File, fmt.Sprintf("%s.promises[%d]", key, i), id))
		}
	}
	kept := slices.Clone(d.Promises)
	for _, p := range r.policy.Promises {
		for _, k := range p.KeptBy {
			if !slices.Contains(k.Refs, d.ID) {
				continue
			}
			switch k.Mechanism {
			case policy.Duty:
				kept = append(kept, p.ID)
			case policy.Certificate:
				d.Certificates = append(d.Certificates, p.ID)
			}
		}
	}
	d.Certificates = unique(d.Certificates)
	d.Promises = slices.DeleteFunc(unique(kept), func(id string) bool {
		_, exists := r.policy.Promise(id)
		return !exists || slices.Contains(d.Certificates, id)
	})
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// doable refuses a duty that nobody could ever do: one that files a document and asks nobody for it, and, as what may
// come with another policy, one without the people or the source it takes.
func (r *reader) doable(key string, d Duty) {
	readable := !slices.ContainsFunc(r.problems, func(p policy.Problem) bool { return strings.HasPrefix(p.Key, key+".evidence") })
	if readable && d.Files() && !d.ByHand() {
		r.wrong(key+".evidence", "never names the document that is put on file", Statement+" among the evidence")
	}
	about := []string{""}
	if d.Personal() {
		for _, p := range r.policy.People {
			about = append(about, p.ID)
		}
	}
	if slices.ContainsFunc(about, func(person string) bool { return !r.manned(d, person) }) {
		r.dangling(key+".owner_role", "leaves somebody's part to nobody", "two people who may do it, and another who reviews where second: says so")
	}
	kept := sentences(r.policy, d.all())
	for i, n := range d.Evidence {
		sends := func(from policy.Source) bool {
			return slices.Contains(from.Types, n.Type) && within(kept, sentences(r.policy, from.Promises))
		}
		if n.Type != Statement && len(kept) > 0 && !slices.ContainsFunc(r.policy.Sources, sends) {
			r.dangling(fmt.Sprintf("%s.evidence[%d]", key, i), "has no source in services.yaml that may prove all promises of the duty", "a source with the type and these promises")
		}
	}
}

// manned reports whether somebody can do what the duty asks about a person, and another review it. Nobody settles alone
// what concerns her.
func (r *reader) manned(d Duty, about string) bool {
	return slices.ContainsFunc(r.policy.People, func(a policy.Person) bool {
		if d.worked() && (!a.Has(d.Owner) || d.Second == "" && a.ID == about) {
			return false
		}
		return d.Second == "" || slices.ContainsFunc(r.policy.People, func(b policy.Person) bool {
			return b.Has(d.Second) && b.ID != about && !(d.worked() && b.ID == a.ID)
		})
	})
}

// sentences are the promises of which those with the ids are the same.
func sentences(p *policy.Policy, ids []string) []string {
	var roots []string
	for _, id := range ids {
		promise, _ := p.Promise(id)
		roots = append(roots, cmp.Or(promise.SameAs, id))
	}
	return roots
}

// within reports whether all of some are among others.
func within(some, others []string) bool {
	return !slices.ContainsFunc(some, func(id string) bool { return !slices.Contains(others, id) })
}
