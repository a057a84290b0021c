package local

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/disk"
	"ostiary.internal/shared/trust/promise"
)

// midnight is the beginning of the day on which the lives of these tests begin.
var midnight = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// Whenever a sample life begins, every scene lies within it and is played once, and the same things happen as in a life
// that begins at midnight.
func TestScenesOfEveryHour(t *testing.T) {
	t.Parallel()
	for _, company := range []string{"labelsync", "sharedcontacts", "bookafy", "bepark", "baseline"} {
		t.Run(company, func(t *testing.T) {
			t.Parallel()
			w := trust(t, filepath.Join(t.TempDir(), "data"), company, begin)
			var want []string
			for quarter := range 4 * 24 {
				p := played{From: midnight.Add(time.Duration(quarter) * lifeStep), Days: fortnight}
				stops, err := p.stops(w.scenes(p))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, step := range slices.Sorted(maps.Keys(stops)) {
					for _, s := range stops[step] {
						if at := p.From.Add(time.Duration(step) * lifeStep); s.at.After(at) || !s.at.After(at.Add(-lifeStep)) {
							t.Fatalf("%s at %s is played at %s", s.name, s.at, at)
						}
						// What programs send each day goes on to the end, which is not on the same hour.
						if hour := s.at.Sub(firstDay(p.From)); hour < 13*day && s.name != "the mark of a sample" {
							got = append(got, fmt.Sprint(hour, " ", s.name))
						}
					}
				}
				if slices.Sort(got); quarter == 0 {
					want = got
				}
				if len(got) < 10 || !slices.Equal(got, want) {
					t.Fatalf("a life from %s has %d scenes, one from midnight %d", p.From.Format(time.TimeOnly), len(got), len(want))
				}
			}
		})
	}
}

// A scene outside of the life is an error: left out in silence, its state would be missing from the page.
func TestSceneOutside(t *testing.T) {
	t.Parallel()
	p := played{From: midnight, Days: 1}
	for _, at := range []time.Duration{-time.Second, day + time.Second} {
		if _, err := p.stops([]scene{{at: midnight.Add(at), name: "the statement for L01"}}); err == nil || !strings.Contains(err.Error(), "the statement for L01") {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, at := range []time.Duration{0, time.Second, day} {
		if stops, err := p.stops([]scene{{at: midnight.Add(at)}}); err != nil || len(stops) != 1 {
			t.Errorf("%s: %v, %v", at, stops, err)
		}
	}
}

// Whenever a sample life begins, its end shows statements that are in force and such as nobody renewed.
func TestStatementsOfEveryHour(t *testing.T) {
	t.Parallel()
	for hour := range 24 {
		t.Run(fmt.Sprint(hour), func(t *testing.T) {
			t.Parallel()
			p := played{From: midnight.Add(time.Duration(hour) * time.Hour), Days: fortnight}
			w := trust(t, filepath.Join(t.TempDir(), "data"), "labelsync", p.From.Add(-time.Minute))
			stops, err := p.stops(w.scenes(p))
			if err != nil {
				t.Fatal(err)
			}
			for _, p.Step = range slices.Sorted(maps.Keys(stops)) {
				if p.Step < p.last() && !slices.ContainsFunc(stops[p.Step], func(s scene) bool { return strings.HasPrefix(s.name, "the statement") }) {
					continue
				}
				if refused, err := w.playStep(disk.PutOff(t.Context()), p, stops[p.Step]); err != nil || len(refused) > 0 {
					t.Fatal(refused, err)
				}
			}
			told := httptest.NewRecorder()
			w.Handler().ServeHTTP(told, httptest.NewRequest(http.MethodGet, "http://localhost/trustpage/v1/promises.json", http.NoBody))
			var page promise.Snapshot
			if err := json.Unmarshal(told.Body.Bytes(), &page); err != nil || page.Counts[record.Attested] == 0 || page.Counts[promise.Stale] == 0 {
				t.Errorf("the page tells of %v, %v", page.Counts, err)
			}
		})
	}
}
