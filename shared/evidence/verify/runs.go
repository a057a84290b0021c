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
type runs map[string]*sequence

type sequence struct {
	highest int64
	missing []Gap // by From
}

func (r runs) saw(control string, run int64) {
	s := r[control]
	if s == nil {
		if len(r) == maxControls {
			return
		}
		s = &sequence{}
		r[control] = s
	}
	if run > s.highest {
		if run > s.highest+1 && len(s.missing) < maxGaps {
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

// gaps lists what stayed missing, by control.
func (r runs) gaps() []Gap {
	var all []Gap
	for _, control := range slices.Sorted(maps.Keys(r)) {
		all = append(all, r[control].missing...)
	}
	return all[:min(len(all), maxGaps)]
}
