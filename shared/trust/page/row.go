package page

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// Row is one promise.
type Row struct {
	ID       string
	State    string
	Word     string // of the state, with its end where it has one
	Sentence Sentence
	Why      string // what the state rests on, in words; "" where the state says it all
	Since    Moment
	Last     Moment // the newest evidence
	Number   string // what was measured, and its limit
	Shares   []Share
	Strip    Strip
	Drill    string
	Until    string
	Index    string // of the newest evidence in the log, as a number; "" for none
	Facts    []Fact
	Parts    []Part
}

// Sentence is what was promised, as it was published.
type Sentence struct {
	Text     string
	Lang     string // the one it is in
	Original string // says which language it is in, where that is not the reader's; "" otherwise
}

// Share is how a span of days was spent.
type Share struct {
	Span  string // "30 days"
	Spent []Spent
}

// Spent is one state's share of a span.
type Spent struct{ State, Word, Percent string }

// Fact is a name and what it stands for.
type Fact struct {
	Name, Value string
	Code        bool // a digest or another name that nobody reads aloud
}

// Part is one of the mechanisms that keep a promise.
type Part struct{ State, Says string }

func (w words) row(r promise.Row, now time.Time) Row {
	row := Row{
		ID: r.ID, State: string(r.State), Word: w.Text("state." + string(r.State)), Sentence: w.sentence(r.Text), Why: w.why(r.Status, now),
		Since: w.moment(r.Since, now), Last: w.moment(r.Last.Observed, now), Number: w.measure(r.Measure), Strip: w.strip(r.History),
	}
	if r.Last.ID != "" {
		row.Index = strconv.FormatInt(r.Last.Index, 10)
	}
	if !r.Until.IsZero() {
		until := w.moment(r.Until, now)
		if key := "until." + string(r.State); w.has(key) {
			row.Until = w.Text(key, until.Day)
		}
		if r.State == record.Excepted {
			row.Word = w.Text("state.excepted.until", until.Day)
		}
	}
	for _, s := range r.Shares {
		if share := w.share(s); len(share.Spent) > 0 {
			row.Shares = append(row.Shares, share)
		}
	}
	if d := r.Drill; d != nil {
		passed := "drill.failed"
		if d.Passed {
			passed = "drill.passed"
		}
		row.Drill = w.Text(passed, w.moment(d.Observed, now).Ago)
		if number := w.measure(d.Measure); number != "" {
			row.Drill = w.Text("drill.measured", row.Drill, number)
		}
	}
	row.Facts, row.Parts = w.facts(r, now), w.parts(r.Parts)
	return row
}

// sentence takes the reader's language, else the first the promise was published in: a translation of ours would not
// be the promise.
func (w words) sentence(t promise.Text) Sentence {
	if text := plain(t.In(w.Lang)); strings.TrimSpace(text) != "" {
		return Sentence{Text: text, Lang: w.Lang}
	}
	for _, lang := range Languages {
		if text := plain(t.In(lang)); strings.TrimSpace(text) != "" {
			return Sentence{Text: text, Lang: lang, Original: w.Text("original." + lang)}
		}
	}
	return Sentence{Text: w.Text("original.none"), Lang: w.Lang}
}

// plain takes out the characters that nobody sees but that change how the others read: controls, and marks that turn
// the direction of writing without being letters (UAX #9, explicit formatting). A promise reads as it is stored.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029:
			return -1
		}
		return r
	}, text)
}

func (w words) why(s promise.Status, now time.Time) string {
	switch {
	case s.Reason == NotUpdated:
		return w.Text("why.page not updated", w.moment(s.Since, now).Ago)
	case s.Reason == promise.OpenFinding && s.Findings > 0:
		return w.counted("why.finding", int64(s.Findings)) + w.Text("why.finding.oldest", w.moment(s.Finding.Observed, now).Ago)
	case s.Reason == promise.OpenFinding && s.FindingsBelow > 0:
		return w.Text("why.finding.many", "<"+w.number(int64(s.FindingsBelow))) + w.Text("why.finding.oldest", w.moment(s.Finding.Observed, now).Ago)
	case s.Reason == promise.OpenFinding:
		return w.Text("why.finding.some")
	case s.Reason != "" && w.has("why."+string(s.Reason)):
		return w.Text("why." + string(s.Reason))
	case s.Reason != "":
		return string(s.Reason)
	case s.State == record.Attested && s.SignedBy != "":
		return w.Text("why.attested", w.role(string(s.SignedBy)))
	case s.State == record.Attested && s.Mechanism == policy.Duty:
		return w.Text("why.attested.duty")
	}
	return ""
}

// role names a role of people.yaml.
func (w words) role(role string) string {
	if w.has("role." + role) {
		return w.Text("role." + role)
	}
	return role
}

// shown is the order of a share's states: what held first, then what did not and what is not known, apart.
var shown = []record.State{record.Kept, record.Attested, record.Inherited, record.Excepted, record.Broken, promise.Stale, record.Unknown}

// share writes a span's states in tenths of a percent. What speaks against us is rounded up, what speaks for us down:
// a minute that was broken does not vanish.
func (w words) share(s promise.Share) Share {
	share := Share{Span: w.counted("days", int64(s.Days))}
	var all int64
	for _, n := range s.Seconds {
		all += max(n, 0)
	}
	for _, state := range shown {
		n := s.Seconds[state]
		if n <= 0 {
			continue
		}
		thousandths := n * 1000 / all
		if against := state == record.Broken || state == promise.Stale || state == record.Unknown; against && n*1000%all > 0 {
			thousandths++
		}
		share.Spent = append(share.Spent, Spent{string(state), w.Text("state." + string(state)), w.percent(thousandths, 1)})
	}
	return share
}

func (w words) parts(all []promise.Part) []Part {
	if len(all) < 2 {
		return nil // what decided is told among the facts
	}
	var parts []Part
	for _, p := range all {
		what := strings.TrimSpace(w.mechanism(string(p.Mechanism)) + " " + plain(p.Ref))
		if why := w.why(promise.Status{State: p.State, Reason: p.Reason, Mechanism: p.Mechanism}, time.Time{}); why != "" {
			what += ". " + why
		}
		parts = append(parts, Part{string(p.State), w.Text("part", w.Text("state."+string(p.State)), what)})
	}
	return parts
}

func (w words) mechanism(m string) string {
	if w.has("mechanism." + m) {
		return w.Text("mechanism." + m)
	}
	return m
}

func (w words) facts(r promise.Row, now time.Time) []Fact {
	var facts []Fact
	add := func(key, value string, code bool) {
		if value = plain(value); value != "" {
			facts = append(facts, Fact{w.Text("fact." + key), value, code})
		}
	}
	if r.Mechanism != "" {
		add("mechanism", strings.TrimSpace(w.mechanism(string(r.Mechanism))+" "+r.Ref), false)
	}
	add("via", r.Via, false)
	add("same", r.SameAs, false)
	if r.Severity != "" {
		add("severity", w.Text("severity."+string(r.Severity)), false)
	}
	add("since", w.moment(r.Since, now).Full, false)
	if !w.has("until."+string(r.State)) && r.State != record.Excepted {
		add("until", w.moment(r.Until, now).Full, false)
	}
	if r.SignedBy != "" {
		add("signed", w.role(string(r.SignedBy)), false)
	}
	source := r.Source.Section
	if r.Source.File != "" && source != "" {
		source = r.Source.File + ", " + source
	} else if source == "" {
		source = r.Source.File
	}
	add("source", source, false)
	add("text", r.TextHash, true)
	if r.Last.ID != "" {
		add("record", w.Text("fact.record.value", w.number(r.Last.Index), r.Last.ID), true)
	}
	if r.Waiver != "" {
		add("waiver", r.Waiver, true)
	}
	return facts
}
