package record

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// maxInteger is the largest integer every JSON reader keeps exactly (RFC 7493, section 2.2).
const maxInteger = 1<<53 - 1

const maxFacts = 32

// isWord reports whether s may stand in a record: a code or a name. An e-mail address has an @, which no word has; and a
// word is no address of a network by itself, nor one with a port or a prefix. That is a net for mistakes, not a proof:
// an address inside a longer word, such as ip:192.0.2.1, passes. Whoever makes a record must not put one there.
func isWord(s string) bool {
	if !wordForm.MatchString(strings.TrimPrefix(s, "-")) { // a minus, for numbers among the facts
		return false
	}
	if !strings.ContainsAny(s, ".:") {
		return true // no address of a network
	}
	host, _, _ := strings.Cut(s, "/")
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	_, err := netip.ParseAddrPort(host)
	return err != nil
}

// check returns the first field that may not stand in a record. It expects the normal form. Values are not named:
// what is wrong about them may be that they are private.
func (r Record) check() error {
	var wrong string
	test := func(field string, ok bool) {
		if wrong == "" && !ok {
			wrong = field
		}
	}
	optional := func(s string, is form) bool { return s == "" || is.MatchString(s) }

	test("kind", slices.Contains(kinds, r.Kind))
	test("control", isWord(r.Control))
	test("promises", !slices.ContainsFunc(r.Promises, func(id string) bool { return !isWord(id) }))
	test("promise_text", optional(r.PromiseText, digestForm))
	test("code", optional(r.Code, digestForm))
	test("config", optional(r.Config, digestForm))
	test("source.type", r.Source.Type == "" || isWord(r.Source.Type))
	test("source.event", digestForm.MatchString(r.Source.Event))
	test("source.observed", validTime(r.Source.Observed))
	test("source.collected", validTime(r.Source.Collected) && !r.Source.Collected.IsZero())
	test("method", r.Method == "" || slices.Contains([]Method{Test, Examine, Interview}, r.Method))
	test("window", validTime(r.Window.From) && validTime(r.Window.To) && r.Window.From.IsZero() == r.Window.To.IsZero() && !r.Window.To.Before(r.Window.From))
	test("run", r.Run >= 0 && r.Run <= maxInteger)
	if p := r.Population; p != nil {
		test("population", count(p.Expected) && count(p.Seen) && count(p.Errors))
	}
	test("payload", r.Payload == Payload{} || count(r.Payload.Bytes) && (digestForm.MatchString(r.Payload.C) || commitmentForm.MatchString(r.Payload.C)))
	test("expires", validTime(r.Expires))
	for _, s := range r.Subjects {
		test("subjects", isWord(s.Type) && commitmentForm.MatchString(s.C))
	}
	for _, ref := range r.Refs {
		test("refs", isWord(ref.Rel) && idForm.MatchString(ref.ID))
	}
	test("facts", len(r.Facts) <= maxFacts)
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		test("facts", factNameForm.MatchString(name) && isWord(r.Facts[name]))
	}
	if wrong == "" {
		wrong = r.Result.wrong()
	}
	if wrong != "" {
		return fault.New(fault.Invalid, "record of %s: %s is not of the allowed form", kindName(r.Kind), wrong)
	}
	return nil
}

// wrong returns the member of a result that may not stand so, or "".
func (r Result) wrong() string {
	switch {
	case r.State == "" && r != (Result{}), r.State != "" && !slices.Contains(states, r.State):
		return "result.state"
	case r.Metric != "" && !isWord(r.Metric):
		return "result.metric"
	case r.Op != "" && (r.Metric == "" || !slices.Contains(ops, r.Op)):
		return "result.op"
	case !integer(r.Value) || r.Metric == "" && r.Value != 0:
		return "result.value"
	case !integer(r.Limit) || r.Op == "" && r.Limit != 0:
		return "result.limit"
	}
	return ""
}

// kindName keeps an unknown kind, which may be any text, out of errors.
func kindName(k Kind) string {
	if slices.Contains(kinds, k) {
		return "kind " + string(k)
	}
	return "unknown kind"
}

func integer(n int64) bool { return n >= -maxInteger && n <= maxInteger }

func count(n int64) bool { return n >= 0 && n <= maxInteger }

// validTime accepts no time, or one of the years that four digits write.
func validTime(t time.Time) bool { return t.IsZero() || t.Year() >= 1970 && t.Year() <= 9999 }
