package local

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/disk"
	"ostiary.internal/shared/trust/promise"
)

// never are the states that a published policy cannot have.
var never = map[string]record.State{"labelsync": record.Inherited} // it promises nothing that a provider's certificate keeps

// TestSevenStates: after the sample life of every published policy its page shows promises in each of the seven states it can
// have. Of the stops between the scenes only midnights are played: what the schedules do at the others changes nothing that
// a state depends on in the end.
func TestSevenStates(t *testing.T) {
	t.Parallel()
	for _, company := range []string{"labelsync", "sharedcontacts", "bookafy", "bepark"} {
		t.Run(company, func(t *testing.T) {
			t.Parallel()
			w := trust(t, filepath.Join(t.TempDir(), "data"), company, begin)
			life := played{V: 1, State: lifePlaying, From: begin.Truncate(lifeStep).Add(lifeStep), Days: fortnight}
			stops, err := life.stops(w.scenes(life))
			if err != nil {
				t.Fatal(err)
			}
			for ; life.Step <= life.last(); life.Step++ {
				if at := life.at(); len(stops[life.Step]) == 0 && !at.Equal(at.Truncate(day)) && life.Step < life.last() {
					continue
				}
				if refused, err := w.playStep(disk.PutOff(t.Context()), life, stops[life.Step]); err != nil || len(refused) > 0 {
					t.Fatalf("at %s: %v, %v", life.at(), refused, err)
				}
			}
			told := httptest.NewRecorder()
			w.Handler().ServeHTTP(told, httptest.NewRequest(http.MethodGet, "http://localhost/trustpage/v1/promises.json", http.NoBody))
			var page promise.Snapshot
			if err := json.Unmarshal(told.Body.Bytes(), &page); err != nil {
				t.Fatal(err)
			}
			for _, state := range promise.States() {
				if (page.Counts[state] == 0) != (state == never[company]) {
					t.Errorf("promises that are %s: %d, of %v", state, page.Counts[state], page.Counts)
				}
			}
		})
	}
}
