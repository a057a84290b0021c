package promise

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// proof is what the ledger keeps of a record. Times are Unix milliseconds; 0 is none.
type proof struct {
	Index   int64        `json:"i"`
	ID      string       `json:"id"`
	Kind    record.Kind  `json:"k"`
	At      int64        `json:"t"`
	Expires int64        `json:"x,omitempty"`
	State   record.State `json:"s"` // Kept, Broken or Unknown: what the record says, whatever word it uses
	Beyond  bool         `json:"b,omitempty"`
	Said    bool         `json:"a,omitempty"` // it rests on what people state, and on no measurement
	Whole   bool         `json:"w,omitempty"` // a population was counted, and all of it seen
	Needs   bool         `json:"n,omitempty"` // a run that proves nothing without a measurement
	Measure *Measure     `json:"m,omitempty"`
	Hash    string       `json:"h,omitempty"` // of the text a statement signs
	Role    policy.Role  `json:"r,omitempty"`

	by policy.Mechanism // whose record it is
}

func proofOf(index int64, r record.Record) proof {
	p := proof{
		Index: index, ID: r.ID(), Kind: r.Kind, At: when(r), State: outcome(r),
		by: mechanism(r), Said: r.Result.State == record.Attested, Whole: r.Population != nil && r.Population.Errors == 0 && r.Population.Seen >= r.Population.Expected,
	}
	p.Needs = r.Facts[record.Needs] == string(record.Observation)
	if !r.Expires.IsZero() {
		p.Expires = r.Expires.UnixMilli()
	}
	if r.Result.Metric != "" {
		p.Measure = &Measure{Metric: r.Result.Metric, Value: new(r.Result.Value), Op: r.Result.Op, Limit: r.Result.Limit}
		// A record may not call a number kept that its own limit forbids.
		if !p.Measure.holds() && p.State == record.Kept {
			p.State, p.Beyond = record.Broken, true
		}
		p.Beyond = p.Beyond || !p.Measure.holds() && p.State == record.Broken
	}
	return p
}

// when is the time a record proves something for: when it happened, but never later than it was learnt of.
func when(r record.Record) int64 {
	collected := r.Source.Collected.UnixMilli()
	if r.Source.Observed.IsZero() {
		return collected
	}
	return min(r.Source.Observed.UnixMilli(), collected)
}

// outcome reduces the words of a result to three: Kept, Broken, Unknown. What is not said is Unknown.
func outcome(r record.Record) record.State {
	if p := r.Population; p != nil && (p.Errors > 0 || p.Seen < p.Expected) && r.Kind != record.Finding {
		return record.Unknown
	}
	switch r.Result.State {
	case record.Kept, record.Pass, record.Exempt, record.Attested:
		return record.Kept
	case record.Inherited, record.Excepted:
		// What others vouch for, and what is waived, is nothing a check has seen.
		if r.Kind == record.Attestation || r.Kind == record.Waiver {
			return record.Kept
		}
	case record.Broken, record.Violation:
		return record.Broken
	case "":
		// These two say it by being there: a run that its whole population was seen, a remediation that it is done.
		if r.Kind == record.Run || r.Kind == record.Remediation {
			return record.Kept
		}
	}
	return record.Unknown
}

func (m Measure) holds() bool {
	if m.Value == nil {
		return false // a damaged store: nothing that is folded lacks it
	}
	switch value := *m.Value; m.Op {
	case "<":
		return value < m.Limit
	case "<=":
		return value <= m.Limit
	case "==":
		return value == m.Limit
	case ">=":
		return value >= m.Limit
	case ">":
		return value > m.Limit
	}
	return true
}

// few is the least count of persons that is told: a smaller one might say who.
const few = 5

// persons are the units that count persons.
var persons = []string{"persons", "people", "users", "employees", "accounts"}

// masked is the number as everybody may read it. The state was decided by the exact one.
func (m *Measure) masked() *Measure {
	if m == nil || m.Value == nil || *m.Value >= few || !slices.Contains(persons, m.Metric[strings.LastIndexByte(m.Metric, '_')+1:]) {
		return m
	}
	return &Measure{Metric: m.Metric, Below: few, Op: m.Op, Limit: m.Limit}
}

func (p proof) evidence() Evidence { return Evidence{p.Index, p.ID, p.Kind, at(p.At)} }

// newer reports whether p supersedes q. At equal times the worse one does, so that the order in which records of one
// instant reached the log cannot turn a promise good.
func (p proof) newer(q proof) bool {
	switch {
	case p.At != q.At:
		return p.At > q.At
	case rank(p.State) != rank(q.State):
		return rank(p.State) < rank(q.State)
	case p.Said != q.Said:
		return p.Said
	case p.Expires != q.Expires:
		return p.Expires < q.Expires
	}
	return p.Index > q.Index && p.ID != q.ID
}

// keep puts p in its place unless what is there is newer.
func keep(in *map[string]proof, key string, p proof) {
	if *in == nil {
		*in = map[string]proof{}
	}
	if q, there := (*in)[key]; !there || p.newer(q) {
		(*in)[key] = p
	}
}

// end returns from when on the log counts as stopped.
func (s sealed) end() int64 { return s.At + (log.Interval + log.Grace).Milliseconds() }

// Limits of how long evidence counts, whatever it claims for itself.
const (
	longestBeat      = 40 * 24 * time.Hour         // a heartbeat
	defaultBeat      = 30 * time.Minute            // a heartbeat that names no end: a quarter hour, and as much grace
	longestProof     = 400 * 24 * time.Hour        // an observation, a drill, a certificate
	longestStatement = 367 * 24 * time.Hour        // 366 days, to the end of the last one
	defaultHeal      = 24 * time.Hour              // how long a gap tells against a promise without max_age
	longestWaiver    = 90*24*time.Hour + time.Hour // 90 days by a clock that may be set back on the way
	allowedSkew      = 5 * time.Minute             // between the clocks of who records and who computes
)

// until returns when a proof ends, in Unix milliseconds: as it says, at most longest after it was made.
func (p proof) until(longest time.Duration) int64 {
	most := p.At + longest.Milliseconds()
	if p.Expires == 0 || p.Expires > most {
		return most
	}
	return p.Expires
}
