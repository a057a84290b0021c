package decideerasure

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

func (k *desk) filePage(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error {
	return k.showFile(w, r, who, s, nil, nil)
}

// showFile shows one request, with a refusal and what was filled in when there was one.
func (k *desk) showFile(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service, form url.Values, refused error) error {
	trouble, status, err := k.Trouble(r, refused)
	if err != nil {
		return err
	}
	now := k.Clock.Now()
	f, err := s.Get(r.Context(), r.PathValue("id"), who.Person, now)
	if err != nil {
		return err
	}
	at, err := k.walked(r.Context(), f.Request)
	if err != nil {
		return err
	}
	today := k.today()
	data := page.File{
		Problem: trouble, Item: k.item(r, f.Request, today), Form: flat(form), Warning: f.Deadline.Warning, Channel: "channel." + string(f.Channel),
		Who: "who." + string(f.Requester), Proved: staffed.Moment(r, who, f.Proved), Language: f.Language, Lost: f.Lost,
		Least: calendar.AddDays(today.today, 1).String(), Today: today.today.String(), Since: calendar.Date(f.Received, k.Policy.Company.Location()).String(),
	}
	if refused == nil {
		data.Done = staffed.Note(r, notes)
	}
	if data.Linked, err = k.links(r.Context(), f.Linked...); err != nil {
		return err
	}
	if data.Of, err = k.links(r.Context(), f.Of); err != nil {
		return err
	}
	k.given(&data, f)
	k.clocks(&data, r, who, f.Request, today)
	if err := k.decisions(&data, r, who, f, now); err != nil {
		return err
	}
	if err := k.planned(&data, r, f.Request, at); err != nil {
		return err
	}
	k.outcome(&data, r, who, f.Request)
	return k.Render(w, r, who, status, "file", "desk.title", home+f.ID, data)
}

// links lead to other requests, by the numbers people know them by. One that is gone is left out.
func (k *desk) links(ctx context.Context, ids ...string) (all []page.Link, err error) {
	for _, id := range ids {
		if id == "" {
			continue
		}
		var other request.Request
		if err := k.Store.Get(ctx, request.Requests, id, &other); fault.Is(err, fault.NotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, page.Link{ID: id, Number: page.Group(other.Number)})
	}
	return all, nil
}

// given is what the person gave, as long as it is kept.
func (k *desk) given(data *page.File, f request.File) {
	p := f.Private
	data.Gone, data.Reply, data.Mandate, data.Text = f.Request.Private == nil, p.Reply, p.Mandate, p.Text
	for _, one := range given(f) {
		data.Given = append(data.Given, page.Given{Kind: one.Kind, Value: one.Value, Verified: one.Verified})
	}
	if f.Proof != "" {
		data.Proof = "proof." + string(f.Proof)
	}
}

// clocks are the days that count.
func (k *desk) clocks(data *page.File, r *http.Request, who caller.Staff, q request.Request, f found) {
	add := func(name, day string, over bool) {
		if day != "" {
			data.Clocks = append(data.Clocks, page.Clock{Name: "clock." + name, Day: day, Over: over})
		}
	}
	d, waiting := q.Deadline, !q.State.Answered()
	add("received", staffed.Moment(r, who, q.Received), false)
	add("due", day(r, d.Due), f.overdue(q))
	add("conservative", day(r, d.Conservative), waiting && d.Conservative.Before(f.today))
	if q.Extended == nil && waiting {
		add("notice", day(r, d.NoticeBy), d.NoticeBy.Before(f.today))
	}
	add("look", day(r, q.LookBy), q.LookBy.Before(f.today))
	if q.State == request.Approved {
		add("after", staffed.Moment(r, who, q.After), false)
	}
	add("handed", day(r, q.Handed), false)
	add("reopened", staffed.Moment(r, who, q.Reopened), false)
	if q.Extended != nil {
		data.Extended = "extend." + string(q.Extended.Reason)
	}
	if q.Why != "" {
		data.Why = known("why.", string(q.Why), whys)
	}
	for _, doubt := range q.Doubts {
		data.Doubts = append(data.Doubts, known("doubt.", string(doubt), doubts))
	}
	if !q.Decided.IsZero() {
		by := k.Pages.Text(staffed.Language(r), "decided.limits")
		if q.By != "" {
			by = k.NameOf(q.By)
		}
		data.Decided = by + ", " + staffed.Moment(r, who, q.Decided)
	}
}

// Words there are texts for. What is new to this page is told in general.
var (
	whys   = []string{"last_owner", "not_owner", "unusable", "left", "unmapped", "withdrawn", "duplicate", "instruction", "no_contact", "undelivered"}
	doubts = []string{"shared_mailbox", "look_alike", "many_items", "large_share", "review", "closure", "by_hand", "moved", "hold", "untold", "blind"}
	opens  = []string{"missing", "denied", "refused", "unreachable", "region", "changing", "after", "foreign", "held", "held_unread", "review", "no_end", "unasked", "letters", "group"}
)

// asks are the words of what a person finds out by hand, and answers.
var asks = []string{"unasked", request.Letters, request.Group, request.Region}

// known is the key of a word's text.
func known(prefix, word string, all []string) string {
	first, rest, _ := strings.Cut(word, "_") // such as after_denied, lookup_missing
	for _, one := range []string{word, first, rest} {
		if slices.Contains(all, one) {
			return prefix + one
		}
	}
	return prefix + "other"
}

// planned fills in the plan, and how far it is carried out.
func (k *desk) planned(data *page.File, r *http.Request, q request.Request, at walked) error {
	if q.Plan != nil {
		data.Plan = &page.Plan{Digest: q.Plan.Digest, Share: q.Plan.Share, Missing: q.Plan.Missing, Theirs: q.Plan.Theirs}
	}
	if p := q.Plan; p != nil && len(at.plan) == 0 {
		data.Plan.Some = p.Items+p.Kept+p.Held+p.Review > 0
		data.Plan.Total = page.Row{Found: p.Items, Kept: p.Kept + p.Held, Review: p.Review}
	}
	for _, row := range at.plan {
		shown := page.Row{
			Entry: row.Entry, Found: row.Found, Delete: row.Delete, Anonymise: row.Anonymise, Kept: row.Kept, Review: row.Review, Other: row.Foreign, Held: row.Held,
			Until: day(r, row.Until),
		}
		if row.Ground != "" {
			words, err := letter.Ground(row.Ground, "", staffed.Language(r))
			if err != nil {
				return err
			}
			shown.Ground = words
		}
		if row.Why != "" {
			shown.Why = known("open.", row.Why, opens)
		}
		t := &data.Plan.Total
		t.Found, t.Delete, t.Anonymise, t.Kept, t.Review = t.Found+row.Found, t.Delete+row.Delete, t.Anonymise+row.Anonymise, t.Kept+row.Kept, t.Review+row.Review
		data.Plan.Rows = append(data.Plan.Rows, shown)
	}
	if at.progress != nil {
		p := at.progress
		data.Progress = &page.Progressed{Phase: "progress." + p.Phase, Bar: "progress.bar", Done: p.Done, Of: max(p.Steps, 1), Erased: p.Erased, Found: p.Found, Erases: p.Phase == phaseExecuting || p.Phase == phaseSweeping}
		if p.Phase == phasePlanning {
			data.Progress.Bar = "progress.bar.planning"
		}
	}
	return nil
}

// outcome fills in what was done, and what stands open.
func (k *desk) outcome(data *page.File, r *http.Request, who caller.Staff, q request.Request) {
	if !q.Executed.IsZero() {
		data.Totals = &page.Totals{
			Erased: q.Totals.Erased, Anonymised: q.Totals.Anonymised, Gone: q.Totals.Gone, Left: q.Outcome.Left, Searches: q.Passed, Next: staffed.Moment(r, who, q.Pass),
		}
	}
	for _, o := range q.Outcome.Open {
		if o.Why != toLookAt {
			shown := page.Opened{Entry: o.Entry, Why: known("open.", o.Why, opens)}
			if slices.Contains(asks, o.Why) {
				shown.Asks, shown.What, shown.Go, shown.Items = o.Why, o.Why+".what", o.Why+".go", o.Items
			}
			data.Open = append(data.Open, shown)
		}
	}
	for _, a := range q.Said() {
		data.Answered = append(data.Answered, page.Answered{Entry: a.Entry, Said: "answered." + a.Why, By: k.NameOf(a.By), At: staffed.Moment(r, who, a.At), Reference: a.Reference})
	}
	for _, l := range looks(q) {
		data.Open = append(data.Open, page.Opened{Entry: l.Entry, Why: "open.review", Review: l.Items, Set: l.Set, Seen: q.Saw(l)})
	}
}

// toLookAt is what request.Open says of items that only a person can judge.
const toLookAt = "review"

// looks are the items only a person can judge, by entry: as many as the plan or the last search counted.
func looks(q request.Request) (all []request.Look) {
	for _, o := range q.Outcome.Open {
		if o.Why == toLookAt {
			all = append(all, request.Look{Entry: o.Entry, Items: o.Items, Set: o.Set})
		}
	}
	if q.Plan != nil {
		for _, l := range q.Plan.Look {
			if !slices.ContainsFunc(all, func(o request.Look) bool { return o.Entry == l.Entry }) {
				all = append(all, l)
			}
		}
	}
	return all
}
