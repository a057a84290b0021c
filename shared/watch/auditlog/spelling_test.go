package auditlog_test

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// Names in small letters are read; where both spellings stand, the true one counts.
func TestSmallLetters(t *testing.T) {
	t.Parallel()
	const payload = `{"at_sign_type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"dns.googleapis.com","methodName":"dns.managedZones.delete","requestMetadata":{"callerIP":"192.0.2.7"}}`
	const rest = `"insertid":"a","logname":"projects/acme-live/logs/cloudaudit.googleapis.com%2Fdata_access","receivetimestamp":"2026-03-03T09:00:00Z"`
	e := one(t, []byte(`{`+rest+`,"protopayload":`+payload+`}`), auditlog.Mapping{})
	if e.Stream != auditlog.DataAccess || e.Project != "acme-live" || e.Verb != "delete" || e.IP != "192.0.2.7" || e.Time.IsZero() || e.Missing("insertId") {
		t.Errorf("%+v", e)
	}
	for _, data := range []string{
		`{"logName":"projects/acme-live/logs/cloudaudit.googleapis.com%2Fpolicy",` + rest + `,"protopayload":{"methodName":5},"protoPayload":` + payload + `}`,
		`{"protoPayload":` + payload + `,"protopayload":{"methodName":5},` + rest + `,"logName":"projects/acme-live/logs/cloudaudit.googleapis.com%2Fpolicy"}`,
	} {
		if e := one(t, []byte(data), auditlog.Mapping{}); e.Stream != auditlog.PolicyDenied || e.Verb != "delete" {
			t.Errorf("%+v", e)
		}
	}
}

// The name of the log may be cut, or be that of an exporter's own log.
func TestForeignLogNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"projects/acme-live/cloudaudit.googleapis.com%2Factivity", "projects/acme-live", ""} {
		e := one(t, with(t, "iam-project-delta", func(e, p map[string]any) {
			e["logName"] = name
			delete(p, "@type")
		}), auditlog.Mapping{})
		if e.Kind != auditlog.Audit || e.Verb != "setiampolicy" {
			t.Errorf("%q: %+v", name, e)
		}
	}
}

func TestTableExport(t *testing.T) {
	t.Parallel()
	e := one(t, []byte(`[{"logName":"projects/acme-live/logs/cloudaudit.googleapis.com%2Fdata_access","textPayload":null,
		"timestamp":"2026-03-03 09:00:00.5 UTC","operation":null,"protopayload_auditlog":{"serviceName":"bigquery.googleapis.com",
		"methodName":"google.cloud.bigquery.v2.JobService.InsertJob","status":null,"requestJson":"{\"a\":{\"b\":\"c\"}}",
		"responseJson":"{not","metadataJson":"{\"tableDataRead\":{}}","servicedata_v1_iam":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"r","member":"allUsers"}]}},
		"authorizationInfo":[{"permission":"bigquery.tables.getData","granted":"true"}]}}]`), auditlog.Mapping{})
	if !e.Time.Equal(time.Date(2026, 3, 3, 9, 0, 0, 5e8, time.UTC)) || !e.Permissions[0].Granted || string(e.Request) != `{"a":{"b":"c"}}` || e.Response != nil || e.Metadata == nil {
		t.Errorf("%+v", e)
	}
	if d, ok := e.IAMDelta(); !ok || len(d.Added) != 1 {
		t.Errorf("%+v", d)
	}
}

// People who share a log put three dots for what they leave out; the entry is a gap richer and no less an entry.
func TestCutOut(t *testing.T) {
	t.Parallel()
	e := one(t, []byte(`{"resource":"...","operation":"...","protoPayload":{"serviceName":"run.googleapis.com","methodName":"m",
		"authenticationInfo":"REDACTED","authorizationInfo":"...","requestMetadata":"...","resourceLocation":"...","status":"..."}}`), auditlog.Mapping{})
	if e.Actor.Kind != auditlog.Unknown || e.Project != "" || e.Outcome.Result != auditlog.OK || !e.Missing("resource") || !e.Missing("protoPayload.authenticationInfo") {
		t.Errorf("%+v", e)
	}
}

func TestMethodFromElsewhere(t *testing.T) {
	t.Parallel()
	for data, want := range map[string][2]string{
		`{"protoPayload":{"request":{"@type":"type.googleapis.com/compute.disks.setIamPolicy"}}}`:                                  {"setiampolicy", "compute.googleapis.com"},
		`{"protoPayload":{"serviceName":"run.googleapis.com","request":{"@type":"type.googleapis.com/a.v1.SetIamPolicyRequest"}}}`: {"setiampolicy", "run.googleapis.com"},
		`{"protoPayload":{"authorizationInfo":[{"permission":"storage.buckets.delete"}]}}`:                                         {"delete", "storage.googleapis.com"},
	} {
		e := one(t, []byte(data), auditlog.Mapping{})
		if e.Verb != want[0] || e.Service != want[1] || !e.Missing("methodName") {
			t.Errorf("%s: %+v", data, e)
		}
	}
	e := one(t, []byte(`{"protoPayload":{"methodName":"m","resourceName":"projects/acme-live/zones/z/disks/d"}}`), auditlog.Mapping{})
	if e.Project != "acme-live" {
		t.Errorf("project %q", e.Project)
	}
}

// A word that is not "true" grants nothing, in whatever language; and where everything was refused, nothing was done.
func TestRefusedPermissions(t *testing.T) {
	t.Parallel()
	for granted, want := range map[string]auditlog.Result{
		`true`: auditlog.OK, `"true"`: auditlog.OK, `null`: auditlog.OK,
		`false`: auditlog.Denied, `"nein"`: auditlog.Denied, `"да"`: auditlog.Denied,
	} {
		e := one(t, []byte(`{"protoPayload":{"methodName":"m","status":{},"authorizationInfo":[{"permission":"p","granted":`+granted+`}]}}`), auditlog.Mapping{})
		if e.Outcome.Result != want {
			t.Errorf("%s: %s", granted, e.Outcome.Result)
		}
	}
	for _, more := range []string{
		`"authorizationInfo":[{"permission":"p","granted":false},{"permission":"q","granted":true}]`,
		`"authorizationInfo":[{"permission":"p","granted":false}],"serviceData":{"policyDelta":{}}`,
	} {
		if e := one(t, []byte(`{"protoPayload":{"methodName":"m",`+more+`}}`), auditlog.Mapping{}); e.Outcome.Result != auditlog.OK {
			t.Errorf("%s: %s", more, e.Outcome.Result)
		}
	}
}

func TestClusterAnswersFailure(t *testing.T) {
	t.Parallel()
	got := []auditlog.Result{}
	for _, answer := range []string{`{"status":"Failure","code":409}`, `{"status":"Failure","code":403}`, `{"status":"Failure"}`, `{"status":"Success"}`, `{"status":{"phase":"Failure"}}`} {
		got = append(got, one(t, []byte(`{"protoPayload":{"serviceName":"k8s.io","methodName":"io.k8s.core.v1.pods.create","response":`+answer+`}}`), auditlog.Mapping{}).Outcome.Result)
	}
	if want := []auditlog.Result{auditlog.Failed, auditlog.Denied, auditlog.Failed, auditlog.OK, auditlog.OK}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// Where a resource is, the entry says in one of several places, or not at all.
func TestLocationByName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ more, resource, request, want string }{
		"said":             {`"resourceLocation":{"currentLocations":["europe-west1"]},`, "projects/p/locations/us-east1/x", `{}`, "europe-west1"},
		"by the name":      {"", "projects/p/locations/us-east1/keyRings/r", `{"locationId":"eu"}`, "us-east1"},
		"by the request":   {"", "projects/p", `{"locationId":"us-central1"}`, "us-central1"},
		"any location":     {"", "projects/p/locations/-/keyRings/r", `{}`, ""},
		"no text":          {"", "projects/p", `{"locationId":7}`, ""},
		"a parent's place": {"", "projects/p/locations/us-east1", `{}`, "us-east1"},
	} {
		e := one(t, []byte(`{"insertId":"1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-03T10:00:00Z","resource":{"type":"audited_resource"},
			"protoPayload":{`+c.more+`"serviceName":"cloudkms.googleapis.com","methodName":"CreateKeyRing","resourceName":"`+c.resource+`","request":`+c.request+`}}`), auditlog.Mapping{})
		if e.Location != c.want {
			t.Errorf("%s: %q, want %q", name, e.Location, c.want)
		}
	}
}
