// Package page holds the pages of the breach control: the list of cases, the form somebody declares with, a case with what
// to do next and its clocks, and its notices. It knows what a page shows and in which words; where that comes from, and what
// a form brings about, the functions know.
package page

import (
	"cmp"
	"embed"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

//go:embed templates texts assets
var files embed.FS

// New returns the pages as the given function serves them.
func New(function string) *shell.Shell { return shell.New(function, files) }

// Home is where the pages begin.
const Home = "/declarebreach/"

// CasePath is where the page of a case is.
func CasePath(id string) string { return Home + "case/" + id }

// Choice is one entry of a list. Label is a key, or text where the field says so.
type Choice struct {
	Value, Label string
}

// Form is what somebody filled in before a refusal: nothing that was typed is lost. The zero one is a form not filled in yet.
type Form struct {
	Deed    string // which form of the page it was
	Field   string // the field the refusal is about; "" for the whole
	Problem *staffed.Trouble
	Values  url.Values
}

// Of is the form as one deed of a page sees it: not filled in where it was another's.
func (f Form) Of(deed string) Form {
	if f.Deed != deed {
		return Form{}
	}
	return f
}

// Open reports whether it was sent, and refused.
func (f Form) Open() bool { return f.Deed != "" }

// Get is what was typed into a field.
func (f Form) Get(name string) string { return f.Values.Get(name) }

// Or is what was typed, or what stands in a form nobody filled in yet.
func (f Form) Or(name, otherwise string) string {
	if f.Values == nil {
		return otherwise
	}
	return f.Values.Get(name)
}

// Has reports whether a box was ticked.
func (f Form) Has(name, value string) bool { return slices.Contains(f.Values[name], value) }

// Wrong reports whether the refusal is about a field.
func (f Form) Wrong(name string) bool { return f.Problem != nil && f.Field == name }

// Type is the type of a field: where the clocks showed what was typed twice that night, an offset has to be typed as well.
func (f Form) Type(name, usual string) string {
	if f.Wrong(name) && f.Problem.Code == TimeTwice {
		return "text"
	}
	return usual
}

// TimeTwice is the code of an instant that is two: the hour in which the clocks go back.
const TimeTwice = "time_twice"

// anchors are the ids of fields that are not called as they are sent, by form.
var anchors = map[string]map[string]string{
	"triage": {"at": "triage-at", "reason": "triage-reason", "next": "triage-next", "owner": "triage-owner"}, "withdraw": {"at": "withdraw-at", "clock": "withdraw-clock", "reference": "withdraw-reference"}, "aware": {"at": "aware-at", "reason": "aware-reason"}, "file": {"at": "filed-at"},
	"promise": {"name": "promise-name", "by": "promise-by", "reason": "promise-reason"}, "reopen": {"reason": "reopen-reason"}, "compromised": {"reason": "channel-reason"}, "review": {"text": "lessons"},
	"score": {"people": "score-people"}, "mapped": {"reason": "mapped-reason"},
	"decide-breach": {"reason": "breach-reason"}, "decide-tenant": {"reason": "reason-tenant"}, "decide-tenants": {"reason": "reason-agree"},
}

// Anchor is the id of the field a refusal is about; "" where it is about none.
func (f Form) Anchor() string {
	if id := anchors[f.Deed][f.Field]; id != "" {
		return id
	}
	if subject, is := strings.CutPrefix(f.Deed, "decide-"); is && f.Field != "" {
		return f.Field + "-" + subject
	}
	return f.Field
}

// Reader is who reads a page, and in which words.
type Reader struct {
	Lang     string
	Now      time.Time
	Me       policy.Person
	Rules    cases.Rules
	Policy   *policy.Policy
	Sentence func(lang, key string) string // the text of a key
	Pending  []cases.Pending               // of a case: what its notices wait for
}

// Say is a text with its blanks filled in.
func (r Reader) Say(key string, args ...any) string {
	text := r.Sentence(r.Lang, key)
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	return text
}

// known is the text of a word, or the word itself where there is none: policies name steps, regimes and promises.
func (r Reader) known(prefix, word string) string {
	if text := r.Sentence(r.Lang, prefix+word); text != "" {
		return text
	}
	return word
}

// At writes an instant in the company's zone, with its offset; "" for none.
func (r Reader) At(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(r.Rules.Zone)
	return r.day(local) + ", " + local.Format("15:04 (-07:00)")
}

// day leaves out the year where it is this one.
func (r Reader) day(t time.Time) string {
	if t.Year() == r.Now.In(r.Rules.Zone).Year() {
		return shell.Day(r.Lang, t)
	}
	return shell.Day(r.Lang, t) + " " + strconv.Itoa(t.Year())
}

// Day writes a calendar day; "" for none.
func (r Reader) Day(d calendar.Day) string {
	if d.IsZero() {
		return ""
	}
	return r.day(time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, r.Rules.Zone))
}

// long is a length as people say it: hours and minutes, as laws count hours; days where they are many.
func long(d time.Duration) string {
	d = d.Abs()
	if d >= 14*24*time.Hour {
		return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
	}
	if d < time.Hour {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// Left says how long it is until an instant, or that it has passed.
func (r Reader) Left(t time.Time) string {
	if left := t.Sub(r.Now); left < 0 {
		return r.Say("time.over", long(left))
	} else {
		return r.Say("time.in", long(left))
	}
}

// Ago says how long ago an instant was.
func (r Reader) Ago(t time.Time) string { return r.Say("time.ago", long(r.Now.Sub(t))) }

// Person is how a page calls somebody.
func (r Reader) Person(id string) string {
	if id == "" {
		return r.Say("by.detection")
	}
	if p, known := r.Policy.PersonByID(id); known {
		return p.Name
	}
	return id
}

// Tenant is how a page calls a tenant, or the company's own data.
func (r Reader) Tenant(id string) string {
	if id == cases.Own {
		return r.Say("own")
	}
	if t, known := r.Policy.Tenant(id); known {
		return t.Name
	}
	return id
}

// collate orders names as people look for them, whatever the case of letters.
func collate(a, b string) int {
	return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
}

// deciding are the roles two people of which decide together.
var deciding = []policy.Role{policy.Security, policy.DPO, policy.Owner}

// May reports whether the reader is one of those who decide.
func (r Reader) May() bool { return slices.ContainsFunc(deciding, r.Me.Has) }

// others are the names of those who decide, but the given ones; of a role alone where roles are given.
func (r Reader) others(but []string, roles ...policy.Role) string {
	if len(roles) == 0 {
		roles = deciding
	}
	var names []string
	for _, p := range r.Policy.People {
		if p.Active(r.Now) && slices.ContainsFunc(roles, p.Has) && !slices.Contains(but, p.ID) {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return r.Say("nobody")
	}
	return strings.Join(names, ", ")
}

// Group writes the number of a case in groups of four, as people read it out.
func Group(number string) string {
	var b strings.Builder
	for i, c := range []byte(number) {
		if i > 0 && (len(number)-i)%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(c)
	}
	return strings.ToUpper(b.String())
}
