package page_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/page"
	"ostiary.internal/shared/trust/page/pagetest"
	"ostiary.internal/shared/trust/promise"
)

var start = pagetest.Start

func build(n int, lang string, change ...func(*promise.Snapshot, *page.Circumstances)) page.View {
	s := pagetest.Snapshot(n, start)
	c := page.Circumstances{Now: start.Add(time.Minute), Checked: start, Digest: record.Digest(s.Canonical()), Home: "/trustpage/"}
	for _, f := range change {
		f(&s, &c)
	}
	return page.Build(s, c, lang)
}

// Every promise is on the page once, under its state, the worst first; what is counted is what is shown.
func TestEveryPromiseIsShown(t *testing.T) {
	t.Parallel()
	s := pagetest.Snapshot(300, start)
	for _, lang := range page.Languages {
		v := build(300, lang)
		var ids, order []string
		for _, g := range v.Groups {
			order = append(order, g.State)
			for _, row := range g.Rows {
				ids = append(ids, row.ID)
				if row.State != g.State || row.Sentence.Text == "" || row.Word == "" || row.Strip.Says == "" {
					t.Errorf("%s: row %+v in group %s", lang, row, g.State)
				}
			}
		}
		if want := []string{"broken", "unknown", "stale", "excepted", "attested", "inherited", "kept"}; !slices.Equal(order, want) {
			t.Errorf("%s: groups %v", lang, order)
		}
		var want []string
		for _, row := range s.Promises {
			want = append(want, row.ID)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%s: %d promises in another order than the snapshot's %d", lang, len(ids), len(want))
		}
	}
	for i, number := range []string{"6", "60", "12", "6", "27", "15", "174"} {
		if got := build(300, "en").Counts[i].Number; got != number {
			t.Errorf("count %d is %s, want %s", i, got, number)
		}
	}
}

// A state that nobody knows is not known; a promise is not left out for it.
func TestStrangeState(t *testing.T) {
	t.Parallel()
	v := build(1, "en", func(s *promise.Snapshot, _ *page.Circumstances) { s.Promises[0].State = "splendid" })
	if len(v.Groups) != 1 || v.Groups[0].State != "unknown" || v.Groups[0].Rows[0].Word != "Not known" {
		t.Errorf("%+v", v.Groups)
	}
}

func TestBehind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		checked time.Duration // before now
		behind  bool
	}{{0, false}, {page.Fresh, false}, {page.Fresh + time.Second, true}, {48 * time.Hour, true}, {-page.Fresh, false}, {-page.Fresh - time.Second, true}} {
		s := pagetest.Snapshot(120, start)
		before := s.Canonical()
		now := start.Add(test.checked)
		got := page.Current(s, start, now)
		if page.Behind(start, now) != test.behind {
			t.Errorf("checked %s ago: behind is not %t", test.checked, test.behind)
		}
		if string(s.Canonical()) != string(before) {
			t.Fatal("the snapshot was changed")
		}
		if !test.behind {
			if string(got.Canonical()) != string(before) {
				t.Errorf("checked %s ago: not the snapshot itself", test.checked)
			}
			continue
		}
		if got.Counts[record.Unknown] != 120 || got.Counts[record.Kept] != 0 || len(got.Counts) != 7 || len(got.Promises) != 120 {
			t.Errorf("checked %s ago: counts %v", test.checked, got.Counts)
		}
		for _, row := range got.Promises {
			if row.State != record.Unknown || row.Reason != page.NotUpdated || row.Measure != nil || row.Parts != nil || !row.Until.IsZero() {
				t.Fatalf("checked %s ago: %+v", test.checked, row.Status)
			}
		}
		v := page.Build(s, page.Circumstances{Now: now, Checked: start}, "en")
		if !v.Behind || strings.Contains(v.Lede, "None is broken") || v.Counts[0].Number != "–" {
			t.Errorf("checked %s ago the page says %q and counts %q broken", test.checked, v.Lede, v.Counts[0].Number)
		}
	}
}

// A page of the past is as old as it was when it was shown, however long ago that is.
func TestPast(t *testing.T) {
	t.Parallel()
	v := build(50, "en", func(_ *promise.Snapshot, c *page.Circumstances) {
		*c = page.Circumstances{Past: true, Now: start.AddDate(1, 0, 0), Checked: start.AddDate(-1, 0, 0)}
	})
	if v.Behind || !v.Past || v.At.Ago != "just now" || v.Counts[6].Number == "–" {
		t.Errorf("behind %t, past %t, %s", v.Behind, v.Past, v.At.Ago)
	}
}

// keyLike is what a text's key looks like, and what fmt writes where arguments do not fit.
var keyLike = regexp.MustCompile(`^(state|meaning|why|until|fact|mechanism|severity|role|unit|time|strip|original|drill|op|row|log|lede)\.|%!|%s`)

// No page shows the key of a text, or a text whose parts did not fit.
func TestNothingIsUntranslated(t *testing.T) {
	t.Parallel()
	for _, lang := range page.Languages {
		for name, v := range map[string]page.View{
			"fresh": build(120, lang), "empty": build(0, lang), "behind": build(120, lang, func(_ *promise.Snapshot, c *page.Circumstances) { c.Now = start.Add(time.Hour) }),
			"witnessed": build(1, lang, func(s *promise.Snapshot, c *page.Circumstances) {
				s.Gaps.Count = 3
				c.Log = page.Checkpoint{Known: true, Size: 7, Signed: start, Witnesses: []page.Witness{{Name: "auditor.example", Size: 7, At: start}, {Name: "customer.example", Size: 3, At: start.Add(-time.Hour)}}}
			}),
			"unwitnessed": build(1, lang, func(_ *promise.Snapshot, c *page.Circumstances) { c.Log = page.Checkpoint{Known: true, Signed: start} }),
		} {
			visit(reflect.ValueOf(v), func(text string) {
				if keyLike.MatchString(text) && !strings.Contains(text, "{{.Company}}") { // that one is a sentence made to break things
					t.Errorf("%s, %s: %q", lang, name, text)
				}
			})
		}
	}
}

func visit(v reflect.Value, see func(string)) {
	switch v.Kind() {
	case reflect.String:
		see(v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			visit(v.Field(i), see)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), see)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	witnessed := func(all ...page.Witness) page.Log {
		return build(1, "en", func(_ *promise.Snapshot, c *page.Circumstances) {
			c.Log = page.Checkpoint{Known: true, Size: 1_234_567, Root: "root", Signed: start, Witnesses: all}
		}).Log
	}
	if l := witnessed(); l.Confirmed != nil || l.Size != "1,234,567 records" || l.Root != "root" {
		t.Errorf("%+v", l)
	}
	l := witnessed(page.Witness{Name: "a\u202e.example", Size: 1, At: start.Add(-time.Hour)}, page.Witness{Name: "b.example", Size: 1_234_567, At: start.Add(-13 * time.Minute)})
	var said []string
	for _, by := range l.Confirmed {
		said = append(said, strings.ReplaceAll(by.Name+" "+by.Says+", "+by.At.Ago, "\u00a0", " "))
	}
	if want := []string{"a.example confirmed 1 record, 1 h ago", "b.example confirmed 1,234,567 records, 14 min ago"}; !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
	if l := build(1, "en").Log; l.Known || l.Signed.ISO != "" || l.Size != "123,456 records" {
		t.Errorf("without a checkpoint: %+v", l)
	}
}

func TestLede(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		1:   "1 promise from our published policy. None is broken. None is unknown or out of date.",
		50:  "50 promises from our published policy. 1 is broken. For 12 we cannot prove right now that they are kept.",
		300: "300 promises from our published policy. 6 are broken. For 72 we cannot prove right now that they are kept.",
	} {
		if got := build(n, "en").Lede; got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
