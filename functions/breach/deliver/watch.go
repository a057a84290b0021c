package deliver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/message/sms"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// watch tells people when nobody looks after the clocks of breaches: whoever should cannot say so itself. It speaks by this
// function's own channels, on this function's own schedule.
type watch struct {
	*wiring.Deps
	courier *message.Courier
	texts   *letters.Set
	others  []breach.Other
	off     bool // the company declares no breaches

	mu    sync.Mutex
	since time.Time // since when this instance has looked without a pause
	last  time.Time // when it did last
}

const (
	// quiet is how long the clocks may be silent: their last word, and its grace.
	quiet = heartbeat.Interval + heartbeat.Grace
	// pause is how long this function may not have looked itself before it begins to listen anew: who did not listen cannot
	// tell of silence.
	pause = 5 * time.Minute
)

func newWatch(d *wiring.Deps, c *message.Courier) (*watch, error) {
	w := &watch{Deps: d, courier: c}
	_, there := d.Policy.Read(breach.File)
	w.off = !there
	// A file with problems keeps the clocks from running at all: then people are told by mail alone.
	if b, problems := breach.Read(d.Policy); len(problems) == 0 {
		w.others = b.OutOfBand
	}
	var err error
	w.texts, err = cases.Letters(d.Policy.Read)
	return w, err
}

// look tells people once in an hour that the clocks have been silent.
func (w *watch) look(ctx context.Context) error {
	now := w.Clock.Now()
	if w.off || !w.listened(now) {
		return nil
	}
	looked, err := heartbeat.Last(ctx, w.Store, cases.Control)
	if err != nil {
		return err
	}
	since := looked.Add(heartbeat.Interval)
	if looked.IsZero() {
		since = w.since
	}
	if now.Before(since.Add(heartbeat.Grace)) {
		return nil
	}
	return w.tell(ctx, since, now)
}

// listened reports whether this instance has looked for long enough, without a pause, to tell of silence.
func (w *watch) listened(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() || now.Sub(w.last) > pause {
		w.since = now
	}
	w.last = now
	return now.Sub(w.since) >= quiet
}

// tell writes to whoever decides about breaches or is on call, by mail, and to the numbers there are.
func (w *watch) tell(ctx context.Context, since, now time.Time) error {
	key, err := seal.NewDataKey(ctx, w.MessageKeys, w.Random, message.Bound())
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range w.Policy.People {
		if !p.Active(now) || !p.Has(policy.Security) && !p.Has(policy.DPO) && !p.Has(policy.Owner) && !p.Has(policy.OnCall) {
			continue
		}
		errs = append(errs, w.send(ctx, key, p, message.Mail, since, now))
		if number(w.others, p.ID) != "" {
			errs = append(errs, w.send(ctx, key, p, sms.Name, since, now))
		}
	}
	return errors.Join(errs...)
}

func (w *watch) send(ctx context.Context, key *seal.DataKey, p policy.Person, channel string, since, now time.Time) error {
	zone := p.Location()
	content, err := w.texts.Write(cases.SaySilent, p.Language, letters.Vars{
		"company": w.Policy.Company.Name, "since": calendar.Date(since, zone).String() + " " + since.In(zone).Format("15:04 -07:00"),
	})
	if err != nil {
		return err
	}
	if channel == sms.Name {
		content.Text = strings.TrimSpace(content.Subject)
	}
	name := fmt.Sprintf("%d/%d/%s/%s", since.Unix(), int(now.Sub(since)/time.Hour), p.ID, channel)
	sum := sha256.Sum256([]byte(name))
	r := message.Request{Key: "breach-silent/" + hex.EncodeToString(sum[:]), Kind: message.Staff, Person: p.ID, Channel: channel, Language: p.Language}
	if r, err = r.Seal(key, w.Random, content); err != nil {
		return err
	}
	return w.courier.Deliver(ctx, r)
}
