package run

import (
	"slices"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
)

// missed is a look-up that could not be made: what it would have told leads where nobody has looked.
type missed struct {
	Entry string `json:"entry"` // that it reads
	Kind  string `json:"kind"`  // of the identifiers it finds; behind "hash." of those compared with digests
	Why   string `json:"why"`
}

func missedOf(l datamap.Lookup, why string) missed {
	return missed{Entry: l.Entry.ID, Kind: l.Kind, Why: why}
}

func (m missed) same(o missed) bool { return m.Entry == o.Entry && m.Kind == o.Kind }

// refused is why a look-up counts as missed that told what cannot be searched with.
const refused = "identifiers_refused"

// asking is what became of the look-ups of one phase.
type asking struct {
	answered []missed
	not      []missed // those without a Why could not be made now, and nothing is known to be lost by that
	told     []missed // that found what nobody knew
}

// take notes what a look-up told.
func (a *asking) take(k *known, l datamap.Lookup, values []string) {
	a.answered = append(a.answered, missedOf(l, ""))
	if !slices.Contains(k.Asked, l.Kind) {
		k.Asked = append(k.Asked, l.Kind)
	}
	if slices.ContainsFunc(values, func(v string) bool {
		return !slices.Contains(k.IDs, datamap.Identifier{Kind: l.Kind, Value: v, Verified: true})
	}) {
		a.told = append(a.told, missedOf(l, ""))
	}
}

// open are the look-ups that are missed now: those that failed, and of the earlier ones those that nobody could make since.
func (a asking) open(earlier []missed) (all []missed) {
	for _, m := range slices.Concat(a.not, earlier) {
		again := slices.ContainsFunc(a.answered, m.same) && !slices.ContainsFunc(a.not, m.same)
		if m.Why != "" && !again && !slices.ContainsFunc(all, m.same) {
			all = append(all, m)
		}
	}
	return all
}

// refuse counts as missed what told identifiers that cannot be searched with.
func (a *asking) refuse() {
	for _, m := range a.told {
		m.Why = refused
		a.not = append(a.not, m)
	}
}

// lost lists the look-ups that are missed.
func (k known) lost() (all []request.Open) {
	for _, m := range k.Missed {
		all = append(all, request.Open{Entry: m.Entry, Why: m.Why})
	}
	return distinct(all)
}

// unread says why an entry has to stay for now: what it would tell is known to nobody once it is erased. Of a tenant as a
// whole everything is found without.
func (w *walk) unread(entry string) string {
	at := slices.IndexFunc(w.known.Missed, func(m missed) bool { return m.Entry == entry })
	if at < 0 || w.job.Scope == Account {
		return ""
	}
	if why := w.known.Missed[at].Why; !(request.Open{Entry: entry, Why: why}).Settled(w.job.Reviewed) {
		return why
	}
	return ""
}
