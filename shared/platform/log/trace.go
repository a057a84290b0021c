package log

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

// traceKey is the context key of a trace.
type traceKey struct{}

// trace is where a request stands in a distributed trace.
type trace struct {
	id      string // 32 lower-case hexadecimal digits
	span    string // 16 lower-case hexadecimal digits; empty when the caller named none
	sampled bool
}

// WithTrace returns a context whose log records carry the trace that r's headers name: traceparent (W3C Trace
// Context, section 3.2) or else X-Cloud-Trace-Context. A malformed or repeated header counts as absent; without
// either, ctx is returned as it is. The headers are the caller's word and serve to join log lines, nothing else.
func WithTrace(ctx context.Context, r *http.Request) context.Context {
	t, ok := parseTraceparent(single(r.Header, "Traceparent"))
	if !ok {
		t, ok = parseCloudTrace(single(r.Header, "X-Cloud-Trace-Context"))
	}
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, t)
}

// single returns the value of a header that occurs exactly once, or "".
func single(h http.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// parseTraceparent reads version "-" trace-id "-" parent-id "-" flags. A version above 00 may append more fields;
// ff is forbidden (W3C Trace Context, sections 3.2.2 and 4.3).
func parseTraceparent(s string) (trace, bool) {
	parts := strings.Split(s, "-")
	if len(parts) < 4 || !isHex(parts[0], 2) || parts[0] == "ff" || (parts[0] == "00" && len(parts) > 4) {
		return trace{}, false
	}
	id, span, flags := parts[1], parts[2], parts[3]
	if !isHex(id, 32) || !isHex(span, 16) || !isHex(flags, 2) || isZero(id) || isZero(span) {
		return trace{}, false
	}
	bits, err := strconv.ParseUint(flags, 16, 8)
	return trace{id, span, bits&1 == 1}, err == nil
}

// parseCloudTrace reads TRACE_ID[/SPAN_ID][;o=OPTIONS], the span a decimal number.
func parseCloudTrace(s string) (trace, bool) {
	s, options, _ := strings.Cut(s, ";")
	id, decimal, hasSpan := strings.Cut(s, "/")
	id = strings.ToLower(id)
	if !isHex(id, 32) || isZero(id) {
		return trace{}, false
	}
	t := trace{id: id, sampled: options == "o=1"}
	if hasSpan {
		span, err := strconv.ParseUint(decimal, 10, 64)
		if err != nil {
			return trace{}, false
		}
		if span != 0 {
			t.span = fmt.Sprintf("%016x", span)
		}
	}
	return t, true
}

// trace returns the fields of the context's trace, if it has one.
func (h *handler) trace(ctx context.Context) []slog.Attr {
	t, ok := ctx.Value(traceKey{}).(trace)
	if !ok {
		return nil
	}
	name := t.id
	if h.project != "" {
		name = "projects/" + h.project + "/traces/" + t.id
	}
	attrs := []slog.Attr{slog.String(fieldTrace, name), slog.Bool(fieldSampled, t.sampled)}
	if t.span != "" {
		attrs = append(attrs, slog.String(fieldSpan, t.span))
	}
	return attrs
}

// isHex reports whether s is n lower-case hexadecimal digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// isZero reports whether s is zeros only: an invalid id by the standard.
func isZero(s string) bool { return strings.Trim(s, "0") == "" }
