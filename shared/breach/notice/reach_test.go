package notice_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
)

// TestNobodyNamed: a tenant at which nobody is named holds up none of the others, is named to who reads the notice, and is told
// by the next one once somebody is.
func TestNobodyNamed(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	const left = "contacts:\n  - {role: security, email: sicherheit@sued.example, language: de}"
	f.restart("tenants.yaml", left, "contacts: []")
	c := f.decided(false, "nord", "sud")
	n, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := f.notices.Preview(ctx, c.ID, n.N, f.clock.Now())
	if err != nil || !slices.Equal(o.Tenants, []string{"nord"}) || !slices.Equal(o.Without, []string{"sud"}) || o.To != 2 {
		t.Errorf("for %v, without %v, to %d: %v", o.Tenants, o.Without, o.To, err)
	}
	f.approve(n, "dana")
	f.tick()
	if read, err := f.cases.Get(ctx, c.ID); err != nil || read.Tracks[0].Told.IsZero() || !read.Tracks[1].Told.IsZero() {
		t.Errorf("told: %+v, %v", read.Tracks, err)
	}
	if _, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now()); code(err) != "contact_missing" {
		t.Errorf("to nobody at all: %v", err)
	}
	f.restart("tenants.yaml", "contacts: []", left)
	again, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.approve(again, "dana")
	f.tick()
	if read, err := f.cases.Get(ctx, c.ID); err != nil || read.Tracks[1].Told.IsZero() {
		t.Errorf("told: %+v, %v", read.Tracks, err)
	}
}

// TestAwareAsProcessor: tenants read when their processor was aware of what is theirs.
func TestAwareAsProcessor(t *testing.T) {
	t.Parallel()
	aware := time.Date(2026, 3, 27, 9, 0, 0, 0, time.UTC)
	c := cases.Case{Times: cases.Times{Aware: aware}}
	if got := notice.AboutCase(c, cases.Rules{}, "Firm", aware).Facts.Aware; !got.Equal(aware) {
		t.Errorf("not apart: %s", got)
	}
	c.Times.ProcessorAware = aware.Add(time.Hour)
	if got := notice.AboutCase(c, cases.Rules{}, "Firm", aware).Facts.Aware; !got.Equal(aware.Add(time.Hour)) {
		t.Errorf("apart: %s", got)
	}
}
