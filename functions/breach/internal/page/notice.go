package page

import (
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
)

// NoticeItem is one notice in the list of a case.
type NoticeItem struct {
	N     int
	Path  string
	Kind  string // key
	State string // key
	Tone  string // good, wait, bad, or nothing
	Wants string // what it waits for; "" for nothing
	Far   string // how far it has come
}

// Notice is the page of one notice: exactly what would be sent, to whom, who agreed, and what became of it.
type Notice struct {
	NoticeItem
	Done       string // key of a text that says what was done
	Form       Form
	Case       string // path
	Number     string
	Exercise   bool
	AsOf       string
	Written    string
	Version    int
	Hash       string // of what would be sent now
	Changed    bool   // that is not what was agreed to, or proposed
	Without    string // names of tenants it leaves out: nobody is named to be told there
	Recipients []Recipient
	More       int
	Shown      *Message
	Checks     []Check
	Gaps       int    // things nobody wrote, or that are not known yet
	Draft      *Draft // nil where it is not written any more
	Waits      bool
	Own        bool   // the reader wrote one of its versions
	Who        string // who may agree
	Agreed     string
	Glass      *Glass
	Persons    bool // for persons: nobody sends it from here
	Means      string
	MayNote    bool
	May        bool
	MayReview  bool
	Most       string
	Zone       string
	Counts     []Count
	Deliveries []Delivery
	Next       string // path of the deliveries behind these
}

// Glass is an approval by one person alone.
type Glass struct {
	By, Reason, Reviewer, Until string
	Late                        bool
}

// Recipient is somebody the notice goes to.
type Recipient struct {
	Name, Language, Address, Ways string
	Path                          string // shows what goes to her
	Chosen                        bool
}

// Message is what one recipient gets, to the letter.
type Message struct {
	Name, Language, To, Ways, Subject, Text, Short string
}

// Check is one thing a notice has to say, and in which languages it does.
type Check struct {
	What string // key
	Law  string // key
	Says []Says
}

// Says is how far one language says it.
type Says struct {
	Language string
	State    string // key: written, unknown or missing
	Tone     string
}

// Count is how many recipients stand alike.
type Count struct {
	What string // key
	N    int
	Tone string
}

// NoticePath is where the page of a notice is.
func NoticePath(n notice.Notice) string { return noticePath(n.Case, n.N) }

func noticePath(caseID string, n int) string { return CasePath(caseID) + "/notices/" + strconv.Itoa(n) }

// OfNotices is what to do next about the notices of a case.
func (r Reader) OfNotices(all []notice.Notice) (steps []Step) {
	for _, n := range all {
		i := r.NewNoticeItem(n)
		step := Step{What: r.Say("next.notice", n.N, i.Wants), Path: i.Path, Mine: r.May()}
		switch {
		case i.Wants == "" || n.State == notice.Voided || n.State == notice.Expired:
			continue
		case n.State == notice.Drafted && slices.ContainsFunc(n.Authors, r.mine):
			step.Mine, step.Who = false, r.others(n.Authors)
		case !step.Mine:
			step.Who = r.others(nil)
		case n.State == notice.Drafted:
			step.What = r.Say("next.approve", n.N)
		}
		steps = append(steps, step)
	}
	return steps
}

// NewNoticeItem is a notice in a list.
func (r Reader) NewNoticeItem(n notice.Notice) NoticeItem {
	i := NoticeItem{N: n.N, Path: NoticePath(n), Kind: "kind." + string(n.Kind), State: "notice." + string(n.State), Far: r.Say("notice.to", n.To)}
	switch n.State {
	case notice.Drafted:
		i.Tone, i.Wants = "wait", r.Say("notice.wants.approval", r.others(n.Authors))
	case notice.Expired:
		i.Tone, i.Wants = "bad", r.Say("notice.wants.writing")
	case notice.Voided:
		i.Tone, i.Wants = "bad", r.Say("notice.wants.another")
	case notice.Approved, notice.Sent:
		i.Tone = "good"
		i.Far = r.Say("notice.far", n.Accepted, n.To)
		switch {
		case n.Unknown > 0:
			i.Tone, i.Wants = "wait", r.Say("notice.wants.asking", n.Unknown)
		case n.Failed > 0:
			i.Tone, i.Wants = "bad", r.Say("notice.wants.calling", n.Failed)
		}
	}
	if n.Kind == notice.Persons {
		i.Far = r.Say("kind.persons.who")
	}
	if n.Glass && n.Reviewer == "" {
		i.Wants = r.Say("notice.wants.review", r.others(append([]string{n.Approver}, n.Authors...)))
	}
	return i
}

// NewNotice is the page of a notice, showing what goes to one of its recipients.
func (r Reader) NewNotice(c cases.Read, o notice.Opened, all []notice.Message, chosen int) Notice {
	n := o.Notice
	p := Notice{NoticeItem: r.NewNoticeItem(n), Case: CasePath(c.ID), Number: Group(c.Number), Exercise: c.Exercise, AsOf: r.At(r.Now), Version: n.Version, Hash: o.Now,
		Written: r.Say("by.one", r.Person(n.Author), r.At(n.Written)), Waits: n.State == notice.Drafted && o.Now != "", Own: slices.Contains(n.Authors, r.Me.ID), Who: r.others(n.Authors),
		Persons: n.Kind == notice.Persons, Means: o.How, May: r.May(), Most: r.Local(r.Now), Zone: r.Rules.Zone.String()}
	p.Changed = o.Now != "" && o.Now != n.Hash && (n.State == notice.Drafted || n.State == notice.Voided)
	p.MayNote = p.Persons && p.May && n.State == notice.Approved
	if !n.Agreed.IsZero() {
		p.Agreed = r.Say("by.one", r.Person(n.Approver), r.At(n.Agreed))
	}
	if n.Glass {
		p.Glass = &Glass{By: r.Person(n.Approver), Reason: o.Reason, Late: n.Late, Until: r.At(n.Agreed.Add(notice.GlassReview))}
		if n.Reviewer != "" {
			p.Glass.Reviewer = r.Person(n.Reviewer)
		}
		p.MayReview = p.May && n.Reviewer == "" && n.Approver != r.Me.ID && !p.Own
	}
	p.Checks = r.checks(o.Draft)
	var without []string
	for _, id := range o.Without {
		without = append(without, r.Tenant(id))
	}
	p.Without = strings.Join(without, ", ")
	for _, c := range p.Checks {
		if slices.ContainsFunc(c.Says, func(s Says) bool { return s.Tone != "good" }) {
			p.Gaps++
		}
	}
	r.messages(&p, all, chosen)
	if n.State == notice.Drafted || n.State == notice.Expired {
		p.Draft = r.NewDraft(c, n.Kind, o.Tenants, "")
		p.Draft.N, p.Draft.Form = n.N, Form{Values: written(o.Draft, o.Tenants)}
	}
	for _, one := range []Count{{"delivery.arrived", n.Accepted, "good"}, {"delivery.doubtful", n.Unknown, "wait"}, {"delivery.lost", n.Failed, "bad"}} {
		if one.N > 0 {
			p.Counts = append(p.Counts, one)
		}
	}
	return p
}

func (r Reader) messages(p *Notice, all []notice.Message, chosen int) {
	if chosen < 0 || chosen >= len(all) {
		chosen = 0
	}
	for i, m := range all {
		if i == chosen {
			p.Shown = &Message{m.Name, m.Language, m.To, r.ways(m.Ways), m.Subject, m.Text, m.Short}
		}
		if i >= shown && i != chosen {
			p.More++
			continue
		}
		p.Recipients = append(p.Recipients, Recipient{Name: m.Name, Language: m.Language, Address: m.To, Ways: r.ways(m.Ways), Path: p.Path + "?to=" + strconv.Itoa(i) + "#shown", Chosen: i == chosen})
	}
}

func (r Reader) ways(all []notice.Way) string {
	names := make([]string, len(all))
	for i, w := range all {
		names[i] = r.known("channel.", w.Channel)
	}
	return strings.Join(names, " → ")
}

// checks are what the law wants said, and how far it is.
func (r Reader) checks(d notice.Draft) (all []Check) {
	for _, name := range notice.Written(d.Kind) {
		c := Check{What: "var." + name, Law: law(d.Kind, name)}
		for _, lang := range languages(d) {
			text := d.Texts[lang][name]
			for _, own := range d.Tenants {
				if text == "" {
					text = own[lang][name]
				}
			}
			s := Says{lang, "check.written", "good"}
			switch strings.TrimSpace(text) {
			case "":
				s.State, s.Tone = "check.missing", "bad"
			case notice.NotKnown:
				s.State, s.Tone = "check.unknown", "wait"
			}
			c.Says = append(c.Says, s)
		}
		all = append(all, c)
	}
	return all
}

// law is the clause a variable answers; "" for what only the contract or sense asks for.
func law(k notice.Kind, name string) string {
	at := map[string]string{"nature": "a", "subjects": "a", "records": "a", "contact": "b", "consequences": "c", "measures": "d"}[name]
	switch {
	case at == "":
		return ""
	case k == notice.Persons:
		return "law.34"
	}
	return "law.33." + at
}
