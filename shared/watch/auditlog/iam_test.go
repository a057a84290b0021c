package auditlog_test

import (
	"reflect"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

func TestIAMDelta(t *testing.T) {
	t.Parallel()
	type B = auditlog.Binding
	cases := map[string]auditlog.Delta{
		"iam-project-delta": {
			Added:   []B{{"roles/viewer", "user:eve@other.example", `request.time < timestamp("2026-04-01T00:00:00Z")`}},
			Removed: []B{{"roles/editor", "user:bob@acme.example", ""}}},
		"iam-audit-config": {Audit: []auditlog.AuditChange{
			{Removed: true, Service: "secretmanager.googleapis.com", LogType: "DATA_READ"},
			{Service: "allServices", LogType: "DATA_WRITE", Exempted: "user:bob@acme.example"}}},
		"iam-bigquery-bindings": {
			Added:   []B{{"roles/bigquery.dataViewer", "allAuthenticatedUsers", ""}},
			Removed: []B{{"roles/bigquery.dataViewer", "user:bob@acme.example", ""}}},
		"iam-bigquery-policy": {Full: true, Added: []B{
			{"roles/bigquery.dataViewer", "allUsers", ""}, {"roles/bigquery.dataViewer", "projectViewer:acme-live", ""}}},
		"iam-bigquery-list": {Full: true, Added: []B{
			{"roles/bigquery.dataEditor", "projectEditor:acme-live", ""},
			{"roles/bigquery.dataViewer", "allAuthenticatedUsers", ""},
			{"roles/bigquery.dataOwner", "user:ada@acme.example", ""},
			{"roles/bigquery.dataViewer", "domain:other.example", ""}}},
		"iam-run-policy": {Full: true, Added: []B{{"roles/run.invoker", "allUsers", ""}},
			Audit: []auditlog.AuditChange{{Service: "run.googleapis.com", LogType: "DATA_READ"},
				{Service: "run.googleapis.com", LogType: "DATA_READ", Exempted: "user:bob@acme.example"}}},
		"iam-answer-only": {Full: true, Added: []B{
			{"roles/pubsub.subscriber", "serviceAccount:x@other.iam.gserviceaccount.com", ""}}},
		"iam-owner-invite": {Added: []B{{"roles/owner", "user:eve@other.example", ""}}},
		"iam-role": {PermissionsAdded: []string{"secretmanager.versions.access"},
			PermissionsRemoved: []string{"storage.buckets.list"}},
	}
	for name, want := range cases {
		got, ok := fixture(t, name).IAMDelta()
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %+v", name, ok, got)
		}
	}
	for _, name := range []string{"firewall-first", "secret-denied", "login-failure", "token-chain", "application"} {
		if got, ok := fixture(t, name).IAMDelta(); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// The oddities a change can have: none at all, an action unsaid, everything taken away, the change under metadata.
func TestIAMDeltaOddities(t *testing.T) {
	t.Parallel()
	type M = map[string]any
	delta := func(name string, change func(p M)) (auditlog.Delta, bool) {
		return one(t, with(t, name, func(_, p map[string]any) { change(p) }), auditlog.Mapping{}).IAMDelta()
	}
	if d, ok := delta("iam-project-delta", func(p M) { p["serviceData"] = M{"policyDelta": M{}} }); !ok || d.Full || d.Added != nil {
		t.Errorf("empty change: %+v", d)
	}
	unsaid := []any{M{"role": "roles/owner", "member": "allUsers"}}
	d, ok := delta("iam-project-delta", func(p M) {
		delete(p, "serviceData")
		p["metadata"] = M{"policyDelta": M{"bindingDeltas": unsaid}}
	})
	if !ok || len(d.Added) != 1 || d.Added[0].Member != "allUsers" {
		t.Errorf("action unsaid, under metadata: %+v", d)
	}
	d, ok = delta("iam-run-policy", func(p M) { p["request"] = M{"policy": M{"etag": "x"}} })
	if !ok || !d.Full || d.Added != nil {
		t.Errorf("everything taken away: %+v", d)
	}
	for _, odd := range []any{"text", []any{1}, M{"policyDelta": []any{}}, M{"policyDelta": M{"bindingDeltas": "x"}}} {
		delta("iam-project-delta", func(p M) { p["serviceData"] = odd })
	}
}
