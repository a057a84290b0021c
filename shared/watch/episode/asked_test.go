package episode

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// What a call asked for is told without what may be a secret, and bounded; half of a policy is never told as all of it.
func TestRequested(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxRequest)
	for name, c := range map[string]struct {
		entry auditlog.Entry
		want  string
	}{
		"nothing":      {auditlog.Entry{}, `null`},
		"no object":    {auditlog.Entry{Request: json.RawMessage(`[1]`)}, `null`},
		"an empty one": {auditlog.Entry{Request: json.RawMessage(`{}`)}, `null`},
		"a body":       {auditlog.Entry{Request: json.RawMessage(`{"sourceRanges":["0.0.0.0/0"],"priority":12345678901234567890}`)}, `{"body":{"priority":12345678901234567890,"sourceRanges":["0.0.0.0/0"]}}`},
		"with secrets": {auditlog.Entry{Request: json.RawMessage(`{"rootPassword":"hunter2","env":[{"name":"DB","value":"hunter2"}],"annotations":{"a":"hunter2"},"url":"https://a:hunter2@x.example/?t=hunter2"}`)}, `{"body":{"annotations":{"a":"***"},"env":[{"name":"DB","value":"***"}],"rootPassword":"***","url":"https://x.example/?***"}}`},
		"too long":     {auditlog.Entry{Request: json.RawMessage(`{"a":"` + long + `"}`)}, `{"cut":true}`},
		"far too long": {auditlog.Entry{Request: json.RawMessage(`{"a":"` + strings.Repeat("x", maxBody) + `"}`)}, `{"cut":true}`},
		"a change":     {auditlog.Entry{ServiceData: json.RawMessage(`{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/owner","member":"allUsers"},{"action":"REMOVE","role":"roles/viewer","member":"user:a@x.example","condition":{"expression":"c"}}]}}`)}, `{"added":["roles/owner allUsers"],"removed":["roles/viewer user:a@x.example {c}"]}`},
		"of what is logged": {auditlog.Entry{ServiceData: json.RawMessage(`{"policyDelta":{"auditConfigDeltas":[{"action":"REMOVE","service":"allServices","logType":"DATA_READ"},{"action":"ADD","service":"s","logType":"DATA_READ","exemptedMember":"user:a@x.example"}]}}`)},
			`{"added":["log of s DATA_READ but of user:a@x.example"],"removed":["log of allServices DATA_READ"]}`},
		"of a role": {auditlog.Entry{ServiceData: json.RawMessage(`{"permissionDelta":{"addedPermissions":["a.b.c"],"removedPermissions":["d.e.f"]}}`)}, `{"added":["a.b.c"],"removed":["d.e.f"]}`},
		"all of it": {auditlog.Entry{Verb: "setiampolicy", Request: json.RawMessage(`{"policy":{"bindings":[{"role":"r","members":["a","b"]}]}}`)}, `{"added":["r a","r b"],"whole":true}`},
		"emptied":   {auditlog.Entry{Verb: "setiampolicy", Request: json.RawMessage(`{"policy":{"etag":"x"}}`)}, `{"whole":true}`},
		"too much":  {auditlog.Entry{Verb: "setiampolicy", Request: json.RawMessage(`{"policy":{"bindings":[{"role":"r","members":["a","` + long + `"]}]}}`)}, `{"cut":true}`},
	} {
		got, err := json.Marshal(requested(&c.entry))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %.300s %v\nwant %s", name, got, err, c.want)
		}
	}
}

// A message holds what was asked for, and never a secret of it.
func TestChangedRequest(t *testing.T) {
	t.Parallel()
	s := &Service{Config: Config{Policy: &policy.Policy{}, Bus: &world{}, Assets: []string{"run.googleapis.com"}}}
	all, err := auditlog.Decode([]byte(`{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","insertId":"1","timestamp":"2026-03-03T11:59:00Z","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
		"serviceName":"run.googleapis.com","methodName":"google.cloud.run.v2.Services.UpdateService","resourceName":"projects/p/locations/l/services/s","request":{"service":{"ingress":"INGRESS_TRAFFIC_ALL","template":{"containers":[{"env":[{"name":"KEY","value":"hunter2"}]}]}}}}}`), auditlog.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	told := s.derive(&all[0])
	at := slices.IndexFunc(told, func(m derived) bool { _, is := m.payload.(Changed); return is })
	if at < 0 {
		t.Fatal("nothing was told")
	}
	data, err := json.Marshal(told[at].payload)
	if err != nil || strings.Contains(string(data), "hunter2") || !strings.Contains(string(data), "INGRESS_TRAFFIC_ALL") || !strings.Contains(string(data), `"KEY"`) {
		t.Errorf("%s %v", data, err)
	}
}
