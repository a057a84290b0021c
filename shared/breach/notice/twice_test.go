package notice_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

func (f *firm) draft(id, who string, k notice.Kind, tenants ...string) (notice.Notice, error) {
	f.t.Helper()
	return f.notices.Write(context.Background(), f.person(who), id, 0, draft(k), tenants, f.clock.Now())
}

// detail is what a refusal says.
func detail(err error) string {
	refused, _ := errors.AsType[*fault.Error](err)
	return refused.Detail
}

// TestToldTwice: of two drafts for one tenant the second is not approved, whoever is first, unless it says something new.
func TestToldTwice(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := newFirm(t)
	c := f.decided(false, "nord", "sud", "ost")
	first, err := f.draft(c.ID, "vera", notice.Initial, "nord", "sud")
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.draft(c.ID, "otto", notice.Initial, "nord", "ost")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("both at once", func(t *testing.T) {
		s := f.between(func() { f.approve(first, "dana") })
		_, err := s.Approve(ctx, f.person("dana"), c.ID, second.N, second.Hash, f.clock.Now())
		if code(err) != "told_twice" || !strings.Contains(detail(err), "Notice 1 ") {
			t.Error(err)
		}
	})
	if _, err := f.notices.Break(ctx, f.person("dana"), c.ID, second.N, second.Hash, "nobody is here", f.clock.Now()); code(err) != "told_twice" {
		t.Errorf("alone: %v", err)
	}
	f.tick()
	if _, err := f.notices.Approve(ctx, f.person("dana"), c.ID, second.N, second.Hash, f.clock.Now()); code(err) != "told_twice" {
		t.Errorf("after it was sent: %v", err)
	}
	if _, err := f.notices.Write(ctx, f.person("otto"), c.ID, second.N, draft(notice.Initial), []string{"ost"}, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	rest, err := f.notices.Get(ctx, c.ID, second.N)
	if err != nil {
		t.Fatal(err)
	}
	f.approve(rest.Notice, "dana")
	for _, k := range []notice.Kind{notice.Update, notice.Update, notice.Correction} {
		n, err := f.draft(c.ID, "vera", k, "nord")
		if err != nil {
			t.Fatal(err)
		}
		f.approve(n, "dana")
		f.tick()
	}
}

// TestTakenBack: who was told of a breach that was none hears that, although the case is over and nobody opens it again; who
// was not told hears nothing, and nothing else is sent.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "nord", "sud")
	n, err := f.draft(c.ID, "vera", notice.Initial, "sud")
	if err != nil {
		t.Fatal(err)
	}
	f.approve(n, "dana")
	f.tick()
	if _, err := f.draft(c.ID, "vera", notice.Withdrawal, "nord"); code(err) != "subject_invalid" {
		t.Errorf("to whoever was not told: %v", err)
	}
	// Two decide that one who was told is not concerned: the notice to it can be taken back.
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: "sud"}, "not theirs")
	}
	if _, err := f.draft(c.ID, "vera", notice.Withdrawal, "sud"); err != nil {
		t.Error(err)
	}
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: cases.Breach}, "a test file")
	}
	for _, k := range []notice.Kind{notice.Initial, notice.Update, notice.Correction, notice.Final} {
		if _, err := f.draft(c.ID, "vera", k, "sud"); code(err) != "case_closed" && code(err) != "subject_invalid" {
			t.Errorf("%s: %v", k, err)
		}
	}
	back, err := f.draft(c.ID, "otto", notice.Withdrawal)
	if err != nil {
		t.Fatal(err)
	}
	sent := len(f.sent)
	f.approve(back, "dana")
	if f.tick(); len(f.sent) != sent+1 || f.sent[sent].To != "sicherheit@sued.example" {
		t.Errorf("%d sent, %+v", len(f.sent)-sent, f.sent[sent:])
	}
	if _, err := f.notices.Approve(context.Background(), f.person("dana"), c.ID, 2, "x", f.clock.Now()); err == nil {
		t.Error("taken back twice")
	}
}

// TestMarks: a company's own text cannot leave out that it is an exercise: it is refused, and what is sent is marked anyway.
func TestMarks(t *testing.T) {
	t.Parallel()
	own := func(name string) ([]byte, bool) {
		data := map[string]string{
			"templates/en/breach-short.txt": "Subject: {company} {number}: call {contact}\n\nReference: {number}",
			"templates/fr/notice-void.txt":  "Subject: {number}\n\n{n} {desk}",
			"templates/de/case-over.txt":    "Subject: Vorbei\n\n{number}",
		}[name]
		return []byte(data), data != ""
	}
	_, one := notice.Read(own)
	_, two := notice.LettersStaff(own)
	_, three := cases.Letters(own)
	for want, err := range map[string]error{"templates/en/breach-short.txt:1: the subject leaves out {exercise}": one, "templates/fr/notice-void.txt:1": two, "templates/de/case-over.txt:1": three} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for text, want := range map[string]string{"Sujet": "EXERCICE : Sujet", "EXERCICE : Sujet": "EXERCICE : Sujet"} {
		if got := cases.Marked(text, "fr"); got != want {
			t.Errorf("%q is marked %q", text, got)
		}
	}
}

// TestWire: how a message travelled is kept with the attempt and in its record, and what the peer calls it as a commitment.
func TestWire(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := newFirm(t)
	c := f.decided(false, "sud")
	f.approve(f.write(c.ID, "vera"), "dana")
	all, err := f.notices.Outcomes(ctx, c.ID, 1, nil, 10)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	answer := message.Answer{V: 1, Key: "breach-notice/" + all[0].ID + "/0-mail", State: message.StateAccepted, Attempts: 1, At: f.clock.Now(), TLS: message.TLS13, Reference: "queue-4711"}
	if _, err := f.notices.Answered(ctx, answer, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if all, err = f.notices.Outcomes(ctx, c.ID, 1, nil, 10); err != nil || all[0].Tries[0].TLS != message.TLS13 || all[0].Tries[0].Reference != "queue-4711" {
		t.Fatalf("%+v, %v", all, err)
	}
	found := false
	for _, r := range f.records {
		if found = found || r.Facts["tls"] == message.TLS13; r.Facts["tls"] != "" && len(r.Subjects) != 5 {
			t.Errorf("%+v", r.Subjects)
		}
	}
	if !found || strings.Contains(f.clear.String(), "queue-4711") {
		t.Error("no record says how, or one says what the peer calls it")
	}
}

// TestWorked: whoever is at the notices is at the case.
func TestWorked(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	var at []string
	f.config.Worked = func(_ context.Context, id, person string, _ time.Time) error {
		at = append(at, person)
		return errDown
	}
	s, err := notice.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	f.notices = s
	c := f.decided(false, "sud")
	f.approve(f.write(c.ID, "vera"), "dana")
	if f.tick(); strings.Join(at, " ") != "vera dana" {
		t.Errorf("at work: %v", at)
	}
}
