package event

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/log"
)

// Handler answers pushes (POST only) by decoding them and calling fn. The answer says what the platform shall do:
//
//   - 204, delivered: fn returned nil.
//   - 204, never again: the body is undecodable, or fn returned an Invalid error, and reject took it over. reject
//     records what came (under the hash of the body: its own id is not to be trusted) and raises the alarm; body is
//     cut at MaxBytes. It may be called for the same body again and returns nil when that is recorded already. A
//     body that can never be understood must not loop, and must not vanish.
//   - 503, deliver again: any other error, of a known kind or none, and an error of reject.
//   - 500, deliver again: fn or reject panicked; the stack is logged.
//
// What is delivered again for too long ends in the subscription's dead letters.
func Handler(a Accepts, fn func(ctx context.Context, e Event) error, reject func(ctx context.Context, body []byte, why error) error, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := log.WithTrace(r.Context(), r)
		defer func() {
			if cause := recover(); cause != nil {
				err := log.WithStack(fmt.Errorf("handling an event: panic: %v", cause), debug.Stack())
				logger.ErrorContext(ctx, "event handler panicked", "error", err)
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := read(w, r)
		var e Event
		if err == nil {
			e, err = decode(r.Header, body, a)
		}
		if err == nil {
			err = fn(ctx, e)
		}
		if fault.Is(err, fault.Invalid) {
			logger.ErrorContext(ctx, "event rejected", "event", e.ID, "type", e.Type, "error", err)
			err = reject(ctx, body, err)
		}
		if err != nil {
			logger.WarnContext(ctx, "event not handled, to be delivered again", "event", e.ID, "type", e.Type,
				"kind", string(fault.KindOf(err)), "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
