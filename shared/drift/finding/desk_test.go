package finding

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// What people write stands in the history, and what they may not is refused.
func TestDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.out("true", true)
	for name, c := range map[string]struct {
		id, who string
		wish    Wish
		code    string
	}{
		"no such finding": {ID("x", "y"), "sara", Wish{Reason: "r", Until: noon.Add(h)}, "finding_unknown"},
		"no id":           {"../etc", "sara", Wish{Reason: "r", Until: noon.Add(h)}, "finding_unknown"},
		"long":            {exposedID, "sara", Wish{Reason: strings.Repeat("x", 1001), Got: "true", Until: noon.Add(h)}, "reason_invalid"},
		"no text":         {exposedID, "sara", Wish{Reason: "a\x00b", Got: "true", Until: noon.Add(h)}, "reason_invalid"},
		"nothing":         {exposedID, "sara", Wish{Reason: " \n", Got: "true", Until: noon.Add(h)}, "reason_missing"},
		"ticket":          {exposedID, "sara", Wish{Reason: "r", Ticket: "a b", Got: "true", Until: noon.Add(h)}, "ticket_invalid"},
		"no role":         {exposedID, "ben", Wish{Reason: "r", Got: "true", Until: noon.Add(h)}, "not_allowed"},
		"another value":   {exposedID, "sara", Wish{Reason: "r", Got: "false", Until: noon.Add(h)}, "value_changed"},
		"too long":        {exposedID, "sara", Wish{Reason: "r", Got: "true", Until: noon.Add(31 * 24 * h)}, "until_invalid"},
	} {
		_, err := w.Accept(ctx, c.id, c.wish, w.person(c.who), w.now())
		if refused, is := errors.AsType[*fault.Error](err); !is || refused.Code != c.code || refused.Detail == "" || refused.Next == "" {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	w.must(w.accept("sara", "true", week))
	if _, err := w.Accept(ctx, exposedID, Wish{Got: "true", Until: noon.Add(week)}, w.person("dora"), w.now()); err != nil {
		t.Errorf("the second person gives no reason: %v", err)
	}
	f := w.get()
	all, err := w.History(ctx, exposedID)
	w.must(err)
	at := slices.IndexFunc(all, func(s Step) bool { return s.N == int64(f.Accepted.Reason) })
	if at < 0 || all[at].Words != "Because of sara" || all[at].By != "sara" || all[at].Ticket != "T-1" || f.Accepted.Ticket != "T-1" {
		t.Errorf("%+v does not say why: %+v", f.Accepted, all)
	}
	if _, err := w.Revoke(ctx, exposedID, w.person("ben"), w.now()); fault.CodeOf(err) != "not_allowed" {
		t.Error(err)
	}
	if f, err := w.Revoke(ctx, exposedID, w.person("olga"), w.now()); err != nil || f.State != Open || f.Accepted != nil {
		t.Errorf("%v %+v", err, f)
	}
	if got := w.events(); !slices.Equal(got, []string{"case asked", "finding opened", "remediation revoked", "waiver accepted"}) {
		t.Error(got)
	}
}

// The list tells the gravest first, page by page, and what is promised is told by promise.
func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	var want []string
	for i, severity := range []policy.Severity{policy.Low, policy.Critical, policy.Info, policy.Medium, policy.High} {
		for k := range 3 {
			one := w.exposed("true", true)
			one.Severity, one.Asset = severity, fmt.Sprint(i, k)
			w.must(w.Out(ctx, []Seen{one}, noon.Add(time.Duration(k)*m)))
		}
	}
	for _, i := range []int{1, 4, 3, 0, 2} {
		want = append(want, fmt.Sprint(i, 2), fmt.Sprint(i, 1), fmt.Sprint(i, 0))
	}
	var got []string
	for after := (*store.Cursor)(nil); ; {
		page, next, err := w.List(ctx, Open, after, 4)
		w.must(err)
		for _, f := range page {
			got = append(got, f.Asset)
		}
		if after = next; next == nil {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
	open, err := w.Open(ctx)
	if err != nil || len(open["P1"]) != 15 || len(open["P3"]) != 15 || len(open) != 2 {
		t.Errorf("%v %d", err, len(open["P1"]))
	}
	if due, err := w.Due(ctx, w.now().Add(h), 9); err != nil || len(due) > 0 {
		t.Errorf("%v %v", err, due)
	}
	for key, n := range w.told {
		if n.Kind != notice.Opened || !strings.HasPrefix(n.Link, "https://ostiary.example/acceptdrift/") {
			t.Errorf("%s: %+v", key, n)
		}
	}
	if len(w.told) != 9 {
		t.Errorf("%d messages: nobody is written to about what is low", len(w.told))
	}
}
