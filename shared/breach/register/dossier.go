package register

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/severity"
)

// record is a dossier as programs read it. Times are UTC; one left out is not known, or has not come.
type record struct {
	V         int             `json:"v"`
	Made      time.Time       `json:"made"`
	Number    string          `json:"number"`
	Kind      string          `json:"kind"`
	State     cases.State     `json:"state"`
	Exercise  bool            `json:"exercise"`
	Company   string          `json:"company"`
	For       string          `json:"for,omitempty"` // of an extract: the tenant it is for
	Policy    string          `json:"policy"`        // digest
	Article33 []Point         `json:"article_33"`
	Times     cases.Times     `json:"times"`
	Details   stated          `json:"details,omitzero"`
	Awareness []moved         `json:"awareness"`
	Tracks    []tracked       `json:"tracks"`
	Unmapped  int             `json:"unmapped"`
	Names     []string        `json:"unmapped_names,omitempty"` // never in an extract
	Mapped    []found         `json:"mapped,omitempty"`         // nor these
	Severity  *rated          `json:"severity,omitempty"`
	Decisions []decided       `json:"decisions"`
	Undecided []string        `json:"undecided"`
	Clocks    []clocked       `json:"clocks"`
	Filings   []filed         `json:"filings"`
	Notices   []sent          `json:"notices"`
	Closed    time.Time       `json:"closed,omitzero"`
	ReviewBy  string          `json:"review_by,omitempty"`
	Reviewed  time.Time       `json:"reviewed,omitzero"`
	Lessons   string          `json:"lessons,omitempty"`
	Actions   []acted         `json:"actions,omitempty"`
	Holds     []held          `json:"holds,omitempty"`
	EDPB      *map[string]any `json:"edpb_draft,omitempty"`
}

type moved struct {
	As     cases.Role `json:"as,omitempty"` // processor: of the company as one alone
	From   time.Time  `json:"from,omitzero"`
	To     time.Time  `json:"to"`
	By     string     `json:"by,omitempty"`
	At     time.Time  `json:"at"`
	Reason string     `json:"reason,omitempty"`
}

type tracked struct {
	Name    string     `json:"name"`
	Role    cases.Role `json:"role"`
	People  number     `json:"people"`
	Records number     `json:"records"`
	Told    time.Time  `json:"told,omitzero"`
	Earlier []recount  `json:"earlier,omitempty"` // what was said before, oldest first
}

// number is a count as it stands in a dossier.
type number struct {
	N      int64           `json:"n,omitempty"`
	How    cases.Exactness `json:"how"`
	Reason string          `json:"reason,omitempty"` // for which it does not apply
}

func (f File) numberOf(c cases.Count) number { return number{c.N, c.How, f.Case.Text(c.Why)} }

type found struct {
	Names  []string  `json:"names"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

type rated struct {
	Method  string         `json:"method"`
	Input   severity.Input `json:"input"`
	Reasons string         `json:"reasons,omitempty"`
	Score   severity.Score `json:"score"`
	By      string         `json:"by,omitempty"`
	At      time.Time      `json:"at"`
	Scores  int            `json:"scores"` // so far; this is the last
}

type decided struct {
	Subject  string    `json:"subject"`
	Answer   string    `json:"answer"`
	Reason   string    `json:"reason,omitempty"`
	Agreed   string    `json:"second_reason,omitempty"` // of the second of the two
	By       string    `json:"by,omitempty"`            // both
	Proposed time.Time `json:"proposed"`
	Settled  time.Time `json:"settled,omitzero"`
	Again    string    `json:"again,omitempty"`
	Below    bool      `json:"below_presumption,omitempty"`
	Letter   string    `json:"exception,omitempty"` // of article 34(3)
	Replaced string    `json:"replaced,omitempty"`
}

type clocked struct {
	clock.Clock
	Law string `json:"law,omitempty"`
	Who string `json:"concerns,omitempty"`
}

type filed struct {
	Clock     string    `json:"clock"`
	At        time.Time `json:"at"`
	By        string    `json:"by,omitempty"`
	Reference string    `json:"reference,omitempty"`
	Late      string    `json:"delay_reasons,omitempty"`
	Wrong     string    `json:"noted_wrongly,omitempty"` // of one of Earlier: why it was not so
	Earlier   []filed   `json:"earlier,omitempty"`       // what stood here before, oldest first
	Withdrawn *taken    `json:"withdrawn,omitempty"`     // after it turned out to be no breach
}

type sent struct {
	N          int                          `json:"n"`
	Kind       notice.Kind                  `json:"kind"`
	State      notice.State                 `json:"state"`
	Version    int                          `json:"version"`
	Written    time.Time                    `json:"written"`
	Hash       string                       `json:"sha256"`
	Agreed     time.Time                    `json:"agreed,omitzero"`
	By         string                       `json:"by,omitempty"`
	Alone      bool                         `json:"approved_alone,omitempty"`
	Told       time.Time                    `json:"persons_told,omitzero"` // of a notice to persons
	Means      string                       `json:"means,omitempty"`       // by which they were told
	Texts      map[string]map[string]string `json:"texts,omitempty"`
	Deliveries []delivered                  `json:"deliveries"`
}

type delivered struct {
	Tenant   string          `json:"tenant"`
	Language string          `json:"language"`
	Progress notice.Progress `json:"progress"`
	Handed   time.Time       `json:"handed"`
	Told     time.Time       `json:"told,omitzero"`
	Received time.Time       `json:"delivered_at,omitzero"` // by the word of a mail provider
	Tries    []notice.Try    `json:"tries"`
}

// Dossier writes everything there is of a case, or of an Extract, for people or for programs. language is en, fr or de; any
// other is English. Code: format_invalid.
func Dossier(w io.Writer, f File, format Format, lang string) error {
	l := languageOf(lang)
	switch format {
	case AsJSON:
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(f.record(l))
	case AsMarkdown:
		return f.paper(l).markdown(w)
	case AsHTML:
		return f.paper(l).html(w)
	}
	return badFormat()
}

func (f File) record(l language) record {
	c := f.Case
	r := record{
		V: 1, Made: f.Now.UTC(), Number: c.Number, Kind: f.kind(), State: c.State, Exercise: c.Exercise, Company: f.Company.Company.Name, Policy: f.Company.Digest,
		Article33: f.points(l), Times: c.Times, Details: f.stated(), Unmapped: c.Unmapped, Names: c.Names, Closed: c.Closed, Reviewed: c.Reviewed, Lessons: c.Text(c.Lessons),
		Awareness: []moved{}, Tracks: []tracked{}, Decisions: []decided{}, Undecided: []string{}, Clocks: []clocked{}, Filings: []filed{}, Notices: []sent{},
	}
	if f.tenant != "" {
		r.For = f.name(f.tenant)
	} else {
		edpb := EDPB(f)
		r.EDPB = &edpb
	}
	if !c.Review.IsZero() {
		r.ReviewBy = c.Review.String()
	}
	for _, m := range c.Moves {
		r.Awareness = append(r.Awareness, moved{m.As, m.From, m.To, f.both(m.By, m.Second), m.At, c.Text(m.Reason)})
	}
	for _, t := range c.Tracks {
		r.Tracks = append(r.Tracks, tracked{f.name(t.ID), t.Role, f.numberOf(t.People), f.numberOf(t.Records), t.Told, f.recounts(t)})
	}
	for _, m := range c.Mapped {
		r.Mapped = append(r.Mapped, found{strings.Split(c.Text(m.Names), "\n"), f.person(m.By), m.At, c.Text(m.Reason)})
	}
	if s := c.Score; s != nil {
		r.Severity = &rated{severity.Source(), s.Input, c.Text(s.Why), s.Score, f.person(s.By), s.At, c.Scores}
	}
	for _, d := range c.Decisions {
		one := decided{Subject: f.subject(d.Subject), Answer: map[bool]string{true: "yes", false: "no"}[d.Yes], Reason: c.Text(d.Reason), Agreed: c.Text(d.Agreed), By: f.both(d.By, d.Second), Proposed: d.At, Settled: d.Settled, Below: d.Below, Letter: letter(d.Exception), Replaced: d.Why}
		if !d.Again.IsZero() {
			one.Again = d.Again.String()
		}
		r.Decisions = append(r.Decisions, one)
	}
	if c.State != cases.Suspected {
		for _, s := range c.Undecided() {
			r.Undecided = append(r.Undecided, f.subject(s))
		}
	}
	f.dated(&r)
	f.ended(&r)
	return r
}

// dated fills in clocks, filings and notices.
func (f File) dated(r *record) {
	for _, c := range f.clocks() {
		row, _ := clock.RowOf(rowOf(c.ID))
		one := clocked{Clock: c, Law: row.Law}
		if tenant := cases.Tenant(c.ID); tenant != "" {
			one.Who = f.name(tenant)
		} else if x, is := f.Case.ContractOf(c.ID, f.Policy.Rules); is {
			one.Who = x.To
		}
		r.Clocks = append(r.Clocks, one)
	}
	for _, id := range slices.Sorted(maps.Keys(f.Case.Filed)) {
		r.Filings = append(r.Filings, f.filing(id, f.Case.Filed[id]))
	}
	for _, n := range sorted(f.Notices) {
		one := sent{N: n.N, Kind: n.Kind, State: n.State, Version: n.Version, Written: n.Written, Hash: n.Hash, Agreed: n.Agreed, By: f.both(n.Author, n.Approver), Alone: n.Glass, Told: n.Noted, Means: n.Means, Texts: n.Draft.Texts, Deliveries: []delivered{}}
		if own := n.Draft.Tenants[f.tenant]; f.tenant != "" && own != nil {
			one.Texts = merged(one.Texts, own)
		}
		for _, d := range n.Deliveries {
			one.Deliveries = append(one.Deliveries, delivered{f.name(d.Tenant), d.Language, d.Progress, d.Handed, d.Told, d.Delivered(), append([]notice.Try{}, d.Tries...)})
		}
		r.Notices = append(r.Notices, one)
	}
}

// merged puts a tenant's own texts before those for all.
func merged(all, own map[string]map[string]string) map[string]map[string]string {
	whole := map[string]map[string]string{}
	for _, texts := range []map[string]map[string]string{all, own} {
		for language, by := range texts {
			if whole[language] == nil {
				whole[language] = map[string]string{}
			}
			maps.Copy(whole[language], by)
		}
	}
	return whole
}

// subject is what is decided about, by name where it is somebody.
func (f File) subject(id string) string {
	if id == cases.SA || id == cases.Persons || id == cases.Breach {
		return id
	}
	if x, is := f.Case.ContractOf(id, f.Policy.Rules); is {
		return x.To
	}
	if cases.IsReport(id) {
		return lawOf(id)
	}
	return f.name(id)
}

// lawOf is what a clock is called in the law; its id where no row has it.
func lawOf(id string) string {
	if row, known := clock.RowOf(rowOf(id)); known {
		return row.Law
	}
	return id
}

// lawIn is lawOf in a language, of a contract with whom it is.
func (f File) lawIn(l language, id string) string {
	name := l.law(lawOf(id))
	if x, is := f.Case.ContractOf(id, f.Policy.Rules); is {
		name += ": " + x.To
	}
	return name
}

// rowOf is the row of a clock's id.
func rowOf(id string) string {
	row, _, _ := strings.Cut(id, ":")
	return row
}
