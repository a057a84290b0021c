package page

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// Case is the page of one case.
type Case struct {
	Done        string // key of a text that says what was done
	Form        Form
	ID, Number  string
	Path        string
	State       string // key
	Exercise    bool
	Closed      bool
	Suspected   bool
	Open        bool
	Summary     string
	Signals     []string // what a detection said since
	Declared    string
	Alarm       string // where what was seen is shown; "" where nothing but a person began it
	AsOf, Zone  string
	Ack         *Ack
	Next        []Step
	Picture     *Picture
	Times       []Fact
	Least, Most string // of a datetime-local field: now
	Tracks      []Track
	TracksMore  int
	Undescribed bool // nobody has said whose data is concerned
	Unmapped    int
	Names       []string // of those
	Pick        []Choice // every tenant; labels are text
	Score       *Score
	Inputs      Inputs
	Subjects    []Subject // authority and persons
	Tenants     *Tenants  // nil where the company is a processor for nobody
	Moving      *Moving
	Notices     []NoticeItem
	MayNotice   bool
	Filings     []Filing
	Portals     []Portal
	ToFile      []Choice // clocks a report may meet; labels are text
	Promises    []Promise
	Channels    []Channel
	Happened    []Event
	Unsettled   []Left   // why it cannot be closed yet
	Brief       bool     // for who may not look at cases: her own words, and what is hers to do
	Lookers     []Choice // who may look at it: one of them has the next step; labels are text
	Facts       Facts
	Processor   bool // the company processes some of the data for tenants
	Triaged     *Triaged
	TakeBack    []Choice // reports that are to be taken back; labels are text
	Review      string   // by when it is to be looked back at
	Reviewed    string
	May         bool // the reader decides about breaches
	MayMove     bool // the instant of awareness
	Deciders    string
	Told        bool // a tenant has a notice of ours
	After
}

// Fact is something that is known, or is known not to be.
type Fact struct {
	Name, Value string // Name is a key
	Unknown     bool
}

// Track is whose data is concerned.
type Track struct {
	Name            string
	Own             bool
	People, Records string
	Told            string
	Earlier         []string // what was said of the counts before
}

// Moving is a later instant of awareness that waits for a second person.
type Moving struct {
	To, From, By, Reason, Value, Who string
	As                               string // processor, or ""
	Mine                             bool
}

// Filing is a report that was made to an authority.
type Filing struct {
	Clock, At, By, Reference, Reasons string
	Withdrawn                         string   // what became of it after the case turned out to be no breach
	Earlier                           []string // reports before it, and those noted wrongly
}

// Portal is where a report is made.
type Portal struct{ Name, Address string }

// Promise is something that was promised by an instant.
type Promise struct {
	ID, Name, By, Left, Kept string
	Over                     bool
}

// Channel is a way to reach people, that an intruder may read along.
type Channel struct {
	ID, Name string
	Off      bool
}

// Ack is who answers for the case.
type Ack struct {
	Step   string // the reader's, of the ladder; "" where she is on none
	Coded  bool   // the call may have had a code
	Mine   bool   // she answers already
	By, At string // who answers; "" for nobody
	Until  string // when that counts no more, unless something is done
	Called string // who was called last
	When   string
	Next   string // when somebody else is called
	Nobody bool   // everybody was called in vain
}

// NewCase is the page of a case as it stands. What the page shows beside it is filled in by its caller.
func (r Reader) NewCase(c cases.Read) Case {
	clocks := cases.Clocks(c.Case, r.Rules, r.Now)
	p := Case{
		ID: c.ID, Number: Group(c.Number), Path: CasePath(c.ID), State: stateKey(c.Case), Exercise: c.Exercise,
		Closed: c.State == cases.Closed, Suspected: c.State == cases.Suspected, Open: c.State == cases.Open,
		Summary: c.Text(c.Summary), Signals: r.signals(c), AsOf: r.At(r.Now), Zone: r.Rules.Zone.String(), Picture: r.NewPicture(clocks), Unmapped: c.Unmapped, Names: c.Names,
		May: r.May(), MayMove: r.May() || c.By == r.Me.ID, Deciders: r.others(nil), Most: r.Local(r.Now),
		Review: r.Day(c.Review), Reviewed: r.At(c.Reviewed),
	}
	p.Declared = r.Say("case.declared", r.Person(c.By), r.At(c.Declared))
	if episode, found := strings.CutPrefix(c.Source, "episode/"); found {
		p.Alarm = "/justify/" + episode
	}
	p.Ack = r.ack(c.Case)
	p.Times = r.times(c.Case)
	r.tracks(&p, c)
	r.decisions(&p, c, clocks)
	r.reports(&p, c, clocks)
	p.Score, p.Inputs = r.score(c)
	p.Happened = r.happened(c)
	p.Unsettled = r.unsettled(c.Case)
	r.facts(&p, c)
	p.Next = r.next(c, clocks)
	r.after(&p, c)
	return p
}

// Local is an instant as a datetime-local field has it, in the company's zone.
func (r Reader) Local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.Rules.Zone).Format(LocalTime)
}

// LocalTime is how a datetime-local field writes an instant.
const LocalTime = "2006-01-02T15:04"

func stateKey(c cases.Case) string {
	if c.State == cases.Closed {
		return "state." + string(c.Ending)
	}
	return "state." + string(c.State)
}

func (r Reader) ack(c cases.Case) *Ack {
	l := c.Ladder
	if c.State == cases.Closed || l.Called.IsZero() {
		return nil
	}
	a := &Ack{Nobody: l.Nobody, Coded: l.Code != ""}
	for i, s := range r.Rules.Ladder {
		if slices.ContainsFunc(s.Roles, r.Me.Has) && (a.Step == "" || i == l.Step) {
			a.Step = s.ID
		}
	}
	if !l.Acked.IsZero() {
		a.By, a.At, a.Mine = r.Person(l.AckBy), r.At(l.Acked), l.AckBy == r.Me.ID
		a.Until = r.At(l.Active.Add(r.Rules.AckLife))
		return a
	}
	step := r.Rules.Ladder[min(l.Step, len(r.Rules.Ladder)-1)]
	a.Called, a.When = r.known("step.", step.ID), r.Ago(l.Called)
	if a.Next = r.Say("ack.now"); r.Now.Before(l.Called.Add(step.Wait)) {
		a.Next = r.Left(l.Called.Add(step.Wait))
	}
	return a
}

func (r Reader) times(c cases.Case) []Fact {
	all := []Fact{
		{Name: "times.occurred_from", Value: r.At(c.Times.OccurredFrom)}, {Name: "times.occurred_to", Value: r.At(c.Times.OccurredTo)},
		{Name: "times.detected", Value: r.At(c.Times.Detected)}, {Name: "times.aware", Value: r.At(c.Times.Aware)},
		{Name: "times.contained", Value: r.At(c.Times.Contained)},
	}
	if !c.Times.ProcessorAware.IsZero() {
		all = append(all, Fact{Name: "times.processor_aware", Value: r.At(c.Times.ProcessorAware)})
	}
	if !c.Times.Classified.IsZero() {
		all = append(all, Fact{Name: "times.classified", Value: r.At(c.Times.Classified)})
	}
	for i := range all {
		all[i].Unknown = all[i].Value == ""
	}
	return all
}

// shown is how many tenants a page lists one by one.
const shown = 50

func (r Reader) tracks(p *Case, c cases.Read) {
	for _, t := range c.Tracks {
		if len(p.Tracks) >= shown {
			p.TracksMore++
			continue
		}
		p.Tracks = append(p.Tracks, Track{Name: r.Tenant(t.ID), Own: t.ID == cases.Own, People: r.count(c, t.People), Records: r.count(c, t.Records), Told: r.At(t.Told), Earlier: r.recounts(c, t)})
	}
	p.Undescribed = c.Undescribed()
	p.Pick = r.pick()
	for _, one := range []string{"mail", "chat", "sms", "webhook"} {
		p.Channels = append(p.Channels, Channel{ID: one, Name: r.known("channel.", one), Off: slices.Contains(c.Compromised, one)})
	}
}

// count writes a number with how far it is known.
func (r Reader) count(of cases.Read, c cases.Count) string {
	switch c.How {
	case cases.Exact:
		return strconv.FormatInt(c.N, 10)
	case cases.Estimate:
		return r.Say("count.about", strconv.FormatInt(c.N, 10))
	case cases.NotApplicable:
		return r.not(of, c.Why)
	}
	return r.Say("count.unknown")
}

// not says that something does not apply, and why where that is known.
func (r Reader) not(c cases.Read, why int) string {
	if text := c.Text(why); text != "" {
		return r.Say("not.because", text)
	}
	return r.Say("count.not_applicable")
}

// reports fills in what was filed and what was promised.
func (r Reader) reports(p *Case, c cases.Read, clocks []clock.Clock) {
	for _, id := range slices.Sorted(maps.Keys(c.Filed)) {
		f := c.Filed[id]
		filing := Filing{Clock: r.clockName(id), At: r.At(f.At), By: r.Person(f.By), Reference: c.Text(f.Reference), Reasons: c.Text(f.Reasons)}
		for _, old := range f.Earlier {
			if filing.Earlier = append(filing.Earlier, r.Say("file.before", r.At(old.At))); old.Wrong > 0 {
				filing.Earlier[len(filing.Earlier)-1] = r.Say("file.wrongly", r.At(old.At), c.Text(old.Wrong))
			}
		}
		if w := f.Withdrawn; w != nil {
			filing.Withdrawn = r.Say("file.withdrawn", r.At(w.At), r.Person(w.By), c.Text(w.Text))
			if w.Stands {
				filing.Withdrawn = r.Say("file.stands", r.At(w.At), r.Person(w.By), c.Text(w.Text))
			}
		}
		p.Filings = append(p.Filings, filing)
	}
	for _, one := range clocks {
		if done := c.Reported(one.ID); (one.Binding == clock.Law && !strings.Contains(one.ID, ":") || cases.IsContract(one.ID)) && !done && one.ID != "gdpr_34" {
			p.ToFile = append(p.ToFile, Choice{one.ID, r.clockName(one.ID)})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Filed)) { // what is still to be reported comes first
		p.ToFile = append(p.ToFile, Choice{id, r.Say("file.again", r.clockName(id))})
	}
	names := slices.SortedFunc(maps.Keys(c.Promises), func(a, b string) int {
		return cmp.Or(c.Promises[a].Compare(c.Promises[b]), cmp.Compare(a, b))
	})
	for _, name := range names {
		by, kept := c.Promises[name], c.Kept[name]
		p.Promises = append(p.Promises, Promise{ID: name, Name: r.known("promise.", name), By: r.At(by), Left: r.Left(by), Kept: r.At(kept), Over: kept.IsZero() && r.Now.After(by)})
	}
}
