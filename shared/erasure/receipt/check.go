package receipt

import (
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"ostiary.internal/shared/platform/fault"
)

// Bounds of a receipt.
const (
	maxInteger = 1<<53 - 1 // every JSON reader keeps it exactly (RFC 7493, section 2.2)
	maxList    = 1_000
	maxText    = 500
)

var (
	idForm         = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	digestForm     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	commitmentForm = regexp.MustCompile(`^hmac:[a-z2-7]{52}$`)
)

// isText accepts one line of a policy. An address has an @, which no text has.
func isText(s string) bool {
	bad := func(r rune) bool { return r == '@' || r == unicode.ReplacementChar || !unicode.IsPrint(r) }
	return s != "" && len(s) <= maxText && !strings.ContainsFunc(s, bad) && norm.NFC.IsNormalString(s)
}

// Plain is a text as a receipt may hold it: composed, in one line, cut to its length, an @ written out.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ReplaceAll(norm.NFC.String(s), "@", " at "))
	for len(s) > maxText {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

func count(n int64) bool { return n >= 0 && n <= maxInteger }

// isTime accepts a whole second in UTC of the years that four digits write.
func isTime(t time.Time) bool {
	return t.Location() == time.UTC && t.Nanosecond() == 0 && t.Year() >= 2018 && t.Year() <= 9999
}

// checker remembers the first thing that is wrong.
type checker struct{ wrong string }

func (c *checker) test(field string, ok bool) {
	if c.wrong == "" && !ok {
		c.wrong = field
	}
}

// check returns what may not stand in a receipt: Invalid, or Conflict where the state is not what the searches prove.
func (r Receipt) check() error {
	var c checker
	c.test("v", r.V == Version)
	c.test("request", idForm.MatchString(r.Request))
	c.test("kind", r.Kind == Person || r.Kind == Account)
	c.test("tenant", commitmentForm.MatchString(r.Tenant))
	c.test("subject", optional(r.Subject, commitmentForm) && (r.Subject == "") == (r.Kind == Account))
	c.test("map", digestForm.MatchString(r.Map))
	c.test("plan", digestForm.MatchString(r.Plan))
	c.test("seq", r.Seq >= 1 && count(r.Seq))
	c.test("previous", optional(r.Previous, digestForm) && (r.Previous == "") == (r.Seq == 1))
	c.test("amends", optional(r.Amends, digestForm) && (r.Amends == "" || r.Seq > 1))
	c.test("strict", r.Strict == Yes || r.Strict == No)
	c.test("state", slices.Contains([]State{Completed, Retained, Partial}, r.State))
	c.test("copy", r.Copy == nil || !r.Copy.Handed.IsZero())
	c.test("deadline", (r.Deadline.Months == 1 || r.Deadline.Months == 3) && !r.Deadline.Due.Before(r.Deadline.Conservative) && !r.Deadline.Conservative.IsZero())
	c.test("received", isTime(r.Received))
	c.test("executed", isTime(r.Executed) && !r.Executed.Before(r.Received))
	c.test("issued", isTime(r.Issued) && !r.Issued.Before(r.Executed))
	c.lists(r)
	c.searches(r)
	if c.wrong != "" {
		return fault.New(fault.Invalid, "checking a receipt: %s is not of the allowed form", c.wrong)
	}
	if proved := r.Outcome(); proved != r.State {
		return fault.New(fault.Conflict, "checking a receipt: it says %s where its searches prove %s", r.State, proved)
	}
	return nil
}

func optional(s string, form *regexp.Regexp) bool { return s == "" || form.MatchString(s) }

// lists checks what stands in a receipt once for each thing.
func (c *checker) lists(r Receipt) {
	lengths := []int{len(r.Backups), len(r.Entries), len(r.Grants), len(r.Outside), len(r.Recipients), len(r.Retained), len(r.Settled), len(r.Traces), len(r.Unsearched), len(r.Verify)}
	c.test("the length of a list", slices.Max(lengths) <= maxList)
	c.test("entries", len(r.Entries) > 0)
	for i, e := range r.Entries {
		again := slices.ContainsFunc(r.Entries[:i], func(o Entry) bool { return o.Entry == e.Entry })
		c.test("entries", idForm.MatchString(e.Entry) && !again && idForm.MatchString(e.Action) && (e.Open == "" || idForm.MatchString(e.Open)))
		c.test("the counts of entries", count(e.Anonymised) && count(e.Erased) && count(e.Foreign) && count(e.Found) && count(e.Gone))
		c.test("rows", e.Rows == nil || e.Rows.fit(e.Anonymised))
	}
	for _, b := range r.Backups {
		c.test("backups", idForm.MatchString(b.Class) && !b.By.IsZero())
	}
	for _, g := range r.Grants {
		known := slices.Contains([]GrantOutcome{GrantRevoked, GrantGone, GrantShared, GrantManual, GrantPending, GrantFailed}, g.Outcome)
		c.test("grants", idForm.MatchString(g.Provider) && count(g.Items) && known)
	}
	for _, o := range r.Outside {
		c.test("outside", isText(o.What) && o.Days >= 0 && count(int64(o.Days)))
	}
	for _, to := range r.Recipients {
		known := slices.Contains([]Told{Pending, Asked, Acknowledged, Impossible, Disproportionate}, to.Outcome)
		c.test("recipients", idForm.MatchString(to.Recipient) && isTime(to.At) && known)
	}
	for _, k := range r.Retained {
		c.test("retained", r.has(k.Entry) && idForm.MatchString(k.Ground) && count(k.Items) && !k.Until.IsZero() && (k.Citation == "" || isText(k.Citation)))
	}
	for i, s := range r.Settled {
		again := slices.ContainsFunc(r.Settled[:i], func(o Settled) bool { return o.Entry == s.Entry && o.Why == s.Why })
		c.test("settled", isTime(s.At) && idForm.MatchString(s.Entry) && idForm.MatchString(s.Why) && !again &&
			(s.Why == Elsewhere) == (s.Reference != "") && optional(s.Reference, idForm))
	}
	c.test("unsearched", !slices.ContainsFunc(r.Unsearched, func(kind string) bool { return !idForm.MatchString(kind) }))
	for _, t := range r.Traces {
		c.test("traces", r.has(t.Entry) && count(t.Rewind) && count(t.SoftDelete) && len(t.Unknown) <= maxList)
		c.test("traces", !slices.ContainsFunc(t.Unknown, func(s string) bool { return !isText(s) }))
	}
}

// searches checks the searches: numbered, in order of time, each after the erasing and before the receipt.
func (c *checker) searches(r Receipt) {
	earlier := r.Executed
	for i, p := range r.Verify {
		c.test("verify", p.N == int64(i+1) && isTime(p.At) && !p.At.Before(earlier) && !p.At.After(r.Issued) && count(p.Searched) && count(p.Unmapped))
		earlier = p.At
		for _, items := range slices.Concat(p.Kept, p.Left) {
			c.test("verify", r.has(items.Entry) && items.Items > 0 && count(items.Items))
		}
		c.test("verify", len(p.Kept)+len(p.Left) <= 2*maxList)
	}
}

// fit accepts rows that are parts of each other, out of those that were anonymised.
func (r Rows) fit(anonymised int64) bool {
	bad := func(field string) bool { return !isText(field) }
	return r.Before <= anonymised && r.After <= r.Before && r.Same <= r.After && r.Moved <= r.After-r.Same && min(r.Before, r.After, r.Same, r.Moved) >= 0 &&
		max(len(r.By), len(r.Uncounted)) <= maxList && !slices.ContainsFunc(slices.Concat(r.By, r.Uncounted), bad)
}

func (r Receipt) has(entry string) bool {
	return slices.ContainsFunc(r.Entries, func(e Entry) bool { return e.Entry == entry })
}

// open are the fields, with their names, that could say something their form does not keep out.
func (r Receipt) open() iter.Seq2[string, string] {
	return func(yield func(field, text string) bool) {
		texts := map[string][]string{"request": {r.Request}}
		add := func(field string, all ...string) { texts[field] = append(texts[field], all...) }
		for _, e := range r.Entries {
			add("entries", e.Entry, e.Action, e.Open)
			if e.Rows != nil {
				add("rows", slices.Concat(e.Rows.By, e.Rows.Uncounted)...)
			}
		}
		for _, b := range r.Backups {
			add("backups", b.Class)
		}
		for _, g := range r.Grants {
			add("grants", g.Provider)
		}
		for _, o := range r.Outside {
			add("outside", o.What)
		}
		for _, to := range r.Recipients {
			add("recipients", to.Recipient)
		}
		for _, k := range r.Retained {
			add("retained", k.Ground, k.Citation)
		}
		for _, s := range r.Settled {
			add("settled", s.Entry, s.Why, s.Reference)
		}
		add("unsearched", r.Unsearched...)
		for _, t := range r.Traces {
			add("traces", t.Unknown...)
		}
		for field, all := range texts {
			for _, text := range all {
				if !yield(field, text) {
					return
				}
			}
		}
	}
}
