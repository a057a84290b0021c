package rule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// piece is a part of a call of Cloud Run; rest is what its payload holds beside the caller.
func piece(id string, index, total int, rest string, at time.Duration) *auditlog.Entry {
	all, err := auditlog.Decode(fmt.Appendf(nil, `{"insertId":%q,"logName":"projects/firm-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"split":{"uid":"s","index":%d,"totalSplits":%d},
		"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","authenticationInfo":{"principalEmail":"ada@firm.example"}%s}}`,
		id, noon.Add(at).Format(time.RFC3339), index, total, rest))
	if err != nil {
		panic(err)
	}
	return &all[0]
}

// folded puts the parts of a stream together, and at the end what there is of them.
func folded(all ...*auditlog.Entry) (entries []*auditlog.Entry) {
	f := auditlog.NewFolder()
	keep := func(ready []auditlog.Entry) {
		for _, e := range ready {
			entries = append(entries, &e)
		}
	}
	for _, e := range all {
		if e.Part() {
			keep(f.Fold(*e, noon))
		} else {
			entries = append(entries, e)
		}
	}
	keep(f.Overdue(noon))
	return entries
}

const (
	named = `,"serviceName":"run.googleapis.com","methodName":"google.cloud.run.v1.Services.SetIamPolicy","resourceName":"projects/firm-live/services/shop","status":{}`
	bound = `,"request":{"resource":"shop","policy":{"bindings":[{"role":"roles/run.invoker","members":["%s"]}]}}`
	flag  = `,"request":{"policy":{"force":true}}`
)

// A rule that needs something of one part and something of another finds it, once, in whatever order they come.
func TestPartsAreOneEntry(t *testing.T) {
	t.Parallel()
	const match = "match: [{service: [run.googleapis.com], method: [setiampolicy]}]\nwhen: "
	s := set(t, map[string]string{
		"public": match + `'delta.exists(d, public(d.member)) && resource.endsWith("/shop")'` + tail,
		"forced": match + `'text(request, "policy.force") == "true" && items(request, "policy.bindings").size() == 2'` + tail,
		"whole":  match + `'text(payload, "request.policy.force") == "true" && text(payload, "request.resource") == "shop"'` + tail,
		"never":  match + `'delta.exists(d, d.member == "user:eve@firm.example")'` + tail,
	})
	parts := []*auditlog.Entry{
		piece("a", 0, 4, named, 0), piece("b", 1, 4, fmt.Sprintf(bound, "user:bob@firm.example"), 0),
		piece("c", 2, 4, strings.Replace(fmt.Sprintf(bound, "allUsers"), `"resource":"shop",`, "", 1), 0), piece("d", 3, 4, flag, 0),
	}
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 3))
		all := append(slices.Clone(parts), parts...)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		got := strings.Split(run(t, s, folded(all...)...), ", ")
		slices.Sort(got)
		id := parts[0].WholeID()
		if want := []string{"forced " + id + " violation", "public " + id + " undetermined", "whole " + id + " violation"}; !slices.Equal(got, want) {
			t.Fatalf("seed %d: %q", seed, got) // public: no earlier policy is known
		}
	}
}

// Of an entry of which parts are missing, a rule that needs them is undetermined, and one that does not judges.
func TestPartsMissing(t *testing.T) {
	t.Parallel()
	const match = "match: [{service: [run.googleapis.com], method: [setiampolicy]}]\nwhen: "
	s := set(t, map[string]string{
		"public": match + `'delta.exists(d, public(d.member))'` + tail,
		"weak":   match + `'text(request, "tls") != "1.2"'` + tail,
		"bob":    match + `'actor.email == "bob@firm.example" && text(request, "tls") != "1.2"'` + tail,
		"any":    match + `'actor.kind == "human"'` + tail,
		"graded": match + `'actor.kind == "human"'` + strings.Replace(tail, "severity: high", "severity: high, cases: [{when: 'blinding.size() > 0', severity: critical}]", 1),
		"worst":  match + `'actor.kind == "human"'` + "\ngroup: ['text(request, \"resource\")']" + tail,
	})
	hits, err := s.Evaluate(t.Context(), folded(piece("a", 0, 2, named, 0))[0], NewLocal(), noon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range hits {
		got = append(got, h.Rule+" "+string(h.Verdict))
		if h.Verdict == Undetermined && (h.Why != PartsMissing || h.Subject.Doubt == "") {
			t.Errorf("%+v", h)
		}
	}
	slices.Sort(got)
	if want := "any violation, graded undetermined, public undetermined, weak undetermined, worst undetermined"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", strings.Join(got, ", "), want)
	}
}

// part is a part of an entry that says all there is to say.
func part(id string, index int, at time.Duration) *auditlog.Entry {
	return piece(id, index, 3, `,"serviceName":"app","methodName":"act"`, at)
}

// The parts of an entry that was split count once, in every sort of rule.
func TestPartsCountOnce(t *testing.T) {
	t.Parallel()
	audit := func(rest string) string {
		return strings.ReplaceAll(strings.Replace(rule("act", rest), ", stream: [application]", "", 1), "app.user", "actor.email")
	}
	other := "other: {match: [{service: [app], method: [act]}]}"
	s := set(t, map[string]string{
		"single":   audit(""),
		"count":    audit("window: {kind: count, at_least: 2, within: PT10M}"),
		"sequence": audit("window: {kind: sequence, within: PT10M, " + other + "}"),
		"absence":  audit("window: {kind: absence, within: PT10M, " + other + "}"),
		"budget":   audit("window: {kind: budget, of: app.user, at_most: 1, within: PT10M, other: {match: [{service: [app], method: [open]}]}}"),
		"broken":   audit("when: listed"),
	})
	parts := []*auditlog.Entry{part("1", 1, time.Second), part("0", 0, 0), part("2", 2, 2*time.Second), part("1", 1, time.Second)}
	id := parts[0].WholeID()
	got := strings.Split(strings.ReplaceAll(run(t, s, folded(parts...)...), id, "it"), ", ")
	slices.Sort(got)
	if want := "absence it violation, broken it undetermined, budget it violation, single it violation"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	whole := part("3", 0, 3*time.Second)
	whole.ID, whole.Split = "3", auditlog.Split{}
	if got := run(t, s, folded(append(parts, whole)...)...); !strings.Contains(got, "count 3 violation") || strings.Contains(got, "count "+id) {
		t.Errorf("with another one: %q", got)
	}
}

// A policy of which parts are missing is no policy: what comes after is compared with nothing. One that is put together is
// compared like any.
func TestPartOfAPolicy(t *testing.T) {
	t.Parallel()
	const ada, all = "user:ada@firm.example", "allUsers"
	parts := func(total int) (both []*auditlog.Entry) {
		for i, member := range []string{ada, all} {
			e := policyAt(fmt.Sprint("2", i), 1, "bob@firm.example", member)
			e.Split = auditlog.Split{UID: "s", Index: i, Total: total}
			both = append(both, e)
		}
		return both
	}
	for total, want := range map[int]string{2: "bob opened violation high", 3: "bob less undetermined high, bob opened undetermined high, cli opened undetermined medium"} {
		s, memory := set(t, opened), NewLocal()
		stream := []*auditlog.Entry{policyAt("1", 0, "ann@firm.example", ada)}
		stream = append(append(stream, folded(parts(total)...)...), policyAt("3", 2, "cli@firm.example", ada, all))
		if got := strings.Join(judged(t, s, memory, stream...), ", "); got != want {
			t.Errorf("of %d: %q, want %q", total, got, want)
		}
		// Were the part taken for all of it, ada would be new here.
		if got := judged(t, s, memory, policyAt("4", 3, "dan@firm.example", ada, all), policyAt("5", 4, "eli@firm.example", all)); len(got) != 0 {
			t.Errorf("of %d: %q", total, got)
		}
	}
}
