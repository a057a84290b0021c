package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
)

// deadlineArgs is what follows "ostiary deadline".
const deadlineArgs = "--received RFC3339 --zone Z --country CC [--extend] [--pause FROM,TO] [--json]"

// deadlineRow is the answer as JSON: dates YYYY-MM-DD, each to the end of that day in the zone that was asked for. What
// follows the first three stands there only where there is something to say.
type deadlineRow struct {
	Due          calendar.Day  `json:"due"`
	Conservative calendar.Day  `json:"due_conservative"`
	Raw          calendar.Day  `json:"raw"`
	NoticeBy     *calendar.Day `json:"notice_by,omitempty"` // of an extension: by when the person is told of it
	Warning      string        `json:"warning,omitempty"`
}

// countryForm is two letters, or the calendar without holidays.
var countryForm = regexp.MustCompile(`^([A-Z]{2}|none)$`)

// deadline computes by when a person's request has to be answered. It needs neither a policy nor data.
func deadline(_ context.Context, t terminal, args []string) int {
	received := t.flags.String("received", "", "when the request arrived, RFC 3339 with its offset; of a processor, when it reached the controller")
	zone := t.flags.String("zone", "", "time zone of the controller's establishment, such as Europe/Paris: decides which day that was")
	terms := calendar.Terms{Mode: calendar.ModePause}
	t.flags.StringVar(&terms.Country, "country", "", "country where action is taken: "+strings.Join(calendar.Countries(), ", ")+" (UK for GB), or none for weekends alone")
	t.flags.BoolVar(&terms.Extend, "extend", false, "the time was extended by two further months, for a reason, and the person told within the first")
	asJSON := t.flags.Bool("json", false, "print the dates as JSON")
	t.flags.Func("pause", "days of question and answer, YYYY-MM-DD,YYYY-MM-DD, where her identity was in doubt; may be repeated", func(text string) error {
		span, err := parseSpan(text)
		terms.Pause = append(terms.Pause, span)
		return err
	})
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if *received == "" || *zone == "" || terms.Country == "" {
		t.flags.Usage()
		return exitUsage
	}
	var err error
	if terms.Received, err = instant("received", *received); err != nil {
		return t.usage("%v", err)
	}
	if terms.Zone, err = calendar.Zone(*zone); err != nil {
		return t.usage("--zone: %v; write it as Europe/Paris", err)
	}
	if !countryForm.MatchString(terms.Country) {
		return t.usage("--country: %.20q is not two capital letters such as DE, nor none", terms.Country)
	}
	due, err := calendar.Art12(terms)
	if err != nil {
		return t.usage("%v", err)
	}
	if err := printDeadline(t.out, terms, due, *asJSON); err != nil {
		return t.fail(err)
	}
	return exitGood
}

func parseSpan(text string) (calendar.Span, error) {
	from, to, _ := strings.Cut(text, ",")
	var s calendar.Span
	var err error
	if s.From, err = calendar.ParseDay(from); err != nil {
		return s, err
	}
	s.To, err = calendar.ParseDay(to)
	return s, err
}

func printDeadline(out io.Writer, terms calendar.Terms, due calendar.Due, asJSON bool) error {
	if !asJSON {
		_, err := io.WriteString(out, tellDeadline(terms, due))
		return err
	}
	row := deadlineRow{Due: due.Due, Conservative: due.Conservative, Raw: due.Raw, Warning: due.Warning}
	if terms.Extend {
		row.NoticeBy = &due.NoticeBy
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(row)
}

// tellDeadline says the day, then how it was found, what it rests on, and what it is not.
func tellDeadline(terms calendar.Terms, due calendar.Due) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s, valid until 24:00 in %s (%s)", long(due.Due), terms.Zone, due.Due.End(terms.Zone).Format(time.RFC3339))
	line("")
	received := calendar.Date(terms.Received, terms.Zone)
	line("  received   %s there; that day is not counted", long(received))
	period := "one month"
	if terms.Extend {
		period = "three months"
	}
	for _, s := range terms.Pause {
		period += fmt.Sprintf(", and the days from %s to %s", s.From, s.To)
	}
	line("  period     %s: ends on %s", period, long(due.Raw))
	h, known := calendar.HolidaysOf(terms.Country)
	for d := due.Raw; d != due.Due; d = calendar.AddDays(d, 1) {
		why := d.Weekday().String()
		if name, is := h.Is(d); is {
			why = name
		}
		line("  moved      %s is no working day: %s", d, why)
	}
	if terms.Extend {
		line("  extension  the person is told of it, with the reasons, by %s", long(due.NoticeBy))
	}
	line("  plan by    %s: one month from receipt, not moved by anything; alarms on %s", due.Conservative, joinDays(due.Alarms))
	if since, until := h.Vouched(); known && until > 0 {
		source, scope := h.Basis()
		line("  holidays   %s, known from %d to %d, checked on %s", h.Country(), since, until, h.Checked())
		line("  by law     %s", source)
		line("  scope      %s", scope)
	}
	if due.Warning != "" {
		line("  warning    %s", due.Warning)
	}
	line("")
	line("Counted by GDPR article 12(3) and Regulation (EEC, Euratom) 1182/71, article 3. This is arithmetic, not legal advice:")
	line("erasure itself is due without undue delay (article 17(1)), and whether an extension or a pause is justified is for you to say.")
	return b.String()
}

func long(d calendar.Day) string { return d.Weekday().String() + " " + d.String() }

func joinDays(days []calendar.Day) string {
	texts := make([]string, len(days))
	for i, d := range days {
		texts[i] = d.String()
	}
	return strings.Join(texts, ", ")
}
