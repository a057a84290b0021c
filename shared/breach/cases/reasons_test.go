package cases_test

import (
	"context"
	"testing"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
)

// TestNotApplicable: a count or a field that does not apply says why; a value takes its place, and it takes that of a value.
func TestNotApplicable(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	counted := func(c cases.Count) cases.Event {
		return cases.Event{What: cases.Describe, By: vera, Tracks: []cases.Track{{ID: cases.Own, Role: cases.Controller, People: c}}}
	}
	w.refused("reason_missing", counted(cases.Count{How: cases.NotApplicable}))
	w.refused("tracks_invalid", counted(cases.Count{How: cases.NotApplicable, N: 3, Why: 7}))
	w.refused("tracks_invalid", counted(cases.Count{How: cases.Unknown, Why: 7}))
	w.do(counted(cases.Count{How: cases.NotApplicable, Why: 7}))
	if got := w.c.Tracks[0].People; got.Why != 7 || got.How != cases.NotApplicable {
		t.Errorf("counted: %+v", got)
	}
	w.do(counted(cases.Count{How: cases.Exact, N: 3}))
	if got := w.c.Tracks[0].People; got.Why != 0 || got.N != 3 {
		t.Errorf("counted after all: %+v", got)
	}
	said := func(d cases.Details) cases.Event { return cases.Event{What: cases.Complete, By: vera, Details: d} }
	w.refused("reason_missing", said(cases.Details{Not: map[string]int{"police": 0}}))
	w.refused("details_invalid", said(cases.Details{Not: map[string]int{"weather": 8}}))
	w.refused("details_invalid", said(cases.Details{Not: map[string]int{"police": 8}, Police: 9}))
	w.refused("details_invalid", said(cases.Details{Not: map[string]int{"origin": 8}, Origin: cases.Internal}))
	w.do(said(cases.Details{Police: 9, Origin: cases.Internal}))
	w.do(said(cases.Details{Not: map[string]int{"police": 8, "origin": 10}}))
	before := w.c
	if d := w.c.Details; d.Police != 0 || d.Origin != "" || d.Not["police"] != 8 || d.Not["origin"] != 10 {
		t.Errorf("does not apply: %+v", d)
	}
	w.do(said(cases.Details{Police: 11}))
	if d := w.c.Details; d.Police != 11 || len(d.Not) != 1 || d.Not["origin"] != 10 {
		t.Errorf("applies after all: %+v", d)
	}
	if before.Details.Not["police"] != 8 {
		t.Error("the case before was changed with it")
	}
}

// TestNotApplicableSealed: the reasons are texts of the case, one for many tracks.
func TestNotApplicableSealed(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	said := cases.Declaration{Client: "1", Breach: true, Summary: "x", Tracks: []cases.Track{track("nord"), track("sud")}, Not: map[string]string{"before": canary + " has none"}}
	c, _, err := d.Declare(ctx, d.person("emma"), said, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	none := cases.Count{How: cases.NotApplicable}
	e := cases.Event{What: cases.Describe, Tracks: []cases.Track{{ID: "nord", Role: cases.Processor, Records: none}, {ID: "sud", Role: cases.Processor, Records: none}}}
	why := cases.Words{Counts: map[string]string{"nord/records": "No records, a voice.", "sud/records": "No records, a voice."}}
	for range 2 {
		if _, err := d.Do(ctx, c.ID, d.person("vera"), e, why, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	delete(why.Counts, "sud/records")
	if _, err := d.Do(ctx, c.ID, d.person("vera"), e, why, d.clock.Now()); fault.CodeOf(err) != "reason_missing" {
		t.Errorf("without a reason: %v", err)
	}
	read, err := d.Get(ctx, c.ID)
	if err != nil || len(read.Texts) != 3 || read.Text(read.Details.Not["before"]) != canary+" has none" {
		t.Fatalf("%+v of %d texts, %v", read.Details, len(read.Texts), err)
	}
	for _, one := range read.Tracks {
		if read.Text(one.Records.Why) != "No records, a voice." || one.Records.How != cases.NotApplicable || one.People.How != cases.Unknown {
			t.Errorf("%+v", one)
		}
	}
}
