package caller_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// TestRefused: an internal error never reads as if the caller had made it.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err    error
		status int
		code   string
	}{
		{fault.New(fault.Invalid, "a document outside the limits"), 500, "internal"},
		{fault.New(fault.NotFound, "no such secret"), 500, "internal"},
		{errors.New("nobody knows"), 500, "internal"},
		{fmt.Errorf("reading: %w", fault.New(fault.Invalid, "wrong")), 500, "internal"},
		{fault.New(fault.Transient, "down"), 503, "unavailable"},
		{fault.New(fault.Misconfigured, "no index"), 503, "unavailable"},
		{fault.New(fault.Conflict, "lost too often"), 503, "unavailable"},
		{fault.New(fault.Denied, "the database refuses"), 503, "unavailable"},
		{fault.New(fault.Exhausted, "quota"), 503, "unavailable"},
		{context.DeadlineExceeded, 503, "unavailable"},
		{fault.Refuse(fault.Invalid, "name_invalid", "a", "b"), 400, "name_invalid"},
		{fmt.Errorf("enrolling: %w", fault.Refuse(fault.NotFound, "reset_unknown", "a", "b")), 404, "reset_unknown"},
		{web.Extend(fault.Refuse(fault.Denied, "otp_wrong", "a", "b"), map[string]any{"outcome": "wrong"}), 403, "otp_wrong"},
	} {
		p := web.ProblemOf(caller.Refused(test.err))
		if p.Status != test.status || p.Code != test.code {
			t.Errorf("%v: %d %q, want %d %q", test.err, p.Status, p.Code, test.status, test.code)
		}
	}
	if caller.Refused(nil) != nil {
		t.Error("no error became one")
	}
}
