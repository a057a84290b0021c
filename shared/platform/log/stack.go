package log

import (
	"errors"
	"log/slog"
)

// stacked is an error that carries the stack of where it arose.
type stacked struct {
	err   error
	stack []byte
}

// WithStack returns err with a stack as runtime/debug.Stack prints it. Logged as an attribute, the stack appears in
// the field stack_trace, behind the error's text, which is the shape Error Reporting groups by.
func WithStack(err error, stack []byte) error { return &stacked{err, stack} }

// Error returns the text of the error without the stack.
func (s *stacked) Error() string { return s.err.Error() }

// Unwrap returns the error without the stack.
func (s *stacked) Unwrap() error { return s.err }

// stackOf returns text and stack of the first attribute that is an error with a stack, in groups too, or "".
func stackOf(attrs []slog.Attr) string {
	for _, a := range attrs {
		switch v := a.Value.Resolve(); v.Kind() {
		case slog.KindGroup:
			if text := stackOf(v.Group()); text != "" {
				return text
			}
		case slog.KindAny:
			err, ok := v.Any().(error)
			if !ok {
				continue
			}
			if s, ok := errors.AsType[*stacked](err); ok {
				return err.Error() + "\n\n" + string(s.stack)
			}
		}
	}
	return ""
}
