package episode

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/notice"
)

// Target is the precision a rule should have, in per cent.
const Target = 80

// Report tells of a span of time: its episodes by rule, and the exceptions that ended or were never used.
type Report struct {
	From, To time.Time
	Rules    []Tally   // by name
	Reasons  []Count   // of accepted answers, by name
	Reviews  []Reviews // by person
	Unused   []string  // ids of exceptions in force for the whole span that nothing used
	Expired  []string  // ids of exceptions that ended in it
}

// Tally is what became of the episodes of one rule.
type Tally struct {
	Rule                                        string
	Episodes, Open, Accepted, Escalated, Shadow int
	False                                       int // accepted as a false alarm
}

// Reviews is what one person decided of answers that others gave.
type Reviews struct {
	Person            string // id in people.yaml
	Accepted, Refused int
}

// Count is how often something occurred.
type Count struct {
	Name string
	N    int
}

// Precision is how many of the decided episodes were no false alarm, in per cent; 100 where nothing was decided.
func (t Tally) Precision() int {
	decided := t.Accepted + t.Escalated
	if decided == 0 {
		return 100
	}
	return 100 * (decided - t.False) / decided
}

// Report counts the episodes whose alarms went out from From on and before To.
func (s *Service) Report(ctx context.Context, from, to, now time.Time) (Report, error) {
	r := Report{From: from, To: to}
	rules, reasons, reviews := map[string]*Tally{}, map[string]int{}, map[string]*Reviews{}
	q := store.Query{Collection: Episodes, Range: &store.Range{Name: "alarmed", From: from.UnixMicro(), To: to.UnixMicro()}, Limit: store.MaxQueryResults}
	for {
		found, err := store.Find[Episode](s.Store.Query(ctx, q))
		if err != nil {
			return r, err
		}
		for _, e := range found {
			if rules[e.Rule] == nil {
				rules[e.Rule] = &Tally{Rule: e.Rule}
			}
			rules[e.Rule].add(e)
			if e.State == Accepted {
				reasons[cmp.Or(string(e.Reason), "none")]++
			}
			reviewed(reviews, e)
		}
		if len(found) < q.Limit {
			break
		}
		last := found[len(found)-1]
		q.After = &store.Cursor{Value: last.Alarmed, ID: last.ID}
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		r.Rules = append(r.Rules, *rules[name])
	}
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		r.Reasons = append(r.Reasons, Count{name, reasons[name]})
	}
	for _, id := range slices.Sorted(maps.Keys(reviews)) {
		r.Reviews = append(r.Reviews, *reviews[id])
	}
	return r, s.reportExceptions(ctx, &r, now)
}

// reviewed counts the verdict on an episode, if there is one.
func reviewed(by map[string]*Reviews, e Episode) {
	if e.ReviewedBy == "" {
		return
	}
	if by[e.ReviewedBy] == nil {
		by[e.ReviewedBy] = &Reviews{Person: e.ReviewedBy}
	}
	if e.Verdict == Accept {
		by[e.ReviewedBy].Accepted++
	} else {
		by[e.ReviewedBy].Refused++
	}
}

func (t *Tally) add(e Episode) {
	t.Episodes++
	switch {
	case e.State == Noted:
		t.Shadow++
	case e.State == Accepted:
		t.Accepted++
		if e.Reason == FalseAlarm {
			t.False++
		}
	case e.State == Escalated:
		t.Escalated++
		t.Open++
	case e.Open:
		t.Open++
	}
}

func (s *Service) reportExceptions(ctx context.Context, r *Report, now time.Time) error {
	all, err := s.Exceptions(ctx, now)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Approver == "" {
			continue
		}
		end := x.Until
		if !x.Ended.IsZero() && x.Ended.Before(end) {
			end = x.Ended
		}
		if ended := !end.Before(r.From) && end.Before(r.To); ended {
			r.Expired = append(r.Expired, x.ID)
		} else if !x.InForce(r.From) || !x.InForce(r.To) {
			continue
		}
		n, err := s.Uses(ctx, x.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			r.Unused = append(r.Unused, x.ID)
		}
	}
	return nil
}

// lines are what a message says of a report.
func (r Report) lines() []notice.Line {
	all := []notice.Line{{Label: notice.When, Text: r.From.Format("2006-01")}}
	for _, t := range r.Rules {
		all = append(all, notice.Line{Label: notice.RuleOf, Text: t.Rule + ": " + strconv.Itoa(t.Episodes)})
		if t.Precision() < Target {
			all = append(all, notice.Line{Label: notice.Precision, Text: t.Rule + ": " + strconv.Itoa(t.Precision()) + " %"})
		}
	}
	for _, c := range r.Reasons {
		all = append(all, notice.Line{Label: notice.Answer, Text: c.Name + ": " + strconv.Itoa(c.N)})
	}
	for _, v := range r.Reviews {
		all = append(all, notice.Line{Label: notice.Reviewer, Text: v.Person + ": " + strconv.Itoa(v.Accepted) + " / " + strconv.Itoa(v.Refused)})
	}
	return lines(append(all, notice.Line{Label: notice.Unused, Text: strings.Join(r.Unused, ", ")}, notice.Line{Label: notice.Expired, Text: strings.Join(r.Expired, ", ")})...)
}

// monthly makes the report of the month that is over, once.
func (s *Service) monthly(ctx context.Context, now time.Time) error {
	local := now.In(s.Policy.Company.Location())
	this := time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, local.Location())
	last := this.AddDate(0, -1, 0)
	p, err := pulsed(func(collection, id string, into any) error { return s.Store.Get(ctx, collection, id, into) }, pulseReport)
	if err != nil || p.Month == last.Format("2006-01") {
		return err
	}
	r, err := s.Report(ctx, last, this, now)
	if err != nil {
		return err
	}
	return s.commit(ctx, now, func(t *turn) error {
		p, err := pulsed(t.tx.Get, pulseReport)
		if err != nil || p.Month == last.Format("2006-01") {
			return err
		}
		t.later(pulseDocs, pulseReport, pulse{V: Version, At: now, Month: last.Format("2006-01")})
		if p.Month == "" && len(r.Rules) == 0 {
			return nil // there was no control yet
		}
		t.more = append(t.more, func() error { return t.put(r.evidence(now)) }, func() error {
			return s.Notify(t.batch, s.noted(r, "report/"+last.Format("2006-01"), s.holders(now, nil, policy.Security, policy.Owner)))
		})
		return nil
	})
}

func (r Report) evidence(now time.Time) record.Record {
	e := record.New(record.Case, Control, "report "+r.From.Format("2006-01"))
	e.Source.Type, e.Source.Observed, e.Source.Collected = "schedule", now, now
	e.Window = record.Window{From: r.From, To: r.To}
	total, weak := 0, 0
	for _, t := range r.Rules {
		total += t.Episodes
		if t.Precision() < Target {
			weak++
		}
	}
	e.Facts = map[string]string{"event": "report", "episodes": strconv.Itoa(total), "imprecise": strconv.Itoa(weak),
		"reviewers": strconv.Itoa(len(r.Reviews)),
		"unused":    strconv.Itoa(len(r.Unused)), "expired": strconv.Itoa(len(r.Expired))}
	return e
}
