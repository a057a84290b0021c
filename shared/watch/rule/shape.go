package rule

import (
	"regexp"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// Rule is one file of rules/. The package comment shows its shape.
type Rule struct {
	Name string `yaml:"-"` // the file's, without folder and .yaml
	File string `yaml:"-"` // within the policy folder, such as rules/impersonation.yaml

	Matches  []Match  `yaml:"match"`
	When     string   `yaml:"when"`
	Group    []string `yaml:"group"`
	Window   Window   `yaml:"window"`
	Alarm    Alarm    `yaml:"alarm"`
	Promises []string `yaml:"promises"`
	Tests    []Test   `yaml:"tests"`
}

// Match chooses entries. Each list that is not empty must hold what the entry has.
type Match struct {
	Service []string `yaml:"service"` // as logged, such as iam.googleapis.com
	Method  []string `yaml:"method"`  // compared as methodEnds says
	Stream  []string `yaml:"stream"`
	Outcome []string `yaml:"outcome"`
}

// Selection chooses entries and says what they belong to.
type Selection struct {
	Matches []Match  `yaml:"match"`
	When    string   `yaml:"when"`
	Group   []string `yaml:"group"` // as many as the rule's own; left out: the rule's own
}

// Kind is what a window looks for.
type Kind string

const (
	Single    Kind = ""           // no window: every entry is a hit
	Count     Kind = "count"      // so many entries of a group
	Distinct  Kind = "distinct"   // so many different values in a group
	FirstSeen Kind = "first-seen" // a value that the group did not have before
	Sequence  Kind = "sequence"   // an entry after another one
	Absence   Kind = "absence"    // an entry that another one did not follow
	Budget    Kind = "budget"     // more entries than the others opened
)

const allowedKinds = "count, distinct, first-seen, sequence, absence, budget"

// Window is what makes several entries a hit.
type Window struct {
	Kind    Kind            `yaml:"kind"`
	Of      string          `yaml:"of"`
	AtLeast int             `yaml:"at_least"`
	AtMost  int             `yaml:"at_most"`
	Within  calendar.Period `yaml:"within"`
	Learn   calendar.Period `yaml:"learn"`
	Settle  calendar.Period `yaml:"settle"`
	Other   *Selection      `yaml:"other"`
}

// Settles reports whether a hit needs to know that something did not happen, so that late entries are waited for.
func (w Window) Settles() bool {
	return w.Kind == FirstSeen || w.Kind == Absence || w.Kind == Budget
}

// Justify says who is asked for a reason.
type Justify string

const (
	NobodyAnswers Justify = "none"
	ActorAnswers  Justify = "actor"
)

// Alarm is what a hit leads to.
type Alarm struct {
	// Class says in a word or two what sort of thing happened, such as public-exposure: rules that mean the same share it.
	Class    string          `yaml:"class"`
	Severity policy.Severity `yaml:"severity"`
	Text     policy.Text     `yaml:"text"`
	Cases    []Case          `yaml:"cases"`
	Justify  Justify         `yaml:"justify"`
	Deadline calendar.Period `yaml:"deadline"`
	Quiet    calendar.Period `yaml:"quiet"`
	Shadow   bool            `yaml:"shadow"`
}

// Case is a severity for some of the entries.
type Case struct {
	When     string          `yaml:"when"`
	Severity policy.Severity `yaml:"severity"`
}

// What an expression asks beside the entry.
var (
	asksList   = regexp.MustCompile(`\blisted\b`)
	asksChange = regexp.MustCompile(`\b(delta|blinding|unsure)\b`)
	asksTicket = regexp.MustCompile(`\bcovered\b`)
	asksRegion = regexp.MustCompile(`\bin_region\b`)
)

// AsksList reports whether the rule asks which addresses were on the live allow-list: of entries whose list nobody
// knows any more it can tell nothing.
func (r Rule) AsksList() bool { return r.asks(asksList) }

func (r Rule) asks(what *regexp.Regexp) bool {
	texts := append([]string{r.When, r.Window.Of}, r.Group...)
	if r.Window.Other != nil {
		texts = append(append(texts, r.Window.Other.When), r.Window.Other.Group...)
	}
	for _, c := range r.Alarm.Cases {
		texts = append(texts, c.When)
	}
	return slices.ContainsFunc(texts, what.MatchString)
}

// Quiet returns how long nothing must happen until an episode of the rule closes.
func (r Rule) Quiet() time.Duration {
	if d, ok := r.Alarm.Quiet.Exact(); ok && d > 0 {
		return d
	}
	within, _ := r.Window.Within.Exact()
	return max(time.Hour, within)
}

// Test is one case that the rule is checked against wherever the policy is.
type Test struct {
	Name    string           `yaml:"name"`
	Base    map[string]any   `yaml:"base"`
	Listed  []string         `yaml:"listed"`
	Tickets bool             `yaml:"tickets"` // the company's logs say which tickets are open
	Entries []map[string]any `yaml:"entries"`
	Alarms  int              `yaml:"alarms"`
}
