package otp

import (
	"context"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// ZeroDrift takes an authenticator's clock to be right again, for the help desk: somebody else than the person does it,
// says why, and the person is told in the same words. The floor stays where it is, so no code that was used comes back.
// The caller has checked the role of meta.Actor. Codes: authenticator_unknown, own_matter, reason_missing.
func (s *Service) ZeroDrift(ctx context.Context, person, id, reason string, meta Meta, now time.Time) error {
	reason = strings.TrimSpace(reason)
	switch {
	case meta.Actor == "" || meta.Actor == person:
		return OwnMatter()
	case reason == "" || len(reason) > maxReason:
		return reasonMissing()
	}
	if _, err := s.known(ctx, person); err != nil {
		return err
	}
	return s.change(ctx, person, nil, meta, now, DriftZeroed, func(e *edit) error {
		i := e.acc.at(id)
		if i < 0 || e.acc.Authenticators[i].State != Active {
			return unknownAuthenticator()
		}
		a := &e.acc.Authenticators[i]
		if a.Offset == 0 && a.Drift == 0 && a.Note == reason {
			return nil // said again
		}
		a.Offset, a.Drift, a.Note = 0, 0, reason
		about := id + "/" + now.UTC().Format(time.RFC3339Nano)
		if err := e.notify(DriftWasZeroed, about, map[string]string{"name": a.Name, "reason": reason}); err != nil {
			return err
		}
		return e.saved(id)
	})
}

// OwnMatter is the refusal of somebody of security who decides about her own second factor. Code: own_matter.
func OwnMatter() error {
	return fault.Refuse(fault.Denied, "own_matter", "Nobody decides about her own second factor.",
		"Add an authenticator with a code of one you have, or ask a colleague of the security team.")
}
