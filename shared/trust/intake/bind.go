package intake

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
)

// binding is one promise an event counts for: by checks whose records keep it, by a duty, or both.
type binding struct {
	promise policy.Promise
	checks  []string
	duties  []task
	lacks   []string // parameters for whose sake a check of the promise does not take it
}

// task is a duty that an event counts for, and the names it does so by.
type task struct {
	duty  duty.Duty
	about []string
}

func (b binding) counts() bool { return len(b.duties) > 0 || len(b.checks) > 0 }

// bind finds what an event counts for: the promises it names, all of which must be the sender's and take such evidence,
// or, when it names none, the only one of the sender's that takes it.
func (s *Service) bind(from policy.Source, eventType string, r report, named []string) ([]binding, error) {
	ids := named
	if len(ids) == 0 {
		ids = from.Promises
	}
	var all, bound []binding
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		p, exists := s.Policy.Promise(id)
		if !exists && len(named) == 0 {
			continue // the policy was found to name it in vain when it was loaded
		}
		if !exists || !slices.Contains(from.Promises, id) {
			return nil, mayNot("This sender may not speak of one of these promises.")
		}
		b := s.binding(from, p, eventType, r, len(named) > 0)
		if all = append(all, b); b.counts() {
			bound = append(bound, b)
		}
	}
	i := slices.IndexFunc(all, func(b binding) bool { return !b.counts() && len(b.lacks) > 0 })
	switch {
	case i >= 0 && (len(named) > 0 || len(bound) == 0):
		return nil, unmeasured(all[i].lacks)
	case len(bound) == 0 || len(named) > 0 && len(bound) < len(all):
		return nil, unbound()
	case slices.ContainsFunc(bound, func(b binding) bool { return len(b.duties) > 1 }):
		return nil, ambiguous("Several duties of one promise take this event.",
			"Say in data which of them it is for: course, review and period, or target; duties.yaml has to tell them apart by about.")
	case len(named) == 0 && !single(bound):
		return nil, ambiguous("The event names no promises, and several take it.", "List in the member promises of data those it is about.")
	}
	return bound, nil
}

// single reports whether bindings are to one duty, or to one sentence.
func single(bound []binding) bool {
	duties, fed, sentences := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, b := range bound {
		sentences[sentence(b.promise)] = true
		if len(b.checks) > 0 {
			fed[sentence(b.promise)] = true
		}
		for _, t := range b.duties {
			duties[t.duty.ID] = true
		}
	}
	return len(duties)+len(fed) == 1 || len(sentences) == 1 && len(duties) <= 1
}

// limits are the parameters of a sentence: what the promise that says it first sets holds for its equals.
func limits(p *policy.Policy, promise policy.Promise) map[string]policy.Param {
	first, _ := p.Promise(sentence(promise))
	all := map[string]policy.Param{}
	maps.Copy(all, first.Params)
	maps.Copy(all, promise.Params)
	return all
}

// sentence is the promise that says the same first.
func sentence(p policy.Promise) string { return cmp.Or(p.SameAs, p.ID) }

func unbound() error {
	return unprocessable("evidence_unbound", "Nothing keeps these promises by evidence of this type, or of what it is about.",
		"Bind the promise to a check or a duty that takes it, or name other promises.")
}

func unmeasured(lacks []string) error {
	return unprocessable("evidence_unmeasured", "One of these promises is limited by "+strings.Join(lacks, ", ")+", which this event does not measure, or measures of something else.",
		"Send the members that measure it, as the schema of the type says, or name other promises.")
}

func ambiguous(detail, next string) error { return unprocessable("evidence_ambiguous", detail, next) }

// binding is how an event counts for a promise of its sender, that it names or not.
func (s *Service) binding(from policy.Source, p policy.Promise, eventType string, r report, named bool) binding {
	p.Params = limits(s.Policy, p)
	b, k := binding{promise: p}, kinds[eventType]
	for _, keeper := range p.KeptBy {
		for _, ref := range keeper.Refs {
			switch keeper.Mechanism {
			case policy.Records:
				if !k.feeds(ref, p, named) || !k.suits(ref, p, r.labels[k.by]) || r.request == asked || slices.Contains(b.checks, ref) {
					continue
				}
				if lacks := r.lacks(k, p.Params); len(lacks) > 0 {
					b.lacks = lacks
					continue
				}
				b.checks = append(b.checks, ref)
			case policy.Duty, policy.Certificate:
				d, known := s.Rules.Duty(ref)
				if about, takes := r.discharges(d, eventType); known && takes && speaksForAll(s.Policy, from, d) {
					b.duties = append(b.duties, task{d, about})
				}
			}
		}
	}
	return b
}

// feeds reports whether events of the kind feed a check of a promise.
func (k kind) feeds(check string, p policy.Promise, named bool) bool {
	if check == alertRoute {
		_, drill := p.Params["drill"]
		_, ack := p.Params["ack"]
		if !drill && !ack {
			return false // a report without an alert would prove it
		}
	}
	f, fed := k.checks[check]
	return fed && (named || !f.named)
}

// discharges reports whether a duty takes the event, and by which names. What was asked for is no name of its own: it may
// be called anything.
func (r report) discharges(d duty.Duty, eventType string) (about []string, takes bool) {
	if r.request == asked && !d.Requested() || r.request == unasked && d.Requested() {
		return nil, false
	}
	about = slices.Clone(r.about)
	if !d.Requested() && r.target != "" {
		about = append(about, r.target)
	}
	return about, d.Takes(eventType, about...)
}

// speaksForAll reports whether a sender may speak of every sentence a duty keeps: what it sends settles all of them.
func speaksForAll(p *policy.Policy, from policy.Source, d duty.Duty) bool {
	var may []string
	for _, id := range from.Promises {
		promise, _ := p.Promise(id)
		may = append(may, sentence(promise))
	}
	return !slices.ContainsFunc(slices.Concat(d.Promises, d.Certificates), func(id string) bool {
		promise, _ := p.Promise(id)
		return !slices.Contains(may, sentence(promise))
	})
}

// lasts is when what a check was told of ends to count for a promise, in seconds behind it.
func (b binding) lasts(in incoming, check string) int64 {
	lasts := seconds(in.kind.lasts)
	if at := in.fact(check); !b.promise.MaxAge.IsZero() {
		lasts = seconds(b.promise.MaxAge.Add(at, utc).Sub(at))
	}
	if end := in.report.until; !end.IsZero() {
		lasts = min(lasts, seconds(end.Sub(in.fact(check))))
	}
	for _, name := range in.kind.pace {
		if pace, given := b.promise.Params[name]; given {
			often, readable := length(pace)
			if !readable {
				often = 0
			}
			lasts = min(lasts, 2*often)
		}
	}
	return lasts
}

// told are the checks an event feeds, and "" for the event itself.
func (in incoming) told() []string {
	checks := []string{""}
	for _, b := range in.bound {
		checks = append(checks, b.checks...)
	}
	return checks
}

// discharge tells the duties, each once, what the event means for them: that it is good, or that something failed. One that
// an event would have done for a time that is over is not told, and none of what cannot be told.
func (s *Service) discharge(ctx context.Context, in incoming, now time.Time) error {
	told := map[string]bool{}
	at := earlier(in.fact(""), now)
	for _, b := range in.bound {
		for _, t := range b.duties {
			d := t.duty
			if told[d.ID] || !d.Every.IsZero() && !d.Every.Add(at, utc).After(now) {
				continue
			}
			told[d.ID] = true
			means := s.means(in.report, d)
			if means == record.Unknown {
				continue
			}
			a := duty.Arrived{Type: in.event.Type, Event: record.Digest([]byte(in.nonce)), About: t.about, Request: in.report.target, Promises: in.source.Promises, Duty: d.ID, Failed: means == record.Broken, At: at}
			if in.report.personal {
				a.Person = in.person.ID
			} else {
				a.By = in.person.ID
			}
			if _, err := s.Duties.Evidence(ctx, a, now); err != nil {
				return err
			}
		}
	}
	return nil
}
