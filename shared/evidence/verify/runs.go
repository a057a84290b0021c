package verify

import (
	"fmt"
	"maps"
	"slices"
)

// Bounds of what is remembered of runs, so that a hostile log does not fill the memory.
const (
	maxControls = 10_000
	maxGaps     = 1_000 // of one control
)

// Gap is a span of runs of a control that no record was found of. Alone it is no fault of the log: the promises that
// control keeps are unknown meanwhile, and the page says so.
type Gap struct {
	Control string `json:"control"`
	From    int64  `json:"from"`
	To      int64  `json:"to"` // inclusive
}

func (g Gap) String() string { return fmt.Sprintf("%s %d-%d", g.Control, g.From, g.To) }

// runs remembers the runs of each control. Records of one batch enter the log in any order, so a run may come later
// than the next one.
type runs struct {
	controls map[string]*sequence
	cut      bool // there was more than fits
}

type sequence struct {
	highest int64
	missing []Gap // by From
}

// saw notes a run. A rule and a check may bear one name: the mechanisms of a control number their runs apart.
func (r *runs) saw(control, mechanism string, run int64) {
	own := control + " " + mechanism
	s := r.controls[own]
	if s == nil {
		if len(r.controls) == maxControls {
			r.cut = true
			return
		}
		s = &sequence{}
		r.controls[own] = s
	}
	s.saw(control, run)
	if len(s.missing) > maxGaps {
		s.missing, r.cut = s.missing[:maxGaps], true
	}
}

func (s *sequence) saw(control string, run int64) {
	if run > s.highest {
		if run > s.highest+1 {
			s.missing = append(s.missing, Gap{control, s.highest + 1, run - 1})
		}
		s.highest = run
		return
	}
	at := slices.IndexFunc(s.missing, func(g Gap) bool { return g.From <= run && run <= g.To })
	if at < 0 {
		return // a run that was recorded twice
	}
	var left []Gap
	if g := s.missing[at]; g.From < run {
		left = append(left, Gap{control, g.From, run - 1})
	}
	if g := s.missing[at]; run < g.To {
		left = append(left, Gap{control, run + 1, g.To})
	}
	s.missing = slices.Replace(s.missing, at, at+1, left...)
}

// gaps lists what stayed missing, by control, and whether that may not be all.
func (r *runs) gaps() (all []Gap, cut bool) {
	for _, own := range slices.Sorted(maps.Keys(r.controls)) {
		all = append(all, r.controls[own].missing...)
	}
	return all[:min(len(all), maxGaps)], r.cut || len(all) > maxGaps
}
