package register

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/severity"
)

// Unknown stands in a row where something is not known.
const Unknown = "unknown"

// Row is one breach in the register (GDPR, article 33(5)). Times are UTC; one left out is not known.
type Row struct {
	Number       string    `json:"number"`
	Kind         string    `json:"kind"` // breach, suspicion, incident (no personal data), not_a_breach
	State        string    `json:"state"`
	Roles        []string  `json:"roles"`
	OccurredFrom time.Time `json:"occurred_from,omitzero"`
	OccurredTo   time.Time `json:"occurred_to,omitzero"`
	Occurrence   string    `json:"occurrence"` // how sure that is: exact, estimate, unknown
	Detected     time.Time `json:"detected_at,omitzero"`
	Aware        time.Time `json:"aware_at,omitzero"`
	Processor    time.Time `json:"processor_aware_at,omitzero"` // as a processor, where the company is one
	Contained    time.Time `json:"contained_at,omitzero"`
	Discovered   string    `json:"discovered"` // by whom: staff, detection, processor, person, third_party, press
	What         string    `json:"what"`
	Nature       string    `json:"nature"` // of confidentiality, integrity, availability: those concerned
	Origin       string    `json:"origin"` // internal, external, unknown
	Cause        string    `json:"cause"`  // malicious, accidental, not malicious, unknown
	Systems      string    `json:"systems"`
	Data         []string  `json:"data"` // classes of the method
	Subjects     string    `json:"subject_categories"`
	People       string    `json:"people"`
	Records      string    `json:"records"`
	Countries    []string  `json:"countries"`
	ByCountry    []string  `json:"people_by_country"` // of each of Countries
	Concerned    []string  `json:"concerned"`
	Protection   string    `json:"measures_before"`
	SE           string    `json:"se"`
	Level        string    `json:"level"`
	Inputs       string    `json:"inputs"`
	Flags        []string  `json:"flags"`
	Triggers     []string  `json:"triggers"`
	Closest      string    `json:"closest_case"`
	Authority    Settled   `json:"authority"`
	FiledAt      time.Time `json:"filed_at,omitzero"`
	Reference    string    `json:"filed_reference"`
	Withdrawn    string    `json:"filed_withdrawn"` // when and under which reference; after it turned out to be no breach
	Delay        string    `json:"delay_reasons"`
	Others       []string  `json:"other_filings"`
	Authorities  string    `json:"other_authorities"`
	Police       string    `json:"police"`
	Persons      Settled   `json:"persons"`
	Exception    string    `json:"persons_exception"`   // 34(3)(a), (b) or (c); "" for none
	PersonsText  string    `json:"persons_text_sha256"` // digest that was approved
	PersonsTold  time.Time `json:"persons_told_at,omitzero"`
	PersonsMeans string    `json:"persons_means"` // how they were told
	Tenants      []Told    `json:"tenants"`
	FollowUps    []string  `json:"follow_ups"`
	Consequences string    `json:"consequences"`
	Measures     string    `json:"measures"`
	Closed       time.Time `json:"closed_at,omitzero"`
	ReviewBy     string    `json:"review_by"`
	Reviewed     time.Time `json:"reviewed_at,omitzero"`
	Lessons      string    `json:"lessons"` // as the review says it
	Actions      []string  `json:"actions"` // of the reviews: what, who, by when, and when it was done
	Earlier      []string  `json:"earlier_incidents"`

	exercise bool
}

// Settled is whether somebody was to be told, as two people decided.
type Settled struct {
	Answer string    `json:"answer"` // yes, no, or open
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at,omitzero"`
}

// Told is what became of telling one tenant.
type Told struct {
	Tenant   string    `json:"tenant"`
	Decision Settled   `json:"decision"`
	Told     time.Time `json:"told_at,omitzero"`
	Notices  []string  `json:"notices"` // each with its digest and what is known of its delivery
}

// RowOf makes the row of a case. That of an exercise is passed over by JSON and CSV.
func RowOf(f File) Row {
	c := f.Case
	r := Row{
		Data: []string{}, Concerned: []string{}, Flags: []string{}, Triggers: []string{}, Others: []string{}, Tenants: []Told{}, FollowUps: []string{}, Actions: []string{},
		Number: c.Number, Kind: f.kind(), State: string(c.State), Roles: append([]string{}, f.roles()...), Countries: append([]string{}, f.countries()...), ByCountry: f.byCountry(), exercise: c.Exercise,
		OccurredFrom: c.Times.OccurredFrom, OccurredTo: c.Times.OccurredTo, Detected: c.Times.Detected, Aware: c.Times.Aware, Contained: c.Times.Contained,
		What: known(c.Text(c.Summary)), Subjects: known(f.written("subjects", "en")),
		Consequences: known(f.written("consequences", "en")), Measures: known(f.written("measures", "en")),
		Authority: f.settled(cases.SA), Persons: f.settled(cases.Persons), Closed: c.Closed, Reviewed: c.Reviewed, Lessons: c.Text(c.Lessons),
		Nature: Unknown, Cause: Unknown, Protection: Unknown, SE: Unknown, Level: Unknown, Inputs: Unknown, Closest: Unknown, People: f.counted(c.Tracks, people), Records: f.counted(c.Tracks, records),
	}
	f.detailed(&r)
	if !c.Review.IsZero() {
		r.ReviewBy = c.Review.String()
	}
	for _, t := range c.Tracks {
		r.Concerned = append(r.Concerned, f.name(t.ID))
		if t.Role == cases.Processor {
			r.Tenants = append(r.Tenants, Told{f.name(t.ID), f.settled(t.ID), t.Told, f.proofs(t.ID)})
		}
	}
	f.filed(&r)
	for _, name := range slices.Sorted(maps.Keys(c.Promises)) {
		r.FollowUps = append(r.FollowUps, name+" by "+stamp(c.Promises[name])+", done "+stamp(c.Kept[name]))
	}
	for _, n := range f.Notices {
		if n.Kind == notice.Persons && !n.Agreed.IsZero() {
			r.PersonsText, r.PersonsTold, r.PersonsMeans = n.Hash, n.Noted, n.Means
		}
	}
	return r
}

// rated fills in what follows from the score.
func (f File) rated(r *Row) {
	if f.Case.Score == nil {
		return
	}
	in, s := f.Case.Score.Input, f.Case.Score.Score
	r.Nature, r.SE, r.Level = join(nature(in)...), s.SE.String(), string(s.Level)
	r.Cause = map[bool]string{true: "malicious", false: "not malicious"}[in.CB.Malicious > 0]
	r.Protection = map[bool]string{true: "unintelligible", false: "none that made the data unintelligible"}[in.Unintelligible && !in.KeyCompromised]
	if missing, _ := in.Unproven(); in.Unintelligible && !in.KeyCompromised && slices.Contains(missing, string(severity.Unintelligible)) {
		r.Protection = "said to be unintelligible, without evidence"
	}
	for _, class := range slices.Sorted(maps.Keys(in.DPC)) {
		r.Data = append(r.Data, string(class))
	}
	r.Inputs = join(inputs(in)...)
	for _, flag := range s.Flags {
		r.Flags = append(r.Flags, string(flag))
	}
	for _, t := range s.Triggers {
		r.Triggers = append(r.Triggers, t.ID)
	}
	r.Closest = s.Closest.Case + " " + s.Closest.Title
	if len(s.Closest.Differs) > 0 {
		r.Closest += "; differs in " + join(s.Closest.Differs...)
	}
}

// nature is what of the data was violated, as the score has it: at least a quarter.
func nature(in severity.Input) (parts []string) {
	for _, one := range []struct {
		name string
		q    severity.Quarters
	}{{"confidentiality", in.CB.Confidentiality}, {"integrity", in.CB.Integrity}, {"availability", in.CB.Availability}} {
		if one.q > 0 {
			parts = append(parts, one.name)
		}
	}
	if parts == nil {
		return []string{"exposed, no evidence of use"}
	}
	return parts
}

// inputs are every answer a score was made of.
func inputs(in severity.Input) (all []string) {
	add := func(name string, value any) { all = append(all, fmt.Sprintf("%s=%v", name, value)) }
	for _, class := range slices.Sorted(maps.Keys(in.DPC)) {
		add("dpc."+string(class), in.DPC[class].Value)
	}
	for _, id := range slices.Sorted(maps.Keys(in.EI)) {
		add("ei."+id, in.EI[id])
	}
	if in.Raised != nil {
		add("ei_raised", in.Raised.Value)
	}
	add("cb.confidentiality", in.CB.Confidentiality)
	add("cb.integrity", in.CB.Integrity)
	add("cb.availability", in.CB.Availability)
	add("cb.malicious", in.CB.Malicious)
	if in.People == nil {
		add("people", Unknown)
	} else {
		add("people", *in.People)
	}
	add("unintelligible", in.Unintelligible)
	add("key_compromised", in.KeyCompromised)
	for _, fact := range in.Facts {
		add("fact", fact)
	}
	return all
}

// Authority is the clock of the report to the supervisory authority.
const authorityClock = "gdpr_33_1"

func (f File) filed(r *Row) {
	for _, id := range slices.Sorted(maps.Keys(f.Case.Filed)) {
		filing := f.Case.Filed[id]
		if id == authorityClock {
			r.FiledAt, r.Reference, r.Delay, r.Withdrawn = filing.At, f.Case.Text(filing.Reference), f.Case.Text(filing.Reasons), f.recalled(filing)
			continue
		}
		other := id + " " + stamp(filing.At)
		if recalled := f.recalled(filing); recalled != "" {
			other += ", withdrawn " + recalled
		}
		r.Others = append(r.Others, other)
	}
}

func (f File) settled(subject string) Settled {
	d := f.decision(subject)
	if d == nil {
		return Settled{Answer: "open"}
	}
	return Settled{map[bool]string{true: "yes", false: "no"}[d.Yes], f.Case.Text(d.Reason), f.both(d.By, d.Second), d.Settled}
}

// proofs says of each notice to a tenant what is known of its delivery.
func (f File) proofs(tenant string) []string {
	all := []string{}
	for _, n := range sorted(f.Notices) {
		for _, d := range n.Deliveries {
			if d.Tenant != tenant {
				continue
			}
			one := fmt.Sprintf("%d %s, approved sha256 %s, handed over %s, %s", n.N, n.Kind, n.Hash, stamp(d.Handed), d.Progress)
			for _, t := range d.Tries {
				one += fmt.Sprintf("; %s %s %s", t.Channel, t.State, stamp(t.At))
				for _, later := range t.Fates {
					one += fmt.Sprintf("; %s %s %s", t.Channel, later.State, stamp(later.At))
				}
			}
			all = append(all, one)
		}
	}
	return all
}

func known(text string) string {
	if strings.TrimSpace(text) == "" {
		return Unknown
	}
	return text
}

// counted writes a number with how far it is known.
func counted(c cases.Count, partly bool) string {
	text := Unknown
	switch c.How {
	case cases.Exact:
		text = fmt.Sprint(c.N)
	case cases.Estimate:
		text = fmt.Sprintf("about %d", c.N)
	case cases.NotApplicable:
		return "not applicable"
	}
	if partly {
		text += ", and more not known"
	}
	return text
}

// stamp writes an instant; "not yet" where there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "not yet"
	}
	return t.UTC().Format(time.RFC3339)
}

// JSON writes rows as one array. Exercises are no breaches and are left out.
func JSON(w io.Writer, rows []Row) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(append([]Row{}, real(rows)...))
}

func real(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.exercise })
}
