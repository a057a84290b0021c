package calendar

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Mode says what waiting for the person does to the time limit of her request, where her identity was in doubt and she
// was asked without undue delay (GDPR, article 12(6)).
type Mode string

// The modes. The first is the careful one; the second is how the EDPB reads it (Guidelines 01/2022, section 5.3).
const (
	ModeNone    Mode = "none"    // nothing
	ModePause   Mode = "pause"   // the days waited are added
	ModeRestart Mode = "restart" // the time begins with the answer, as some users in the United Kingdom count
)

// Span is a time of waiting: From the day of the question to To, the day of the answer.
type Span struct{ From, To Day }

// Terms are what the time limit of a request follows from.
type Terms struct {
	Received time.Time      // when the request arrived, through whatever channel; of a processor, at the controller
	Zone     *time.Location // where the controller is established: decides which day that was
	Country  string         // the country where action is taken, as HolidaysOf knows it
	Extend   bool           // by two further months, for a reason, told within the first (GDPR, article 12(3))
	Pause    []Span         // in order; of no effect with ModeNone
	Mode     Mode           // "" is ModeNone
}

// Due is the time limit of a request. Each day counts to its end, 24:00 in Terms.Zone: Day.End.
type Due struct {
	Due          Day // the last day by law
	Conservative Day // one month from receipt, whatever else: to work and to be alarmed by
	Raw          Day // the last day of the period, be it a working day or not
	// By when an extension has to be told, if there is one: by law, and without what moves the end.
	NoticeBy, NoticeConservative Day
	Alarms                       []Day // 10, 5 and 2 days before Conservative
	// Warning says in English what the calendar does not know; "" for nothing. Without a calendar Due is Raw; where the
	// year is beyond the data, weekends alone were passed over. Either way Due is not later than the law allows.
	Warning string
}

// alarmDays are how long before Conservative somebody is told.
var alarmDays = []int{10, 5, 2}

// Art12 computes the time limit of GDPR article 12(3): one month from receipt, three when extended. The day of receipt is
// not counted, a period in months ends with the same-numbered day, or the last of the month, and an end that is no
// working day is moved to the next (Regulation (EEC, Euratom) 1182/71, article 3(1), (2)(c) and (4)). Holidays within the
// period change nothing. It does not say when erasure itself is due, which is without undue delay (article 17(1)), and is
// no legal advice. Errors: no zone, an unknown mode, times of waiting that are out of order or begin outside the period.
func Art12(t Terms) (Due, error) {
	if t.Zone == nil || t.Received.IsZero() {
		return Due{}, errors.New("computing a time limit: the time of receipt or its zone is missing")
	}
	received := Date(t.Received, t.Zone)
	months := 1
	if t.Extend {
		months = 3
	}
	raw, err := lastDay(received, months, t)
	if err != nil {
		return Due{}, err
	}
	due := Due{Due: raw, Raw: raw, Conservative: AddMonths(received, 1)}
	due.NoticeBy, due.NoticeConservative = noticeDay(received, t), due.Conservative
	if h, ok := HolidaysOf(t.Country); ok {
		due.Due, due.NoticeBy = NextWorkingDay(raw, h), NextWorkingDay(due.NoticeBy, h)
		due.Warning = doubt(h, due.NoticeBy, raw, due.Due)
	} else {
		due.Warning = fmt.Sprintf("no calendar of the country %.20q: the day is not moved where it is a weekend or a holiday there", t.Country)
	}
	for _, days := range alarmDays {
		due.Alarms = append(due.Alarms, AddDays(due.Conservative, -days))
	}
	return due, nil
}

// lastDay is the end of a period that began on the day of receipt, moved by the times of waiting.
func lastDay(received Day, months int, t Terms) (Day, error) {
	end, earliest := AddMonths(received, months), received
	switch t.Mode {
	case "", ModeNone:
		return end, nil
	case ModePause, ModeRestart:
	default:
		return Day{}, fmt.Errorf("computing a time limit: %.20q is not a way of counting; it is none, pause or restart", t.Mode)
	}
	for _, s := range t.Pause {
		switch {
		case s.From.Before(earliest) || s.To.Before(s.From):
			return Day{}, fmt.Errorf("computing a time limit: waiting from %s to %s is not in order, or began before the request arrived", s.From, s.To)
		case end.Before(s.From):
			return Day{}, fmt.Errorf("computing a time limit: waiting from %s began when the time was over, on %s", s.From, end)
		}
		earliest = s.To
		if t.Mode == ModeRestart {
			end = AddMonths(s.To, months)
		} else {
			end = AddDays(end, s.length())
		}
	}
	return end, nil
}

// noticeDay is the end of the first month, moved by what waiting began in it: an extension is told by then.
func noticeDay(received Day, t Terms) Day {
	for n := range t.Pause {
		first := t
		first.Pause = t.Pause[:len(t.Pause)-n]
		if end, err := lastDay(received, 1, first); err == nil {
			return end
		}
	}
	return AddMonths(received, 1)
}

// length is how many days the span adds.
func (s Span) length() int { return int((s.To.wall() - s.From.wall()) / daySeconds) }

// doubt says which years the calendar knows, where the year of a day is none of them.
func doubt(h Holidays, days ...Day) string {
	if !slices.ContainsFunc(days, func(d Day) bool { return !h.knows(d.Year) }) {
		return ""
	}
	since, until := h.Vouched()
	return fmt.Sprintf("the holidays of %s are known from %d to %d: beyond, the day is moved where it is a weekend, not where it is a holiday", h.Country(), since, until)
}
