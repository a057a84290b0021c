package notice

import (
	"embed"
	"io/fs"
	"strconv"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
)

//go:embed staff
var staff embed.FS

var staffSpec = letters.Spec{
	Control: "notice",
	Needs: map[string][]string{
		"ask": {"number", "n", "desk"}, "expired": {"number", "n", "desk"}, "alone": {"number", "n", "desk"}, "late": {"number", "n", "desk"},
		"void": {"number", "n", "desk"}, "stalled": {"number", "n", "desk"}, "unknown": {"number", "n", "desk"}, "failed": {"number", "n", "desk"},
	},
	Common: []string{"exercise", "company"}, Whole: []string{"desk", "exercise"}, Optional: []string{"exercise"},
}

// LettersStaff reads what staff are told of notices: read returns a company's own text, templates/en/notice-KIND.txt, where
// it has one.
func LettersStaff(read func(name string) ([]byte, bool)) (*letters.Set, error) {
	spec := staffSpec
	texts, err := fs.Sub(staff, "staff")
	if err != nil {
		return nil, err
	}
	spec.Texts = texts
	if err := cases.CheckMarks(spec, read); err != nil {
		return nil, err
	}
	return letters.Read(spec, read)
}

func (s *Service) saying(a About, letter, key, caseID string, n int) cases.Saying {
	return cases.Saying{
		Letters: s.Staff, Letter: letter, Key: key, Channels: []string{message.Mail}, Compromised: a.Compromised, Exercise: a.Exercise, Deadline: a.deadline(),
		Vars: letters.Vars{"number": a.Number, "n": strconv.Itoa(n), "company": a.Company, "desk": s.Desk + "#" + caseID},
	}
}

// deadline is the first end of a tenant's clock; zero for none.
func (a About) deadline() (first time.Time) {
	for _, t := range a.Tenants {
		if !t.Due.IsZero() && (first.IsZero() || t.Due.Before(first)) {
			first = t.Due
		}
	}
	return first
}

// begun starts a record about a notice. Those of an exercise are of a kind of their own, and prove no promise.
func (s *Service) begun(a About, kind record.Kind, event string, now time.Time) record.Record {
	promises := s.promises
	if a.Exercise {
		kind, promises = record.Drill, nil
	}
	r := record.New(kind, cases.Control, a.Nonce+"#"+event, promises...)
	r.Config = s.Digest
	r.Source.Type, r.Source.Observed, r.Source.Collected = "notice", now, now
	return r
}

// commit adds whom or what a record concerns, as a commitment by the case's nonce, so that whoever has the case can show
// what they stand for, and nobody else can tell.
func commit(r *record.Record, nonce, kind, value string) {
	if value != "" {
		r.Subjects = append(r.Subjects, record.Subject{Type: kind, C: record.Commitment([]byte(nonce), kind, value)})
	}
}

// record puts the evidence of a step into the batch.
func (t *turn) record() error {
	n := t.after
	r := t.s.begun(t.about, record.Breach, "notice/"+strconv.Itoa(n.N)+"/"+strconv.FormatInt(n.Rev, 10)+"/"+string(t.event.What), t.now)
	r.Facts = map[string]string{
		"event": "notice_" + string(t.event.What), "notice": strconv.Itoa(n.N), "kind": string(n.Kind), "state": string(n.State),
		"version": strconv.Itoa(n.Version), "recipients": strconv.Itoa(n.To),
	}
	if t.event.What == Handed || t.event.What == Changed {
		r.Facts["handed"] = strconv.Itoa(n.Next)
	}
	if n.Glass {
		r.Facts["alone"] = "yes"
	}
	commit(&r, t.about.Nonce, "case", n.Case)
	commit(&r, t.about.Nonce, "notice", n.Hash)
	for _, one := range []struct{ kind, id string }{{"actor", t.event.By.ID}, {"author", n.Author}} {
		if made, known := t.people[one.id]; known && one.id != "" {
			r.Subjects = append(r.Subjects, record.Subject{Type: one.kind, C: made.C})
		}
	}
	return r.Put(t.batch)
}

// finding puts on record that nobody looked in time at what one person approved alone, or, where that is on record, that
// somebody has.
func (t *turn) finding() (id string, err error) {
	kind, state := record.Finding, record.Broken
	if t.before.Finding != "" {
		kind, state = record.Remediation, record.Kept
	}
	r := t.s.begun(t.about, kind, "notice/"+strconv.Itoa(t.after.N)+"/review/"+string(kind), t.now)
	r.Method, r.Result.State = record.Test, state
	r.Facts = map[string]string{"event": "notice_review", "notice": strconv.Itoa(t.after.N)}
	if t.before.Finding != "" {
		r.Refs = []record.Ref{{Rel: "closes", ID: t.before.Finding}}
	}
	commit(&r, t.about.Nonce, "case", t.after.Case)
	return r.ID(), r.Put(t.batch)
}

// deliveryRecords are the evidence of what became of a delivery; that nobody was told is a finding, as is that nobody
// answered; it is closed when the contrary is certain.
func (s *Service) deliveryRecords(batch *outbox.Batch, before Delivery, after *Delivery, who record.Subject, now time.Time) error {
	event := "delivery/" + after.ID[len(after.Case):] + "/" + strconv.FormatInt(after.Rev, 10)
	about := About{Facts: Facts{Exercise: after.Exercise}, Nonce: after.Nonce}
	r := s.begun(about, record.Breach, event, now)
	r.Facts = map[string]string{"event": "delivery_" + string(after.Progress), "notice": strconv.Itoa(after.N), "kind": string(after.Kind)}
	if who.C != "" {
		r.Facts["by"] = "person"
		if after.Replays > before.Replays {
			r.Facts["replay"] = strconv.Itoa(after.Replays)
		}
		r.Subjects = append(r.Subjects, record.Subject{Type: "actor", C: who.C})
	} else if fate, try := after.newFate(before); fate != nil {
		r.Facts["channel"], r.Facts["outcome"], r.Facts["at"] = try.Channel, string(fate.State), fate.At.Format(time.RFC3339)
		if after.Contrary() {
			r.Facts["contrary"] = "yes"
		}
		commit(&r, after.Nonce, "provider", try.Reference)
	} else if after.Silent {
		r.Facts["outcome"] = "unanswered"
	} else if try := after.Tries[len(after.Tries)-1]; true {
		r.Facts["channel"], r.Facts["outcome"], r.Facts["attempts"] = try.Channel, string(try.State), strconv.Itoa(try.Attempts)
		r.Facts["at"] = try.At.Format(time.RFC3339)
		if try.TLS != "" {
			r.Facts["tls"] = try.TLS
		}
		commit(&r, after.Nonce, "provider", try.Reference)
	}
	concerns(&r, *after)
	if err := r.Put(batch); err != nil {
		return err
	}
	wrong := after.wrong()
	if before.Progress == Arrived && after.Progress != Arrived {
		wrong = "tenant_not_told" // whoever was thought to know does not
	}
	switch {
	case wrong != "" && before.Finding == "":
		f := s.begun(about, record.Finding, event+"/lost", now)
		f.Method, f.Result.State, f.Facts = record.Test, record.Broken, map[string]string{"event": wrong, "notice": strconv.Itoa(after.N)}
		concerns(&f, *after)
		after.Finding = f.ID()
		return f.Put(batch)
	case after.Progress == Arrived && before.Finding != "":
		f := s.begun(about, record.Remediation, event+"/found", now)
		f.Method, f.Result.State, f.Facts = record.Examine, record.Kept, map[string]string{"event": "tenant_not_told", "notice": strconv.Itoa(after.N)}
		f.Refs = []record.Ref{{Rel: "closes", ID: before.Finding}}
		concerns(&f, *after)
		after.Finding = ""
		return f.Put(batch)
	}
	return nil
}

// wrong is what a finding says of a delivery; "" for none.
func (d Delivery) wrong() string {
	switch {
	case d.Progress == Lost:
		return "tenant_not_told"
	case d.Silent:
		return "delivery_unanswered"
	}
	return ""
}

func concerns(r *record.Record, d Delivery) {
	commit(r, d.Nonce, "case", d.Case)
	commit(r, d.Nonce, "tenant", d.Tenant)
	r.Subjects = append(r.Subjects, record.Subject{Type: "recipient", C: d.Who}, record.Subject{Type: "text", C: d.What})
}
