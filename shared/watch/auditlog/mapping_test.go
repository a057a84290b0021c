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
