package decideerasure

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/planerasure"
	"ostiary.internal/functions/erasure/runerasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/testdata/policies"
)

// TestAnotherRegion: what lies in another region is left alone and keeps the request open, until a person says on the desk what was
// done there. The receipt names the entry, her word and its reference, and the person reads that it is a word.
func TestAnotherRegion(t *testing.T) {
	t.Parallel()
	text, err := policies.FS.ReadFile("sharedcontacts/datamap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	at := "  - id: sessions\n    store: firestore://{project}/contacts-{region}\n    place: tenants/{tenant}/sessions\n    region: europe-west1\n"
	away := strings.Replace(string(text), at, "  - id: sessions\n    store: firestore://{project}/sessions-us\n    place: tenants/{tenant}/sessions\n    region: us-west1\n", 1)
	away = strings.Replace(away, "identifiers:\n", "regions: [europe-west1]\nidentifiers:\n", 1)
	w := erasuretest.New(t, map[string]string{datamap.File: away}, Function, planerasure.Function, runerasure.Function)
	id := w.Ask("planerasure", erasuretest.Nord).ID
	path := "/v1/requests/" + id
	desk := func(method, path string, body any) (whole Whole) {
		t.Helper()
		w.Call(t, call(w.World, simone, method, path, body)).Want(t, 200, "").Decode(t, &whole)
		return whole
	}
	w.Pass("planerasure", 5*time.Minute, time.Minute)
	planned := desk("GET", path, nil)
	if !slices.Contains(planned.Doubts, "blind") {
		t.Fatalf("%s: %v", planned.State, planned.Doubts)
	}
	desk("POST", path+"/approve", Approval{planned.PlanDigest})
	w.Pass("planerasure", 5*time.Minute, time.Minute)
	asked := []request.Open{{Entry: "sessions", Why: request.Region}}
	if got := desk("GET", path, nil); got.State != "partial" || !slices.Equal(got.OpenEntries, asked) {
		t.Fatalf("%s, open %+v", got.State, got.OpenEntries)
	}
	said := w.Clock.Now().UTC().Truncate(time.Second)
	desk("POST", path+"/reviewed", Reviewed{Entry: "sessions", Why: request.Region, Reference: "receipt-77"})
	w.Pass("planerasure", 5*time.Minute, time.Minute)
	if got := desk("GET", path, nil); got.State != "completed_with_retention" || len(got.OpenEntries) > 0 {
		t.Fatalf("%s, open %+v", got.State, got.OpenEntries)
	}
	signed, err := (&receipt.Book{Store: w.Raw("erasure")}).File(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := receipt.Parse(signed)
	want := receipt.Settled{At: said, Entry: "sessions", Reference: "receipt-77", Why: receipt.Elsewhere}
	if got := receipt.Verify(signed, w.Trust); err != nil || got.Outcome != verify.Good || r.State != receipt.Retained || len(r.Settled) != 1 || r.Settled[0] != want {
		t.Errorf("%v, %+v: %s %+v", err, got, r.State, r.Settled)
	}
	if last := r.Verify[len(r.Verify)-1]; last.Searched != int64(len(r.Entries))-1 {
		t.Errorf("%d of %d entries searched", last.Searched, len(r.Entries))
	}
	letters := 0
	for key, letter := range w.Letters() {
		if strings.HasPrefix(key, "dsr/"+id+"/retained/") {
			letters++
			if !strings.Contains(letter.Text, "sessions") || !strings.Contains(letter.Text, "receipt-77") {
				t.Errorf("the letter does not say whose word it rests on:\n%s", letter.Text)
			}
		}
	}
	if letters != 1 {
		t.Errorf("%d letters", letters)
	}
	page := w.Call(t, call(w.World, simone, "GET", "/"+id+"?lang=de", nil)).Want(t, 200, "")
	says(t, string(page.Body), "Von Menschen geklärt", "in der anderen Region gelöscht")
}
