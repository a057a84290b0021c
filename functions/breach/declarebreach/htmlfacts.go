package declarebreach

import (
	"net/url"
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
	if f.Has("earlier") {
		d.Earlier = append([]string{}, lines(f.Get("earlier"))...)
	}
	return d
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
	if len(f["tenant"]) > 1 && (people != nil || records != nil) {
		field := "people"
		if people == nil {
			field = "records"
		}
		return e, w, about(field, fault.Refuse(fault.Invalid, "count_for_one", "A number is one customer's, and several are ticked.", "Tick one and give its number; then the next. Or leave the numbers out."))
	}
	var named []NewTrack
	for _, id := range f["tenant"] {
		named = append(named, NewTrack{ID: id, People: people, Records: records})
	}
	tracks, lost, err := k.tracks(named, lines(f.Get("affected")))
	return cases.Event{What: cases.Describe, Tracks: tracks}, cases.Words{Names: lost}, err
}

// readCount reads a number and how far it is known. A number without a word is an estimate.
func readCount(f url.Values, name string) (*Count, error) {
	text, how := strings.TrimSpace(f.Get(name)), f.Get(name+"_how")
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return nil, about(name, fault.Refuse(fault.Invalid, "tracks_invalid", "This is not a number.", "Give one from 0 on."))
	}
	if how != string(cases.Exact) {
		how = string(cases.Estimate)
	}
	return &Count{n, how}, nil
}
