package auditlog_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/watch/auditlog"
)

// envelopes puts an entry into each of the ways it may come.
func envelopes(entry []byte) map[string][]byte {
	b64 := base64.StdEncoding.EncodeToString(entry)
	push := fmt.Sprintf(`{"message":{"data":%q,"messageId":"1","message_id":"1","attributes":{},"publishTime":"2026-03-03T08:56:00Z"},"subscription":"projects/p/subscriptions/s"}`, b64)
	event := `{"specversion":"1.0","id":"1","source":"//x","type":%q,"serviceName":"s","methodName":"m","time":"2026-03-03T08:56:00Z",%q:%s}`
	return map[string][]byte{
		"line":              entry,
		"array":             []byte("[" + string(entry) + "]"),
		"push":              []byte(push),
		"pulled":            []byte(`[{"ackId":"a",` + push[1:] + `]`),
		"message":           fmt.Appendf(nil, `{"data":%q,"messageId":"1"}`, b64),
		"url-safe, no pad":  fmt.Appendf(nil, `{"message":{"data":%q}}`, base64.RawURLEncoding.EncodeToString(entry)),
		"eventarc":          fmt.Appendf(nil, event, "google.cloud.audit.log.v1.written", "data", entry),
		"eventarc, base64":  fmt.Appendf(nil, event, "google.cloud.audit.log.v1.written", "data_base64", `"`+b64+`"`),
		"eventarc, pub/sub": fmt.Appendf(nil, event, "google.cloud.pubsub.topic.v1.messagePublished", "data", push),
	}
}

func TestEnvelopesGiveOneForm(t *testing.T) {
	t.Parallel()
	for _, entry := range compacted(t) {
		want, _ := json.Marshal(one(t, entry, auditlog.Mapping{}))
		for name, data := range envelopes(entry) {
			got, _ := json.Marshal(one(t, data, auditlog.Mapping{}))
			if string(got) != string(want) {
				t.Errorf("%s:\n%s\nnot\n%s", name, got, want)
			}
		}
	}
}

// The data of a binary CloudEvent has no @type, and its log name may be without the percent-encoding.
func TestLogEntryData(t *testing.T) {
	t.Parallel()
	e := one(t, with(t, "iam-project-delta", func(e, p map[string]any) {
		delete(p, "@type")
		e["logName"] = "projects/acme-live/logs/cloudaudit.googleapis.com/activity"
		e["severity"] = 300
		e["newKey"] = map[string]any{"a": []any{1, 2.5e3, nil, true}}
		p["newKey"] = "x"
	}), auditlog.Mapping{})
	if e.ID != fixture(t, "iam-project-delta").ID || e.Severity != "NOTICE" || e.Stream != auditlog.Activity {
		t.Errorf("%+v", e)
	}
}

func TestArrivalStandsInForTimes(t *testing.T) {
	t.Parallel()
	bare := with(t, "iam-project-delta", func(e, _ map[string]any) {
		delete(e, "timestamp")
		delete(e, "receiveTimestamp")
	})
	for _, name := range []string{"push", "eventarc", "eventarc, pub/sub"} {
		if e := one(t, envelopes(bare)[name], auditlog.Mapping{}); e.Time.IsZero() || !e.Missing("timestamp") {
			t.Errorf("%s: %v", name, e.Time)
		}
	}
}

func TestTrimmedEntries(t *testing.T) {
	t.Parallel()
	e := one(t, []byte(`{"protoPayload":{"methodName":"v1.compute.firewalls.insert"}}`), auditlog.Mapping{})
	if e.Service != "compute.googleapis.com" || !e.Missing("serviceName") || !e.Missing("logName") || e.Kind != auditlog.Audit {
		t.Errorf("%+v", e)
	}
	e = one(t, []byte(`{"protoPayload":{"serviceName":"x.googleapis.com"},"resource":{"labels":{"method":"a.b.C"}}}`), auditlog.Mapping{})
	if e.Method != "a.b.C" || e.Verb != "c" || !e.Missing("methodName") {
		t.Errorf("%+v", e)
	}
}

// Each is refused, by an error of kind Invalid that names a place and never repeats what stood there.
func TestRefused(t *testing.T) {
	t.Parallel()
	const log = `"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity"`
	deep := strings.Repeat(`{"secret":`, 200) + `1` + strings.Repeat(`}`, 200)
	wrapped := `{"protoPayload":{"methodName":"m","serviceName":"s"}}`
	for range 8 {
		wrapped = `{"data":` + wrapped + `}`
	}
	cases := map[string]string{
		"nothing":               ``,
		"a word":                `secret`,
		"a string":              `"secret"`,
		"null":                  `null`,
		"no entry":              `{"a":"secret"}`,
		"cut off":               `{"protoPayload":{"serviceName":"secret`,
		"more behind":           wrapped[:0] + `{` + log + `} {"secret":1}`,
		"not UTF-8":             "{\"logName\":\"\xff\"}",
		"a bare control":        "{\"logName\":\"secret\n\"}",
		"a bad escape":          `{"logName":"secret\x"}`,
		"a bad number":          `{"x":01,` + log + `}`,
		"a trailing comma":      `{` + log + `,}`,
		"a name twice":          `{"insertId":"a","insertId":"secret",` + log + `}`,
		"a name twice, escaped": `{"insertId":"a","insert\u0049d":"secret",` + log + `}`,
		"a principal twice":     `{"protoPayload":{"authenticationInfo":{"principalEmail":"a","principalEmail":"secret"}},` + log + `}`,
		"service a number":      `{"protoPayload":{"serviceName":5},` + log + `}`,
		"method a list":         `{"protoPayload":{"methodName":["secret"]},` + log + `}`,
		"payload a string":      `{"protoPayload":"secret",` + log + `}`,
		"code a word":           `{"protoPayload":{"status":{"code":"secret"}},` + log + `}`,
		"permissions an object": `{"protoPayload":{"authorizationInfo":{"secret":1}},` + log + `}`,
		"split index a half":    `{"split":{"index":0.5},"protoPayload":{"methodName":"secret"},` + log + `}`,
		"no service, no method": `{"protoPayload":{"request":{"secret":1}},` + log + `}`,
		"an empty payload":      `{"protoPayload":{},"x":"secret"}`,
		"a log name alone":      `{` + log + `}`,
		"too deep":              `{"protoPayload":{"methodName":"m","serviceName":"s","request":` + deep + `},` + log + `}`,
		"too many envelopes":    wrapped,
		"not base64":            `{"message":{"data":"secret!"}}`,
		"an empty message":      `{"message":{"attributes":{"a":"secret"}}}`,
		"empty data":            `{"message":{"data":""}}`,
		"one bad in an array":   `[{"protoPayload":{"methodName":"m","serviceName":"s"},` + log + `},{"secret":1}]`,
		"too large":             `{"x":"` + strings.Repeat("a", auditlog.MaxSize) + `",` + log + `}`,
	}
	for name, data := range cases {
		entries, err := auditlog.Decode([]byte(data), auditlog.Mapping{})
		if err == nil || len(entries) > 0 {
			t.Errorf("%s: taken", name)
			continue
		}
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLargeRequest(t *testing.T) {
	t.Parallel()
	e := one(t, with(t, "iam-run-policy", func(_, p map[string]any) {
		members := make([]any, 12_000)
		for i := range members {
			members[i] = fmt.Sprintf("user:person%d@acme.example", i)
		}
		policy := p["request"].(map[string]any)["policy"].(map[string]any)
		policy["bindings"] = []any{map[string]any{"role": "roles/viewer", "members": members}}
	}), auditlog.Mapping{})
	if d, ok := e.IAMDelta(); !ok || len(d.Added) != 12_000 || len(e.Request) < 300_000 {
		t.Errorf("%d of %d bytes", len(d.Added), len(e.Request))
	}
}

// Equal names inside a request are no error, and none of them hides another.
func TestNamesTwiceInASubTree(t *testing.T) {
	t.Parallel()
	e := one(t, []byte(`{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","protoPayload":{"serviceName":"run.googleapis.com",
		"methodName":"SetIamPolicy","serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"r","member":"allUsers"}]},
		"policyDelta":{"bindingDeltas":[]}}}}`), auditlog.Mapping{})
	if d, ok := e.IAMDelta(); !ok || len(d.Added) != 1 {
		t.Errorf("%+v", d)
	}
}
