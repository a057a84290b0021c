package rule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// half is an entry of an operation of Compute: with first what was asked for, with last the name alone.
func half(id, method, flags, actor, rest string, at time.Duration) *auditlog.Entry {
	who := ""
	if actor != "" {
		who = fmt.Sprintf(`,"authenticationInfo":{"principalEmail":%q}`, actor)
	}
	all, err := auditlog.Decode(fmt.Appendf(nil, `{"insertId":%q,"logName":"projects/firm-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"operation":{"id":"op","producer":"compute",%s},
		"protoPayload":{"serviceName":"compute.googleapis.com","methodName":"v1.compute.%s","resourceName":"projects/firm-live/global/x/y"%s%s}}`,
		id, noon.Add(at).Format(time.RFC3339), flags, method, who, rest))
	if err != nil {
		panic(err)
	}
	return &all[0]
}

// run gives entries in an order and returns rule, entry and verdict of all hits, each once.
func run(t *testing.T, s *Set, all ...*auditlog.Entry) string {
	t.Helper()
	memory, seen := NewLocal(), map[string]bool{}
	var said []string
	keep := func(hits []Hit, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			if !seen[h.ID] {
				said = append(said, h.Rule+" "+h.Subject.Entry+" "+string(h.Verdict))
			}
			seen[h.ID] = true
		}
	}
	for range 2 { // the second time is a redelivery
		for _, e := range all {
			keep(s.Evaluate(t.Context(), e, memory, noon.Add(5*time.Minute)))
		}
	}
	hits, _, err := s.Settle(t.Context(), memory, noon.Add(time.Hour), 100)
	keep(hits, err)
	return strings.Join(said, ", ")
}

// The end of an operation says little: what its beginning showed to be in order is no alarm by it, and what its beginning
// showed to be none is one alarm, whoever the two name and whichever comes first.
func TestEndOfAnOperation(t *testing.T) {
	t.Parallel()
	const own = `when: '!google && !machine_own(actor.email) && `
	s := set(t, map[string]string{
		"tls":    "match: [{service: [compute.googleapis.com], method: [sslpolicies.insert]}]\n" + own + `text(request, "minTlsVersion") != "TLS_1_2"'` + tail,
		"keys":   "match: [{service: [compute.googleapis.com], method: [instances.setmetadata]}]\n" + own + `!(metadata_keys.size() > 0 && !metadata_keys.exists(k, k.matches("ssh")))'` + tail,
		"opened": "match: [{service: [compute.googleapis.com], method: [firewalls.patch]}]\n" + own + `open(ranges)'` + tail,
		"other":  "match: [{service: [compute.googleapis.com], method: [firewalls.patch]}]\n" + own + `!open(ranges)'` + tail,
		"gone":   "match: [{service: [compute.googleapis.com], method: [firewalls.delete]}]\n" + own + `true'` + tail,
		"failed": "match: [{service: [compute.googleapis.com], method: [disks.insert]}]\nwhen: 'outcome == \"failed\" && text(request, \"kind\") == \"\"'" + tail,
	})
	const first, last, ada, agent = `"first":true`, `"last":true`, "ada@firm.example", "service-1@compute-system.iam.gserviceaccount.com"
	open := `,"request":{"sourceRanges":["0.0.0.0/0"],"alloweds":[{"IPProtocol":"tcp"}]}`
	empty := func(kind string) string { return `,"request":{"@type":"type.googleapis.com/` + kind + `"}` }
	keys := func(one string) string {
		return `,"metadata":{"instanceMetadataDelta":{"addedMetadataKeys":["` + one + `"]}}`
	}
	for name, c := range map[string]struct{ a, b, want, turned string }{
		"strict":         {first + "|sslPolicies.insert|" + ada + `|,"request":{"minTlsVersion":"TLS_1_2"}`, last + "|sslPolicies.insert|" + ada + "|" + empty("x"), "", ""},
		"weak":           {first + "|sslPolicies.insert|" + ada + `|,"request":{"minTlsVersion":"TLS_1_0"}`, last + "|sslPolicies.insert||", "tls a violation", "tls a violation"},
		"a colour":       {first + "|instances.setMetadata|" + ada + "|" + keys("colour"), last + "|instances.setMetadata|" + ada + "|", "", ""},
		"a key":          {first + "|instances.setMetadata|" + ada + "|" + keys("ssh-keys"), last + "|instances.setMetadata||", "keys a violation", "keys a violation"},
		"to everyone":    {first + "|firewalls.patch|" + ada + "|" + open, last + "|firewalls.patch|" + ada + "|" + empty("p"), "opened a violation", "opened a violation"},
		"nobody named":   {first + "|firewalls.delete|" + agent + "|", last + "|firewalls.delete||", "", ""},
		"two are named":  {first + "|firewalls.delete|" + ada + "|", last + "|firewalls.delete|bob@firm.example|", "gone a violation", "gone b violation"},
		"it failed":      {first + "|disks.insert|" + ada + `|,"request":{"kind":"disk"}`, last + "|disks.insert|" + ada + `|,"status":{"code":13}`, "failed b violation", "failed b violation"},
		"weak, failed":   {first + "|sslPolicies.insert|" + ada + `|,"request":{"minTlsVersion":"TLS_1_2"}`, last + "|sslPolicies.insert|" + ada + `|,"status":{"code":6}`, "", ""},
		"in one":         {`"first":true,"last":true|firewalls.delete|` + ada + "|", "", "gone a violation", "gone a violation"},
		"end only":       {"", last + "|sslPolicies.insert|" + ada + "|" + empty("x"), "tls b undetermined", "tls b undetermined"},
		"end only, name": {"", last + "|firewalls.delete|" + ada + "|", "gone b violation", "gone b violation"},
		"end, nobody":    {"", last + "|firewalls.delete||", "gone b undetermined", "gone b undetermined"},
	} {
		var entries []*auditlog.Entry
		for id, one := range map[string]string{"a": c.a, "b": c.b} {
			if p := strings.SplitN(one, "|", 4); len(p) == 4 {
				e := half(id, p[1], p[0], p[2], p[3], time.Minute)
				e.ID = id
				entries = append(entries, e)
			}
		}
		if len(entries) == 2 && entries[0].ID == "b" {
			entries[0], entries[1] = entries[1], entries[0]
		}
		if got := run(t, s, entries...); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if len(entries) == 2 {
			if got := run(t, s, entries[1], entries[0]); got != c.turned {
				t.Errorf("%s, the end first: %q, want %q", name, got, c.turned)
			}
		}
	}
}

// part is a part of an entry that was too large for one.
func part(id string, index int, at time.Duration) *auditlog.Entry {
	e := entry(id, "act", "a", "u", at)
	e.Kind, e.Stream, e.LogName = auditlog.Audit, auditlog.Activity, "projects/p/logs/cloudaudit.googleapis.com/activity"
	e.Split = auditlog.Split{UID: "s", Index: index, Total: 3}
	return e
}

// The parts of an entry that was split count once, in every sort of rule.
func TestPartsCountOnce(t *testing.T) {
	t.Parallel()
	audit := func(rest string) string { return strings.Replace(rule("act", rest), ", stream: [application]", "", 1) }
	other := "other: {match: [{service: [app], method: [act]}]}"
	s := set(t, map[string]string{
		"single":   audit(""),
		"count":    audit("window: {kind: count, at_least: 2, within: PT10M}"),
		"sequence": audit("window: {kind: sequence, within: PT10M, " + other + "}"),
		"absence":  audit("window: {kind: absence, within: PT10M, " + other + "}"),
		"budget":   audit("window: {kind: budget, of: app.user, at_most: 1, within: PT10M, other: {match: [{service: [app], method: [open]}]}}"),
		"broken":   audit("when: listed"),
	})
	got := strings.Split(run(t, s, part("1", 1, time.Second), part("0", 0, 0), part("2", 2, 2*time.Second)), ", ")
	slices.Sort(got)
	if want := "absence 1 violation, broken 1 undetermined, budget 1 violation, single 1 violation"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	whole := entry("3", "act", "a", "u", 3*time.Second)
	whole.Kind, whole.Stream = auditlog.Audit, auditlog.Activity
	if got := run(t, s, part("1", 1, time.Second), part("0", 0, 0), whole); !strings.Contains(got, "count 3 violation") || strings.Contains(got, "count 0") {
		t.Errorf("with another one: %q", got)
	}
}

// A part of a policy is no policy: what it lets in cannot be told to be new, and what comes after is compared with nothing.
func TestPartOfAPolicy(t *testing.T) {
	t.Parallel()
	const ada, all = "user:ada@firm.example", "allUsers"
	s, memory := set(t, opened), NewLocal()
	parts := []*auditlog.Entry{policyAt("2a", 1, "bob@firm.example", ada), policyAt("2b", 1, "bob@firm.example", all)}
	for i, e := range parts {
		e.Split = auditlog.Split{UID: "s", Index: i, Total: 2}
	}
	got := judged(t, s, memory, policyAt("1", 0, "ann@firm.example", ada), parts[1], parts[0], policyAt("3", 2, "cli@firm.example", ada, all))
	if want := "bob opened undetermined medium, cli opened undetermined medium"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", strings.Join(got, ", "), want)
	}
	// Were the part taken for all of it, ada would be new here.
	got = judged(t, s, memory, policyAt("4", 3, "dan@firm.example", ada, all), policyAt("5", 4, "eli@firm.example", all))
	if len(got) != 0 {
		t.Errorf("%q", got)
	}
}
