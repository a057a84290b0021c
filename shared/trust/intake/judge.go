package intake

import (
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// report is what an event means, whatever promise it is about.
type report struct {
	at         time.Time            // when what it tells of happened; zero: when the event did
	facts      map[string]time.Time // the same by check, where that is another time
	passed     bool                 // what it says by itself
	population *record.Population
	metric     string // the number it says so by; may be empty
	value      int64
	unless     string   // where a promise limits this parameter, the measure decides in place of passed
	scope      []string // what it covers: of each scope the newest event counts, and the worst of them decides
	silent     bool     // it proves and breaks nothing
	person     string   // e-mail address of whom it names
	personal   bool     // it is about her: a duty of hers may be done by it
	about      []string // what a duty would call it
	target     string   // what a request, or a duty that nobody asks for, would call it besides
	request    request
	until      time.Time         // records of it count no longer than that; zero: no end
	labels     map[string]string // words by which a promise may choose among events of the type, by parameter
	measures   []measure         // numbers that promises limit
}

// request says whether an event answers what somebody asked for.
type request string

const (
	whatever request = ""        // its type does not tell
	asked    request = "asked"   // it does: it counts for requests alone
	unasked  request = "unasked" // it does not: it counts for none
)

// measure is a number that promises may limit by one of several parameters.
type measure struct {
	params []string
	metric string
	op     string // how value has to stand to the limit where the parameter does not say
	// read returns the number and the limit in its unit. known is false where either cannot be told.
	read func(policy.Param) (value, limit int64, known bool)
}

// held is a measure's number beside the limit a parameter sets.
func held(value func() (int64, bool), limit func(policy.Param) (int64, bool)) func(policy.Param) (int64, int64, bool) {
	return func(p policy.Param) (int64, int64, bool) {
		l, readable := limit(p)
		v, known := value()
		return v, l, readable && known
	}
}

// fact is when what a check is told of happened; "" stands for the event itself.
func (in incoming) fact(check string) time.Time {
	for _, at := range []time.Time{in.report.facts[check], in.report.at} {
		if !at.IsZero() {
			return at
		}
	}
	return in.event.Time
}

// lacks are the parameters of a promise that an event of a kind says nothing about, sorted.
func (r report) lacks(k kind, params map[string]policy.Param) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(params)), func(name string) bool {
		label, chosen := r.labels[name]
		return k.paces(name) || slices.ContainsFunc(r.measures, func(m measure) bool { return slices.Contains(m.params, name) }) ||
			chosen && slices.Contains(params[name].Values, label)
	})
}

// judge says what an event means for one promise: the worst of what it says by itself and of every number the promise
// limits. Whatever cannot be told is Unknown. What is broken is broken, though not everything was looked at: the
// population is then left out, as it would make the record say Unknown.
func judge(r report, params map[string]policy.Param) (record.Result, *record.Population) {
	result := record.Result{State: record.Kept, Metric: r.metric, Value: r.value}
	if _, limited := params[r.unless]; !r.passed && !limited {
		result.State = record.Broken
	}
	limited := false
	for _, m := range r.measures {
		measured, applies := m.judge(params)
		if !applies {
			continue
		}
		if first := !limited && result.State == record.Kept; worse(measured.State, result.State) || first && measured.State == record.Kept {
			result, limited = measured, true
		}
	}
	if p := r.population; p == nil || p.Errors == 0 && p.Seen >= p.Expected {
		return result, p
	}
	if result.State == record.Broken {
		return result, nil
	}
	result.State = record.Unknown
	return result, r.population
}

// judge compares a measure with the promise's parameter; applies is false where the promise has none for it.
func (m measure) judge(params map[string]policy.Param) (result record.Result, applies bool) {
	for _, name := range m.params {
		p, there := params[name]
		if !there {
			continue
		}
		value, limit, known := m.read(p)
		if !known {
			return record.Result{State: record.Unknown}, true
		}
		op := m.op
		if p.Op != "" {
			op = p.Op
		}
		result = record.Result{State: record.Broken, Metric: m.metric, Value: value, Op: op, Limit: limit}
		if op == "<=" && value <= limit || op == ">=" && value >= limit || op == "==" && value == limit {
			result.State = record.Kept
		}
		return result, true
	}
	return result, false
}

// worse orders the states that matter here: Broken, Unknown, Kept.
func worse(a, b record.State) bool {
	order := []record.State{record.Broken, record.Unknown, record.Kept}
	return slices.Index(order, a) < slices.Index(order, b)
}

func known(n int64) func() (int64, bool) {
	return func() (int64, bool) { return n, true }
}

// given is a value that an event may leave out.
func given(n *int64) func() (int64, bool) {
	return func() (int64, bool) {
		if n == nil {
			return 0, false
		}
		return *n, true
	}
}

// since is the time from an instant that an event may leave out, in seconds.
func since(from *time.Time, at time.Time) func() (int64, bool) {
	return func() (int64, bool) {
		if from == nil {
			return 0, false
		}
		return seconds(at.Sub(*from)), true
	}
}

// covered is how much of what should have been looked at was: all, or it cannot be told what the rest is like.
func covered(expected, seen int64) measure {
	return measure{[]string{"coverage"}, "covered_ppm", ">=", held(func() (int64, bool) { return 1_000_000, expected > 0 && seen >= expected }, share)}
}

// truth is 1 for true: a measure of something that either is so or is not.
func truth(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// seconds rounds up: a limit that was passed by less than a second was passed.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// whole reads a parameter as a whole number.
func whole(p policy.Param) (int64, bool) {
	n, err := p.Int()
	return int64(n), err == nil
}

// length reads a parameter as a period, in seconds; a month counts 28 days, a year 365: what a limit cannot be
// shorter than.
func length(p policy.Param) (int64, bool) {
	period, err := p.Period()
	days := period.Years*365 + period.Months*28 + period.Days
	return int64(days)*86_400 + int64(period.Clock/time.Second), err == nil
}

// days reads a parameter as a period of whole days.
func days(p policy.Param) (int64, bool) {
	n, ok := length(p)
	return n / 86_400, ok
}

var grades = []string{"F", "E", "D", "C", "B", "A-", "A", "A+"}

// grade reads a parameter as a grade.
func grade(p policy.Param) (int64, bool) {
	if len(p.Values) != 1 {
		return 0, false
	}
	n := slices.Index(grades, p.Values[0])
	return int64(n), n >= 0
}

// share reads a parameter such as 99.3%/P30D as parts of a million.
func share(p policy.Param) (int64, bool) {
	if len(p.Values) != 1 {
		return 0, false
	}
	percent, _, ok := strings.Cut(p.Values[0], "%")
	before, after, _ := strings.Cut(percent, ".")
	n, err := strconv.ParseUint(before+(after + "0000")[:max(4, len(after))], 10, 32)
	return int64(n), ok && err == nil && len(after) <= 4 && n <= 1_000_000
}

// over reads the period of a parameter such as 99.3%/P30D, in seconds; 0 when it names none.
func over(p policy.Param) (int64, bool) {
	if len(p.Values) != 1 {
		return 0, false
	}
	_, period, named := strings.Cut(p.Values[0], "/")
	if !named {
		return 0, true
	}
	return length(policy.Param{Values: []string{period}})
}

// perMillion is part of whole in parts of a million, rounded down.
func perMillion(part, whole int64) int64 {
	high, low := bits.Mul64(uint64(part), 1_000_000)
	quotient, _ := bits.Div64(high, low, uint64(whole)) // part <= whole: it fits
	return int64(quotient)
}
