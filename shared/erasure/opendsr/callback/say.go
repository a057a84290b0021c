package callback

import (
	"context"
	"fmt"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/platform/fault"
)

// say posts the state to one URL, where that is new to it and its time has come, and reports whether it was taken. An error is ours:
// it is no try.
func (d *Desk) say(ctx context.Context, s *subscription, i int, state opendsr.State, now time.Time) (taken bool, ours error) {
	t, text := &s.URLs[i], news(state)
	if t.Said == text {
		t.Try = ""
		return false, nil
	}
	if t.Try != text { // what was overtaken is not said any more; since when nothing was taken stays
		t.Try, t.Due = text, 0
	}
	if t.Due > now.UnixMicro() {
		return false, nil
	}
	body, header, err := d.written(ctx, *s, t.URL, state, now)
	if err != nil {
		return false, err
	}
	err = opendsr.CheckCallback(t.URL, d.Hosts(s.Tenant)) // what was agreed may have changed since the request came
	if err == nil {
		err = d.Post(ctx, t.URL, header, body)
	}
	if err == nil {
		*t = target{URL: t.URL, Said: text}
		return true, nil
	}
	if t.Tries++; t.First == 0 {
		t.First = now.UnixMicro()
	}
	d.Log.WarnContext(ctx, "a controller did not take a status", "tenant", s.Tenant, "tries", t.Tries, "why", fault.KindOf(err))
	next, again := t.again(now)
	if !again {
		*t = target{URL: t.URL, Said: text, Lost: true}
		return false, nil
	}
	t.Due = next.UnixMicro()
	return false, nil
}

// again is when the next try is; none once nothing was taken for a day.
func (t target) again(now time.Time) (next time.Time, is bool) {
	began := time.UnixMicro(t.First)
	for n := 1; ; n++ {
		wait, is := opendsr.Retry(n)
		if next = began.Add(wait); !is || next.After(now) {
			return next, is
		}
	}
}

// written is a status as it is sent to a URL, signed.
func (d *Desk) written(ctx context.Context, s subscription, url string, state opendsr.State, now time.Time) (body []byte, header map[string][]string, err error) {
	signer, err := d.Signer(ctx)
	if err != nil {
		return nil, nil, err
	}
	state.CallbackURL = url
	if body, err = opendsr.Bytes(state); err != nil {
		return nil, nil, fmt.Errorf("writing a status: %w", err)
	}
	header = map[string][]string{}
	return body, header, signer.Sign(header, d.Random, s.Version, body, now)
}
