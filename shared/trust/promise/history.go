package promise

import (
	"time"

	"ostiary.internal/shared/evidence/record"
)

// Lengths of the history.
const (
	historyDays = 400 // kept
	stripDays   = 90  // drawn
)

// markFresh is how long a state counts after a page record: the quarter hour to the next one, and a grace. After
// that nobody was watching, and the time is unknown.
const markFresh = 20 * time.Minute

const dayLength = 24 * time.Hour

// day is one day of a promise in UTC: days since 1970, the worst state as its rank, and the milliseconds spent in
// each state, by rank.
type day [9]int64

// mark is the state of a promise at the last page record.
type mark struct {
	State record.State `json:"s"`
	Since int64        `json:"since,omitempty"`
	At    int64        `json:"t"`
}

// mark notes the states of all promises at the time of a page record. One that is not later than the last is
// passed over.
func (l *Ledger) mark(now int64) {
	v := evaluate(l, at(now))
	v.log.At = min(v.log.At, now) // the log may have gone on before it took a late page in: it was alive then
	for _, p := range l.register.Promises {
		e := l.entries[p.ID]
		if e.Mark != nil && now <= e.Mark.At {
			continue
		}
		s := v.status(p.ID)
		e.Days = e.spent(now)
		e.Days = worst(e.Days, now, s.State)
		e.Mark = &mark{s.State, unix(s.Since), now}
		l.changed[piece(p.ID)] = true
	}
}

// spent returns the days with the time since the last mark added up to now. It may reuse the array of e.Days for
// days that are the same.
func (e *entry) spent(now int64) []day {
	days := e.Days
	if e.Mark == nil || now <= e.Mark.At {
		return days
	}
	from := max(e.Mark.At, now-historyDays*dayLength.Milliseconds())
	fresh := min(now, e.Mark.At+markFresh.Milliseconds())
	days = add(days, from, fresh, e.Mark.State)
	return add(days, max(from, fresh), now, record.Unknown)
}

// add counts a span of time under a state, day by day.
func add(days []day, from, to int64, state record.State) []day {
	length := dayLength.Milliseconds()
	for from < to {
		end := min(to, (from/length+1)*length)
		days = worst(days, from, state)
		days[len(days)-1][2+rank(state)] += end - from
		from = end
	}
	return days
}

// worst makes sure the day of an instant is there, and counts a state for its worst one.
func worst(days []day, now int64, state record.State) []day {
	number := now / dayLength.Milliseconds()
	if n := len(days); n == 0 || days[n-1][0] < number {
		days = append(days, day{number, int64(rank(state))})
		if len(days) > historyDays {
			days = append([]day(nil), days[len(days)-historyDays:]...)
		}
	}
	last := &days[len(days)-1]
	last[1] = min(last[1], int64(rank(state)))
	return days
}

// letters of the states in a strip, by rank.
const letters = "buseaik"

// history returns shares and strip of a promise at a time, when it is in a state.
func (e *entry) history(now int64, state record.State) ([]Share, History) {
	today := now / dayLength.Milliseconds()
	days := e.Days
	if e.Mark != nil && now > e.Mark.At {
		copied := append(make([]day, 0, len(days)+2), days...)
		days = worst((&entry{Mark: e.Mark, Days: copied}).spent(now), now, state)
	}
	shares := []Share{{Days: 30, Seconds: map[record.State]int64{}}, {Days: 365, Seconds: map[record.State]int64{}}}
	var sums [2][7]int64
	strip := []byte(noHistory)
	for _, d := range days {
		age := today - d[0]
		for i, share := range shares {
			if age < 0 || age >= int64(share.Days) {
				continue
			}
			for r := range sums[i] {
				sums[i][r] += d[2+r]
			}
		}
		if age >= 0 && age < stripDays {
			strip[stripDays-1-age] = letters[d[1]]
		}
	}
	for i, share := range shares {
		for r, state := range States() {
			if seconds := sums[i][r] / 1000; seconds > 0 {
				share.Seconds[state] = seconds
			}
		}
	}
	first := at((today - stripDays + 1) * dayLength.Milliseconds())
	return shares, History{From: first.Format(time.DateOnly), Days: string(strip)}
}

const noHistory = "------------------------------------------------------------------------------------------"
