package local

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/record"
)

// postEvents sends a body to /_local/events, and returns what it answers: how many were accepted, and why by line the others
// were not.
func postEvents(t *testing.T, w *World, body string) (accepted int, why map[int]string) {
	t.Helper()
	told := httptest.NewRecorder()
	if err := w.events(told, httptest.NewRequest(http.MethodPost, "/_local/events?wait=1", strings.NewReader(body))); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Accepted int
		Rejected []struct {
			Line int
			Why  string
		}
	}
	if err := json.Unmarshal(told.Body.Bytes(), &answer); err != nil || told.Code != http.StatusAccepted {
		t.Fatalf("%d %s", told.Code, told.Body)
	}
	why = map[int]string{}
	for _, r := range answer.Rejected {
		why[r.Line] = r.Why
	}
	return answer.Accepted, why
}

func cloudEvent(id, kind, data string) string {
	return `{"specversion":"1.0","id":"` + id + `","source":"//x","type":"` + kind + `","time":"` + begin.Format("2006-01-02T15:04:05Z") + `","data":` + data + `}`
}

// Machine evidence reaches collectevidence as its source would send it; whatever nobody reads is told line by line.
func TestEventsByShape(t *testing.T) {
	t.Parallel()
	w := trust(t, filepath.Join(t.TempDir(), "data"), "bepark", begin)
	scan := func(more string) string {
		return `{"tool":"x","kind":"reputation","target":"www","expected":1,"seen":1,"errors":0,"critical":0,"grade":"A"` + more + `}`
	}
	lines := []struct{ event, why string }{
		{cloudEvent("1", "scan.finished", scan(`,"promises":["P65"]`)), ""},
		{cloudEvent("2", "scan.finished", scan(``)), "several sources"},
		{cloudEvent("3", "scan.finished", scan(`,"promises":["P65","P21"]`)), "no source"},
		{cloudEvent("4", "build.blessed", `{}`), "CloudEvents of this type"},
		{cloudEvent("5", "training.completed", `{"person":"x@bepark.example","course":"first-aid","passed":true}`), "evidence_unbound"},
		{cloudEvent("6", "training.completed", `[]`), "event_invalid"},
		{strings.Replace(cloudEvent("7", "scan.finished", scan(`,"promises":["P65"]`)), `"1.0"`, `"0.3"`, 1), "body_invalid"},
		{cloudEvent("8", "training.completed", `{"person":"x@bepark.example","course":"secure-coding","passed":true}`), ""},
		{`{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","protoPayload":{},"insertId":"x"}`, "watchaudit"},
		{`{"asset":{"name":"//storage.googleapis.com/b"}}`, "without checkdrift"},
		{`{"severity":"INFO","jsonPayload":{}}`, "watchaudit"},
		{`{"hello":1}`, "neither"},
		{`null`, "not an object"},
		{`"text"`, "not an object"},
	}
	var body []string
	wanted := 0
	for _, l := range lines {
		body = append(body, l.event)
		if l.why == "" {
			wanted++
		}
	}
	accepted, why := postEvents(t, w, strings.Join(body, "\n"))
	if accepted != wanted {
		t.Errorf("%d accepted", accepted)
	}
	for i, l := range lines {
		if got := why[i+1]; (got == "") != (l.why == "") || !strings.Contains(got, l.why) {
			t.Errorf("line %d: %q, want %q", i+1, got, l.why)
		}
	}
	// Sent again as an array and as one object it is the same.
	if accepted, _ := postEvents(t, w, "["+lines[0].event+","+lines[7].event+"]"); accepted != 2 {
		t.Errorf("%d of the array", accepted)
	}
	if accepted, _ := postEvents(t, w, lines[0].event); accepted != 1 {
		t.Errorf("%d of the object", accepted)
	}
	all, err := w.evidence.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var receipts [][]string
	for _, data := range all {
		if r, err := record.Parse(data); err == nil && r.Control == "evidence-intake" {
			receipts = append(receipts, r.Promises)
		}
	}
	slices.SortFunc(receipts, slices.Compare)
	if len(receipts) != 2 || !slices.Equal(receipts[0], []string{"P36"}) || !slices.Equal(receipts[1], []string{"P65"}) {
		t.Errorf("received for %v", receipts)
	}
}
