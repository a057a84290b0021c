package clock

import (
	"slices"
	"time"
)

// Marks are the parts of a clock's time, in percent, at which people are told. The last of them is 100.
var marks = []int{25, 50, 75, 90, 100}

// Marks returns them.
func Marks() []int { return slices.Clone(marks) }

// Said is how much of a clock people were told of. It is stored with the clock.
type Said struct {
	Mark  int       `json:"mark,omitempty"`  // highest one that was told
	Hours int       `json:"hours,omitempty"` // whole ones overdue that were told
	For   time.Time `json:"for,omitzero"`    // Target they were told for: what lies ahead of another is told again
}

// Alarm is what people are told now.
type Alarm struct {
	Mark   int   // of Marks; 100 when it is over
	Hours  int   // whole hours overdue
	Missed []int // marks that passed unsaid meanwhile, as after a downtime: they are listed, not told one by one
}

// Due says what is to be told of a clock, nil for nothing, and what will have been said then. However long nobody looked, it
// is one alarm, of the highest mark. After 100 percent it is one each hour, while the clock is overdue. A clock that
// was met, stopped, or has no hours is silent. When the start is corrected, marks that passed for the old one are not
// repeated, and those the new one has passed are told at once.
func Due(c Clock, said Said, now time.Time) (*Alarm, Said) {
	if c.Status != Running && c.Status != Overdue {
		return nil, said
	}
	if !said.For.Equal(c.Target) {
		said = Said{Mark: min(said.Mark, passed(c, now)), For: c.Target}
	}
	mark := passed(c, now)
	hours := 0
	if c.Status == Overdue {
		hours = int(now.Sub(c.Target) / time.Hour)
	}
	if mark <= said.Mark && hours <= said.Hours {
		return nil, said
	}
	a := &Alarm{Mark: max(mark, said.Mark), Hours: hours}
	for _, m := range marks {
		if m > said.Mark && m < mark {
			a.Missed = append(a.Missed, m)
		}
	}
	said.Mark, said.Hours = max(mark, said.Mark), hours
	return a, said
}

// passed is the highest mark that has passed, 0 for none.
func passed(c Clock, now time.Time) (highest int) {
	whole, gone := c.Target.Sub(c.Start), now.Sub(c.Start)
	for _, m := range marks {
		if gone >= part(whole, m) {
			highest = m
		}
	}
	return highest
}

// part is so many percent of a length, which may be centuries.
func part(whole time.Duration, percent int) time.Duration {
	return whole/100*time.Duration(percent) + whole%100*time.Duration(percent)/100
}

// Next returns when Due has something to tell, now or later; zero for never, as things stand.
func Next(c Clock, said Said, now time.Time) time.Time {
	alarm, said := Due(c, said, now)
	switch {
	case alarm != nil:
		return now
	case c.Status == Overdue:
		return c.Target.Add(time.Duration(int(now.Sub(c.Target)/time.Hour)+1) * time.Hour)
	case c.Status != Running:
		return time.Time{}
	}
	whole := c.Target.Sub(c.Start)
	for _, m := range marks {
		if at := c.Start.Add(part(whole, m)); m > said.Mark && at.After(now) {
			return at
		}
	}
	return c.Target.Add(time.Hour) // all is said until it is an hour overdue
}
