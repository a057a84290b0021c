package page

import (
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
)

// Strip is the picture of the last days: a bar for each, above the line where the promise held, below it where it did
// not or nobody could tell. A reader who sees no colours reads the same from height and side.
type Strip struct {
	Width, Height, Line int
	Bars                []Bar
	From, To            string // the first and the last day
	Says                string // the same in words
}

// Bar is all days of one state, as the path of an SVG.
type Bar struct{ State, Path string }

// Of the picture: a day is wide, and the line has room above for what held and below for what did not.
const (
	dayWidth = 4
	line     = 13
	height   = 26
)

// bars gives each letter of a history its state and where its bar begins and ends, from the top.
var bars = map[byte]struct {
	state     record.State
	from, end int
}{
	'k': {record.Kept, 2, line - 1}, 'i': {record.Inherited, 5, line - 1}, 'a': {record.Attested, 5, line - 1}, 'e': {record.Excepted, 8, line - 1},
	'u': {record.Unknown, line + 1, line + 5}, 's': {promise.Stale, line + 1, line + 8}, 'b': {record.Broken, line + 1, height},
}

// mostRuns is how many spans of days the words tell before they sum up.
const mostRuns = 8

// strip draws a history. One that cannot be read is drawn as nothing recorded.
func (w words) strip(h promise.History) Strip {
	s := Strip{Width: dayWidth * len(h.Days), Height: height, Line: line}
	from, err := time.Parse(time.DateOnly, h.From)
	if err != nil || strings.Trim(h.Days, "-") == "" {
		s.Says = w.Text("strip.none")
		return s
	}
	s.From, s.To = w.shortDay(from), w.shortDay(from.AddDate(0, 0, len(h.Days)-1))
	paths, days, runs := map[record.State]string{}, map[record.State]int64{}, map[record.State][]string{}
	for i := 0; i < len(h.Days); {
		end := i + 1
		for end < len(h.Days) && h.Days[end] == h.Days[i] {
			end++
		}
		if bar, known := bars[h.Days[i]]; known {
			paths[bar.state] += "M" + strconv.Itoa(i*dayWidth) + " " + strconv.Itoa(bar.from) + "h" + strconv.Itoa((end-i)*dayWidth) + "v" + strconv.Itoa(bar.end-bar.from) + "H" + strconv.Itoa(i*dayWidth) + "z"
			days[bar.state] += int64(end - i)
			runs[bar.state] = append(runs[bar.state], w.run(from.AddDate(0, 0, i), from.AddDate(0, 0, end-1)))
		}
		i = end
	}
	s.tell(w, paths, days, runs)
	return s
}

func (s *Strip) tell(w words, paths map[record.State]string, days map[record.State]int64, runs map[record.State][]string) {
	var says []string
	for _, state := range shown {
		if days[state] == 0 {
			continue
		}
		s.Bars = append(s.Bars, Bar{string(state), paths[state]})
		said := w.counted("strip.days", days[state]) + " " + w.Text("strip."+string(state))
		if spans := runs[state]; state != record.Kept && len(spans) <= mostRuns {
			said += " (" + strings.Join(spans, ", ") + ")"
		}
		says = append(says, said)
	}
	s.Says = w.Text("strip.says", s.From, s.To, strings.Join(says, "; "))
}

// run writes a span of days.
func (w words) run(from, to time.Time) string {
	if from.Equal(to) {
		return w.shortDay(from)
	}
	return w.Text("strip.run", w.shortDay(from), w.shortDay(to))
}
