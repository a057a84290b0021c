package cases_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
)

// TestNames: what belongs to no known tenant is kept by name, is never fewer because of what is named later, and is found out
// by somebody who says whose it is.
func TestNames(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	said := declaration()
	said.Unmapped = []string{"Lost.example", "b@lost.example", " lost.example"}
	c, _, err := d.Declare(ctx, d.person("emma"), said, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	do := func(who string, what cases.What, text string, names ...string) error {
		_, err := d.Do(ctx, c.ID, d.person(who), cases.Event{What: what, Unmapped: 9}, cases.Words{Text: text, Names: names}, d.clock.Now())
		return err
	}
	open := func(want ...string) cases.Read {
		t.Helper()
		read, err := d.Get(ctx, c.ID)
		if err != nil || !slices.Equal(read.Names, want) || read.Unmapped != len(want) {
			t.Fatalf("%d without a tenant: %q, %v", read.Unmapped, read.Names, err)
		}
		return read
	}
	open("lost.example", "b@lost.example")
	for _, names := range [][]string{nil, {"LOST.example"}, {"third.example"}, {"third.example"}} {
		if err := do("vera", cases.Describe, "", names...); err != nil {
			t.Fatal(err)
		}
	}
	open("lost.example", "b@lost.example", "third.example")
	for code, err := range map[string]error{
		"not_allowed":    do("emma", cases.Map, "Hers.", "lost.example"),
		"reason_missing": do("vera", cases.Map, "", "lost.example"),
		"names_invalid":  do("vera", cases.Map, "Whose?", "lost.example", "fourth.example"),
		"case_unsettled": do("vera", cases.Close, ""),
	} {
		if fault.CodeOf(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	if err := do("vera", cases.Describe, "", strings.Repeat("x", 321)); fault.CodeOf(err) != "names_invalid" {
		t.Error(err)
	}
	for range 2 { // sent again it is answered alike
		if err := do("vera", cases.Map, "A former customer; the contract ended in 2019.", "Lost.example", "third.example"); err != nil {
			t.Fatal(err)
		}
	}
	read := open("b@lost.example")
	if len(read.Mapped) != 1 || read.Mapped[0].N != 2 || read.Mapped[0].By != "vera" || read.Text(read.Mapped[0].Names) != "lost.example\nthird.example" || read.Text(read.Mapped[0].Reason) == "" {
		t.Errorf("found out: %+v", read.Mapped)
	}
	for _, r := range d.records {
		if r.Facts["event"] == "mapped" && r.Facts["mapped"] == "2" && r.Facts["unmapped"] == "1" {
			if strings.Contains(d.clear.String(), "lost.example") {
				t.Error("a name stands in clear")
			}
			return
		}
	}
	t.Error("nothing is on record")
}

// TestRoom: however much people write, what brings a case to its end is taken; what the second of two wrote is kept with the
// decision.
func TestRoom(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	do := func(who string, e cases.Event, text string) error {
		_, err := d.Do(ctx, c.ID, d.person(who), e, cases.Words{Text: text}, d.clock.Now())
		return err
	}
	for _, one := range [][2]string{{"vera", "No people of theirs."}, {"dana", "I looked as well."}} {
		if err := do(one[0], cases.Event{What: cases.Answer, Subject: "nord"}, one[1]); err != nil {
			t.Fatal(err)
		}
	}
	read, _ := d.Get(ctx, c.ID)
	if got := read.Decisions[0]; read.Text(got.Reason) != "No people of theirs." || read.Text(got.Agreed) != "I looked as well." {
		t.Errorf("decided: %+v of %q", got, read.Texts)
	}
	for n := 1; ; n++ {
		err := do("vera", cases.Event{What: cases.Promise, Name: "update", At: d.clock.Now().Add(time.Duration(n) * time.Hour)}, fmt.Sprint("later ", n))
		if fault.CodeOf(err) == "text_invalid" {
			break
		}
		if err != nil || n > 400 {
			t.Fatal(n, err)
		}
	}
	if err := do("dana", cases.Event{What: cases.File, Clock: "gdpr_33_1", At: d.clock.Now()}, "CNIL-1"); err != nil {
		t.Errorf("the report is not taken: %v", err)
	}
}

// TestReviewReminded: of a review that is overdue people are told at once and then once a week, until it is done.
func TestReviewReminded(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Breach, Text: 2})
	}
	told := func(days int) (n int) {
		for range days * 4 {
			w.pass(6 * time.Hour)
			if w.c.Next != 0 && w.c.Next <= w.now.UnixMicro() {
				w.do(cases.Event{What: cases.Ticked})
				n += strings.Count(said(w.last), "tell review_overdue")
			}
		}
		return n
	}
	for _, one := range []struct{ days, told int }{{14, 0}, {2, 1}, {5, 0}, {14, 2}} {
		if got := told(one.days); got != one.told {
			t.Errorf("told %d times in %d days, want %d", got, one.days, one.told)
		}
	}
	w.do(cases.Event{What: cases.Review, By: vera, Text: 3})
	if got := told(30); got != 0 || w.c.Next != w.c.Expires(w.rules).UnixMicro() {
		t.Errorf("told %d times after it was done", got)
	}
}
