// Package log writes log/slog records as Cloud Logging reads them: one JSON object a line with severity, message,
// time, trace and source location.
//
// It promises that the fields Cloud Logging looks for stand at the top level whatever groups are open, and that no
// attribute can pass itself off as one of them. It does not know what is personal: leave it out.
package log

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
)

// Levels between and above those of log/slog, as Cloud Logging names them (LogSeverity).
const (
	LevelNotice   = slog.Level(2)  // normal but significant: started, stopped, configuration changed
	LevelCritical = slog.Level(12) // a promise cannot be kept until a person acts
)

// Fields Cloud Logging takes from the payload (its documentation, "Structured logging").
const (
	fieldTrace   = "logging.googleapis.com/trace"
	fieldSpan    = "logging.googleapis.com/spanId"
	fieldSampled = "logging.googleapis.com/trace_sampled"
	fieldSource  = "logging.googleapis.com/sourceLocation"
	fieldLabels  = "logging.googleapis.com/labels"
	fieldStack   = "stack_trace"
)

// reserved are the top-level keys this package alone writes; an attribute of that name gets a trailing underscore.
var reserved = []string{
	slog.TimeKey, slog.LevelKey, slog.MessageKey, "severity", "message",
	fieldTrace, fieldSpan, fieldSampled, fieldSource, fieldLabels, fieldStack,
}

// New returns a logger that writes records of at least level to w, one Write call a line. project is the Google
// Cloud project the traces belong to; empty on a laptop, where the trace id is then written bare.
func New(w io.Writer, project string, level slog.Leveler) *slog.Logger {
	json := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: rename})
	return slog.New(&handler{json: json, project: project})
}

// handler keeps open groups and their attributes itself: a group opened on the JSON handler would swallow the trace.
type handler struct {
	json    slog.Handler
	project string
	scopes  []scope // outermost first; the first one is the top level
}

// scope is one open group with the attributes added inside it; the name of the top level is empty.
type scope struct {
	group string
	attrs []slog.Attr
}

// Enabled reports whether records of that level are written.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.json.Enabled(ctx, level)
}

// WithAttrs returns a handler that adds attrs to every record, inside the groups open now.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	scopes := slices.Clone(h.scopes)
	if len(scopes) == 0 {
		scopes = []scope{{}}
	}
	last := &scopes[len(scopes)-1]
	last.attrs = append(slices.Clone(last.attrs), attrs...)
	return &handler{h.json, h.project, scopes}
}

// WithGroup returns a handler that puts what is added from now on into a group.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	scopes := slices.Clone(h.scopes)
	if len(scopes) == 0 {
		scopes = []scope{{}}
	}
	return &handler{h.json, h.project, append(scopes, scope{group: name})}
}

// Handle writes one record.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	inner := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool { inner = append(inner, a); return true })
	for i := len(h.scopes) - 1; i >= 0; i-- {
		s := h.scopes[i]
		inner = append(slices.Clone(s.attrs), inner...)
		if s.group != "" {
			inner = []slog.Attr{{Key: s.group, Value: slog.GroupValue(inner...)}}
		}
	}
	out := slog.NewRecord(r.Time, r.Level, r.Message, 0)
	out.AddAttrs(source(r.PC)...)
	out.AddAttrs(h.trace(ctx)...)
	if text := stackOf(inner); text != "" {
		out.AddAttrs(slog.String(fieldStack, text))
	}
	inner, labels := labelled(inner)
	if len(labels) > 0 {
		out.AddAttrs(slog.Any(fieldLabels, labels))
	}
	addForeign(&out, inner)
	return h.json.Handle(ctx, out)
}

// addForeign adds the callers' attributes, none of them under a reserved name. A group without a name is spread,
// as slog does, so its members are looked at too.
func addForeign(out *slog.Record, attrs []slog.Attr) {
	for _, a := range attrs {
		a.Value = a.Value.Resolve()
		if a.Key == "" && a.Value.Kind() == slog.KindGroup {
			addForeign(out, a.Value.Group())
			continue
		}
		if slices.Contains(reserved, a.Key) {
			a.Key += "_"
		}
		out.AddAttrs(a)
	}
}

// source returns the place of the call, if it is known.
func source(pc uintptr) []slog.Attr {
	if pc == 0 {
		return nil
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return []slog.Attr{slog.Group(fieldSource,
		slog.String("file", frame.File),
		slog.String("line", strconv.Itoa(frame.Line)), // a string: LogEntrySourceLocation.line is an int64
		slog.String("function", frame.Function))}
}

// rename turns slog's built-in keys into Cloud Logging's.
func rename(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			return slog.String("severity", severity(level))
		}
	case slog.MessageKey:
		a.Key = "message"
	}
	return a
}

// severity names a level as LogSeverity does; a level between two names takes the lower one.
func severity(level slog.Level) string {
	switch {
	case level < slog.LevelInfo:
		return "DEBUG"
	case level < LevelNotice:
		return "INFO"
	case level < slog.LevelWarn:
		return "NOTICE"
	case level < slog.LevelError:
		return "WARNING"
	case level < LevelCritical:
		return "ERROR"
	}
	return "CRITICAL"
}
