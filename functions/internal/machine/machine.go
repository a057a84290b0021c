// Package machine makes the two routes of a function that only our own invoker account may call: pushes at
// /<name>/events and schedules at /<name>/tick.
package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/web"
)

// On is what a function does when it is woken.
type On struct {
	// Event handles one message; nil when no topic wakes the function. An Invalid error says that the message can
	// never be understood: it is set aside and not delivered again. What goes wrong with a message that was
	// understood must be of another kind.
	Event func(ctx context.Context, e event.Event) error
	// Unread is told of the body of a message that could not be understood, by Event or before it, once it is recorded;
	// nil when nobody else has to know. After an error the message comes again.
	Unread func(ctx context.Context, body []byte) error
	// Tick is one run of the schedule; nil when there is none. Whatever error it returns, the scheduler reads that
	// the run failed.
	Tick func(ctx context.Context) error
}

// Routes returns the routes. The caller's token is verified here unless IAM has done it in front; whose it is, is looked at in
// any case where there is one.
func Routes(d *wiring.Deps, on On) []web.Route {
	gate := caller.Gate{Policy: d.Policy, Identity: d.Identity, Directory: d.Directory, Clock: d.Clock, Fronted: d.Fronted()}
	guarded := func(handle func(w http.ResponseWriter, r *http.Request) error) func(w http.ResponseWriter, r *http.Request) error {
		return func(w http.ResponseWriter, r *http.Request) error {
			// IAM lets in as well whom somebody gave the whole project to invoke: the account in the token has to be our invoker here too.
			if !d.Fronted() || caller.Carried(r) {
				invoker, _ := d.Env(wiring.EnvInvoker)
				if err := gate.Machine(r, invoker); err != nil {
					return err
				}
			}
			return handle(w, r)
		}
	}
	problems := []string{"caller_unauthenticated", "caller_denied", "unavailable"}
	var routes []web.Route
	if on.Event != nil {
		events := event.Handler(event.Accepts{Topics: d.Manifest.Topics(), Eventarc: d.Manifest.EventTypes()}, on.Event, reject(d, on.Unread), d.Log)
		routes = append(routes, web.Route{
			Method: http.MethodPost, Path: "/events", Summary: "A message pushed by one of this function's subscriptions.", Uncapped: true,
			Answers: map[int]any{http.StatusNoContent: nil}, Problems: problems,
			Handle: guarded(func(w http.ResponseWriter, r *http.Request) error { events.ServeHTTP(w, r); return nil }),
		})
	}
	if on.Tick != nil {
		routes = append(routes, web.Route{
			Method: http.MethodPost, Path: "/tick", Summary: "A run of this function's schedule.", Uncapped: true,
			Answers: map[int]any{http.StatusNoContent: nil}, Problems: problems,
			Handle: guarded(func(w http.ResponseWriter, r *http.Request) error {
				if err := on.Tick(r.Context()); err != nil {
					return failed(err)
				}
				w.WriteHeader(http.StatusNoContent)
				return nil
			}),
		})
	}
	return routes
}

// failed keeps an error of ours from reading as if the scheduler had made it: a status below 500 is never tried again.
func failed(err error) error {
	if fault.Is(err, fault.Transient) || fault.Is(err, fault.Misconfigured) {
		return err
	}
	return fmt.Errorf("%v", err)
}

// reject keeps what nobody could understand as a record "undetermined", under the hash of the body: its own id is
// not to be trusted. The record is written straight to the inbox, for there is no other state to change with it.
func reject(d *wiring.Deps, unread func(context.Context, []byte) error) func(ctx context.Context, body []byte, why error) error {
	return func(ctx context.Context, body []byte, why error) error {
		sum := sha256.Sum256(body)
		r := record.New(record.Gap, d.Manifest.Name, "body:"+hex.EncodeToString(sum[:]))
		r.Result, r.Code, r.Config = record.Result{State: record.Undetermined}, d.Code, d.PolicyDigest()
		now := d.Clock.Now()
		r.Source.Observed, r.Source.Collected = now, now
		data, err := r.Canonical()
		if err != nil {
			return fmt.Errorf("recording an undecodable event: %w", err)
		}
		// The same body again is the same record, though taken in at another time: it is known already.
		if err := d.Inbox.Create(ctx, r.ID(), data); err != nil && !fault.Is(err, fault.Conflict) {
			return fmt.Errorf("recording an undecodable event: %w", err)
		}
		if unread != nil {
			if err := unread(ctx, body); err != nil {
				return err
			}
		}
		d.Log.Log(ctx, log.LevelCritical, "an event could not be understood and was set aside", "record", r.ID(), "bytes", len(body), "why", why.Error())
		return nil
	}
}
