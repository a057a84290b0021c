package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// sorted are the keys of a map, in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// report is what a run came to.
type report struct {
	Seed       uint64          `json:"seed"`
	On         string          `json:"on"`
	Seconds    float64         `json:"seconds_of_work"`
	Rounds     int             `json:"rounds"`
	Kills      int             `json:"kills"`
	Moved      string          `json:"clock_moved"`
	Records    int             `json:"records"`
	Load       []reportLoad    `json:"load"`
	Faults     map[string]int  `json:"faults_injected"`
	Counts     map[string]int  `json:"done"`
	Invariants []reportChecked `json:"invariants"`
	Folder     string          `json:"folder,omitempty"` // kept where something was violated
	Error      string          `json:"error,omitempty"`  // why the run ended early
}

// reportLoad is one kind of load.
type reportLoad struct {
	Kind      string  `json:"kind"`
	Answered  int     `json:"answered"`
	PerSecond float64 `json:"per_second"`
	Refused   int     `json:"refused"`
	Later     int     `json:"unavailable"`
	Lost      int     `json:"unanswered"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
}

// reportChecked is one invariant.
type reportChecked struct {
	Invariant string   `json:"invariant"`
	Checks    int      `json:"checks"`
	Violated  []string `json:"violated,omitempty"`
}

// tell makes the report of a run.
func (r *run) tell(err error, faults map[string]int) report {
	t := report{Seed: r.seed, On: r.on, Seconds: r.work.Seconds(), Rounds: r.round, Kills: r.child.kills, Moved: r.moved.Round(time.Minute).String(), Records: len(r.log.records), Faults: faults, Counts: map[string]int{}}
	for _, kind := range r.meter.names() {
		k := r.meter.of(kind)
		ms := func(share float64) float64 { return float64(r.meter.percentile(kind, share).Microseconds()) / 1000 }
		t.Load = append(t.Load, reportLoad{kind, k.Answered, float64(k.Answered) / max(r.work.Seconds(), 1), k.Refused, k.Later, k.Lost, ms(0.5), ms(0.99)})
	}
	for _, l := range r.loads {
		if l, counts := l.(interface{ counts() map[string]int }); counts {
			maps.Copy(t.Counts, l.counts())
		}
	}
	for i := range invariants {
		t.Invariants = append(t.Invariants, reportChecked{invariantTexts[i], r.oracle.checks[i], r.oracle.broken[i]})
	}
	if err != nil {
		t.Error = err.Error()
	}
	t.Folder = r.keep(err)
	return t
}

// write prints it as tables.
func (t report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(t)
	}
	fmt.Fprintf(w, "seed %d, on %s: %.0f s of work in %d rounds, %d kills, the clock moved by %s, %d records\n\n", t.Seed, t.On, t.Seconds, t.Rounds, t.Kills, t.Moved, t.Records)
	fmt.Fprintf(w, "| load | answered | a second | refused | unavailable | unanswered | p50 ms | p99 ms |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, l := range t.Load {
		fmt.Fprintf(w, "| %s | %d | %.1f | %d | %d | %d | %.1f | %.1f |\n", l.Kind, l.Answered, l.PerSecond, l.Refused, l.Later, l.Lost, l.P50, l.P99)
	}
	fmt.Fprintf(w, "\n| done | times |\n| --- | ---: |\n")
	for _, name := range sorted(t.Counts) {
		fmt.Fprintf(w, "| %s | %d |\n", name, t.Counts[name])
	}
	fmt.Fprintf(w, "\n| fault | injected |\n| --- | ---: |\n")
	for _, name := range sorted(t.Faults) {
		fmt.Fprintf(w, "| %s | %d |\n", name, t.Faults[name])
	}
	fmt.Fprintf(w, "\n| invariant | looked at | violated |\n| --- | ---: | ---: |\n")
	for _, i := range t.Invariants {
		fmt.Fprintf(w, "| %s | %d | %d |\n", i.Invariant, i.Checks, len(i.Violated))
	}
	for _, i := range t.Invariants {
		for _, v := range i.Violated[:min(maxShown, len(i.Violated))] {
			fmt.Fprintf(w, "\nVIOLATED: %s\n  %s\n", i.Invariant, v)
		}
	}
	if t.Error != "" {
		fmt.Fprintf(w, "\nThe run ended early: %s\n", t.Error)
	}
	if t.Folder != "" {
		fmt.Fprintf(w, "\nEverything is kept in %s\n", t.Folder)
	}
	return nil
}
