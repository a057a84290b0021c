package rule

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// watched returns a policy with a watch.yaml.
func watched(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml": {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Paris\n  country: FR\n  languages: [en]\n" +
			"  environments:\n    - {id: live, project: firm-live, kind: live}\n")},
		"p/people.yaml":       {Data: []byte("people:\n  - {id: eva, email: eva@firm.example, name: Eva, roles: [employee], zone: Europe/Paris, language: en}\n")},
		"p/promises/all.yaml": {Data: []byte("promises:\n  - id: P1\n    text: {en: Nobody reads.}\n    source: {file: a, section: b}\n    check: c\n    severity: high\n    kept_by: [{rule: outsiders}]\n")},
		"p/watch.yaml":        {Data: []byte(text)},
		"p/rules/outsiders.yaml": {Data: []byte("match: [{method: [setiampolicy]}]\nwhen: 'delta.exists(d, ext(d.member))'\n" +
			"alarm: {class: outsider, severity: high, text: {en: Look.}}\npromises: [P1]\n")},
	}, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", err, problems)
	}
	return p
}

func TestMappings(t *testing.T) {
	t.Parallel()
	all, problems := Mappings(watched(t, "logs:\n  - {log: /logs/a, service: shop, action: jsonPayload.event, actor: jsonPayload.who}\n  - {service: rest, action: textPayload}\n"))
	if len(problems) > 0 || len(all) != 3 || !reflect.DeepEqual(all[2], plainMapping()) {
		t.Fatalf("%v %v", all, problems)
	}
	for log, want := range map[string]string{"a": "shop", "b": "rest"} {
		entries, err := auditlog.Decode([]byte(`{"logName":"projects/p/logs/`+log+`","insertId":"1","timestamp":"2026-03-03T10:00:00Z","jsonPayload":{"event":"act","who":"eva@firm.example"}}`), all...)
		if err != nil || entries[0].Service != want {
			t.Errorf("an entry of %s is of %q: %v", log, entries[0].Service, err)
		}
	}
	if mixed, problems := Mappings(watched(t, "logs:\n  - {log: /logs/a, when: jsonPayload.audit, service: a, action: jsonPayload.what}\n  - {log: /logs/a, service: b, action: textPayload}\n")); len(problems) > 0 || len(mixed) != 3 {
		t.Errorf("two mappings of a mixed log: %v %v", mixed, problems)
	}
	if plain, problems := Mappings(watched(t, "regions: [eu]\n")); len(problems) > 0 || len(plain) != 1 || plain[0].User != "jsonPayload.user" {
		t.Errorf("without logs: %v %v", plain, problems)
	}
}

func TestWatchFileProblems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"logs: [{service: a, action: body.event}]":  "logs[0].action: is no path",
		"logs: [{service: a, action: jsonPayload}]": "logs[0].action: is no path",
		"logs: [{service: a}]":                      "logs[0].action: is missing",
		"logs: [{action: textPayload}]":             "logs[0].service: is missing",
		"logs: [{service: a, action: textPayload}, {log: b, service: b, action: textPayload}]": "logs[1].log: is never reached",
		"logs: [{service: a, action: textPayload, colour: red}]":                               "unknown key",
		"logs: [{service: a, action: textPayload, when: message}]":                             "logs[0].when: is no path",
		"logs: [{service: a, action: textPayload, ticket_opened: [created]}]":                  "logs[0].ticket: is missing",
		"regions: ['*west*']":      "regions[0]: is no region",
		"replay: {home: everyone}": "replay.home: is unknown",
	} {
		_, problems := Mappings(watched(t, text))
		if len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%s: %v, want %s", text, problems, want)
		}
	}
}

// TestTrial: in a trial the domain of whoever acts is an approved one and the entry's project the company's; a running
// watch knows the policy alone.
func TestTrial(t *testing.T) {
	t.Parallel()
	p := watched(t, "replay: {home: actor}\n")
	w, home := TrialOf(p)
	if !home {
		t.Fatal("watch.yaml says that whoever acts is at home")
	}
	trial, _ := LoadIn(w, p)
	running, _ := Load(p)
	for member, outside := range map[string]bool{
		"user:other@acting.example": false, "user:x@elsewhere.example": true, "user:x@sub.acting.example": true, "domain:acting.example": false,
		"serviceAccount:a@acting-live.iam.gserviceaccount.com": false, "serviceAccount:a@foreign.iam.gserviceaccount.com": true,
		"serviceAccount:1-compute@developer.gserviceaccount.com": false, "projectEditor:acting-live": false, "projectEditor:foreign": true,
		"user:eva@firm.example": false, "principalSet://iam.googleapis.com/x": true,
	} {
		entries, err := auditlog.Decode([]byte(`{"logName":"projects/acting-live/logs/cloudaudit.googleapis.com%2Factivity","insertId":"1","timestamp":"2026-03-03T10:00:00Z",
			"protoPayload":{"serviceName":"a.googleapis.com","methodName":"SetIamPolicy","authenticationInfo":{"principalEmail":"zoe@acting.example"},
			"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/viewer","member":"` + member + `"}]}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		hits, err := trial.Evaluate(t.Context(), &entries[0], NewLocal(), entries[0].Time)
		if err != nil || len(hits) == 1 != outside {
			t.Errorf("%s in a trial: %v %v", member, hits, err)
		}
		known := strings.Contains(member, "firm.example")
		if hits, err = running.Evaluate(t.Context(), &entries[0], NewLocal(), entries[0].Time); err != nil || len(hits) == 1 == known {
			t.Errorf("%s in a running watch: %v %v", member, hits, err)
		}
	}
}

func TestInRegion(t *testing.T) {
	t.Parallel()
	w := World{Regions: []string{"europe-*", "eu", "us-east1"}}
	for location, want := range map[string]bool{
		"europe-west1": true, "europe-west1-b": true, "EU": true, "us-east1": true, "us-east1-c": true, "us-east12": false, "us-east1-cc": false,
		"us": false, "global": true, "": true, "eu,us": false, "eu,europe-west4": true, "asia-east1": false,
	} {
		if got := w.InRegion(location); got != want {
			t.Errorf("InRegion(%q) = %v", location, got)
		}
	}
	if !(World{}).InRegion("asia-east1") {
		t.Error("without regions every place is allowed")
	}
}

func TestInternet(t *testing.T) {
	t.Parallel()
	for ranges, want := range map[string]bool{
		"10.0.0.0/8 192.168.1.0/24": false, "198.51.100.7": true, "10.0.0.0/7": true, "0.0.0.0/0": true, "fd00::/8": false, "2001:db8::/32": true,
		"35.191.0.0/16 130.211.0.0/22": false, "": false, "private": false,
	} {
		if got := Internet(strings.Fields(ranges)); got != want {
			t.Errorf("Internet(%s) = %v", ranges, got)
		}
	}
}

func TestOrdinary(t *testing.T) {
	t.Parallel()
	entry := func(service, method string, stream auditlog.Stream, kind auditlog.ActorKind) *auditlog.Entry {
		return &auditlog.Entry{Kind: auditlog.Audit, Service: service, Method: method, Verb: auditlog.Verb(method), Stream: stream, Actor: auditlog.Actor{Kind: kind}}
	}
	flow := entry("compute.googleapis.com", "v1.compute.subnetworks.patch", auditlog.Activity, auditlog.Human)
	flow.Request = []byte(`{"enableFlowLogs":true}`)
	long := entry("container.googleapis.com", "google.container.v1.ClusterManager.SetNodePoolManagement", auditlog.DataAccess, auditlog.Human)
	long.Operation.ID = "o"
	for want, entries := range map[string][]*auditlog.Entry{
		"read":             {entry("a", "v1.compute.x.aggregatedList", auditlog.DataAccess, auditlog.Human), entry("a", "GetThing", auditlog.Activity, auditlog.Agent)},
		"google-agent":     {entry("a", "v1.compute.x.insert", auditlog.Activity, auditlog.Agent), entry("a", "repair", auditlog.SystemEvent, auditlog.System)},
		"data-plane":       {entry("monitoring.googleapis.com", "google.monitoring.v3.MetricService.CreateTimeSeries", auditlog.DataAccess, auditlog.Service)},
		"service-state":    {entry("serviceusage.googleapis.com", "BatchEnableServices", auditlog.Activity, auditlog.Human)},
		"logging-config":   {entry("logging.googleapis.com", "CreateLogMetric", auditlog.Activity, auditlog.Human)},
		"logging-flowlogs": {flow},
		"resource-create":  {entry("a", "v1.compute.disks.createSnapshot", auditlog.Activity, auditlog.Human)},
		"resource-delete":  {entry("a", "v1.compute.disks.delete", auditlog.Activity, auditlog.Human)},
		"resource-change":  {entry("a", "UpdateThing", auditlog.Activity, auditlog.Human), long},
		"other":            {entry("a", "Shuffle", auditlog.Activity, auditlog.Human)},
		"application":      {{Kind: auditlog.Application, Verb: "get"}},
		"login":            {entry("login.googleapis.com", "loginSuccess", auditlog.DataAccess, auditlog.Human)},
	} {
		for _, e := range entries {
			if got := Ordinary(e); got != want {
				t.Errorf("%s is %s, not %s", e.Method, got, want)
			}
		}
	}
}

// A rule that asks for regions and a policy without any: it finds nothing, and that is told.
func TestAnywhere(t *testing.T) {
	t.Parallel()
	rules := map[string]string{"placed": rule("act", `when: '!in_region(location)'`), "plain": rule("act", "")}
	if got := strings.Join(set(t, rules).Anywhere(), " "); got != "placed" {
		t.Errorf("%q", got)
	}
	s, _ := LoadIn(World{Regions: []string{"eu"}}, company(t, rules))
	if got := s.Only(func(Rule) bool { return true }).Anywhere(); len(got) != 0 {
		t.Errorf("with a region: %v", got)
	}
}
