package log_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/platform/log"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

// lines runs write against a logger and returns what it wrote, parsed; a key twice in one object fails the test.
func lines(t *testing.T, project string, level slog.Level, write func(*slog.Logger)) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	write(log.New(&out, project, level))
	var parsed []map[string]any
	for line := range strings.Lines(out.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if again, _ := json.Marshal(entry); len(again) != len(strings.TrimSuffix(line, "\n")) {
			t.Errorf("read and written again, the line is not as long: %s", line)
		}
		parsed = append(parsed, entry)
	}
	return parsed
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	cases := map[slog.Level]string{
		slog.LevelDebug: "DEBUG", slog.LevelInfo: "INFO", slog.LevelInfo + 1: "INFO", log.LevelNotice: "NOTICE",
		slog.LevelWarn: "WARNING", slog.LevelError: "ERROR", log.LevelCritical: "CRITICAL", 99: "CRITICAL",
	}
	for level, want := range cases {
		got := lines(t, "p", slog.LevelDebug, func(l *slog.Logger) { l.Log(t.Context(), level, "hello") })
		if len(got) != 1 || got[0]["severity"] != want || got[0]["message"] != "hello" {
			t.Errorf("level %d: got %v, want severity %s", level, got, want)
		}
	}
}

func TestLevelHoldsBack(t *testing.T) {
	t.Parallel()
	got := lines(t, "p", slog.LevelWarn, func(l *slog.Logger) { l.Info("no"); l.Warn("yes") })
	if len(got) != 1 || got[0]["message"] != "yes" {
		t.Errorf("got %v, want the warning alone", got)
	}
}

func TestSourceLocation(t *testing.T) {
	t.Parallel()
	got := lines(t, "p", slog.LevelInfo, func(l *slog.Logger) { l.WithGroup("g").Info("hello", "a", 1) })[0]
	place, ok := got["logging.googleapis.com/sourceLocation"].(map[string]any)
	if !ok {
		t.Fatalf("no source location at the top level: %v", got)
	}
	if file, _ := place["file"].(string); !strings.HasSuffix(file, "log_test.go") {
		t.Errorf("file = %v", place["file"])
	}
	if line, ok := place["line"].(string); !ok || line == "0" {
		t.Errorf("line = %#v, want a number as a string", place["line"])
	}
	if function, _ := place["function"].(string); !strings.Contains(function, "TestSourceLocation") {
		t.Errorf("function = %v", place["function"])
	}
}

func TestGroupsAndReservedNames(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Traceparent", "00-"+traceID+"-"+spanID+"-01")
	ctx := log.WithTrace(context.Background(), r)
	got := lines(t, "proj", slog.LevelInfo, func(l *slog.Logger) {
		l = l.With("severity", "EMERGENCY", slog.Group("", slog.String("message", "forged"))).WithGroup("outer").With("a", 1)
		l.WithGroup("inner").InfoContext(ctx, "hello", "b", 2, "severity", "inside")
	})[0]
	delete(got, "time")
	delete(got, "logging.googleapis.com/sourceLocation")
	want := map[string]any{
		"severity": "INFO", "severity_": "EMERGENCY", "message": "hello", "message_": "forged",
		"logging.googleapis.com/trace":         "projects/proj/traces/" + traceID,
		"logging.googleapis.com/spanId":        spanID,
		"logging.googleapis.com/trace_sampled": true,
		"outer":                                map[string]any{"a": 1.0, "inner": map[string]any{"b": 2.0, "severity": "inside"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}

func TestLoggersDoNotShareAttributes(t *testing.T) {
	t.Parallel()
	got := lines(t, "", slog.LevelInfo, func(l *slog.Logger) {
		base := l.With("k", 1)
		one, two := base.With("one", 1), base.With("two", 2)
		one.Info("first")
		two.Info("second")
	})
	if got[0]["two"] != nil || got[1]["one"] != nil || got[0]["one"] != 1.0 || got[1]["two"] != 2.0 {
		t.Errorf("got %v", got)
	}
}

func TestWithTrace(t *testing.T) {
	t.Parallel()
	good := "00-" + traceID + "-" + spanID + "-00"
	cases := map[string]struct {
		traceparent, cloud []string
		wantTrace          any
		wantSpan           any
		wantSampled        any
	}{
		"traceparent first":            {[]string{good}, []string{"ffffffffffffffffffffffffffffffff/1;o=1"}, traceID, spanID, false},
		"sampled":                      {[]string{"00-" + traceID + "-" + spanID + "-03"}, nil, traceID, spanID, true},
		"later version with more":      {[]string{"01-" + traceID + "-" + spanID + "-01-extra"}, nil, traceID, spanID, true},
		"cloud trace, span in decimal": {nil, []string{traceID + "/255;o=1"}, traceID, "00000000000000ff", true},
		"cloud trace without span":     {nil, []string{traceID}, traceID, nil, false},
		"cloud trace, span zero":       {nil, []string{traceID + "/0;o=0"}, traceID, nil, false},
		"malformed falls to cloud":     {[]string{"00-xyz"}, []string{traceID + "/1"}, traceID, "0000000000000001", false},
		"repeated":                     {[]string{good, good}, nil, nil, nil, nil},
		"upper case":                   {[]string{strings.ToUpper(good)}, nil, nil, nil, nil},
		"version ff":                   {[]string{"ff" + good[2:]}, nil, nil, nil, nil},
		"version 00 with more":         {[]string{good + "-00"}, nil, nil, nil, nil},
		"zero trace":                   {[]string{"00-00000000000000000000000000000000-" + spanID + "-01"}, nil, nil, nil, nil},
		"zero span":                    {[]string{"00-" + traceID + "-0000000000000000-01"}, nil, nil, nil, nil},
		"cloud span not a number":      {nil, []string{traceID + "/x"}, nil, nil, nil},
		"cloud trace too short":        {nil, []string{"abc/1"}, nil, nil, nil},
		"line break in the id":         {nil, []string{traceID[:31] + "\n/1"}, nil, nil, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Traceparent"], r.Header["X-Cloud-Trace-Context"] = c.traceparent, c.cloud
			ctx := log.WithTrace(t.Context(), r)
			got := lines(t, "", slog.LevelInfo, func(l *slog.Logger) { l.InfoContext(ctx, "x") })[0]
			if got["logging.googleapis.com/trace"] != c.wantTrace || got["logging.googleapis.com/spanId"] != c.wantSpan ||
				got["logging.googleapis.com/trace_sampled"] != c.wantSampled {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestStack(t *testing.T) {
	t.Parallel()
	inner := errors.New("index out of range")
	err := fmt.Errorf("serving: %w", log.WithStack(inner, debug.Stack()))
	if !errors.Is(err, inner) {
		t.Error("the stack hides the error")
	}
	got := lines(t, "p", slog.LevelInfo, func(l *slog.Logger) { l.WithGroup("g").Error("broke", "error", err) })[0]
	text, _ := got["stack_trace"].(string)
	if !strings.HasPrefix(text, "serving: index out of range\n\ngoroutine ") || !strings.Contains(text, "TestStack") {
		t.Errorf("stack_trace = %q", text)
	}
	if diff := cmp.Diff(map[string]any{"error": "serving: index out of range"}, got["g"]); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	got = lines(t, "p", slog.LevelInfo, func(l *slog.Logger) { l.Error("broke", "error", inner) })[0]
	if _, ok := got["stack_trace"]; ok {
		t.Error("stack_trace without a stack")
	}
}

// FuzzWithTrace: whatever the headers hold, the line is whole and a trace is of the standard's form.
func FuzzWithTrace(f *testing.F) {
	f.Add("00-"+traceID+"-"+spanID+"-01", traceID+"/1;o=1")
	f.Add("01-"+traceID+"-"+spanID+"-01-\"}", "a/b/c;;")
	f.Add("", traceID+"/18446744073709551615")
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	span := regexp.MustCompile(`^[0-9a-f]{16}$`)
	f.Fuzz(func(t *testing.T, traceparent, cloud string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Traceparent"], r.Header["X-Cloud-Trace-Context"] = []string{traceparent}, []string{cloud}
		ctx := log.WithTrace(t.Context(), r)
		got := lines(t, "", slog.LevelInfo, func(l *slog.Logger) { l.InfoContext(ctx, "x") })[0]
		if id, ok := got["logging.googleapis.com/trace"].(string); ok && !form.MatchString(id) {
			t.Fatalf("trace %q", id)
		}
		if id, ok := got["logging.googleapis.com/spanId"].(string); ok && !span.MatchString(id) {
			t.Fatalf("span %q", id)
		}
	})
}

// TestLabels: labels stand where Cloud Logging looks for them, and no attribute passes itself off as them.
func TestLabels(t *testing.T) {
	t.Parallel()
	const field = "logging.googleapis.com/labels"
	got := lines(t, "p", slog.LevelInfo, func(l *slog.Logger) {
		l.Info("one", "labels", log.Labels{"a": "b"}, "c", 1)
		l.Info("two", field, "forged")
		l.WithGroup("g").Info("three", "labels", log.Labels{"a": "b"})
	})
	if want := map[string]any{"a": "b"}; !cmp.Equal(got[0][field], any(want)) || got[0]["labels"] != nil || got[0]["c"] != 1.0 {
		t.Errorf("labelled: %v", got[0])
	}
	if got[1][field] != nil || got[1][field+"_"] != "forged" {
		t.Errorf("forged: %v", got[1])
	}
	if got[2][field] != nil {
		t.Errorf("in a group: %v", got[2])
	}
	var r slog.Record
	r.AddAttrs(slog.Any("labels", log.Labels{"a": "b"}))
	if log.LabelsOf(r)["a"] != "b" || log.LabelsOf(slog.Record{}) != nil {
		t.Error("labels of a record")
	}
}
