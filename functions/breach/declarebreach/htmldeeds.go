package declarebreach

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/breach/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// deedForm is a change of a case as a form of its page sends it: the same body as the interface takes.
type deedForm struct {
	path, summary string
	read          func(k *desk, by asked, f url.Values) (cases.Event, cases.Words, error)
	fields        map[string]string // which field a refusal is about, by its code
	done          func(after cases.Read, f url.Values) string
}

// asked is who sends a form, and how.
type asked struct {
	*http.Request
	who caller.Staff
}

// deedForms are all of them.
func (k *desk) deedForms() []deedForm {
	always := func(text string) func(cases.Read, url.Values) string {
		return func(cases.Read, url.Values) string { return text }
	}
	return []deedForm{
		{"ack", "Answer the call: you are here.", filled(acked, func(_ *desk, f url.Values) (Ack, error) {
			return Ack{f.Get("step"), strings.TrimSpace(f.Get("code"))}, nil
		}), map[string]string{"code_invalid": "code"}, always("done.ack")},
		{"triage", "Say what a suspicion is.", filled(k.triaged, readTriage), map[string]string{"aware_invalid": "at", "text_invalid": "reason", "next_missing": "next", "owner_invalid": "owner"}, always("done.triage")},
		{"times", "Say when it happened.", filled(timed, readTimes), map[string]string{"times_invalid": "occurred_from"}, always("done.times")},
		{"aware", "Correct the instant of awareness.", filled(moved, readAware), map[string]string{"aware_invalid": "at", "reason_missing": "reason", "text_invalid": "reason"}, func(after cases.Read, _ url.Values) string {
			if after.Moving != nil {
				return "done.aware_proposed"
			}
			return "done.aware"
		}},
		{"tracks", "Say whose data is concerned.", readTracks, map[string]string{"tracks_invalid": "people"}, always("done.tracks")},
		{"mapped", "Say whose some of what is affected is.", readMapped, map[string]string{"reason_missing": "reason", "text_invalid": "reason"}, always("done.tracks")},
		{"score", "Score it.", readScore, nil, always("done.score")},
		{"decide", "Say whether somebody is told.", filled(answered, func(_ *desk, f url.Values) (Answer, error) {
			return Answer{Subject: f.Get("subject"), Answer: f.Get("answer"), Reason: unix(f.Get("reason")), Letter: letter(f), Incident: f.Get("incident") == "yes"}, nil
		}), map[string]string{"reason_missing": "reason", "text_invalid": "reason"}, decidedOrNot},
		{"file", "Note a report made on an authority's portal.", filled(filed, readFiling), map[string]string{"times_invalid": "at", "late_reasons_missing": "late", "clock_invalid": "clock", "filed_before": "wrong", "text_invalid": "late"}, always("done.file")},
		{"withdraw", "Say what became of a report about what was no breach.", filled(withdrawn, readWithdrawal), map[string]string{"times_invalid": "at", "clock_invalid": "clock", "text_invalid": "reference"}, always("done.withdraw")},
		{"details", "Say what the register asks for beside.", readDetails, map[string]string{"earlier_unknown": "earlier", "text_invalid": "systems"}, always("done.details")},
		{"promise", "Promise something by an instant.", filled(promised, readPromise), map[string]string{"name_invalid": "name", "times_invalid": "by", "reason_missing": "reason", "text_invalid": "reason"}, always("done.promise")},
		{"keep", "Say that something promised was done.", filled(kept, func(_ *desk, f url.Values) (Keep, error) { return Keep{f.Get("name")}, nil }), nil, always("done.keep")},
		{"compromised", "Say which channels somebody else may read.", func(_ *desk, _ asked, f url.Values) (cases.Event, cases.Words, error) {
			e, _, err := compromised(Channels{Channels: append([]string{}, f["channel"]...)})
			return e, said(f.Get("reason")), err
		}, map[string]string{"reason_missing": "reason", "text_invalid": "reason"}, always("done.compromised")},
		{"close", "Close the case.", filled(closed, func(*desk, url.Values) (nothing, error) { return nothing{}, nil }), nil, always("done.close")},
		{"reopen", "Open it again.", filled(reopened, func(_ *desk, f url.Values) (Reason, error) { return Reason{unix(f.Get("reason"))}, nil }), map[string]string{"reason_missing": "reason", "text_invalid": "reason"}, always("done.reopen")},
		{"review", "Say what was learned.", filled(k.reviewed, readReview), map[string]string{"reason_missing": "text", "text_invalid": "text", "actions_invalid": "action1"}, always("done.review")},
		{"action", "Say that an action was done.", filled(acted, readAction), nil, always("done.action")},
		{"hold", "Keep the case beyond its time, or not any more.", filled(preserved, readHold), map[string]string{"reason_missing": "reason", "times_invalid": "until", "text_invalid": "reason"}, always("done.hold")},
	}
}

// filled makes the event of a body that a form holds.
func filled[T any](makes deed[T], read func(*desk, url.Values) (T, error)) func(*desk, asked, url.Values) (cases.Event, cases.Words, error) {
	return func(k *desk, _ asked, f url.Values) (cases.Event, cases.Words, error) {
		body, err := read(k, f)
		if err != nil {
			return cases.Event{}, cases.Words{}, err
		}
		return makes(body)
	}
}

// deedForm answers the form of a change.
func (k *desk) deedForm(d deedForm) staffed.Filled {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
		if refused == nil {
			var after cases.Read
			if after, refused = k.changed(r, who, d, form); refused == nil {
				return web.SeeOther(w, page.CasePath(after.ID)+"?done="+d.done(after, form))
			}
		}
		f, status, err := k.refusal(r, formName(d.path, form), form, refused)
		if err != nil {
			return err
		}
		return k.showCase(w, r, who, f, status)
	}
}

func (k *desk) changed(r *http.Request, who caller.Staff, d deedForm, form url.Values) (after cases.Read, err error) {
	if _, _, err := k.known(r, who); err != nil {
		return after, err
	}
	e, words, err := d.read(k, asked{r, who}, form)
	if err != nil {
		return after, err
	}
	after, err = k.happen(r, who, e, words, k.Clock.Now())
	return after, located(err, d.fields)
}

// formName tells the forms of one page apart that go to the same place.
func formName(path string, f url.Values) string {
	switch subject := f.Get("subject"); {
	case path != "decide":
		return path
	case subject == cases.SA || subject == cases.Persons || subject == cases.Breach || cases.IsReport(subject):
		return path + "-" + subject
	case f.Get("agree") != "":
		return path + "-tenants"
	}
	return path + "-tenant"
}

// decidedOrNot tells a decision by two from a proposal.
func decidedOrNot(after cases.Read, f url.Values) string {
	subject := f.Get("subject")
	tenant := func(id string) bool {
		return id != cases.SA && id != cases.Persons && id != cases.Breach && !cases.IsReport(id)
	}
	waits := slices.ContainsFunc(after.Decisions, func(d cases.Decision) bool {
		return !d.Replaced && d.Settled.IsZero() && (d.Subject == subject || subject == cases.Tenants && tenant(d.Subject))
	})
	if waits {
		return "done.proposed"
	}
	return "done.decide"
}

// instant reads a time of a form, which is the company's local time; zero for an empty field. Of a night on which the clocks
// go back an hour is there twice: then the offset has to be typed as well.
func (k *desk) instant(f url.Values, name string) (time.Time, error) {
	text, zone := strings.TrimSpace(f.Get(name)), k.Breach.Rules.Zone
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{page.LocalTime + "Z07:00", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	for _, layout := range []string{page.LocalTime, page.LocalTime + ":05"} {
		t, err := time.ParseInLocation(layout, text, zone)
		if err != nil || t.Format(layout) != text { // an hour that the clocks left out
			continue
		}
		for _, apart := range []time.Duration{-time.Hour, time.Hour, -time.Hour / 2, time.Hour / 2} {
			if t.Add(apart).In(zone).Format(layout) == text {
				return t, about(name, fault.Refuse(fault.Invalid, page.TimeTwice, "That night the clocks went back: this time was there twice.", "Add the offset, as in 2026-10-25T02:30+02:00."))
			}
		}
		return t.UTC(), nil
	}
	return time.Time{}, about(name, fault.Refuse(fault.Invalid, "time_invalid", "This is not a time.", "Write it as 2026-03-03T10:00."))
}

func readTimes(k *desk, f url.Values) (b NewTimes, err error) {
	for _, one := range []struct {
		name string
		into *time.Time
	}{{"occurred_from", &b.From}, {"occurred_to", &b.To}, {"detected", &b.Detected}, {"contained", &b.Contained}, {"classified", &b.Classified}} {
		if *one.into, err = k.instant(f, one.name); err != nil {
			return b, err
		}
	}
	return b, nil
}

func readAware(k *desk, f url.Values) (b Aware, err error) {
	b.Reason, b.As = unix(f.Get("reason")), f.Get("as")
	if exact, err := time.Parse(time.RFC3339Nano, f.Get("exact")); err == nil {
		b.At = exact
		return b, nil
	}
	b.At, err = k.instant(f, "at")
	return b, err
}

func readFiling(k *desk, f url.Values) (b Filing, err error) {
	b = Filing{Clock: f.Get("clock"), Reference: unix(f.Get("reference")), Late: unix(f.Get("late")), Correction: unix(f.Get("wrong")), Further: f.Get("further") != ""}
	b.At, err = k.instant(f, "at")
	return b, err
}

func readPromise(k *desk, f url.Values) (b Promise, err error) {
	b = Promise{Name: strings.TrimSpace(f.Get("name")), Reason: unix(f.Get("reason"))}
	b.By, err = k.instant(f, "by")
	return b, err
}

// readMapped reads whose some of what is affected is: of the tenants of the case, or nobody's.
func readMapped(_ *desk, _ asked, f url.Values) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Map}, cases.Words{Text: unix(f.Get("reason")), Names: f["name"]}, nil
}

// lines are the words of a list as people write it: one a line, or with commas.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ' ' })
}

func readScore(_ *desk, _ asked, f url.Values) (cases.Event, cases.Words, error) {
	in := page.ReadInputs(f)
	if err := in.Check(); err != nil {
		return cases.Event{}, cases.Words{}, about(page.InputField(web.ProblemOf(err).Detail), err)
	}
	return cases.Event{What: cases.Rate, Input: in}, cases.Words{}, nil
}
