package oncall_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/oncall"
	"ostiary.internal/shared/calendar"
)

// random makes a table that is in order, of up to three rotations with covers and exceptions.
func random(t *testing.T, r *rand.Rand) oncall.Table {
	t.Helper()
	zones := []string{"", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", "Atlantic/Azores"}
	everybody := []string{"ana", "ben", "cem"}
	var f oncall.File
	for i := range 1 + r.IntN(3) {
		one := oncall.Rotation{ID: fmt.Sprint(i), From: calendar.Day{Year: 2025, Month: 12, Day: 1 + r.IntN(28)}}
		one.HandOver.At, one.HandOver.Zone = fmt.Sprintf("%02d:%02d", r.IntN(24), 30*r.IntN(2)), zones[r.IntN(len(zones))]
		one.Every = []calendar.Period{{}, {Days: 1}, {Days: 3}, {Days: 28}, {Clock: 12 * time.Hour}, {Clock: 6 * time.Hour}}[r.IntN(6)]
		for range 1 + r.IntN(4) {
			one.People = append(one.People, everybody[r.IntN(3)])
		}
		if r.IntN(3) == 0 {
			one.Holidays.People = everybody[:1+r.IntN(3)]
		}
		f.Rotations = append(f.Rotations, one)
		from := time.Date(2026, 1, 1, 0, r.IntN(300*24*60), 0, 0, time.UTC)
		f.Overrides = append(f.Overrides, oncall.Override{Rotation: one.ID, From: from.Format(time.RFC3339), To: from.Add(time.Duration(1+r.IntN(5000)) * time.Minute).Format(time.RFC3339), Person: everybody[r.IntN(3)]})
	}
	return read(t, f)
}

// seeds is how often a property is tried.
func seeds() uint64 {
	if os.Getenv("OSTIARY_SOAK") != "" {
		return 1000
	}
	return 25
}

// TestTurnsAreWhatAtSays: the turns of weeks follow each other without a gap or an overlap, the same people are on call all
// through each of them, nobody who has left, and always somebody.
func TestTurnsAreWhatAtSays(t *testing.T) {
	t.Parallel()
	p := load(t)
	for seed := range seeds() {
		r := rand.New(rand.NewPCG(seed, 7))
		table := random(t, r)
		from := time.Date(2025, 12, 15+r.IntN(340), 0, 0, r.IntN(86400), 0, time.UTC)
		to := from.AddDate(0, 0, 25)
		end := from
		for _, turn := range table.Turns(from, to) {
			if !turn.From.Equal(end) || !turn.To.After(turn.From) || len(turn.People) == 0 {
				t.Fatalf("seed %d: %+v after %s", seed, turn, end)
			}
			end = turn.To
			within := turn.From.Add(time.Duration(r.Int64N(int64(turn.To.Sub(turn.From)))))
			for _, at := range []time.Time{turn.From, within, turn.To.Add(-time.Nanosecond)} {
				if got := table.At(at); !slices.Equal(got, turn.People) {
					t.Fatalf("seed %d: %s: %v, and %v in the turn %+v", seed, at, got, turn.People, turn)
				}
				for _, id := range turn.People {
					if one, known := p.PersonByID(id); !known || !one.Active(at) {
						t.Fatalf("seed %d: %s has left by %s", seed, id, at)
					}
				}
			}
		}
		if !end.Equal(to) {
			t.Fatalf("seed %d: the turns end at %s", seed, end)
		}
	}
}

// TestHandOversKeepTheLocalTime: turn after turn, whatever the clocks do, begins when they show the time it is written for, or
// the first time after one they skip; nobody's turn is left out.
func TestHandOversKeepTheLocalTime(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		r := rand.New(rand.NewPCG(seed, 8))
		zones := []string{"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"}
		name, minute := zones[r.IntN(len(zones))], r.IntN(24*60)
		hhmm := fmt.Sprintf("%02d:%02d", minute/60, minute%60)
		zone, err := calendar.Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		people, from := []string{"ana", "ben"}, time.Date(2026, time.Month(3+r.IntN(2)*6), 1+r.IntN(10), 0, 0, 0, 0, time.UTC) // clocks change within
		turns := table(t, people, func(one *oncall.Rotation) {
			one.HandOver.Day, one.HandOver.At, one.HandOver.Zone, one.Every = "", hhmm, name, calendar.Period{Days: 1}
		}).Turns(from, from.AddDate(0, 0, 50))
		if len(turns) < 50 || len(turns) > 51 {
			t.Errorf("seed %d: %d turns in 50 days", seed, len(turns))
		}
		for i, turn := range turns[1:] {
			begins := turn.From.In(zone)
			before := turn.From.Add(-time.Second).In(zone).Format("15:04")
			skipped := begins.Format("15:04") != hhmm && before < hhmm && begins.Format("15:04") > hhmm || minute == 0 && before == "23:59"
			if turn.People[0] == turns[i].People[0] || begins.Format("15:04") != hhmm && !skipped {
				t.Errorf("seed %d: %s in %s begins at %s", seed, hhmm, name, begins)
			}
		}
	}
}
