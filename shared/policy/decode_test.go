package policy_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// shapes has a field of every kind that a control may use.
type shapes struct {
	Text   string            `yaml:"text"`
	Number int               `yaml:"number"`
	Maybe  *int64            `yaml:"maybe"`
	Flag   bool              `yaml:"flag"`
	List   []string          `yaml:"list"`
	Map    map[string]int    `yaml:"map"`
	Nested []shapes          `yaml:"nested"`
	Any    any               `yaml:"any"`
	Node   *yaml.Node        `yaml:"node"`
	Day    calendar.Day      `yaml:"day"`
	Age    calendar.Period   `yaml:"age"`
	Keys   map[string]shapes `yaml:"keys"`
	inner  `yaml:",inline"`
	Hidden string
}

type inner struct {
	Inner string `yaml:"inner"`
}

// decode reads text as a file of rules.
func decode(t testing.TB, text string, into any) []policy.Problem {
	t.Helper()
	p, _, err := policy.Load(fstest.MapFS{"acme/rules/a.yaml": {Data: []byte(text)}}, "acme")
	if err != nil {
		t.Fatal(err)
	}
	found, problems := p.Decode("rules/a.yaml", into)
	if !found {
		t.Fatal("the file is not there")
	}
	return problems
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var got shapes
	problems := decode(t, `
text: 007
number: -5
maybe: 0
flag: true
list: &list [a, no, 1.50, 2026-01-01]
map: {one: 1}
nested:
  - &base {text: base, number: 1}
  - {<<: *base, number: 2, list: *list}
any: {a: [1, x]}
node: {raw: yes}
day: 2026-02-28
age: P1Y
keys: {x: {inner: deep}}
inner: 24:00
`, &got)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	zero, list := int64(0), []string{"a", "no", "1.50", "2026-01-01"}
	want := shapes{
		Text: "007", Number: -5, Maybe: &zero, Flag: true, List: list, Map: map[string]int{"one": 1},
		Nested: []shapes{{Text: "base", Number: 1}, {Text: "base", Number: 2, List: list}},
		Any:    map[string]any{"a": []any{1, "x"}}, Day: calendar.Day{Year: 2026, Month: time.February, Day: 28},
		Age: calendar.Period{Years: 1}, Keys: map[string]shapes{"x": {inner: inner{Inner: "deep"}}}, inner: inner{Inner: "24:00"},
	}
	if got.Node == nil || got.Node.Kind != yaml.MappingNode {
		t.Errorf("the raw node is %v", got.Node)
	}
	got.Node = nil
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(shapes{})); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeTellsAllAtOnce(t *testing.T) {
	t.Parallel()
	var got shapes
	problems := decode(t, `text: [a]
number: 010
maybe: 1.0
flag: yes
list: a
map: {one: x}
nested: [{text: fine}, {number: two, Hidden: x}]
day: 2026-02-30
age: 1 year
hidden: x
inner: ~
keys: {"a.b": {flag: 1}}
`, &got)
	var lines []string
	for _, p := range policy.Sort(problems) {
		lines = append(lines, p.String())
	}
	want := `rules/a.yaml:1: text: is not a plain value; allowed: text
rules/a.yaml:2: number: is not a whole number; allowed: digits without a leading zero
rules/a.yaml:3: maybe: is not a whole number; allowed: digits without a leading zero
rules/a.yaml:4: flag: is neither true nor false; allowed: true, false
rules/a.yaml:5: list: is not a list; allowed: a list: [a, b]
rules/a.yaml:6: map.one: is not a whole number; allowed: digits without a leading zero
rules/a.yaml:7: nested[1].number: is not a whole number; allowed: digits without a leading zero
rules/a.yaml:7: nested[1].Hidden: unknown key; allowed: age, any, day, flag, inner, keys, list, map, maybe, nested, node, number, text
rules/a.yaml:8: day: reading "2026-02-30" as a date: not YYYY-MM-DD, or no such day
rules/a.yaml:9: age: reading "1 year" as a period: not an ISO 8601 duration such as P1Y, P90D or PT24H
rules/a.yaml:10: hidden: unknown key; allowed: age, any, day, flag, inner, keys, list, map, maybe, nested, node, number, text
rules/a.yaml:11: inner: has no value; allowed: a value, or leave the key out
rules/a.yaml:12: keys.a.b.flag: is neither true nor false; allowed: true, false`
	if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
		t.Error(diff)
	}
	if len(got.Nested) != 2 || got.Nested[0].Text != "fine" {
		t.Errorf("what fits was not filled in: %+v", got.Nested)
	}
}

func TestDecodeNoFile(t *testing.T) {
	t.Parallel()
	p := load(t, policies.FS, "baseline")
	if found, problems := p.Decode("tenants.yaml", &struct{}{}); found || problems != nil {
		t.Errorf("found %v, %v", found, problems)
	}
}

func TestProblemPlace(t *testing.T) {
	t.Parallel()
	p := load(t, policies.FS, "sharedcontacts")
	for key, want := range map[string]string{
		"fixed[0].until":   "access.yaml:7: fixed[0].until: x",
		"fixed[0].nothing": "access.yaml:4: fixed[0].nothing: x",
		"fixed[9]":         "access.yaml:3: fixed[9]: x",
		"otp.issuer":       "access.yaml:2: otp.issuer: x",
		"":                 "access.yaml:1: file: x",
	} {
		if got := p.Problem("access.yaml", key, "x", "").String(); got != want {
			t.Errorf("%q: got %s, want %s", key, got, want)
		}
	}
}
