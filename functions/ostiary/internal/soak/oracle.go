package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"
)

// invariant is something that must be true whatever happens.
type invariant int

// The invariants.
const (
	codeOnce invariant = iota
	addressByLease
	alarmOnce
	noticeOnce
	erasedGone
	logWhole
	statesFollow
	nothingStuck
	nothingPersonal
	answersWhole
	invariants
)

var invariantTexts = [invariants]string{
	codeOnce:        "no code was accepted twice",
	addressByLease:  "every address at a door has a live lease, and every live lease its address at each door",
	alarmOnce:       "each episode has one alarm and one record; none is lost, doubled or unplanned",
	noticeOnce:      "no customer was told twice, and each was told",
	erasedGone:      "of who was erased nothing is found; her twin is whole",
	logWhole:        "the log is verified, and holds what was answered, once",
	statesFollow:    "the states on the trust page are those that follow from the log",
	nothingStuck:    "nothing is stuck: outbox, bus, dead letters, locks",
	nothingPersonal: "nobody's data stands in records, log lines or addresses of pages",
	answersWhole:    "no answer was an error of the program, and every refusal says what to do",
}

// maxShown is how many violations of one invariant are printed.
const maxShown = 8

// oracle holds what was found against what must be true. It is safe for concurrent use.
type oracle struct {
	seed uint64
	step func() string // where the run is

	mu     sync.Mutex
	checks [invariants]int
	broken [invariants][]string
	quiet  bool // nothing is printed
}

// holds notes that an invariant was looked at, and says so where it does not hold.
func (o *oracle) holds(i invariant, good bool, format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checks[i]++
	if good {
		return
	}
	step := ""
	if o.step != nil {
		step = o.step()
	}
	text := fmt.Sprintf("seed %d, %s: %s", o.seed, step, fmt.Sprintf(format, args...))
	o.broken[i] = append(o.broken[i], text)
	if n := len(o.broken[i]); n <= maxShown && !o.quiet {
		fmt.Fprintf(os.Stderr, "VIOLATED: %s\n  %s\n", invariantTexts[i], text)
	}
}

// violations counts what does not hold.
func (o *oracle) violations() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, all := range o.broken {
		n += len(all)
	}
	return n
}

// answer looks at what came back, and returns the code of a refusal.
func (o *oracle) answer(k call, header http.Header, a answer) string {
	crashed := a.status == http.StatusInternalServerError || a.status == http.StatusNotImplemented
	o.holds(answersWhole, !crashed, "%s %s answers %s", k.method, k.path, a)
	if a.status < 400 {
		return ""
	}
	p, wrong := wholeProblem(header, a)
	o.holds(answersWhole, wrong == "", "%s %s answers a problem that is not whole (%s): %s", k.method, k.path, wrong, a)
	return p.Code
}
