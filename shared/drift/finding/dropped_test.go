package finding

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
)

// TestPromisedNoMore: what nobody promises any more is not broken by it, and nothing says that it is kept: not the evidence, not the page,
// not the message. What is promised again is found again.
func TestPromisedNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	state := func(id string) record.State {
		t.Helper()
		l := promise.NewLedger(promise.NewRegister(w.Policy, nil))
		for i, r := range w.order {
			w.must(l.Add(int64(i), r))
		}
		return promise.State(l, id, w.now()).State
	}
	is := func(when string, p1, p3 record.State) {
		t.Helper()
		if got := [2]record.State{state("P1"), state("P3")}; got != [2]record.State{p1, p3} {
			t.Errorf("%s P1 and P3 are %v", when, got)
		}
	}
	w.out("true", true)
	is("while both are broken,", record.Broken, record.Broken)
	fewer := w.exposed("true", true)
	fewer.Promises = []string{"P1"}
	w.must(w.Out(ctx, []Seen{fewer}, w.now()))
	is("while P3 is no more promised by it,", record.Broken, record.Unknown)
	w.must(w.Out(ctx, []Seen{w.exposed("true", true)}, w.now()))
	is("while it is again,", record.Broken, record.Broken)
	w.must(w.accept("sara", "true", week))
	w.must(w.accept("dora", "true", week))
	is("while it is accepted,", record.Unknown, record.Unknown) // the assertion does not run here
	w.to(m)
	fewer.Read = w.now()
	w.must(w.Out(ctx, []Seen{fewer}, w.now()))
	w.to(2 * m)
	w.must(w.In(ctx, database, func(Finding) What { return Drop }, w.now(), w.now()))
	is("once nobody promises it,", record.Unknown, record.Unknown)
	steps, err := w.History(ctx, exposedID)
	w.must(err)
	var what []Happened
	for _, s := range steps {
		what = append(what, s.What)
	}
	if want := []Happened{Began, Fewer, Promised, Asked, Agreed, Fewer, Unpromised}; !slices.Equal(what, want) {
		t.Errorf("it says that happened %v, not %v", what, want)
	}
	for _, r := range w.order {
		if r.Result.State == record.Kept || r.Facts["event"] == string(Gone) {
			t.Errorf("evidence says that it is kept: %+v", r)
		}
	}
	said := 0
	for _, n := range w.told {
		if n.Kind == notice.Healed {
			t.Error("somebody is told that it is in order again")
		}
		if n.Kind == notice.Dropped {
			said++
		}
	}
	if said != 1 {
		t.Errorf("it is told %d times", said)
	}
	for _, language := range []string{"en", "fr", "de"} {
		content, err := notice.Write(notice.Notice{Kind: notice.Dropped}, language, noon.Location())
		if err != nil || strings.Contains(content.Subject, "order") {
			t.Errorf("%+v, %v", content, err)
		}
	}
	w.to(3 * m)
	w.out("true", true)
	is("promised again", record.Broken, record.Broken)
}
