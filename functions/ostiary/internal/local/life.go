package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Sample life is a fortnight of a company's work, played through the functions as people and programs would do it: by
// requests with tokens of the local issuer, under a clock that stops at every quarter of an hour, with all schedules.
// Nothing of it is written past the functions but two records that say it is a sample. Under a manual clock the fortnight begins
// now; under the machine's clock it ends now, so the log of these minutes, in which nobody did anything, makes way for one
// that begins a fortnight ago.
const (
	fortnight = 14 // days
	lifeStep  = 15 * time.Minute

	// lifeFile is where a data folder keeps how far its sample life has been played.
	lifeFile = "life.json"
)

// States of a sample life.
const (
	lifeNone    = "none"
	lifePlaying = "playing"
	lifeFailed  = "failed" // it is not played any more; the next start tries again
	lifeDone    = "done"
)

// played is a sample life as lifeFile has it.
type played struct {
	V       int       `json:"v"`
	State   string    `json:"state"`
	From    time.Time `json:"from"`
	Days    int       `json:"days"`
	Step    int       `json:"step"`              // stops that are behind us
	Refused []string  `json:"refused,omitempty"` // what the functions would not do, by what and code
}

// at is the time of the next stop.
func (p played) at() time.Time { return p.From.Add(time.Duration(p.Step) * lifeStep) }

// to is its end.
func (p played) to() time.Time { return p.From.Add(time.Duration(p.Days) * day) }

// last is the number of its last stop.
func (p played) last() int { return int(p.to().Sub(p.From) / lifeStep) }

const day = 24 * time.Hour

// life is the sample life of a data folder.
type life struct {
	mu     sync.Mutex
	path   string
	kept   played
	broken error         // why playing stopped before the end
	stop   func()        // ends playing
	over   chan struct{} // closed when nobody plays any more
}

// read reads what is known of the folder's sample life.
func (l *life) read(dir string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.path, l.kept = filepath.Join(dir, lifeFile), played{V: 1, State: lifeNone}
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &l.kept)
	}
	if err != nil {
		return fmt.Errorf("reading how far sample life was played: %w", err)
	}
	return nil
}

// keep writes it down; the old state or the new one is found by whoever comes after a kill.
func (l *life) keep(next played) error {
	text, err := json.Marshal(next)
	if err == nil {
		err = os.WriteFile(l.path+".new", append(text, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(l.path+".new", l.path)
	}
	if err != nil {
		return fmt.Errorf("keeping how far sample life was played: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = next
	return nil
}

func (l *life) now() played {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept
}

// playing reports whether somebody plays.
func (l *life) playing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stop != nil
}

// begin makes one who plays, unless there is one.
func (l *life) begin(play func(ctx context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	l.stop, l.over, l.broken = stop, over, nil
	go func() {
		defer close(over)
		err := play(ctx)
		stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stop, l.broken = nil, err
	}()
}

// end stops whoever plays, and waits.
func (l *life) end() {
	l.mu.Lock()
	stop, over := l.stop, l.over
	l.mu.Unlock()
	if stop != nil {
		stop()
		<-over
	}
}

// wait waits until nobody plays, or ctx ends.
func (l *life) wait(ctx context.Context) error {
	l.mu.Lock()
	over := l.over
	l.mu.Unlock()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// progress is how far a sample life is, as GET life shows it.
type progress struct {
	State   string    `json:"state"` // none, playing, failed or done
	Day     int       `json:"day"`
	Days    int       `json:"days"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
	Refused []string  `json:"refused"`
}

func (l *life) progress() progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := progress{State: l.kept.State, Days: fortnight, Refused: append([]string{}, l.kept.Refused...)}
	if p.State != lifeNone {
		p.From, p.To, p.Days = l.kept.From, l.kept.to(), l.kept.Days
		p.Day = min(l.kept.Step*l.kept.Days/l.kept.last(), l.kept.Days)
	}
	if p.State == lifePlaying && l.stop == nil {
		p.State = lifeFailed
	}
	return p
}

// lived is the refusal to play a second time, or among what people did.
func lived() error {
	return fault.Refuse(fault.Conflict, "life_there", "This data folder holds more than the machine wrote by itself: something was done here, sent here or copied here. A sample would mix with it, or erase it, so none is played.",
		"Start again with --data and a folder that does not exist yet.")
}
