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

// TestKept: what was sent is read as it was sent, to whom it was, whatever became of contacts, channels and the case since;
// what may still change is read as it would be sent now.
func TestKept(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		if m.To == "sicherheit@sued.example" {
			return message.Failed
		}
		return message.Accepted
	}
	c := f.decided(false, "nord", "sud")
	n := f.write(c.ID, "vera")
	_, before, err := f.notices.Preview(ctx, c.ID, 1, f.clock.Now())
	if err != nil || len(before) != 3 {
		t.Fatal(len(before), err)
	}
	f.approve(n, "dana")
	f.tick()
	if got := f.progress(n); got != "nord mail arrived, nord mail arrived, sud mail lost" {
		t.Fatal(got)
	}
	f.restart("tenants.yaml", "email: sicherheit@sued.example, language: de", "email: sicherheit@sued.example, language: de, until: 2026-01-01")
	f.restart("tenants.yaml", "nuit@nord.example", "jour@nord.example")
	f.do(c.ID, "vera", cases.Event{What: cases.Timed, Times: cases.Times{Contained: f.clock.Now()}}, "")
	f.do(c.ID, "vera", cases.Event{What: cases.Channel, Channels: []string{"mail"}}, "")
	o, now, err := f.notices.Preview(ctx, c.ID, 1, f.clock.Now())
	if err != nil || o.State != notice.Sent || len(now) != 0 || o.Now != "" {
		t.Errorf("%+v, %d would be sent, %v", o.Notice, len(now), err)
	}
	kept, err := f.notices.Kept(ctx, c.ID, 1, 0, 10)
	if err != nil || len(kept) != 3 {
		t.Fatalf("%d kept, %v", len(kept), err)
	}
	for i, m := range kept {
		want := before[i]
		if m.Tenant != want.Tenant || m.Name != want.Name || m.Language != want.Language || m.Subject != want.Subject || m.Text != want.Text || m.Short != want.Short || m.To != want.To {
			t.Errorf("%d: %+v was sent as\n%+v", i, m, want)
		}
		if len(m.Ways) != len(want.Ways) || m.Ways[0] != want.Ways[0] {
			t.Errorf("%d: %v, sent by %v", i, m.Ways, want.Ways)
		}
	}
	if last, err := f.notices.Kept(ctx, c.ID, 1, 2, 1); err != nil || len(last) != 1 || last[0].Tenant != "sud" {
		t.Errorf("%v, %v", last, err)
	}
	if none, err := f.notices.Kept(ctx, c.ID, 1, 3, 10); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
	if _, err := f.notices.Kept(ctx, c.ID, 7, 0, 10); code(err) != "notice_unknown" {
		t.Error(err)
	}
}

// TestPersonsKept: what was approved for the persons is read as it was approved.
func TestPersonsKept(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "sud")
	n, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Persons), nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, before, err := f.notices.Preview(ctx, c.ID, 1, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.approve(n, "dana")
	f.restart("company.yaml", "name: Firm", "name: Other")
	o, after, err := f.notices.Preview(ctx, c.ID, 1, f.clock.Now())
	if err != nil || o.State != notice.Approved || len(after) != len(before) || after[0].Text != before[0].Text || strings.Contains(after[0].Text, "Other") {
		t.Errorf("%+v, %v", after, err)
	}
}

// TestUnanswered: a message nobody ever answers about is a finding and a question after a while, once, and somebody may
// settle it; one that is answered late after all ends the question.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "ost", "sud")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.mu.Lock()
	lost := f.bus
	f.bus = nil // as a dead letter of the bus
	f.mu.Unlock()
	all, err := f.notices.Deliveries(ctx, c.ID, 1, nil, 10)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	settle := func(id string, arrived bool) error {
		_, err := f.notices.Settle(ctx, f.person("otto"), c.ID, 1, id, notice.Found{Arrived: arrived}, f.clock.Now())
		return err
	}
	f.pass(message.GiveUpAfter - time.Hour)
	if err := settle(all[1].ID, true); code(err) != "state_conflict" {
		t.Errorf("settled while it may still be tried: %v", err)
	}
	if got := f.progress(n); got != "ost webhook going, sud mail going" || f.told("it is not known whether notice 1 arrived") != 0 {
		t.Errorf("%s\n%s", got, f.subjects(c.Number))
	}
	f.pass(3 * time.Hour) // one way of one, and not yet two of the other
	for range 3 {
		f.pass(time.Minute)
	}
	if got := f.progress(n); got != "ost webhook going, sud mail doubtful" || f.told("it is not known whether notice 1 arrived") != 1 {
		t.Errorf("%s\n%s", got, f.subjects(c.Number))
	}
	if got := f.events("finding"); strings.Count(got, "delivery_unanswered") != 1 {
		t.Errorf("%s", got)
	}
	f.pass(message.GiveUpAfter)
	if got := f.progress(n); got != "ost webhook doubtful, sud mail doubtful" {
		t.Errorf("%s", got)
	}
	if err := settle(all[0].ID, false); err != nil {
		t.Error(err)
	}
	f.tick()
	if got := f.progress(n); got != "ost mail arrived, sud mail doubtful" {
		t.Errorf("%s", got)
	}
	f.mu.Lock()
	f.bus = lost // whoever looks after the bus has it delivered after all
	f.mu.Unlock()
	f.tick()
	if got := f.progress(n); got != "ost mail arrived, sud mail arrived" {
		t.Errorf("%s", got)
	}
	if got := f.events("remediation"); strings.Count(got, "remediation tenant_not_told 1") != 2 {
		t.Errorf("%s", got)
	}
	if stored, err := f.notices.Get(ctx, c.ID, 1); err != nil || stored.Accepted != 2 || stored.Unknown != 0 {
		t.Errorf("%+v, %v", stored.Notice, err)
	}
}
