package acceptdrift

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/functions/drift/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/scan"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// look says how much is known, and how old it is.
func (a *acceptdrift) look(r *http.Request, who caller.Staff) (*page.Look, error) {
	s, err := scan.StatusOf(r.Context(), a.Store)
	if err != nil {
		return nil, err
	}
	look := &page.Look{Late: a.late(s.Began), At: staffed.Moment(r, who, s.Began)}
	read := 0
	for _, p := range s.Places {
		read += p.Assets
		look.Blind = append(look.Blind, a.blind(r, who, p)...)
	}
	look.Count = strconv.Itoa(read)
	for _, one := range s.Wanted.States {
		told := page.Blind{Name: page.Plain(one.Name), Why: why(one.Failed), Since: staffed.Moment(r, who, one.Read), So: "look.state"}
		switch {
		case one.Failed != "" && one.Unknown:
			told.So = "look.state.unknown"
		case one.Failed == "" && !one.Locked.IsZero() && a.Clock.Now().Sub(one.Locked) > scan.LockLasts:
			told.Why, told.Since, told.So = why("lock_left"), "", "look.lock"
		case one.Failed == "":
			continue
		}
		look.Blind = append(look.Blind, told)
	}
	for _, c := range s.Counts {
		if c.Undetermined > 0 {
			look.Untold = append(look.Untold, a.untold(r, c, s.Untold))
		}
	}
	for _, d := range s.Wanted.Doubts {
		name := cmp.Or(strings.TrimSpace(d.Address+" "+d.Field), asset.Base(d.Asset)+" "+d.Field)
		look.Doubts = append(look.Doubts, page.Reason{Name: page.Plain(name), Why: "doubt." + d.Why})
	}
	for _, g := range s.Wanted.Gaps {
		look.Gaps = append(look.Gaps, page.Plain(strings.TrimSpace(g.Type+" "+g.Field))+" ("+strconv.Itoa(g.Count)+")")
	}
	look.More = s.Wanted.More
	return look, nil
}

// late reports whether a list of everything that began at a time says nothing of now; none does not either.
func (a *acceptdrift) late(began time.Time) bool {
	return began.IsZero() || a.Clock.Now().Sub(began) > scan.Stale
}

// why is the key of why something could not be read.
func why(failed string) string { return "blind." + failed }

// blind is what could not be read of a place, or not lately.
func (a *acceptdrift) blind(r *http.Request, who caller.Staff, p scan.Place) (all []page.Blind) {
	name := p.Place + " (" + p.Facts + ")"
	add := func(word string, more ...string) {
		all = append(all, page.Blind{Name: name, Why: why(word), Since: staffed.Moment(r, who, p.Read), More: more})
	}
	if p.Place == scan.Controls || p.Place == scan.Changes {
		return []page.Blind{{Name: a.Pages.Text(staffed.Language(r), p.Place), Why: why("unread"), More: plain(p.Unread)}}
	}
	switch {
	case p.Failed != "":
		add(p.Failed)
	case a.late(p.Read) && p.Assets > 0:
		add("old")
	}
	if len(p.Lost) > 0 {
		add("lost", plain(p.Lost)...)
	}
	if len(p.Unread) > 0 {
		add("unread", plain(p.Unread)...)
	}
	return all
}

// mostLines is how many lines about one place are shown.
const mostLines = 10

func plain(lines []string) (all []string) {
	for _, line := range lines[:min(len(lines), mostLines)] {
		all = append(all, page.Plain(line))
	}
	if more := len(lines) - mostLines; more > 0 {
		all = append(all, "… +"+strconv.Itoa(more))
	}
	return all
}

// untold is what an assertion could not tell.
func (a *acceptdrift) untold(r *http.Request, c finding.Count, all []scan.Untold) page.Untold {
	one := page.Untold{Name: c.Assertion, Count: int(c.Undetermined), Of: int(max(c.Expected, c.Undetermined))}
	for _, p := range a.Policy.Promises {
		if slices.ContainsFunc(p.KeptBy, func(k policy.Keeper) bool {
			return k.Mechanism == policy.Assertion && slices.Contains(k.Refs, c.Assertion)
		}) {
			one.Promises = append(one.Promises, a.Sentence(r, p.ID))
		}
	}
	for _, u := range all {
		if u.Assertion == c.Assertion {
			name := cmp.Or(u.Short(), a.Pages.Text(staffed.Language(r), "company"))
			one.Reasons = append(one.Reasons, page.Reason{Name: page.Short(page.Plain(name)), Why: "untold." + u.Why, About: page.Plain(u.About)})
		}
	}
	return one
}

// status says the same to programs.
func (a *acceptdrift) status(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	s, err := scan.StatusOf(r.Context(), a.Store)
	if err != nil {
		return err
	}
	out := Status{Began: s.Began, Ended: s.Ended, Running: s.Running, Late: a.late(s.Began), Places: []Place{}, States: []State{}, Assertions: []Assertion{}, Gaps: []Gap{}, Doubts: []Doubt{}, More: s.Wanted.More}
	for _, p := range s.Places {
		out.Places = append(out.Places, Place{Place: p.Place, Facts: p.Facts, Assets: p.Assets, Read: p.Read, Failed: p.Failed, Lost: p.Lost, Unread: p.Unread})
	}
	for _, one := range s.Wanted.States {
		out.States = append(out.States, State{Name: one.Name, Resources: one.Resources, Read: one.Read, Failed: one.Failed, Unknown: one.Unknown, Locked: one.Locked})
	}
	for _, c := range s.Counts {
		told := Assertion{Assertion: c.Assertion, Expected: c.Expected, Out: c.Out, Undetermined: c.Undetermined}
		for _, u := range s.Untold {
			if u.Assertion == c.Assertion {
				told.Untold = append(told.Untold, Untold{Asset: u.Asset, Promise: u.Promise, Why: u.Why, About: u.About})
			}
		}
		out.Assertions = append(out.Assertions, told)
	}
	for _, g := range s.Wanted.Gaps {
		out.Gaps = append(out.Gaps, Gap{Type: g.Type, Field: g.Field, Count: g.Count})
	}
	for _, d := range s.Wanted.Doubts {
		out.Doubts = append(out.Doubts, Doubt{Address: d.Address, Asset: d.Asset, Field: d.Field, Why: d.Why})
	}
	return web.WriteJSON(w, http.StatusOK, out)
}
