// Package baseline turns baseline/*.yaml of a policy into verdicts about what a company has on Google Cloud. One file holds
// one assertion, named as the file without .yaml:
//
//	what: {en: ..., fr: ..., de: ...}            # what is wrong where it does not hold, and what to do
//	asset: [sqladmin.googleapis.com/Instance]    # of each of these; left out: once, of the company
//	when: live                                   # CEL: which of them; the others are exempt. Left out: all
//	least: 1                                     # how many there have to be; fewer is out of order. Left out: none
//	params:                                      # what a promise may set, under its own name for it
//	  days: {from: pitr, is: days, default: P30D}
//	assert:                                      # CEL, all of them true
//	  - data.settings.backupConfiguration.transactionLogRetentionDays >= params.days
//	severity: critical
//	repair: gcloud sql instances patch {name} --retained-transaction-log-days={days}
//	tests:                                       # at least one in order, one out of order, and one that cannot be told
//	  - name: a week
//	    want: out_of_order                       # in_order, out_of_order, undetermined, exempt
//	    params: {days: P30D}
//	    asset: {name: db, data: {...}, iam: [{role: ..., members: [...]}]}
//	    others: [{type: ..., name: ..., data: {...}}]
//
// # What it promises
//
// A fact that was not read is no fact: what needs it is undetermined, and never in order. That follows from CEL itself,
// where a selection of what is not there is an error, and an error is left out of account only where the rest decides
// alone. Where the service leaves out a field to say no, an assertion says so with has(). An assertion is judged once for
// each promise that sets its parameters otherwise; the strictest does not stand for the others.
//
// What holds personal data, or secrets, weighs one step more, and in a project for tests one step less: see [Set.Holds].
//
// # What it does not do
//
// It reads nothing, and it remembers nothing: whether a thing became worse, and who did it, others say.
package baseline

import (
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// Verdict says what an assertion found.
type Verdict string

// The verdicts.
const (
	InOrder      Verdict = "in_order"
	OutOfOrder   Verdict = "out_of_order"
	Undetermined Verdict = "undetermined"
	Exempt       Verdict = "exempt"
)

// Assertion is one file, as it is written.
type Assertion struct {
	What     policy.Text          `yaml:"what"`
	Asset    []string             `yaml:"asset"`
	When     string               `yaml:"when"`
	Least    int                  `yaml:"least"`
	Params   map[string]Parameter `yaml:"params"`
	Assert   []string             `yaml:"assert"`
	Severity policy.Severity      `yaml:"severity"`
	Repair   string               `yaml:"repair"`
	Tests    []Test               `yaml:"tests"`
}

// Parameter is a value a promise may set.
type Parameter struct {
	From    string       `yaml:"from"` // its name among the promise's; left out: as here
	Is      string       `yaml:"is"`   // text, list, number, days, hours or minutes
	Default policy.Param `yaml:"default"`
}

// Test is one case of an assertion, judged in the company of [Fixture].
type Test struct {
	Name   string                  `yaml:"name"`
	Want   Verdict                 `yaml:"want"`
	Params map[string]policy.Param `yaml:"params"`
	Asset  *Case                   `yaml:"asset"`
	Others []Case                  `yaml:"others"`
}

// Case is an asset of a test.
type Case struct {
	Type    string `yaml:"type"` // left out: the assertion's first
	Name    string `yaml:"name"` // relative to the project, such as global/firewalls/f
	Project string `yaml:"project"`
	// Ancestors are what it lies in above its project, such as folders/2 and organizations/1.
	Ancestors []string       `yaml:"ancestors"`
	Location  string         `yaml:"location"`
	Data      map[string]any `yaml:"data"`
	IAM       []Grant        `yaml:"iam"`
	Audit     []Logs         `yaml:"audit"`
}

// Grant is a binding of a test.
type Grant struct {
	Role      string   `yaml:"role"`
	Members   []string `yaml:"members"`
	Condition string   `yaml:"condition"`
}

// Logs are Data Access logs of a test.
type Logs struct {
	Service string   `yaml:"service"`
	Type    string   `yaml:"type"`
	Exempt  []string `yaml:"exempt"`
}

// Judgement is what an assertion found about one asset, or about the company.
type Judgement struct {
	Assertion string          `json:"assertion"`
	Promise   string          `json:"promise,omitempty"` // where it sets parameters of its own; "" for the defaults
	Key       string          `json:"key,omitempty"`     // of the asset; "" for the company
	Verdict   Verdict         `json:"verdict"`
	Which     int             `json:"which,omitempty"`   // of Assert, from 1: the first that is not true, or cannot be told
	Failing   []int           `json:"failing,omitempty"` // of OutOfOrder: all that are not true, from 1
	Count     int             `json:"count,omitempty"`   // how many there are, where there have to be more
	Why       string          `json:"why,omitempty"`     // of Undetermined, and of too few
	Severity  policy.Severity `json:"severity"`
	Data      string          `json:"data,omitempty"` // what the asset holds, for which the severity is one step graver
	Read      time.Time       `json:"read,omitzero"`  // how old the oldest fact it looked at may be
	// Others are the assets beside its own that what is not true looked at, some perhaps twice.
	Others []*asset.Asset `json:"-"`
}
