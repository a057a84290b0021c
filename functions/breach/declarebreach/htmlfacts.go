package declarebreach

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
)

func readTriage(k *desk, f url.Values) (b Triage, err error) {
	b = Triage{Result: f.Get("result"), Reason: unix(f.Get("reason")), Next: unix(f.Get("next")), Owner: f.Get("owner")}
	b.At, err = k.instant(f, "at")
	return b, err
}

// letter is the exception of the law a "no" to the persons rests on; of any other answer there is none.
func letter(f url.Values) string {
	if f.Get("subject") != cases.Persons || f.Get("answer") != no {
		return ""
	}
	return f.Get("exception")
}

func readWithdrawal(k *desk, f url.Values) (b Withdrawal, err error) {
	b = Withdrawal{Clock: f.Get("clock"), Reference: unix(f.Get("reference")), Stands: unix(f.Get("stands"))}
	b.At, err = k.instant(f, "at")
	return b, err
}

// detailsOf reads what a form says of what the register asks for; what was left empty is not said.
func detailsOf(f url.Values) Details {
	d := Details{
		Certainty: f.Get("occurrence"), Origin: f.Get("origin"), Intent: f.Get("intent"), Found: f.Get("found"),
		Systems: unix(f.Get("systems")), Before: unix(f.Get("before")), Police: unix(f.Get("police")), Others: unix(f.Get("others")),
	}
	d.notApplicable(f)
	if f.Has("earlier") {
		d.Earlier = append([]string{}, lines(f.Get("earlier"))...)
	}
	return d
}

// notApplicable reads what a form says not to apply: of a word the reason stands beside it, of a text in its place.
func (d *Details) notApplicable(f url.Values) {
	values := map[string]*string{"occurrence": &d.Certainty, "found": &d.Found, "origin": &d.Origin, "intent": &d.Intent, "systems": &d.Systems, "before": &d.Before, "police": &d.Police, "others": &d.Others}
	for name, value := range values {
		why := *value
		switch inapplicable := string(cases.NotApplicable); {
		case *value == inapplicable && !slices.Contains(cases.DetailTexts, name):
			why = unix(f.Get(name + "_why"))
		case f.Get(name+"_how") != inapplicable:
			continue
		}
		if d.Not == nil {
			d.Not = map[string]string{}
		}
		d.Not[cmp.Or(fields[name], name)], *value = why, ""
	}
}

func readDetails(k *desk, by asked, f url.Values) (cases.Event, cases.Words, error) {
	return k.detailed(by.Request, by.who, detailsOf(f))
}

// readTracks reads whose data a form ticks. A number is one customer's: ticked for several it would count as often.
func readTracks(k *desk, _ asked, f url.Values) (e cases.Event, w cases.Words, err error) {
	people, err := readCount(f, "people")
	if err != nil {
		return e, w, err
	}
	records, err := readCount(f, "records")
	if err != nil {
		return e, w, err
	}
	if len(f["tenant"]) > 1 && (people.isNumber() || records.isNumber()) {
		field := "people"
		if !people.isNumber() {
			field = "records"
		}
		return e, w, about(field, fault.Refuse(fault.Invalid, "count_for_one", "A number is one customer's, and several are ticked.", "Tick one and give its number; then the next. Or leave the numbers out."))
	}
	var named []NewTrack
	for _, id := range f["tenant"] {
		named = append(named, NewTrack{ID: id, People: people, Records: records})
	}
	tracks, lost, err := k.tracks(named, lines(f.Get("affected")))
	return cases.Event{What: cases.Describe, Tracks: tracks}, cases.Words{Names: lost, Counts: k.reasons(named)}, err
}

// readCount reads a number and how far it is known. A number without a word is an estimate; nil is nothing: what is known stays.
func readCount(f url.Values, name string) (*Count, error) {
	text, how := strings.TrimSpace(f.Get(name)), f.Get(name+"_how")
	switch why := unix(f.Get(name + "_why")); {
	case how == string(cases.NotApplicable) && why == "":
		return nil, about(name, reasonMissing())
	case how == string(cases.NotApplicable) && text != "":
		return nil, about(name, fault.Refuse(fault.Invalid, "tracks_invalid", "What does not apply has no number.", "Take the number away, or say how far it is known."))
	case how == string(cases.NotApplicable):
		return &Count{How: how, Why: why}, nil
	case how == string(cases.Unknown) && text != "":
		return nil, about(name, fault.Refuse(fault.Invalid, "tracks_invalid", "What is not known yet has no number.", "Take the number away, or say how far it is known."))
	case how == string(cases.Unknown):
		return &Count{How: how}, nil
	case text == "":
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return nil, about(name, fault.Refuse(fault.Invalid, "tracks_invalid", "This is not a number.", "Give one from 0 on."))
	}
	if how != string(cases.Exact) {
		how = string(cases.Estimate)
	}
	return &Count{N: n, How: how}, nil
}

// isNumber reports whether a count says how many.
func (c *Count) isNumber() bool {
	return c != nil && (c.How == string(cases.Exact) || c.How == string(cases.Estimate))
}
