package callback

import (
	"context"
	"fmt"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/platform/fault"
)

// say posts the state to one URL, where that is new to it and its time has come, and reports whether it was taken.
func (d *Desk) say(ctx context.Context, s *subscription, i int, state opendsr.State, now time.Time) (taken bool) {
	t, text := &s.URLs[i], news(state)
	if t.Said == text {
		t.Try, t.Tries, t.Due = "", 0, 0
		return false
	}
	if t.Try != text {
		t.Try, t.Tries, t.Due = text, 0, 0 // what was overtaken is not said any more
	}
	if t.Due > now.UnixMicro() {
		return false
	}
	err := d.post(ctx, *s, t.URL, state, now)
	if err == nil {
		t.Said, t.Try, t.Tries, t.Due = text, "", 0, 0
		return true
	}
	if t.Tries++; t.Tries == 1 {
		t.First = now.UnixMicro()
	}
	wait, again := opendsr.Retry(t.Tries)
	if !again {
		d.Log.ErrorContext(ctx, "a controller did not take a status for a day; it has to ask for it, or be asked", "tenant", s.Tenant, "why", fault.KindOf(err))
		t.Said, t.Try, t.Tries, t.Due = text, "", 0, 0
		return false
	}
	d.Log.WarnContext(ctx, "a controller did not take a status", "tenant", s.Tenant, "tries", t.Tries, "why", fault.KindOf(err))
	t.Due = time.UnixMicro(t.First).Add(wait).UnixMicro()
	return false
}

func (d *Desk) post(ctx context.Context, s subscription, url string, state opendsr.State, now time.Time) error {
	// What was agreed may have changed since the request came.
	if err := opendsr.CheckCallback(url, d.Hosts(s.Tenant)); err != nil {
		return err
	}
	signer, err := d.Signer(ctx)
	if err != nil {
		return err
	}
	state.CallbackURL = url
	body, err := opendsr.Bytes(state)
	if err != nil {
		return fmt.Errorf("writing a status: %w", err)
	}
	header := map[string][]string{}
	if err := signer.Sign(header, d.Random, s.Version, body, now); err != nil {
		return err
	}
	return d.Post(ctx, url, header, body)
}
