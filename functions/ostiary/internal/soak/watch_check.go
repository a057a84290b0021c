package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
)

func (w *watch) check(ctx context.Context) error {
	w.mu.Lock()
	plans := slices.Clone(w.plans)
	w.mu.Unlock()
	if err := w.lists(ctx); err != nil {
		return err
	}
	all := slices.Collect(maps.Values(w.known))
	mail, err := w.post.fresh(ctx)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, m := range w.members {
		ids[m.id] = m.email
	}
	// The same said twice at once is answered twice.
	w.log.counts("a review", len(w.reviewed), w.answers["review"]-len(w.reviewed)+w.answers["review unknown"], func(r record.Record) bool { return r.Kind == record.Review && r.Control == "watch" })
	alarms := w.log.find(func(r record.Record) bool { return r.Kind == record.Finding && r.Facts["event"] == "alarm" })
	episodesOnce(w.oracle, plans, all, ids)
	toldOnce(w.oracle, all, ids, mail)
	recordedOnce(w.oracle, all, ids, alarms)
	return nil
}

// lists reads everybody's list: each holds no more than the newest 200, so that what was seen before is kept.
func (w *watch) lists(ctx context.Context) error {
	for _, m := range w.members {
		got, err := w.client.again(ctx, call{kind: "lists", method: "GET", path: "/justify/v1/episodes", as: &caller{email: m.email}})
		if err != nil {
			return err
		}
		var listed struct{ Episodes []episode }
		if err := got.into(&listed); err != nil || !got.good() {
			return fmt.Errorf("listing the episodes of %s: %s, %w", m.id, got, err)
		}
		for _, e := range listed.Episodes {
			w.known[e.ID] = e
		}
	}
	return nil
}

// of reports whether an episode came of what a plan did.
func (p *plan) of(e episode) bool {
	if e.Person != p.who.id || e.Rule != p.rule {
		return false
	}
	if p.rule == burstRule {
		return !e.First.Before(p.hits[0].Truncate(time.Millisecond)) && !e.First.After(p.hits[len(p.hits)-1])
	}
	return slices.ContainsFunc(p.hits, func(at time.Time) bool { return at.Sub(e.First).Abs() < time.Millisecond })
}

// episodesOnce: each planned episode is there once, where its entries came in time; it is there in any case, with no
// more alarms than there were entries; and nobody who was planted has others.
func episodesOnce(o *oracle, plans []*plan, all []episode, members map[string]string) {
	taken := map[string]bool{}
	for _, p := range plans {
		if !p.judged || !p.sent {
			continue
		}
		var found []string
		for _, e := range all {
			if p.of(e) {
				found = append(found, e.ID+" "+e.State)
				taken[e.ID] = true
			}
		}
		most := len(p.hits)
		if p.exact {
			most = 1
		}
		o.holds(alarmOnce, len(found) >= 1 && len(found) <= most, "%s of %s at %s at %v (in time: %v) has the episodes %v", p.rule, p.who.id, p.tenant, p.hits, p.exact, found)
	}
	for _, e := range all {
		if members[e.Person] == "" || taken[e.ID] || e.Kind != "violation" {
			continue
		}
		// A session whose end came much later than its beginning looks as if it were still going on.
		late := slices.ContainsFunc(plans, func(p *plan) bool { return p.who.id == e.Person && !p.exact })
		left := strings.HasPrefix(e.Rule, "impersonation-")
		o.holds(alarmOnce, left && late, "nobody planned the episode %s: %s of %s at %s, %s", e.ID, e.Rule, e.Person, e.First.Format(time.RFC3339Nano), e.State)
	}
}

// explain is how a message begins that asks somebody to explain something, in her language.
var explain = regexp.MustCompile(`Please explain|Merci d’expliquer|Bitte erklären`)

// toldOnce: whoever is asked about an episode has one message for each question that says so; the same message may have
// come again where the note that it was sent was lost.
func toldOnce(o *oracle, all []episode, members map[string]string, mail []message) {
	asked := map[string]map[string]bool{} // by episode: what asked the person about it
	for _, m := range mail {
		for _, link := range m.Links {
			if _, id, is := strings.Cut(link, "/justify/"); is && explain.MatchString(m.Subject) {
				if asked[id] == nil {
					asked[id] = map[string]bool{}
				}
				asked[id][m.ID] = true
			}
		}
	}
	for _, e := range all {
		if members[e.Person] == "" || e.Alarmed.IsZero() || e.Kind != "violation" {
			continue
		}
		o.holds(alarmOnce, len(asked[e.ID]) == e.Question, "the alarm %s (%s of %s, %s) has %d messages to who is asked, and %d questions", e.ID, e.Rule, e.Person, e.State, len(asked[e.ID]), e.Question)
	}
}

// recordedOnce: each alarm is on record once.
func recordedOnce(o *oracle, all []episode, members map[string]string, alarms []record.Record) {
	type named struct {
		rule string
		at   int64
	}
	recorded, told := map[named]int{}, map[named]int{}
	for _, r := range alarms {
		recorded[named{r.Facts["rule"], r.Source.Observed.UnixMilli()}]++
	}
	for _, e := range all {
		if members[e.Person] != "" && !e.Alarmed.IsZero() {
			told[named{e.Rule, e.First.UnixMilli()}]++
		}
	}
	for n, times := range told {
		o.holds(alarmOnce, recorded[n] == times, "of %d alarms of %s at %s there are %d records", times, n.rule, time.UnixMilli(n.at).UTC().Format(time.RFC3339Nano), recorded[n])
	}
}
