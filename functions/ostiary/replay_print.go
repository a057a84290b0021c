package main

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
	replaying "ostiary.internal/shared/watch/rule/replay"
)

// replayTable prints one line of CSV for each entry. What is blind only the end of the logs tells, and it is said before
// the first line: the lines wait in a file until then.
type replayTable struct {
	out, err io.Writer
	waiting  *os.File
	buffer   *bufio.Writer
	lines    *csv.Writer
}

func newReplayTable(out, err io.Writer) (*replayTable, error) {
	waiting, failed := os.CreateTemp("", "ostiary-replay-*.csv")
	if failed != nil {
		return nil, fmt.Errorf("making room for the rows: %w", failed)
	}
	buffer := bufio.NewWriterSize(waiting, 64<<10)
	t := &replayTable{out: out, err: err, waiting: waiting, buffer: buffer, lines: csv.NewWriter(buffer)}
	_ = t.lines.Write([]string{"file", "line", "alarm", "rule", "class", "severity"}) // end tells an error of any line
	return t, nil
}

func (t *replayTable) row(r replaying.Row) error {
	alarm := "no"
	if r.Alarm {
		alarm = "yes"
	}
	return t.lines.Write([]string{r.File, strconv.Itoa(r.Line), alarm, r.Rule, r.Class, string(r.Severity)})
}

func (t *replayTable) end(r replaying.Result, j judge) error {
	for _, b := range blindOf(r, j) {
		fmt.Fprintln(t.err, b)
	}
	t.lines.Flush()
	err := errors.Join(t.lines.Error(), t.buffer.Flush())
	if err == nil {
		_, err = t.waiting.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(t.out, t.waiting)
	}
	if err != nil {
		return fmt.Errorf("printing the rows: %w", err)
	}
	return nil
}

// close takes the rows that waited away.
func (t *replayTable) close() {
	_ = t.waiting.Close()
	_ = os.Remove(t.waiting.Name())
}

// blindness is a stream that never appeared, and the rules that need it.
type blindness struct {
	Service string          `json:"service"`
	Stream  auditlog.Stream `json:"stream"`
	Rules   []string        `json:"rules"`
}

func (b blindness) String() string {
	if b.Service == "" {
		return fmt.Sprintf("blind: no entry of stream %s; if it is off, these see nothing: %s", b.Stream, strings.Join(b.Rules, ", "))
	}
	return fmt.Sprintf("blind: no entry of %s, stream %s; if it is off, these see nothing: %s", b.Service, b.Stream, strings.Join(b.Rules, ", "))
}

// blindOf returns the streams that rules need and no entry was of.
func blindOf(r replaying.Result, j judge) []blindness {
	all := []blindness{}
	for _, need := range j.set.Blind(func(service string, stream auditlog.Stream) bool {
		need := rule.Need{Service: service, Stream: stream}
		for seen := range r.Streams {
			if need.Met(seen.Service, seen.Stream) {
				return true
			}
		}
		return false
	}) {
		all = append(all, blindness{Service: need.Service, Stream: need.Stream, Rules: need.Rules})
	}
	return all
}

// Alarms that a report lists; the table lists every one.
const (
	listedAlarms = 10_000
	shownAlarms  = 100
)

// replayReport prints what is blind, counts by rule and alarms, for a person or as JSON.
type replayReport struct {
	out    io.Writer
	asJSON bool
	alarms []alarmRow
	more   int
}

type alarmRow struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Time     string `json:"time,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Class    string `json:"class"`
	Severity string `json:"severity"`
	Actor    string `json:"actor,omitempty"`
	Call     string `json:"call,omitempty"`
	Why      string `json:"why,omitempty"`
}

func (p *replayReport) row(r replaying.Row) error {
	switch {
	case !r.Alarm:
		return nil
	case len(p.alarms) >= listedAlarms:
		p.more++
		return nil
	}
	row := alarmRow{File: r.File, Line: r.Line, Rule: r.Rule, Class: r.Class, Severity: string(r.Severity), Actor: r.Actor, Call: r.Call, Why: r.Why}
	if !r.Time.IsZero() {
		row.Time = r.Time.UTC().Format(time.RFC3339)
	}
	p.alarms = append(p.alarms, row)
	return nil
}

// ruleCount is how often one rule alarmed.
type ruleCount struct {
	Rule     string `json:"rule"`
	Class    string `json:"class"`
	Severity string `json:"severity"`
	Alarms   int    `json:"alarms"`
}

func countsOf(r replaying.Result, set *rule.Set) []ruleCount {
	counts := []ruleCount{}
	for name, n := range r.Rules {
		one, _ := set.Rule(name)
		counts = append(counts, ruleCount{Rule: name, Class: one.Alarm.Class, Severity: string(one.Alarm.Severity), Alarms: n})
	}
	slices.SortFunc(counts, func(a, b ruleCount) int { return cmp.Or(cmp.Compare(b.Alarms, a.Alarms), cmp.Compare(a.Rule, b.Rule)) })
	return counts
}

// replaySummary is a report as JSON; what is blind stands first.
type replaySummary struct {
	Blind       []blindness `json:"blind"`
	Entries     int         `json:"entries"`
	Undecodable int         `json:"undecodable"`
	Ignored     int         `json:"ignored"`
	Alarms      int         `json:"alarms"`
	Partial     int         `json:"partial"`
	Late        int         `json:"late"`
	Shadow      int         `json:"shadow"`
	Rules       []ruleCount `json:"rules"`
	Listed      []alarmRow  `json:"listed"`
	NotListed   int         `json:"not_listed"`
}

func (p *replayReport) end(r replaying.Result, j judge) error {
	if p.asJSON {
		return printJSON(p.out, replaySummary{
			Blind: blindOf(r, j), Entries: r.Entries, Undecodable: r.Undecodable, Ignored: r.Ignored, Alarms: r.Alarms, Partial: r.Partial, Late: r.Late, Shadow: r.Shadow,
			Rules: countsOf(r, j.set), Listed: append([]alarmRow{}, p.alarms...), NotListed: p.more,
		})
	}
	w := bufio.NewWriter(p.out)
	p.human(w, r, j)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

func (p *replayReport) human(w io.Writer, r replaying.Result, j judge) {
	for _, b := range blindOf(r, j) {
		fmt.Fprintln(w, b)
	}
	fmt.Fprintf(w, "%d entries, %d undecodable, %d alarms of %d rules\n", r.Entries, r.Undecodable, r.Alarms, len(slices.Collect(maps.Keys(r.Rules))))
	if r.Ignored > 0 {
		fmt.Fprintf(w, "%d lines of mixed logs were none that a mapping reads\n", r.Ignored)
	}
	if r.Partial > 0 {
		fmt.Fprintf(w, "%d entries came in parts, and not all of them: what needs the others is undetermined\n", r.Partial)
	}
	if r.Late > 0 {
		fmt.Fprintf(w, "%d entries stood too far from their place in time: sort the logs by time, or windows may be judged wrongly\n", r.Late)
	}
	for _, c := range countsOf(r, j.set) {
		fmt.Fprintf(w, "%7d  %-8s  %s (%s)\n", c.Alarms, c.Severity, c.Rule, c.Class)
	}
	for i, a := range p.alarms {
		if i == shownAlarms {
			fmt.Fprintf(w, "and %d more: --csv lists every entry\n", len(p.alarms)-i+p.more)
			return
		}
		fmt.Fprintf(w, "%s:%d: %s\n", a.File, a.Line, strings.Join(slices.DeleteFunc([]string{a.Time, a.Severity, a.Rule, a.Class, a.Actor, a.Call, a.Why}, func(s string) bool { return s == "" }), "  "))
	}
}
