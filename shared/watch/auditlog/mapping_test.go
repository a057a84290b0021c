package auditlog_test

import (
	"slices"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

var shop = auditlog.Mapping{
	Log: "run.googleapis.com/stdout", Service: "shop", Actor: "jsonPayload.actor.email",
	User: "jsonPayload.subject.id", Tenant: "labels.tenant.id", Action: "jsonPayload.event",
	Ticket: "jsonPayload.ticket", Time: "jsonPayload.at", Target: "resource.labels.service_name",
	IP: "jsonPayload.http.client", Outcome: "jsonPayload.succeeded",
}

func TestMapping(t *testing.T) {
	t.Parallel()
	e := one(t, file(t, "application"), shop)
	if e.Kind != auditlog.Application || e.Stream != auditlog.ApplicationLog || len(e.Gaps) > 0 {
		t.Errorf("kind %q, stream %q, gaps %v", e.Kind, e.Stream, e.Gaps)
	}
	want := auditlog.App{User: "u-17", Tenant: "t-4", Action: "user.impersonated", Ticket: "4711"}
	if e.App != want || e.Service != "shop" || e.Method != "user.impersonated" || e.Verb != "impersonated" {
		t.Errorf("%+v %q %q %q", e.App, e.Service, e.Method, e.Verb)
	}
	if e.Actor.Key != "human:bob@acme.example" || e.IP != "198.51.100.4" || e.Outcome.Result != auditlog.OK {
		t.Errorf("%+v %q %+v", e.Actor, e.IP, e.Outcome)
	}
	if e.Time.Format("15:04") != "07:50" || e.Asset != "//shop/shop" || e.Severity != "NOTICE" {
		t.Errorf("%v %q %q", e.Time, e.Asset, e.Severity)
	}
}

func TestMappingNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	m := shop
	m.Actor, m.Tenant, m.Time = "jsonPayload.nobody", "jsonPayload.subject", "jsonPayload.event"
	if e := one(t, file(t, "application"), m); !slices.Equal(e.Gaps, []string{"actor", "tenant", "time"}) ||
		e.Actor.Kind != auditlog.Unknown || e.Time.IsZero() {
		t.Errorf("%v %+v", e.Gaps, e.Actor)
	}
	m = shop
	m.Log = "other"
	if e := one(t, file(t, "application"), m); e.Service != "" || e.App != (auditlog.App{}) || e.Actor.Key != "unknown" ||
		e.Outcome.Result != auditlog.Unclear || e.Kind != auditlog.Application {
		t.Errorf("another log was mapped: %+v", e.App)
	}
}

func TestApplicationOutcome(t *testing.T) {
	t.Parallel()
	for said, want := range map[any]auditlog.Result{true: auditlog.OK, false: auditlog.Failed, "Denied": auditlog.Denied,
		"partial": auditlog.Partial, "maybe": auditlog.Unclear, 7: auditlog.Unclear} {
		e := one(t, with(t, "application", func(e, _ map[string]any) {
			e["jsonPayload"].(map[string]any)["succeeded"] = said
		}), shop)
		if e.Outcome.Result != want {
			t.Errorf("%v: %q", said, e.Outcome.Result)
		}
	}
}

// A payload of another type than the audit log's is an application's, also under protoPayload; plain text too.
func TestOtherPayloads(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{"logName":"projects/p/logs/appengine.googleapis.com%2Frequest_log","protoPayload":{"@type":"type.googleapis.com/google.appengine.logging.v1.RequestLog","method":"GET"}}`,
		`{"logName":"projects/p/logs/run.googleapis.com%2Fstderr","textPayload":"hello"}`,
		`{"logName":"projects/p/logs/run.googleapis.com%2Fstderr"}`,
	} {
		if e := one(t, []byte(data), shop); e.Kind != auditlog.Application || e.Project != "p" {
			t.Errorf("%+v", e)
		}
	}
	m := auditlog.Mapping{Service: "shop", Action: "textPayload"}
	if e := one(t, []byte(`{"logName":"projects/p/logs/x","textPayload":"hello"}`), m); e.App.Action != "hello" {
		t.Errorf("%+v", e.App)
	}
}

// A line under other keys than its log's mapping names is read by the next mapping; a line nobody can read is told.
func TestMappingFallsBack(t *testing.T) {
	t.Parallel()
	named := auditlog.Mapping{Log: "/logs/act-as", Service: "sync", Actor: "jsonPayload.employee", User: "jsonPayload.user", Action: "jsonPayload.event"}
	plain := auditlog.Mapping{Service: "application", Actor: "jsonPayload.actor", User: "jsonPayload.user", Action: "jsonPayload.action"}
	line := func(log, payload string) []byte {
		return []byte(`{"logName":"projects/p/logs/` + log + `","insertId":"1","timestamp":"2026-03-03T10:00:00Z",` + payload + `}`)
	}
	for _, c := range []struct{ log, payload, service, action, actor string }{
		{"act-as", `"jsonPayload":{"employee":"a@b.example","event":"impersonate"}`, "sync", "impersonate", "human:a@b.example"},
		{"act-as", `"jsonPayload":{"actor":"a@b.example","action":"impersonate","user":"u"}`, "application", "impersonate", "human:a@b.example"},
		{"act-as", `"jsonPayload":{"employee":"a@b.example","action":"impersonate"}`, "application", "impersonate", "unknown"},
		{"act-as", `"jsonPayload":{"employee":"a@b.example"}`, "sync", "", "human:a@b.example"},
		{"other", `"jsonPayload":{"actor":"a@b.example","action":"impersonate"}`, "application", "impersonate", "human:a@b.example"},
		{"other", `"textPayload":"hello"`, "application", "", "unknown"},
	} {
		entries, err := auditlog.Decode(line(c.log, c.payload), named, plain)
		if err != nil || len(entries) != 1 {
			t.Errorf("%s %s: %d entries, %v", c.log, c.payload, len(entries), err)
			continue
		}
		e := entries[0]
		if e.Service != c.service || e.App.Action != c.action || e.Actor.Key != c.actor {
			t.Errorf("%s %s: %q %q %q", c.log, c.payload, e.Service, e.App.Action, e.Actor.Key)
		}
	}
	for _, payload := range []string{`"jsonPayload":{"who":"a@b.example","what":"impersonate"}`, `"textPayload":"a@b.example impersonates"`} {
		if _, err := auditlog.Decode(line("act-as", payload), named, plain); err == nil {
			t.Errorf("%s was taken for an entry", payload)
		}
	}
}

// One person and one customer are one, however an application writes them; what holds no reference is no ticket; a
// reason that the log should give is missed.
func TestApplicationSpelling(t *testing.T) {
	t.Parallel()
	m := auditlog.Mapping{Service: "shop", Actor: "jsonPayload.actor", User: "jsonPayload.user", Tenant: "jsonPayload.tenant",
		Action: "jsonPayload.action", Ticket: "jsonPayload.ticket", Reason: "jsonPayload.reason"}
	said := func(m auditlog.Mapping, user, tenant, ticket string) auditlog.Entry {
		return one(t, []byte(`{"logName":"projects/p/logs/x","insertId":"1","timestamp":"2026-03-03T10:00:00Z","jsonPayload":{"actor":" Ada@Acme.example","action":"impersonate","user":"`+
			user+`","tenant":"`+tenant+`","ticket":"`+ticket+`"}}`), m)
	}
	if e := said(m, " Bob@C.Example ", "C.example", "T-1"); e.App.User != "bob@c.example" || e.App.Tenant != "c.example" || e.Actor.Email != "ada@acme.example" {
		t.Errorf("%+v %+v", e.App, e.Actor)
	}
	if e := said(m, "uAb", "teNant", "T-1"); e.App.User != "uAb" || e.App.Tenant != "teNant" {
		t.Errorf("a name of the application's own was changed: %+v", e.App)
	}
	for ticket, want := range map[string]string{"n/a": "", "none": "", "-": "", "tbd": "", "null": "", "0": "", "000": "", "test": "", "": "", "see mail 4": "",
		"T-1": "T-1", " SUP-7 ": "SUP-7", "#4711": "#4711", "4711": "4711", "EINKAUF-2026/4711": "EINKAUF-2026/4711", "https://desk.example/t/42?a=1": "https://desk.example/t/42?a=1"} {
		if got := said(m, "u", "t", ticket).App.Ticket; got != want {
			t.Errorf("ticket %q is %q", ticket, got)
		}
	}
	assumed := m
	assumed.Assumed = true
	if !said(m, "u", "t", "T-1").Missing("reason") || said(assumed, "u", "t", "T-1").Missing("reason") {
		t.Error("a reason is missed where nobody says that the log has one, or is not where somebody does")
	}
}

// A mixed log has lines that are none of its mapping's: those are ignored, and told apart from those of its own that
// nobody can read.
func TestMixedLog(t *testing.T) {
	t.Parallel()
	mixed := auditlog.Mapping{Log: "/logs/app", When: "jsonPayload.audit", Service: "shop", Actor: "jsonPayload.audit.who", Action: "jsonPayload.audit.what"}
	plain := auditlog.Mapping{Service: "application", Actor: "jsonPayload.actor", Action: "jsonPayload.action"}
	for payload, want := range map[string]struct {
		ignored, unreadable bool
		action              string
	}{
		`"jsonPayload":{"audit":{"who":"a@b.example","what":"impersonate"}}`: {action: "impersonate"},
		`"jsonPayload":{"audit":{"who":"a@b.example"}}`:                      {},
		`"jsonPayload":{"audit":{"by":"a@b.example"}}`:                       {unreadable: true},
		`"jsonPayload":{"audit":[]}`:                                         {unreadable: true},
		`"jsonPayload":{"audit":null,"message":"GET /"}`:                     {ignored: true},
		`"jsonPayload":{"message":"GET /"}`:                                  {ignored: true},
		`"textPayload":"GET /"`:                                              {ignored: true},
		`"jsonPayload":{"actor":"a@b.example","action":"impersonate"}`:       {action: "impersonate"},
	} {
		entries, err := auditlog.Decode([]byte(`{"logName":"projects/p/logs/app","insertId":"1","timestamp":"2026-03-03T10:00:00Z",`+payload+`}`), mixed, plain)
		if (err != nil) != want.unreadable {
			t.Errorf("%s: %v", payload, err)
			continue
		}
		if err == nil && (entries[0].Ignored != want.ignored || entries[0].App.Action != want.action) {
			t.Errorf("%s: %+v", payload, entries[0])
		}
	}
}

// A log of tickets says when one is opened and closed, in its own words; an action without a ticket says nothing.
func TestTicketEvents(t *testing.T) {
	t.Parallel()
	m := auditlog.Mapping{Service: "desk", Action: "jsonPayload.event", Ticket: "jsonPayload.key", Opened: []string{"created", "reopened"}, Closed: []string{"resolved"}}
	for payload, want := range map[string]auditlog.TicketEvent{
		`{"event":"created","key":"T-1"}`:   auditlog.TicketOpened,
		`{"event":"reopened","key":"T-1"}`:  auditlog.TicketOpened,
		`{"event":"resolved","key":"T-1"}`:  auditlog.TicketClosed,
		`{"event":"commented","key":"T-1"}`: auditlog.NoTicketEvent,
		`{"event":"created","key":"none"}`:  auditlog.NoTicketEvent,
	} {
		if e := one(t, []byte(`{"logName":"projects/p/logs/desk","insertId":"1","timestamp":"2026-03-03T10:00:00Z","jsonPayload":`+payload+`}`), m); e.App.Event != want {
			t.Errorf("%s: %q", payload, e.App.Event)
		}
	}
}
