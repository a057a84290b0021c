package event_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
)

const (
	testdata = "../../../testdata/"
	written  = "google.cloud.audit.log.v1.written"
)

// accepts is what the samples and the hostile bodies are read with.
var accepts = event.Accepts{
	Topics:   []string{"lease.changed", "audit.entries"},
	Eventarc: []string{written, "google.cloud.storage.object.v1.finalized"},
}

// request makes a request of a file: a whole one (.http), or a body sent as JSON.
func request(t testing.TB, file string) *http.Request {
	t.Helper()
	content, err := os.ReadFile(testdata + file)
	if err != nil {
		t.Fatal(err)
	}
	head := "Content-Type: application/json\n\n"
	if strings.HasSuffix(file, ".http") {
		before, after, _ := bytes.Cut(content, []byte("\n\n"))
		head, content = string(before)+"\n\n", after
	}
	return build(t, head, content)
}

// build makes a request; nil when head is no HTTP header, which only a fuzzer writes.
func build(t testing.TB, head string, body []byte) *http.Request {
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(head))).ReadMIMEHeader()
	if err != nil {
		return nil
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/syncallowlist/events", bytes.NewReader(body))
	r.Header = http.Header(header)
	return r
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

const lease = `{"lease":"l-2941"}`

// leaseChanged is the event of nearly all samples of messages.
func leaseChanged() event.Event {
	return event.Event{
		ID: "l-2941/3", Source: "//pubsub.googleapis.com/projects/acme-live/topics/lease.changed", Type: event.MessagePublished,
		Topic: "lease.changed", Time: at("2026-11-22T06:31:04.120951Z"), Data: json.RawMessage(lease),
		Attributes: map[string]string{"id": "l-2941/3", "time": "2026-11-22T06:31:04.120951Z"},
	}
}

func with(e event.Event, change func(*event.Event)) event.Event { change(&e); return e }

func TestSamples(t *testing.T) {
	t.Parallel()
	minimal := event.Event{ID: "a-1", Source: "/collector/eu", Type: written, Attributes: map[string]string{}}
	audit := event.Event{
		ID: "projects/acme-live/logs/cloudaudit.googleapis.com/activity1kqy7rcd3xb1795329064551923", Type: written,
		Source:  "//cloudaudit.googleapis.com/projects/acme-live/logs/activity",
		Subject: "storage.googleapis.com/projects/_/buckets/acme-reports", Time: at("2026-11-22T06:31:04.551923Z"),
		Data: json.RawMessage(`{"insertId":"1kqy7rcd3xb","protoPayload":{"methodName":"storage.setIamPermissions"}}`),
		Attributes: map[string]string{
			"servicename": "storage.googleapis.com", "methodname": "storage.setIamPermissions", "resourcename": "projects/_/buckets/acme-reports",
		},
	}
	want := map[string]event.Event{
		"pubsub/message.json":                 leaseChanged(),
		"pubsub/message-without-attempt.json": leaseChanged(),
		"pubsub/message-one-spelling.json":    leaseChanged(),
		"pubsub/message-underscores.json":     leaseChanged(),
		"pubsub/message-foreign-members.json": leaseChanged(),
		"pubsub/message-attributes-only.json": with(leaseChanged(), func(e *event.Event) { e.Data = nil }),
		"pubsub/message-nulls.json": with(leaseChanged(), func(e *event.Event) {
			e.ID, e.Time, e.Attributes = "12894021933210077", at("2026-11-22T06:31:04.733Z"), map[string]string{}
		}),
		"pubsub/message-log-sink.json": with(leaseChanged(), func(e *event.Event) {
			e.ID, e.Topic, e.Source = "12894021933210077", "audit.entries", "//pubsub.googleapis.com/projects/acme-live/topics/audit.entries"
			e.Time = at("2026-11-22T06:31:04.733Z")
			e.Attributes = map[string]string{"logging.googleapis.com/timestamp": "2026-11-22T06:31:04.551923Z"}
			e.Data = nil // compared below
		}),
		"pubsub/fallback-eventarc.json": with(audit, func(e *event.Event) {
			e.ID = "projects/acme-live/logs/cloudaudit.googleapis.com%2Factivity1kqy7rcd3xb1795329064551923" // only headers are percent-encoded
			e.Subject = "storage.googleapis.com/projects/_/buckets/acme-reports/objects/plan "
			e.Attributes = map[string]string{
				"servicename": "storage.googleapis.com", "methodname": "storage.setIamPermissions",
				"resourcename": "projects/_/buckets/acme-reports/objects/plan ", "recordedtime": "2026-11-22T06:31:05.114207731Z",
			}
		}),
		"http/push.http":         leaseChanged(),
		"http/binary-audit.http": audit,
		"http/binary-storage.http": {
			ID: "8270231841209431", Source: "//storage.googleapis.com/projects/_/buckets/acme-reports",
			Type: "google.cloud.storage.object.v1.finalized", Subject: `objects/café "plan".pdf`, Time: at("2026-11-22T06:31:04.5Z"),
			Attributes: map[string]string{"bucket": "acme-reports"},
			Data:       json.RawMessage(`{"kind":"storage#object","bucket":"acme-reports","name":"café \"plan\".pdf","size":"352","generation":"1795329064551923"}`),
		},
		"http/binary-without-data.http": with(minimal, func(e *event.Event) { e.Source = "/probe" }),
		"http/structured-minimal.http":  minimal,
		"http/structured-nulls.http":    minimal,
		"http/structured-base64.http":   with(minimal, func(e *event.Event) { e.Data = json.RawMessage(`{"ok":true}`) }),
		"http/structured.http": with(minimal, func(e *event.Event) {
			e.Subject, e.Time, e.Data = "backup", at("2026-11-22T06:31:04Z"), json.RawMessage(`{"ok": true}`)
			e.Attributes = map[string]string{"retries": "3", "dryrun": "false", "zone": "eu"}
		}),
	}
	for _, folder := range []string{"pubsub", "http"} {
		files, err := os.ReadDir(testdata + "events/" + folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := folder + "/" + file.Name()
			if filepath.Ext(name) == ".md" {
				continue
			}
			got, err := event.Decode(request(t, "events/"+name), accepts)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got.Data = bytes.TrimSpace(got.Data)
			if name == "pubsub/message-log-sink.json" {
				if !bytes.Contains(got.Data, []byte(`"policyDelta":{"bindingDeltas":[{"action":"ADD"`)) {
					t.Errorf("%s: data %s", name, got.Data)
				}
				got.Data = nil
			}
			expected, known := want[name]
			if diff := cmp.Diff(expected, got); !known || diff != "" {
				t.Errorf("%s (known %v):\n%s", name, known, diff)
			}
			delete(want, name)
		}
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

// TestHostile holds every hostile body to the verdict its name begins with.
func TestHostile(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(testdata + "hostile/events")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, file := range files {
		if filepath.Ext(file.Name()) == ".md" {
			continue
		}
		verdict, _, _ := strings.Cut(file.Name(), "_")
		seen[verdict]++
		got, err := event.Decode(request(t, "hostile/events/"+file.Name()), accepts)
		switch verdict {
		case "undetermined":
			if !fault.Is(err, fault.Invalid) || got.ID != "" {
				t.Errorf("%s: %+v, %v; want Invalid", file.Name(), got, err)
			}
			if err != nil && strings.Contains(err.Error(), "l-2941") {
				t.Errorf("%s: the error quotes the body: %v", file.Name(), err)
			}
		case "message":
			plain := leaseChanged()
			plain.Attributes = got.Attributes
			if diff := cmp.Diff(plain, got); err != nil || diff != "" {
				t.Errorf("%s: %v\n%s", file.Name(), err, diff)
			}
		default:
			t.Errorf("%s: no verdict in its name", file.Name())
		}
	}
	if seen["undetermined"] < 50 || seen["message"] < 2 {
		t.Errorf("only %v files", seen)
	}
}

// TestRehydrate shows where ce- attributes of a raw push are believed: on a foreign subscription, and only for a
// type that a trigger is declared for.
func TestRehydrate(t *testing.T) {
	t.Parallel()
	topics, types := []string{"lease.changed"}, []string{written}
	for _, c := range []struct {
		name, file string
		accepts    event.Accepts
		want       string // the type, or "" when refused
	}{
		{"trigger declared", "events/pubsub/fallback-eventarc.json", event.Accepts{Eventarc: types}, written},
		{"trigger and topic declared", "events/pubsub/fallback-eventarc.json", event.Accepts{Topics: topics, Eventarc: types}, written},
		{"other trigger declared", "events/pubsub/fallback-eventarc.json", event.Accepts{Eventarc: []string{"other"}}, ""},
		{"no trigger declared", "events/pubsub/fallback-eventarc.json", event.Accepts{Topics: topics}, ""},
		{"nothing declared", "events/pubsub/fallback-eventarc.json", event.Accepts{}, ""},
		{"forged, topic declared", "hostile/events/message_forged-cloudevent.json", event.Accepts{Topics: topics}, event.MessagePublished},
		{"forged, both declared", "hostile/events/message_forged-cloudevent.json", event.Accepts{Topics: topics, Eventarc: types}, event.MessagePublished},
		{"forged, trigger declared", "hostile/events/message_forged-cloudevent.json", event.Accepts{Eventarc: types}, ""},
	} {
		e, err := event.Decode(request(t, c.file), c.accepts)
		if e.Type != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: type %q, %v; want %q", c.name, e.Type, err, c.want)
		}
	}
}
