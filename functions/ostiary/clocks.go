package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
)

// clocksArgs is what follows "ostiary clocks".
const clocksArgs = "--regime ID --aware RFC3339 [--classified RFC3339] [--submitted RFC3339] [--hours N] [--zone Z] [--country CC] [--exempt] [--json]"

// clockRow is the answer as JSON. Target and outer are missing where there are no hours, or what starts them has not
// happened; status says which.
type clockRow struct {
	ID      string        `json:"id"`
	Target  time.Time     `json:"target,omitzero"` // by which everything is measured
	Outer   time.Time     `json:"outer,omitzero"`  // for information
	Status  clock.Status  `json:"status"`
	Binding clock.Binding `json:"binding"`
	Law     string        `json:"law"`
}

// clocks computes by when whom is to be told of a breach. It needs neither a policy nor data.
func clocks(_ context.Context, t terminal, args []string) int {
	var ids []string
	for _, r := range clock.Rows() {
		ids = append(ids, r.ID)
	}
	id := t.flags.String("regime", "", "clock to compute: "+strings.Join(ids, ", "))
	aware := t.flags.String("aware", "", "when somebody was reasonably certain, or the instant that starts the clock, RFC 3339 with its offset")
	classified := t.flags.String("classified", "", "when it was classified as a major incident (dora_init)")
	submitted := t.flags.String("submitted", "", "when the report before was submitted (cnil_followup, nis2_final, dora_inter, dora_final)")
	var f clock.Facts
	t.flags.IntVar(&f.Hours, "hours", 0, "hours the contract gives (contract)")
	zone := t.flags.String("zone", "", "time zone of whoever has the duty, such as Europe/Paris (default: the offset of the time given)")
	t.flags.StringVar(&f.Country, "country", "", "country whose public holidays count where weekends do")
	t.flags.BoolVar(&f.Exempt, "exempt", false, "no move from weekends: a credit institution, a central counterparty, a trading venue and the like")
	asJSON := t.flags.Bool("json", false, "print the clock as JSON, times in UTC")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if *id == "" || *aware == "" {
		t.flags.Usage()
		return exitUsage
	}
	r, known := clock.RowOf(*id)
	if !known {
		return t.usage("--regime: %.40q is not known; use one of: %s", *id, strings.Join(ids, ", "))
	}
	if err := clockFacts(&f, r, *aware, *classified, *submitted, *zone); err != nil {
		return t.usage("%v", err)
	}
	c, err := clock.Of(r, f, f.At[clock.Aware])
	if err != nil {
		return t.usage("--hours: a contract gives 1 to %d", clock.MaxHours)
	}
	if *asJSON {
		encoder := json.NewEncoder(t.out)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(clockRow{c.ID, c.Target, c.Outer, c.Status, c.Binding, r.Law})
	} else {
		_, err = io.WriteString(t.out, tellClock(r, c, f))
	}
	if err != nil {
		return t.fail(err)
	}
	return exitGood
}

// clockFacts fills in the instants: the one of --aware starts every clock that does not wait for another.
func clockFacts(f *clock.Facts, r clock.Row, aware, classified, submitted, zone string) error {
	start, err := instant("aware", aware)
	if err != nil {
		return err
	}
	f.At = map[clock.Start]time.Time{clock.Aware: start}
	if r.Start != clock.Classified && r.Start != clock.Submitted {
		f.At[r.Start] = start
	}
	if f.At[clock.Classified], err = instant("classified", classified); err != nil {
		return err
	}
	report, err := instant("submitted", submitted)
	if err != nil {
		return err
	}
	if !report.IsZero() && r.Start != clock.Submitted {
		return fmt.Errorf("--submitted: %s waits for no report; leave it out", r.ID)
	}
	f.Submitted = map[string]time.Time{r.After: report}
	for name, at := range map[string]time.Time{"classified": f.At[clock.Classified], "submitted": report} {
		if !at.IsZero() && at.Before(start) {
			return fmt.Errorf("--%s: lies before --aware", name)
		}
	}
	f.Zone = start.Location()
	if zone != "" {
		if f.Zone, err = calendar.Zone(zone); err != nil {
			return fmt.Errorf("--zone: %w; write it as Europe/Paris", err)
		}
	}
	if _, known := calendar.HolidaysOf(f.Country); f.Country != "" && !known {
		return fmt.Errorf("--country: there is no calendar of %.20q; use one of: %s, none", f.Country, strings.Join(calendar.Countries(), ", "))
	}
	return nil
}

// tellClock says by when, of what law, and what the answer is not.
func tellClock(r clock.Row, c clock.Clock, f clock.Facts) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	moment := func(at time.Time) string { return at.In(f.Zone).Format("Monday 2006-01-02 15:04:05 -07:00") }
	switch {
	case c.Status == clock.Waiting:
		line("Not running: it starts with the report of %s; give --submitted", r.After)
	case c.Target.IsZero() && r.HasHours():
		line("Without undue delay: the contract names no hours; give --hours where it does")
	case c.Target.IsZero():
		line("Without undue delay: the law gives no hours")
	default:
		line("%s", moment(c.Target))
		if !c.Outer.IsZero() {
			line("  outer      %s, by Regulation 1182/71, article 3(1): for information", moment(c.Outer))
		}
	}
	line("")
	line("  who tells  %s", r.Who)
	line("  whom       %s", r.To)
	line("  by         %s (%s)", r.Law, c.Binding)
	line("  note       %s", r.Note)
	if !r.Certain {
		line("  unproven   this row is from general knowledge: read the law before you rely on it")
	}
	if today := calendar.Date(f.At[clock.Aware], f.Zone); !r.InForce(today) {
		line("  warning    not in force on %s", today)
	}
	line("")
	line("Hours are elapsed time: nights, weekends and holidays count. This is arithmetic, not legal advice: whether a notice")
	line("is due, and since when somebody was aware, is for you to say.")
	return b.String()
}
