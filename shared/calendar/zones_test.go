package calendar

import (
	"archive/zip"
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/require"
)

// everyZone returns the zones of the tzdata that the Go release embeds, one of each set of links.
func everyZone(t *testing.T) []*time.Location {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.Tool(t, "go", err == nil)
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var zones []*time.Location
	seen := map[string]bool{}
	for _, file := range archive.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		f, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		loc, err := time.LoadLocationFromTZData(file.Name, data)
		if err != nil {
			t.Fatal(err)
		}
		if !seen[string(bytes.TrimSpace(data))] {
			seen[string(bytes.TrimSpace(data))] = true
			zones = append(zones, loc)
		}
	}
	if len(zones) < 300 {
		t.Fatalf("only %d zones", len(zones))
	}
	return zones
}

// transitions returns every instant between the years at which a zone changed something.
func transitions(loc *time.Location, from, to int) []time.Time {
	var all []time.Time
	last := time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC); ; {
		_, end := at.In(loc).ZoneBounds()
		switch {
		case end.IsZero() || end.After(last):
			return all
		case end.After(at):
			all, at = append(all, end), end
		default: // on the last day of a leap year
			at = at.Add(24 * time.Hour)
		}
	}
}

// inEveryZone calls check for each zone, on all processors.
func inEveryZone(t *testing.T, check func(loc *time.Location)) {
	zones := make(chan *time.Location)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for loc := range zones {
				check(loc)
			}
		})
	}
	for _, loc := range everyZone(t) {
		zones <- loc
	}
	close(zones)
	workers.Wait()
}

// TestEndOfDayInEveryZone: the end of the day is the first instant of a later date, and the instant before it still
// has the old one, around every transition ever made and on sampled days from 2000 to 2037.
func TestEndOfDayInEveryZone(t *testing.T) {
	t.Parallel()
	inEveryZone(t, func(loc *time.Location) {
		for _, at := range transitions(loc, 1850, 2038) {
			for _, off := range []time.Duration{-25 * time.Hour, -time.Hour, -time.Nanosecond, 0, 59 * time.Second, 23 * time.Hour} {
				checkEndOfDay(t, at.Add(off), loc)
			}
		}
		step := time.Duration(37*24+5)*time.Hour + 17*time.Minute
		for at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2038; at = at.Add(step) {
			checkEndOfDay(t, at, loc)
		}
	})
}

func checkEndOfDay(t *testing.T, at time.Time, loc *time.Location) {
	end, today := EndOfDay(at, loc), Date(at, loc)
	switch {
	case !end.After(at) || end.Sub(at) > 49*time.Hour:
		t.Errorf("%s: the day of %s ends %s", loc, at.In(loc), end.In(loc))
	case !today.Before(Date(end, loc)):
		t.Errorf("%s: the day of %s ends %s, on no later date", loc, at.In(loc), end.In(loc))
	case today.Before(Date(end.Add(-1), loc)):
		t.Errorf("%s: the day of %s ends %s, but the instant before is of a later date", loc, at.In(loc), end.In(loc))
	}
	for x := at; x.Before(end); x = x.Add(time.Hour) {
		if today.Before(Date(x, loc)) {
			t.Errorf("%s: the day of %s ends %s, after %s", loc, at.In(loc), end.In(loc), x.In(loc))
		}
	}
}

// TestDayEndInEveryZone: a working day ends at the first instant at which the clocks show the time or a later one.
func TestDayEndInEveryZone(t *testing.T) {
	t.Parallel()
	inEveryZone(t, func(loc *time.Location) {
		for _, at := range transitions(loc, 2000, 2038) {
			for _, hhmm := range []string{"00:01", "00:30", "02:15", "03:00", "20:00", "23:59"} {
				checkDayEnd(t, at.Add(-2*time.Hour), loc, hhmm)
				checkDayEnd(t, at.Add(2*time.Hour), loc, hhmm)
			}
		}
	})
}

func checkDayEnd(t *testing.T, at time.Time, loc *time.Location, hhmm string) {
	end, err := DayEnd(at, loc, hhmm)
	if err != nil {
		t.Fatal(err)
	}
	want := Date(at, loc).String() + " " + hhmm
	shown := func(x time.Time) string { return x.In(loc).Format("2006-01-02 15:04") }
	change := offsetAt(end.Unix(), loc) != offsetAt(end.Unix()-1, loc)
	if shown(end) < want || shown(end) > want && !change {
		t.Errorf("%s: until %s is %s", loc, want, shown(end))
	}
	for _, before := range []time.Duration{1, time.Second, 30 * time.Minute, time.Hour, 90 * time.Minute, 3 * time.Hour, 20 * time.Hour} {
		if x := end.Add(-before); shown(x) >= want {
			t.Errorf("%s: until %s is %s, but the clocks showed %s before", loc, want, shown(end), shown(x))
		}
	}
}
