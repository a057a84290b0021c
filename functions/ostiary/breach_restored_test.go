package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
)

// TestRestoredRecipients: a recipient is known by what records call her, whatever her channels and whoever else has her
// address; of a page that the store lost nobody is taken for one that it has.
func TestRestoredRecipients(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	named := func(kind, value string) string { return record.Commitment([]byte(key), kind, value) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{"evidence_key":"` + key + `","tracks":[{"id":"nord"},{"id":"sud"}]}`
		if strings.Contains(r.URL.Path, "/deliveries") {
			answer = fmt.Sprintf(`{"deliveries":[{"id":"d0","tenant":"nord","recipient":%q,"progress":"doubtful","ways":["webhook https://hooks.example/in"]},{"id":"d1","tenant":"sud","recipient":%[1]q,"progress":"lost","ways":["mail dpo@both.example"]}]}`,
				named("recipient", "dpo@both.example"))
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	words := &sentWords{map[[4]string]*sentWord{}, map[[2]string]*sentNotice{}}
	hear := func(facts map[string]string, subjects ...record.Subject) {
		r := record.Record{Control: cases.Control, Kind: record.Breach, Facts: facts, Subjects: append(subjects, record.Subject{Type: "case", C: named("case", "c")})}
		r.Source.Observed = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		words.hear(r)
	}
	hear(map[string]string{"event": "notice_handed", "notice": "1", "handed": "4"})
	for _, tenant := range []string{"nord", "sud"} {
		hear(map[string]string{"event": "delivery_arrived", "notice": "1"},
			record.Subject{Type: "tenant", C: named("tenant", tenant)}, record.Subject{Type: "recipient", C: named("recipient", "dpo@both.example")})
	}
	found := &afterRestore{}
	c := &connection{url: server.URL}
	one := listedBreach{}
	one.ID, one.Number = "c", "B-1"
	if err := c.compareCase(t.Context(), one, words, found); err != nil {
		t.Fatal(err)
	}
	if len(found.Left) != 3 {
		t.Fatalf("%d are left", len(found.Left))
	}
	for _, u := range found.Left[:2] {
		if want := map[string]string{"nord": "d0 doubtful", "sud": "d1 lost"}[u.Tenant]; u.Delivery+" "+u.Store != want || u.Log != "arrived" {
			t.Errorf("%+v", u)
		}
	}
	if u := found.Left[2]; found.Left[0].Tenant == found.Left[1].Tenant || u.Count != 2 || u.Store != absent || u.Log != "handed" {
		t.Errorf("%+v", u)
	}
}
