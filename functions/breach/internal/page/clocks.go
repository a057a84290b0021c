package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// Bar is one clock, or several that stand alike, as it is drawn and as the table has it. Lengths are in percent of the
// picture's width, heights in em.
type Bar struct {
	Name   string
	Short  string // so much of it as there is room for
	Kind   string // run, soon, over, done, late, open, wait or stop: its looks
	Bound  string // key: who sets it
	State  string // in words
	Target string // "" where there are no hours
	Outer  string // by the rule of the full hour; "" for none
	Gone   string // how much of its time is over
	Over   string // how far beyond it is
	Now    string // where now is; "" where that is nowhere
	Y      string

	status clock.Status
	start  time.Time
	target time.Time
}

// Mark is a line across the picture.
type Mark struct{ X, Label string }

// Picture is every clock of a case in one drawing: each from awareness to its target, so that the marks are at the same
// place for all.
type Picture struct {
	Says   string // what it shows, for whoever does not see it
	Marks  []Mark
	Bars   []Bar
	Others []Bar // clocks of others, for information: in the table alone
	Height string
}

// The whole of a clock's time takes so many percent of the width; what is beyond is overdue.
const whole = 84

// Heights, in em.
const (
	above  = 1.6
	height = 5.1
)

// most is how many clocks of tenants are drawn one by one, and how many groups of them.
const most = 12

// NewPicture draws clocks, those that are overdue and those that end soonest first.
func (r Reader) NewPicture(all []clock.Clock) *Picture {
	if len(all) == 0 {
		return nil
	}
	p := &Picture{}
	var tenants, informed []Bar
	for _, c := range all {
		row, _, _ := strings.Cut(c.ID, ":")
		switch {
		case row == "gdpr_33_2": // its company has an aim for it, which is drawn
		case c.Binding == clock.Information:
			informed = append(informed, r.bar(c))
		case cases.Tenant(c.ID) != "":
			tenants = append(tenants, r.bar(c))
		default:
			p.Bars = append(p.Bars, r.bar(c))
		}
	}
	p.Bars = append(p.Bars, r.grouped(tenants)...)
	slices.SortStableFunc(p.Bars, sooner)
	p.Others = r.grouped(informed)
	for _, m := range clock.Marks() {
		p.Marks = append(p.Marks, Mark{percent(float64(m) * whole / 100), strconv.Itoa(m)})
	}
	for i := range p.Bars {
		p.Bars[i].Short = short(p.Bars[i].Name)
		p.Bars[i].Y = em(above + height*float64(i))
	}
	p.Height = em(above + height*float64(len(p.Bars)))
	p.Says = r.says(p.Bars)
	return p
}

// says is the picture in a sentence.
func (r Reader) says(bars []Bar) string {
	running, over := 0, 0
	for _, b := range bars {
		switch b.status {
		case clock.Overdue:
			over++
		case clock.Running:
			running++
		}
	}
	text := r.Say("picture.says", running, over)
	if len(bars) > 0 && running+over > 0 {
		text += " " + r.Say("picture.soonest", bars[0].Name, bars[0].State)
	}
	return text
}

// bar draws one clock.
func (r Reader) bar(c clock.Clock) Bar {
	b := Bar{Name: r.clockName(c.ID), Bound: "bound." + string(c.Binding), Target: r.At(c.Target), status: c.Status, start: c.Start, target: c.Target}
	if c.Outer.After(c.Target) {
		b.Outer = r.At(c.Outer)
	}
	gone := 0.0
	if until := c.Target.Sub(c.Start); until > 0 {
		gone = float64(r.Now.Sub(c.Start)) / float64(until)
	}
	switch c.Status {
	case clock.Running:
		b.Kind, b.State, b.Gone, b.Now = "run", r.Left(c.Target), percent(gone*whole), percent(gone*whole)
		if gone >= 0.75 {
			b.Kind = "soon"
		}
	case clock.Overdue:
		// What is overdue by minutes is seen to be, and what is overdue by weeks stays in the picture.
		beyond := min(max(gone-1, 0.05), 0.18) * whole
		b.Kind, b.State, b.Gone, b.Over, b.Now = "over", r.Left(c.Target), percent(whole), percent(beyond), percent(whole+beyond)
	case clock.Met:
		b.Kind, b.State, b.Gone = "done", r.Say("clock.met", r.At(c.Done)), percent(whole)
	case clock.Late:
		b.Kind, b.State, b.Gone = "late", r.Say("clock.late", r.At(c.Done)), percent(whole)
	case clock.Open:
		b.Kind, b.State = "open", r.Say("clock.open")
	case clock.Stopped:
		b.Kind, b.State = "stop", r.Say("clock.stopped")
	default:
		b.Kind, b.State = "wait", r.Say("clock.waiting")
	}
	return b
}

// clockName is how a page calls a clock.
func (r Reader) clockName(id string) string {
	row, of, has := strings.Cut(id, ":")
	switch {
	case row == "promise":
		return r.Say("clock.promise", r.known("promise.", of))
	case cases.IsContract(id):
		return r.Say("clock.contract_x", r.contractTo(id, of))
	case row == "withdraw":
		return r.Say("clock.withdraw", r.clockName(of))
	case row == "gdpr_33_1_downstream":
		return r.Say("clock.downstream", r.Tenant(of))
	case row == "aim":
		return r.Say("clock.aim", r.Tenant(of))
	case row == "contract":
		return r.Say("clock.contract", r.Tenant(of))
	case has:
		return r.Tenant(of)
	}
	return r.known("clock.", row)
}

// contractTo is who is told by a contract that is not with a tenant; its own name where the policy has it no more.
func (r Reader) contractTo(id, name string) string {
	var bound cases.Case
	if x, known := bound.ContractOf(id, r.Rules); known {
		return x.To
	}
	return name
}

// grouped keeps the bars of a few tenants, and puts those of many together that end alike; the last group has the rest.
func (r Reader) grouped(all []Bar) []Bar {
	slices.SortStableFunc(all, sooner)
	if len(all) <= most {
		return all
	}
	var groups []Bar
	var sizes []int
	for _, b := range all {
		at := slices.IndexFunc(groups, func(g Bar) bool { return g.status == b.status && g.target.Equal(b.target) })
		switch {
		case at >= 0:
			sizes[at]++
		case len(groups) == most:
			sizes[most-1]++ // at the soonest of them: nobody has less time than is drawn
		default:
			groups, sizes = append(groups, b), append(sizes, 1)
		}
	}
	for i, size := range sizes {
		if size > 1 {
			groups[i].Name = r.Say("clock.more", groups[i].Name, size-1)
		}
	}
	return groups
}

// sooner puts first what is overdue, then what ends soonest, then what has no end, then what is over.
func sooner(a, b Bar) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	return a.target.Compare(b.target)
}

func rank(b Bar) int {
	return slices.Index([]clock.Status{clock.Overdue, clock.Running, clock.Open, clock.Waiting, clock.Late, clock.Met, clock.Stopped}, b.status)
}

// room is how many letters of a name stand in the narrowest window.
const room = 32

// short leaves out the middle of a long name: what stands in brackets behind it says whose clock it is.
func short(name string) string {
	letters := []rune(name)
	if len(letters) <= room {
		return name
	}
	behind := 0
	if at := strings.LastIndex(name, " ("); at >= 0 {
		behind = min(len([]rune(name[at:])), room-10)
	}
	return string(letters[:room-1-behind]) + "…" + string(letters[len(letters)-behind:])
}

func percent(f float64) string { return strconv.FormatFloat(max(f, 0), 'f', 1, 64) }

func em(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// soonest is the clock that ends first of those that run or are overdue and that somebody has to meet; nil for none.
func soonest(all []clock.Clock, which func(clock.Clock) bool) *clock.Clock {
	var first *clock.Clock
	for i, c := range all {
		if (c.Status == clock.Running || c.Status == clock.Overdue) && c.Binding != clock.Information && which(c) && (first == nil || c.Target.Before(first.Target)) {
			first = &all[i]
		}
	}
	return first
}

func anyClock(clock.Clock) bool { return true }
