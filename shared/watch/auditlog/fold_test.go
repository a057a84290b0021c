package auditlog_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

func TestFoldOperation(t *testing.T) {
	t.Parallel()
	begin, end := fixture(t, "firewall-first"), fixture(t, "firewall-last")
	if begin.FoldKey() == "" || begin.FoldKey() != end.FoldKey() {
		t.Fatal("two keys for one operation")
	}
	f := auditlog.NewFolder(10)
	early, complete := f.Fold(begin)
	if complete || early.ID != begin.ID || early.Outcome.Result != auditlog.OK {
		t.Errorf("the first alone: %v %+v", complete, early.Outcome)
	}
	whole, complete := f.Fold(end)
	if !complete || whole.ID != begin.ID || whole.Outcome.Result != auditlog.Failed || !whole.Time.Equal(begin.Time) {
		t.Errorf("both: %v %s %+v", complete, whole.ID, whole.Outcome)
	}
	if !strings.Contains(string(whole.Request), "alloweds") || len(whole.Permissions) != 1 {
		t.Error("what the first had is lost")
	}
	if alone, complete := f.Fold(fixture(t, "iam-project-delta")); !complete || alone.FoldKey() != "" {
		t.Error("an entry that stands alone waits")
	}
	if both, complete := f.Fold(one(t, with(t, "firewall-first", func(e, _ map[string]any) {
		e["operation"] = map[string]any{"id": "x", "first": true, "last": true}
	}), auditlog.Mapping{})); !complete || both.FoldKey() != "" {
		t.Error("an entry that is first and last waits")
	}
}

// Whatever the order, and however often each comes, the result is one.
func TestFoldOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	parts := []auditlog.Entry{fixture(t, "firewall-first"), fixture(t, "firewall-last"),
		fixture(t, "split-0"), fixture(t, "split-1"), fixture(t, "split-2")}
	want := map[string]string{}
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 1))
		stream := append(append([]auditlog.Entry{}, parts...), parts...)
		random.Shuffle(len(stream), func(i, j int) { stream[i], stream[j] = stream[j], stream[i] })
		f := auditlog.NewFolder(10)
		got := map[string]string{}
		for _, e := range stream {
			if whole, complete := f.Fold(e); complete {
				text, err := json.Marshal(whole)
				if err != nil {
					t.Fatal(err)
				}
				key := e.FoldKey()
				if before, again := got[key]; again && before != string(text) {
					t.Fatalf("seed %d: a redelivery changed the call", seed)
				}
				got[key] = string(text)
			}
		}
		if seed == 0 {
			want = got
		}
		for key := range want {
			if len(got) != 2 || got[key] != want[key] {
				t.Fatalf("seed %d:\n%s\nnot\n%s", seed, got[key], want[key])
			}
		}
	}
}

func TestFoldSplit(t *testing.T) {
	t.Parallel()
	f := auditlog.NewFolder(10)
	for _, name := range []string{"split-2", "split-0"} {
		if _, complete := f.Fold(fixture(t, name)); complete {
			t.Fatal("complete too early")
		}
	}
	whole, complete := f.Fold(fixture(t, "split-1"))
	if !complete {
		t.Fatal("not complete")
	}
	var request struct {
		Type, Note string
		Flag       bool
		Policy     struct{ Bindings []any }
	}
	if err := json.Unmarshal(whole.Request, &request); err != nil {
		t.Fatal(err)
	}
	if request.Note != "<ab>c" || !request.Flag || len(request.Policy.Bindings) != 2 {
		t.Errorf("%s", whole.Request)
	}
	if want := `"big":12345678901234567890`; !strings.Contains(string(whole.Response), want) {
		t.Errorf("%s lacks %s", whole.Response, want)
	}
	if d, _ := whole.IAMDelta(); len(d.Added) != 2 {
		t.Errorf("%+v", d)
	}
	if whole.ID != fixture(t, "split-0").ID {
		t.Error("the call does not go by its first part")
	}
}

func TestFolderForgetsTheOldest(t *testing.T) {
	t.Parallel()
	f := auditlog.NewFolder(1)
	f.Fold(fixture(t, "firewall-first"))
	f.Fold(fixture(t, "split-0"))
	if _, complete := f.Fold(fixture(t, "firewall-last")); complete {
		t.Error("kept more than it may")
	}
}
