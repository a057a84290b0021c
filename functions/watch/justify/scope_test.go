package justify

import (
	"os"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
)

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, manifest, nil)) }

// TestReopened: what came between an answer and its acceptance is a new question at once, and a finding of its own.
func TestReopened(t *testing.T) {
	t.Parallel()
	w, id := alarmed(t)
	path := "/v1/episodes/" + id
	w.Call(t, call(w, emma, "POST", path+"/answer", Answer{Reason: "mistake", Ticket: "SUP-7"})).Want(t, 200, "")
	w.Advance(t, time.Minute)
	entry(t, w, granted("2", emma, w.Clock.Now())).Want(t, 204, "")
	w.Call(t, call(w, stefan, "POST", path+"/review", Review{Verdict: "accepted"})).Want(t, 200, "")
	findings := 0
	for key, r := range w.Records(t) {
		if r.Kind == record.Finding {
			findings++
			if by := w.Writer(key); (by == "justify") != (r.Facts["round"] == "2") {
				t.Errorf("the finding of round %s is in the place of %s", r.Facts["round"], by)
			}
		}
	}
	if e := only(t, w, emma); e.Question != 2 || findings != 2 {
		t.Errorf("question %d, %d findings", e.Question, findings)
	}
}
