// Package planerasure searches: it looks up who asks to be forgotten, plans, searches again after the erasing, and makes the
// receipts of what the searches prove. Each minute it does what time brings about for requests, and sends on what a crash
// left in the control's outbox. It can erase nothing: what completes a request is not said by who carried it out.
package planerasure

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/erasure/proof"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/erasure/survey"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/erasure/firestore"
	_ "ostiary.internal/shared/erasure/gcs"
	_ "ostiary.internal/shared/erasure/hook"
	_ "ostiary.internal/shared/erasure/mongodb"
	_ "ostiary.internal/shared/erasure/postgres"
	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/evidence/sign/kms"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/secret/secretmanager"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("planerasure", Function.Entry()) }

// EnvKeys are the URLs of the sign.Signers of receipts, separated by spaces, the present key first.
const EnvKeys = "OSTIARY_RECEIPT_KEY"

// budget is how much of a call goes to the engine; the rest of the time-out is for what follows.
const budget = 4 * time.Minute

type planerasure struct {
	*parts.Parts
	heart   *heartbeat.Heart
	survey  *survey.Surveyor
	book    *receipt.Book
	signers []sign.Signer
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	f := &planerasure{
		Parts: p, heart: heartbeat.New(heartbeat.Config{Store: d.Store, Box: d.Box, Policy: d.PolicyDigest()}),
		survey: &survey.Surveyor{Store: d.Store, Box: d.Box, Map: p.Map, Policy: d.PolicyDigest(), Promises: d.Promises(survey.Control), Reader: p.Reader, Lister: p.Lister,
			Pace: pace.New(d.Store, clock.System{}, p.Map.Limits.RatePerSecond)},
	}
	if f.book, err = p.Book(ctx); err != nil {
		return web.Function{}, err
	}
	keys, _ := d.Env(EnvKeys)
	for url := range strings.FieldsSeq(keys) {
		s, err := sign.Signers.Open(ctx, url, sign.Options{Clock: d.Clock})
		if err != nil {
			return web.Function{}, fmt.Errorf("opening %s: %w", EnvKeys, err)
		}
		f.signers = append(f.signers, s)
		d.Keep(s)
	}
	if len(f.signers) == 0 {
		return web.Function{}, fault.New(fault.Misconfigured, "%s is not set: nobody could check a receipt", EnvKeys)
	}
	return d.Served(machine.Routes(d, machine.On{Event: f.event, Tick: f.tick})...)
}

func (f *planerasure) event(ctx context.Context, e event.Event) error {
	if slices.Contains([]string{message.TopicAccepted, message.TopicFailed, message.TopicUnknown}, e.Topic) {
		var a message.Answer
		if err := json.Unmarshal(e.Data, &a); err != nil {
			return fault.New(fault.Invalid, "reading a message of %s: not the JSON of one", e.Topic)
		}
		requests, err := f.Requests(ctx)
		if err != nil {
			return err
		}
		return parts.Understood(requests.Answered(ctx, a, f.Clock.Now()))
	}
	id, err := f.Meant(ctx, e)
	if err != nil {
		return err
	}
	clerk, err := f.Clerk(ctx, budget)
	if err != nil {
		return err
	}
	issued := false
	clerk.Issue = func(ctx context.Context, w request.Work, r run.Report) error {
		issued = true
		return f.issue(ctx, w, r)
	}
	again, err := clerk.Search(ctx, id)
	if err == nil {
		err = f.others(ctx, id)
	}
	if issued {
		if err := f.book.Sign(ctx, f.signers...); err != nil {
			f.Log.WarnContext(ctx, "a receipt waits for its signature", "error", err)
		}
	}
	return f.Again(ctx, e, again, err)
}

// issue has recipients told of what was erased, and makes the receipt that a request owes. It is signed afterwards: one that
// cannot be signed now is signed by the schedule.
func (f *planerasure) issue(ctx context.Context, w request.Work, r run.Report) error {
	if err := f.Tell(ctx, w.Request); err != nil {
		return err
	}
	mark, err := f.Mark(ctx)
	if err != nil {
		return err
	}
	maker := &proof.Maker{Store: f.Store, Clock: f.Clock, Book: f.book, Map: f.Map, Mark: mark, Others: f.Others}
	if err := maker.Issue(ctx, w, r); err != nil {
		return err
	}
	return f.answered(ctx, w.Request, w.Owed)
}

// others has recipients told of what was erased, and looks whether third parties have answered since the newest receipt.
func (f *planerasure) others(ctx context.Context, id string) error {
	if err := f.Tell(ctx, id); err != nil {
		return err
	}
	requests, err := f.Requests(ctx)
	if err != nil {
		return err
	}
	w, err := requests.Work(ctx, id, f.Clock.Now())
	if fault.CodeOf(err) == "request_unknown" {
		return nil // it ended long ago
	}
	if err != nil || w.Made == 0 {
		return err
	}
	return f.answered(ctx, id, w.Made)
}

// answered compares what third parties have answered with the receipt of that number.
func (f *planerasure) answered(ctx context.Context, id string, n int) error {
	requests, err := f.Requests(ctx)
	if err != nil {
		return err
	}
	made, err := f.book.Made(ctx, id, n)
	if fault.Is(err, fault.NotFound) {
		return nil // it has expired
	} else if err != nil {
		return err
	}
	grants, told, err := f.Others(ctx, id)
	if err != nil {
		return err
	}
	return requests.Parties(ctx, id, receipt.Waiting(grants, told), !made.Says(grants, told), f.Clock.Now())
}

// tick is one run of the schedule; each part is tried even when another cannot be done.
func (f *planerasure) tick(ctx context.Context) error {
	_, swept := f.Box.Sweep(ctx)
	now := f.Clock.Now()
	errs := []error{swept}
	requests, err := f.Requests(ctx)
	if errs = append(errs, err); err == nil {
		errs = append(errs, requests.Tick(ctx, now))
	}
	errs = append(errs, f.book.Sign(ctx, f.signers...), f.survey.Look(ctx, now))
	if requests != nil {
		errs = append(errs, f.heart.Beat(ctx, now, func(ctx context.Context) ([]heartbeat.Beat, error) { return f.look(ctx, requests, now) }))
	}
	return errors.Join(errs...)
}

// look says how requests and retention stand.
func (f *planerasure) look(ctx context.Context, requests *request.Service, now time.Time) ([]heartbeat.Beat, error) {
	beats, err := requests.Look(ctx, now)
	if err != nil {
		return nil, err
	}
	sweeper, err := f.Sweeper()
	if err != nil {
		return nil, err
	}
	more, err := sweeper.Look(ctx, now)
	return append(beats, more...), err
}
