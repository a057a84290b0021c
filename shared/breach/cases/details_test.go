package cases_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// TestDetailsSealed: what people write of systems, police and others is read at the desk and nowhere else; the same again is
// one text.
func TestDetailsSealed(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	said := declaration()
	said.Details, said.Texts = cases.Details{Certainty: cases.Exact, Systems: 99}, map[string]string{"systems": canary + " in the export"}
	c, _, err := d.Declare(ctx, d.person("emma"), said, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	police := cases.Words{Details: map[string]string{"police": canary + " was reported"}}
	for range 2 {
		if _, err := d.Do(ctx, c.ID, d.person("vera"), cases.Event{What: cases.Complete}, police, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	read, err := d.Get(ctx, c.ID)
	if err != nil || read.Text(read.Details.Systems) != canary+" in the export" || read.Text(read.Details.Police) != canary+" was reported" || len(read.Texts) != 3 || read.Rev != 2 {
		t.Errorf("%+v of %d texts, revision %d, %v", read.Details, len(read.Texts), read.Rev, err)
	}
	if strings.Contains(d.clear.String(), "salaries") {
		t.Error("what people wrote left in clear")
	}
}

// TestClosingRaced: what a notice waits for is read again in the transaction that closes its case.
func TestClosingRaced(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	asked, moved := 0, true
	d.Pending = func(context.Context, string) ([]cases.Pending, func(store.Tx) (bool, error), error) {
		if asked++; asked > 1 {
			return []cases.Pending{{Notice: 1, What: cases.Unreviewed}}, func(store.Tx) (bool, error) { return true, nil }, nil
		}
		return nil, func(store.Tx) (bool, error) { return !moved, nil }, nil
	}
	c, _, err := d.Declare(ctx, d.person("emma"), cases.Declaration{Client: "1", Breach: true, Summary: "x", Tracks: []cases.Track{track("nord")}}, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	do := func(who string, e cases.Event) error {
		_, err := d.Do(ctx, c.ID, d.person(who), e, cases.Words{Text: "x"}, d.clock.Now().Add(time.Second))
		return err
	}
	for _, e := range []struct {
		who string
		cases.Event
	}{{"vera", cases.Event{What: cases.Answer, Subject: "nord"}}, {"dana", cases.Event{What: cases.Answer, Subject: "nord"}}} {
		if err := do(e.who, e.Event); err != nil {
			t.Fatal(err)
		}
	}
	if err := do("vera", cases.Event{What: cases.Close}); fault.CodeOf(err) != "case_unsettled" || asked != 2 {
		t.Errorf("closed while a notice was approved alone: %v, asked %d times", err, asked)
	}
	asked, moved = 0, false
	if err := do("vera", cases.Event{What: cases.Close}); err != nil {
		t.Errorf("nothing waits: %v", err)
	}
}
