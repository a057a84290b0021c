package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
)

// crash are words that a program writes to its log when it is at its end, or nearly.
var crash = regexp.MustCompile(`panic: |http: panic|fatal error: |DATA RACE|goroutine [0-9]+ \[`)

// left looks at what the process leaves: its logs.
func (r *run) left() error {
	for life := 1; life <= r.child.lives; life++ {
		data, err := os.ReadFile(r.child.logFile(life))
		if err != nil {
			return fmt.Errorf("reading a log: %w", err)
		}
		at := crash.FindIndex(data)
		r.oracle.holds(answersWhole, at == nil, "the log of life %d tells of a crash: %s", life, around(data, at))
		r.oracle.private(fmt.Sprintf("the log of life %d", life), data)
	}
	for _, l := range r.loads {
		if l, leaves := l.(interface{ forgotten() error }); leaves {
			if err := l.forgotten(); err != nil {
				return err
			}
		}
	}
	return nil
}

// words are those by which somebody's data is known where it must not stand: names, addresses people sit at, users of
// customers, words of a notice.
var words = []string{surname, "ottokar", "canary0", "81.2.7", "2a02:6b8:7", "@mail.example", "an export lay open", "labels are missing"}

// private: nobody's data stands in a text that is public, or kept for long.
func (o *oracle) private(what string, data []byte) {
	lower := bytes.ToLower(data)
	for _, word := range words {
		if i := bytes.Index(lower, []byte(word)); i >= 0 {
			o.holds(nothingPersonal, false, "%s holds %q: %s", what, word, around(data, []int{i, i + len(word)}))
			return
		}
	}
	o.holds(nothingPersonal, true, "")
}

// around is a text with what stands beside it, to be shown.
func around(data []byte, at []int) []byte {
	if at == nil || at[0] < 0 {
		return nil
	}
	return data[max(0, at[0]-200):min(len(data), at[1]+600)]
}
