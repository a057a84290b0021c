package notice_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/policy"
)

func (f *firm) untell(ctx context.Context, id string, tenants map[string]bool, now time.Time) error {
	e := cases.Event{What: cases.Untold, Arrivals: map[string]time.Time{}}
	for tenant := range tenants {
		e.Arrivals[tenant] = time.Time{}
	}
	_, err := f.cases.Do(ctx, id, policy.Person{}, e, cases.Words{}, now)
	return err
}

func (f *firm) promised(ctx context.Context, id string, at, now time.Time) error {
	_, err := f.cases.Do(ctx, id, policy.Person{}, cases.Event{What: cases.Keep, Name: notice.NextUpdate, Noted: true, At: at}, cases.Words{}, now)
	return err
}

// says tells, of one recipient of the first notice of a case, what a person found out.
func (f *firm) says(id string, at int, found notice.Found) error {
	f.t.Helper()
	all, err := f.notices.Outcomes(context.Background(), id, 1, nil, 100)
	if err != nil || at >= len(all) {
		f.t.Fatal(all, err)
	}
	told, err := f.notices.Settle(context.Background(), f.person("vera"), id, 1, all[at].ID, found, f.clock.Now())
	if err == nil && len(told) > 0 {
		err = f.tell(context.Background(), id, told, f.clock.Now())
	}
	return err
}

func (f *firm) track(id, tenant string) cases.Track {
	f.t.Helper()
	read, err := f.cases.Get(context.Background(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, t := range read.Tracks {
		if t.ID == tenant {
			return t
		}
	}
	f.t.Fatalf("no track %s", tenant)
	return cases.Track{}
}

// TestBounced: what a mail server took and nobody got goes by the next way; until that arrives the tenant has not been told, which
// is a finding.
func TestBounced(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "ost", "sud")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	if got := f.progress(n); got != "ost webhook arrived, sud mail arrived" {
		t.Fatal(got)
	}
	f.pass(time.Hour)
	f.reply = func(message.Message) message.Outcome { return message.Deferred }
	for range 2 {
		if err := f.says(c.ID, 0, notice.Found{}); err != nil {
			t.Fatal(err)
		}
	}
	f.tick()
	if got := f.progress(n); got != "ost mail going, sud mail arrived" || !f.track(c.ID, "ost").Told.IsZero() || f.track(c.ID, "sud").Told.IsZero() {
		t.Fatalf("%s, ost told %s", got, f.track(c.ID, "ost").Told)
	}
	if got := f.events("finding", "remediation"); got != "finding tenant_not_told 0" {
		t.Error(got)
	}
	if stored, _ := f.notices.Get(context.Background(), c.ID, 1); stored.Accepted != 1 {
		t.Errorf("%+v", stored.Notice)
	}
	f.reply = func(message.Message) message.Outcome { return message.Accepted }
	f.pass(2 * time.Hour)
	if got := f.progress(n); got != "ost mail arrived, sud mail arrived" || !f.track(c.ID, "ost").Told.Equal(f.clock.Now()) {
		t.Errorf("%s, ost told %s", got, f.track(c.ID, "ost").Told)
	}
	if got := f.events("finding", "remediation"); got != "finding tenant_not_told 0\nremediation tenant_not_told 1" {
		t.Error(got)
	}
	// With no way left somebody has to call.
	for range 2 {
		if err := f.says(c.ID, 1, notice.Found{}); err != nil {
			t.Fatal(err)
		}
	}
	f.tick()
	if got := f.progress(n); got != "ost mail arrived, sud mail lost" || !f.track(c.ID, "sud").Told.IsZero() || f.told("somebody could not be told") != 1 {
		t.Errorf("%s, sud told %s\n%s", got, f.track(c.ID, "sud").Told, f.subjects(c.Number))
	}
}

// TestBouncedOne: of a tenant with two contacts the other one's arrival counts.
func TestBouncedOne(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.reply = func(m message.Message) message.Outcome {
		if m.To == "privacy@nord.example" {
			return message.Deferred
		}
		return message.Accepted
	}
	c := f.decided(false, "nord")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	f.reply = func(message.Message) message.Outcome { return message.Accepted }
	f.pass(time.Hour)
	first, later := f.track(c.ID, "nord").Told, f.clock.Now()
	if got := f.progress(n); got != "nord mail arrived, nord mail arrived" || !first.Before(later) {
		t.Fatalf("%s, told %s", got, first)
	}
	f.pass(time.Hour)
	if err := f.says(c.ID, 0, notice.Found{}); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if got := f.track(c.ID, "nord").Told; f.progress(n) != "nord mail lost, nord mail arrived" || !got.Equal(later) {
		t.Errorf("%s, told %s, want %s", f.progress(n), got, later)
	}
}

// TestFoundAt: whoever found out when it arrived says so; nothing arrives before it was sent, or ahead.
func TestFoundAt(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.reply = func(message.Message) message.Outcome { return message.Unknown }
	c := f.decided(false, "sud")
	handed := f.clock.Now()
	f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	f.pass(3 * time.Hour)
	for what, found := range map[string]notice.Found{
		"before it was sent": {Arrived: true, At: handed.Add(-time.Minute)}, "ahead": {Arrived: true, At: f.clock.Now().Add(10 * time.Minute)}, "of none": {At: handed.Add(time.Hour)},
	} {
		if err := f.says(c.ID, 0, found); code(err) != "times_invalid" {
			t.Errorf("%s: %v", what, err)
		}
	}
	at := handed.Add(time.Hour)
	if err := f.says(c.ID, 0, notice.Found{Arrived: true, At: at}); err != nil {
		t.Fatal(err)
	}
	if f.tick(); !f.track(c.ID, "sud").Told.Equal(at) {
		t.Errorf("told %s, want %s", f.track(c.ID, "sud").Told, at)
	}
}

// TestOwnMatter: whoever the case may be about writes nothing of it, agrees to nothing and settles nothing, and is asked for
// nothing.
func TestOwnMatter(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(message.Message) message.Outcome { return message.Unknown }
	d := cases.Declaration{Client: "watch", Breach: true, Source: "episode", About: []string{"dana"}, Summary: "files were read", Tracks: []cases.Track{{ID: "sud", Role: cases.Processor, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.Unknown}}}}
	c, _, err := f.cases.Declare(ctx, policy.Person{}, d, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"vera", "otto"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: true}, "")
	}
	dana, now := f.person("dana"), f.clock.Now()
	refused := func(what string, err error) {
		t.Helper()
		if code(err) != "own_matter" {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = f.notices.Write(ctx, dana, c.ID, 0, draft(notice.Initial), nil, now)
	refused("writes", err)
	n := f.write(c.ID, "vera")
	_, err = f.notices.Write(ctx, dana, c.ID, 1, draft(notice.Initial), []string{"sud"}, now)
	if err != nil { // the same words again change nothing, whoever says them
		refused("writes another version", err)
	}
	_, err = f.notices.Approve(ctx, dana, c.ID, 1, n.Hash, now)
	refused("approves", err)
	_, err = f.notices.Break(ctx, dana, c.ID, 1, n.Hash, "night", now)
	refused("approves alone", err)
	if _, err = f.notices.Break(ctx, f.person("vera"), c.ID, 1, n.Hash, "night", now); err != nil {
		t.Fatal(err)
	}
	f.tick()
	_, err = f.notices.Review(ctx, dana, c.ID, 1, now)
	refused("reviews", err)
	all, err := f.notices.Outcomes(ctx, c.ID, 1, nil, 10)
	if err != nil || all[0].Progress != notice.Doubtful {
		t.Fatal(all, err)
	}
	_, err = f.notices.Settle(ctx, dana, c.ID, 1, all[0].ID, notice.Found{Arrived: true}, now)
	refused("settles", err)
	if got := f.subjects(c.Number); strings.Contains(got, "dana") || !strings.Contains(got, "otto|mail|") {
		t.Errorf("told:\n%s", got)
	}
}
