package rule

import (
	"fmt"
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
