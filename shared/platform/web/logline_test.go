package web_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// journal keeps log lines; it may be written to from several goroutines.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

// entries waits for n lines: a line is written after the answer has left.
func (j *journal) entries(t *testing.T, n int) []map[string]any {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		j.mu.Lock()
		text := j.buf.String()
		j.mu.Unlock()
		if got := strings.Count(text, "\n"); got >= n || time.Now().After(deadline) {
			if got != n {
				t.Fatalf("%d log lines, want %d:\n%s", got, n, text)
			}
			var entries []map[string]any
			for line := range strings.Lines(text) {
				var e map[string]any
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatalf("log line %q: %v", line, err)
				}
				entries = append(entries, e)
			}
			return entries
		}
		time.Sleep(time.Millisecond)
	}
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	f, j := sample(t)
	s := serve(t, f)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	ask(t, s, "GET", "/sample/v1/leases/ada@customer.example?code=123456", "", "Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	ask(t, s, "ADA", "/ada@customer.example", "")
	ask(t, s, "GET", "/sample/v1/panic", "")
	ask(t, s, "GET", "/sample/v1/headers", "")
	entries := j.entries(t, 4)
	type line struct{ severity, method, url, status, code, err any }
	var got []line
	for _, e := range entries {
		request := e["httpRequest"].(map[string]any)
		got = append(got, line{e["severity"], request["requestMethod"], request["requestUrl"], request["status"], e["code"], e["error"]})
		if e["request"] == "" || !strings.HasSuffix(request["latency"].(string), "s") || request["responseSize"] == "0" {
			t.Errorf("log line %v", e)
		}
	}
	want := []line{
		{"INFO", "GET", "/sample/v1/leases/{id}", 200.0, nil, nil},
		{"INFO", "OTHER", "(none)", 404.0, "not_found", "not-found: not_found"},
		{"ERROR", "GET", "/sample/v1/panic", 500.0, "internal", "serving: assignment to entry in nil map"},
		{"WARNING", "GET", "/sample/v1/headers", 503.0, "unavailable", "no connection to 10.0.0.7"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("log lines (-want +got):\n%s", diff)
	}
	if entries[0]["logging.googleapis.com/trace"] != "projects/proj/traces/"+trace {
		t.Errorf("trace of %v", entries[0])
	}
	if stack, _ := entries[2]["stack_trace"].(string); !strings.Contains(stack, "serve_test.go") {
		t.Errorf("stack_trace %q", stack)
	}
	for _, secret := range []string{"ada", "123456", "ADA"} {
		if strings.Contains(j.buf.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
