package notice_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// TestTold: three tenants in three languages, each told once by the first way that carries the text, and the case knows.
func TestTold(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		if m.Channel == notice.Webhook {
			return message.Failed
		}
		return message.Accepted
	}
	c := f.decided(false, "nord", "sud", "ost")
	n := f.write(c.ID, "vera")
	o, all, err := f.notices.Preview(ctx, c.ID, 1, f.clock.Now())
	if err != nil || o.Now != n.Hash || len(all) != 4 || n.To != 4 || all[0].To != "nuit@nord.example" {
		t.Fatalf("%+v, %d messages, %v", o.Notice, len(all), err)
	}
	n = f.approve(n, "dana")
	f.tick()
	if got, want := f.progress(n), "nord mail arrived, nord mail arrived, sud mail arrived, ost mail arrived"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	want := `mail dpo@east.example Security incident NUMBER: your organisation is concerned
mail nuit@nord.example Incident de sécurité NUMBER : votre organisation est concernée
mail privacy@nord.example Incident de sécurité NUMBER : votre organisation est concernée
mail sicherheit@sued.example Sicherheitsvorfall NUMBER: Ihre Organisation ist betroffen
sms +33123456789 Firm, message NUMBER : lisez votre courriel, ou joignez-nous : +33 1 00 00 00 00, security@sharedcontacts.example`
	if got := f.taken(c.Number); got != want {
		t.Errorf("sent\n%s", got)
	}
	for _, m := range f.sent {
		if m.Channel == notice.SMS && (strings.Contains(m.Text, "NATURE") || m.Text != m.Subject) {
			t.Errorf("a text message says %q", m.Text)
		}
	}
	read, err := f.cases.Get(ctx, c.ID)
	if err != nil || read.Tracks[0].Told.IsZero() || read.Tracks[2].Told.IsZero() {
		t.Errorf("%+v, %v", read.Tracks, err)
	}
	stored, err := f.notices.Get(ctx, c.ID, 1)
	if err != nil || stored.State != notice.Sent || stored.Accepted != 4 || stored.Due != 0 || stored.Draft.Texts["fr"]["nature"] != "NATURE fr." {
		t.Errorf("%+v, %v", stored, err)
	}
	if err := f.clock.Set(f.clock.Now().Add(90 * 24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if len(f.sent) != 5 {
		t.Errorf("%d messages after three months", len(f.sent))
	}
}

// TestWebhook: its body is the notice as data.
func TestWebhook(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "ost")
	f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	var body map[string]string
	if len(f.sent) != 1 || json.Unmarshal([]byte(f.sent[0].Text), &body) != nil {
		t.Fatalf("%+v", f.sent)
	}
	if body["type"] != "breach.notice" || body["kind"] != "initial" || body["number"] != c.Number || body["language"] != "en" || body["at"] != "2026-03-27T09:30:00Z" ||
		!strings.HasPrefix(body["id"], c.ID+".1.00000/") || !strings.Contains(body["text"], "NATURE en.") || body["subject"] == "" || len(body) != 8 {
		t.Errorf("%v", body)
	}
}

// TestUnknown: what may have arrived is not sent again; people are asked, and what they find out counts.
func TestUnknown(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		if m.Channel == notice.Webhook || m.To == "sicherheit@sued.example" {
			return message.Unknown
		}
		return message.Accepted
	}
	c := f.decided(false, "sud", "ost")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	f.pass(time.Hour)
	if got := f.progress(n); got != "sud mail doubtful, ost webhook doubtful" || len(f.sent) != 2 {
		t.Fatalf("%s after %d", got, len(f.sent))
	}
	asked := strings.Count(f.subjects(c.Number), "it is not known whether notice 1 arrived") + strings.Count(f.subjects(c.Number), "ob Mitteilung 1 ankam") + strings.Count(f.subjects(c.Number), "si l’avis 1 est arrivé")
	if asked != 3 {
		t.Errorf("asked %d:\n%s", asked, f.subjects(c.Number))
	}
	all, err := f.notices.Deliveries(ctx, c.ID, 1, nil, 10)
	if err != nil || all[1].Addresses[1] != "dpo@east.example" {
		t.Fatal(all, err)
	}
	for _, refused := range []struct{ who, id, code string }{{"emma", all[0].ID, "not_allowed"}, {"vera", "x", "delivery_unknown"}, {"vera", c.ID + ".2.00000", "delivery_unknown"}, {"vera", c.ID + ".1.00009", "delivery_unknown"}} {
		if _, err := f.notices.Settle(ctx, f.person(refused.who), c.ID, 1, refused.id, notice.Found{Arrived: true}, f.clock.Now()); code(err) != refused.code {
			t.Errorf("%s about %s: %v", refused.who, refused.id, err)
		}
	}
	for range 2 {
		told, err := f.notices.Settle(ctx, f.person("vera"), c.ID, 1, all[0].ID, notice.Found{Arrived: true}, f.clock.Now())
		if err != nil || len(told) != 1 || told[0].Tenant != "sud" {
			t.Errorf("%v, %v", told, err)
		}
	}
	// The webhook's did not arrive: now the mail may go.
	if told, err := f.notices.Settle(ctx, f.person("otto"), c.ID, 1, all[1].ID, notice.Found{Arrived: false}, f.clock.Now()); err != nil || told != nil {
		t.Errorf("%v, %v", told, err)
	}
	f.tick()
	if got := f.progress(n); got != "sud mail arrived, ost mail arrived" || len(f.sent) != 3 || f.sent[2].To != "dpo@east.example" {
		t.Errorf("%s after %d", got, len(f.sent))
	}
	if stored, _ := f.notices.Get(ctx, c.ID, 1); stored.Accepted != 2 || stored.Unknown != 0 {
		t.Errorf("%+v", stored.Notice)
	}
}

// TestLost: who cannot be reached by any channel is a finding and a call; somebody who called closes it.
func TestLost(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		if strings.HasSuffix(m.To, "east.example") || m.Channel == notice.Webhook {
			return message.Failed
		}
		return message.Accepted
	}
	c := f.decided(false, "ost", "sud")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	if got := f.progress(n); got != "ost mail lost, sud mail arrived" || !strings.Contains(f.subjects(c.Number), "somebody could not be told") {
		t.Fatalf("%s\n%s", got, f.subjects(c.Number))
	}
	if !strings.Contains(f.subjects(c.Number), "otto|sms|") {
		t.Errorf("nobody is called:\n%s", f.subjects(c.Number))
	}
	if got := f.events("finding", "remediation"); got != "finding tenant_not_told 0" {
		t.Errorf("%s", got)
	}
	all, _ := f.notices.Deliveries(ctx, c.ID, 1, nil, 1)
	if len(all[0].Tries) != 2 || all[0].Tries[0].Channel != notice.Webhook || all[0].Tries[1].Why == "" {
		t.Errorf("%+v", all[0])
	}
	if _, err := f.notices.Settle(ctx, f.person("otto"), c.ID, 1, all[0].ID, notice.Found{Arrived: true}, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.tick()
	if got := f.events("finding", "remediation"); got != "finding tenant_not_told 0\nremediation tenant_not_told 1" {
		t.Errorf("%s", got)
	}
	if read, _ := f.cases.Get(ctx, c.ID); read.Tracks[0].Told.IsZero() {
		t.Error("the case does not know that ost was told")
	}
	f.do(c.ID, "vera", cases.Event{What: cases.Close}, "")
}

// FuzzAnswered: whatever key an answer names, nothing breaks, and nothing happens to a delivery it does not name.
func FuzzAnswered(f *testing.F) {
	w := newFirm(f)
	for _, seed := range []string{"", "breach-notice/", "breach-notice/x.1.00000/0-mail", "breach-notice/x.1.00000/99999999999999999999-mail", "breach-notice/../0-mail", "breach-notice/__x__/0-mail", "breach-page/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		told, err := w.notices.Answered(t.Context(), message.Answer{V: 1, Key: key, State: message.StateAccepted}, w.clock.Now())
		if err != nil && !fault.Is(err, fault.Invalid) || told != nil {
			t.Errorf("%q: %v, %v", key, told, err)
		}
	})
}
