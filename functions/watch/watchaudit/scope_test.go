package watchaudit

import (
	"os"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/justify"
	"ostiary.internal/shared/evidence/record"
)

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, manifest, nil)) }

// TestExpected: what two people said they expect raises no alarm, and leaves a record that it was covered.
func TestExpected(t *testing.T) {
	t.Parallel()
	s := setup
	s.Functions = []wiring.Function{Function, justify.Function}
	w := functiontest.New(t, s)
	call := func(who, path string, body any) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: "/justify/v1/exceptions" + path, Token: w.Staff(who + "@sharedcontacts.example"), Body: body}
	}
	var asked struct{ ID string }
	w.Call(t, call("simone.bernard", "", map[string]any{"kind": "suppression", "rule": "approved-identities", "actor": "emma.dubois@sharedcontacts.example",
		"resource": "projects/sharedcontacts-live", "reason": "planned-work", "until": w.Clock.Now().Add(10 * 24 * time.Hour), "note": "moving"})).Want(t, 201, "").Decode(t, &asked)
	w.Call(t, call("odile.martin", "/"+asked.ID+"/approve", nil)).Want(t, 200, "")
	entry(t, w, granted("1", "emma.dubois", w.Clock.Now())).Want(t, 204, "")
	covered := 0
	for id, r := range w.Records(t) {
		if r.Kind == record.Case && r.Result.State == record.Exempt && w.Writer(id) == "watchaudit" {
			covered++
		}
	}
	if got := alarms(t, w); covered != 1 || len(got) != 0 {
		t.Errorf("%d covered, alarms %v", covered, got)
	}
}
