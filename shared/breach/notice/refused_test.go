package notice_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
)

// TestTwoPeople: who wrote it does not approve it, under whatever address she signs in; nor does somebody who may not; nor is
// anything agreed to but what would be sent.
func TestTwoPeople(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "nord", "sud")
	n := f.write(c.ID, "vera")
	approve := func(by string, hash string) string {
		p := f.person(by)
		p.Email = "other-address@firm.example"
		_, err := f.notices.Approve(ctx, p, c.ID, 1, hash, f.clock.Now())
		return code(err)
	}
	for _, try := range []struct{ by, hash, want string }{
		{"vera", n.Hash, "own_notice"}, {"emma", n.Hash, "not_allowed"}, {"mona", n.Hash, "not_allowed"}, {"dana", "", "hash_mismatch"}, {"dana", strings.Repeat("0", 64), "hash_mismatch"},
	} {
		if got := approve(try.by, try.hash); got != try.want {
			t.Errorf("%s: %q, want %q", try.by, got, try.want)
		}
	}
	// Another version: neither of its two authors, and not the old text.
	changed := draft(notice.Initial)
	changed.Texts["fr"]["nature"] = "Autre chose."
	second, err := f.notices.Write(ctx, f.person("otto"), c.ID, 1, changed, nil, f.clock.Now())
	if err != nil || second.Hash == n.Hash || second.Version != 2 {
		t.Fatalf("%+v, %v", second, err)
	}
	for by, want := range map[string]string{"vera": "own_notice", "otto": "own_notice", "dana": "hash_mismatch"} {
		if got := approve(by, n.Hash); got != want {
			t.Errorf("%s: %q, want %q", by, got, want)
		}
	}
	if f.tick(); len(f.sent) != 0 {
		t.Fatalf("%d were sent", len(f.sent))
	}
	if got := approve("dana", second.Hash); got != "" {
		t.Error(got)
	}
	if got := approve("dana", second.Hash); got != "" { // again
		t.Error(got)
	}
	if f.tick(); len(f.sent) != 4 {
		t.Errorf("%d were sent", len(f.sent))
	}
	if _, err := f.notices.Write(ctx, f.person("otto"), c.ID, 1, changed, nil, f.clock.Now()); code(err) != "state_conflict" {
		t.Errorf("written after it was sent: %v", err)
	}
	if _, err := f.notices.Approve(ctx, f.person("dana"), c.ID, 2, n.Hash, f.clock.Now()); code(err) != "notice_unknown" {
		t.Error(err)
	}
}

// TestWritten: the same again is no other notice, and what cannot be sent is not written.
func TestWritten(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.declared(false, "nord", "sud", "ost")
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: "ost"}, "not concerned")
	}
	write := func(n int, d notice.Draft, tenants ...string) (notice.Notice, error) {
		return f.notices.Write(ctx, f.person("vera"), c.ID, n, d, tenants, f.clock.Now())
	}
	var first notice.Notice
	for i := range 3 {
		n, err := write(0, draft(notice.Initial))
		if err != nil || n.N != 1 || n.Version != 1 || n.To != 3 {
			t.Fatalf("%d: %+v, %v", i, n, err)
		}
		first = n
	}
	if n, err := write(1, draft(notice.Initial)); err != nil || n.Hash != first.Hash || n.Version != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := write(0, draft(notice.Initial), "sud"); err != nil || n.N != 2 || n.To != 1 {
		t.Errorf("for one alone: %+v, %v", n, err)
	}
	linked, short, huge := draft(notice.Initial), draft(notice.Initial), draft(notice.Initial)
	linked.Texts["de"]["nature"] = "https://evil.example"
	delete(short.Texts, "de")
	huge.Tenants["sud"] = map[string]map[string]string{"xx": {"nature": strings.Repeat("x", 500_000)}}
	for _, try := range []struct {
		d       notice.Draft
		n       int
		tenants []string
		want    string
	}{
		{linked, 0, nil, "texts_invalid"}, {short, 0, nil, "texts_missing"}, {huge, 0, nil, "texts_invalid"}, {draft(notice.Initial), 7, nil, "notice_unknown"},
		{draft(notice.Initial), 0, []string{"ost"}, "subject_invalid"}, {draft(notice.Initial), 0, []string{"west"}, "subject_invalid"}, {draft(notice.Persons), 0, []string{"sud"}, "subject_invalid"},
		{notice.Draft{Kind: "other"}, 0, nil, ""}, {notice.Draft{Kind: notice.Persons}, 0, nil, "texts_missing"},
	} {
		if _, err := write(try.n, try.d, try.tenants...); err == nil || code(err) != try.want {
			t.Errorf("%s %v: %v, want %s", try.d.Kind, try.tenants, err, try.want)
		}
	}
	if _, err := f.notices.Write(ctx, f.person("emma"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now()); code(err) != "not_allowed" {
		t.Error(err)
	}
	if all, err := f.notices.List(ctx, c.ID); err != nil || len(all) != 2 || all[0].N != 1 {
		t.Errorf("%d, %v", len(all), err)
	}
	// Nobody decided about them: two do not send it, one in need does, and never to who is not told.
	if _, err := f.notices.Approve(ctx, f.person("dana"), c.ID, 1, first.Hash, f.clock.Now()); code(err) != "tenant_undecided" {
		t.Error(err)
	}
	if n, err := f.notices.Break(ctx, f.person("otto"), c.ID, 1, first.Hash, "night", f.clock.Now()); err != nil || n.State != notice.Sent {
		t.Errorf("%+v, %v", n, err)
	}
	if f.tick(); strings.Contains(f.taken(c.Number), "east.example") || len(f.sent) != 4 {
		t.Errorf("%s", f.taken(c.Number))
	}
}

// TestChanged: whatever is another than what was agreed to stops it: contacts, what is decided, the channels, the case.
func TestChanged(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, change := range map[string]func(*firm, string){
		"a contact": func(f *firm, _ string) { f.restart("tenants.yaml", "sicherheit@sued.example", "neu@sued.example") },
		"a number":  func(f *firm, _ string) { f.restart("tenants.yaml", "+33123456789", "+33123456780") },
		"one more": func(f *firm, _ string) {
			f.restart("tenants.yaml", "  - {role: security, email: s", "  - {role: legal, email: recht@sued.example, language: de}\n  - {role: security, email: s")
		},
		"no contact": func(f *firm, _ string) {
			f.restart("tenants.yaml", "  - {role: security, email: sicherheit@sued.example, language: de}", "  - {role: security, email: sicherheit@sued.example, language: de, until: 2026-01-01}")
		},
		"the time": func(f *firm, id string) {
			f.do(id, "vera", cases.Event{What: cases.Timed, Times: cases.Times{Contained: f.clock.Now()}}, "")
		},
		"the promise": func(f *firm, id string) {
			f.do(id, "vera", cases.Event{What: cases.Promise, Name: notice.NextUpdate, At: f.clock.Now().Add(time.Hour)}, "")
		},
		"the channels": func(f *firm, id string) {
			f.do(id, "vera", cases.Event{What: cases.Channel, Channels: []string{"mail"}}, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := newFirm(t), newFirm(t)
			// Before it is approved: nobody can agree to it.
			c := before.decided(false, "nord", "sud")
			n := before.write(c.ID, "vera")
			change(before, c.ID)
			if _, err := before.notices.Approve(ctx, before.person("dana"), c.ID, 1, n.Hash, before.clock.Now()); err == nil {
				t.Error("agreed to something else than what would be sent")
			}
			// Afterwards, before it is handed over: nothing leaves.
			c = after.decided(false, "nord", "sud")
			n = after.write(c.ID, "vera")
			after.halt(n, "dana")
			change(after, c.ID)
			after.pass(5 * time.Minute)
			stored, err := after.notices.Get(ctx, c.ID, 1)
			if err != nil || stored.State != notice.Voided || len(after.sent) != 0 {
				t.Errorf("%+v, %d sent, %v", stored.Notice, len(after.sent), err)
			}
			after.restart("tenants.yaml", "  domains: [sued.example]", "  domains: [sued.example]\n  region: somewhere")
			if _, _, err := after.notices.Preview(ctx, c.ID, 1, after.clock.Now()); err != nil {
				t.Errorf("what is over cannot be looked at: %v", err)
			}
			if name != "the channels" && !strings.Contains(after.subjects(c.Number), "otto|mail|Security incident NUMBER: notice 1 was stopped") {
				t.Errorf("nobody hears of it:\n%s", after.subjects(c.Number))
			}
		})
	}
}

// halt approves a notice in a process that dies before it hands anything over.
func (f *firm) halt(n notice.Notice, who string) {
	f.t.Helper()
	for f.left = 1; ; f.left++ {
		limit := f.left
		_, err := f.notices.Approve(context.Background(), f.person(who), n.Case, n.N, n.Hash, f.clock.Now())
		f.left = limit
		stored := notice.Notice{}
		if err := f.raw.Get(context.Background(), notice.Notices, n.ID, &stored); err != nil {
			f.t.Fatal(err)
		}
		if stored.State == notice.Approved {
			break
		}
		if err == nil {
			f.t.Fatal("handed over before it died")
		}
	}
	f.left = -1
}

// TestNoMeanwhile: two decide against a tenant while a notice for it is on its way out: the rest stays in.
func TestNoMeanwhile(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "nord", "sud")
	n := f.write(c.ID, "vera")
	f.halt(n, "dana")
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: "sud"}, "not concerned")
	}
	f.pass(5 * time.Minute)
	if stored, err := f.notices.Get(ctx, c.ID, 1); err != nil || stored.State != notice.Voided || len(f.sent) != 0 {
		t.Errorf("%+v, %d sent, %v", stored.Notice, len(f.sent), err)
	}
}

// TestEnded: nothing goes out any more about a case that turned out to be none, not even by the next channel.
func TestEnded(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		if m.Channel == notice.Webhook {
			return message.Deferred
		}
		return message.Accepted
	}
	c := f.decided(false, "ost")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: cases.Breach}, "no personal data")
	}
	f.reply = func(message.Message) message.Outcome { return message.Failed }
	f.pass(time.Hour)
	if got := f.progress(n); got != "ost mail lost" && got != "ost webhook lost" || len(f.sent) != 0 {
		t.Errorf("%s, %d sent", got, len(f.sent))
	}
	if _, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Update), nil, f.clock.Now()); code(err) != "case_closed" {
		t.Error(err)
	}
}

// TestInert: what people write adds no header, no recipient, no formula and no line to what it is not: it stands in the text
// as it was written, or is refused.
func TestInert(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "nord", "sud")
	d := draft(notice.Initial)
	evil := "x\r\nBcc: other\r\n\r\n=HYPERLINK(1)\n.\n"
	d.Texts["de"]["nature"] = evil
	if _, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, d, nil, f.clock.Now()); code(err) != "texts_invalid" {
		t.Fatal(err) // a carriage return is nothing people write
	}
	d.Texts["de"]["nature"] = strings.ReplaceAll(evil, "\r", "")
	d.Texts["fr"]["contact"] = "+33 1\nSubject: other\nBcc: other"
	n, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, d, nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.approve(n, "dana")
	f.tick()
	if len(f.sent) != 4 {
		t.Fatalf("%d sent", len(f.sent))
	}
	for _, m := range f.sent {
		if strings.ContainsAny(m.Subject, "\r\n") || strings.Contains(m.Subject, "Bcc") || strings.ContainsAny(m.To, "\r\n,;") || strings.Contains(m.Text, "\r") {
			t.Errorf("%+v", m)
		}
	}
}
