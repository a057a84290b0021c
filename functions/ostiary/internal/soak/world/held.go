package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	queue "ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
)

// letter is a push that was acknowledged and is still to come.
type letter struct {
	Function string    `json:"function"`
	Body     []byte    `json:"body"`
	Due      time.Time `json:"due"` // by the clock that is moved

	path     string
	attempts int       // that failed since it was due
	next     time.Time // by the machine's clock; zero while it is under way
}

// waits reports whether a push should have come. One that is not taken however often it comes stands in nobody's way.
func (l *letter) waits(now time.Time) bool {
	return !l.Due.After(now) && l.attempts < queue.MaxAttempts
}

// held keeps pushes that are to come late, in a folder: a killed process has acknowledged them.
type held struct {
	dir string

	mu      sync.Mutex
	letters map[string]*letter // by path
	last    int
}

const (
	holding     = 2 * time.Millisecond // between two looks at what is due
	betweenHeld = 100 * time.Millisecond
	mostAtOnce  = 8
)

// openHeld finds what an earlier process held back.
func openHeld(dir string) (*held, error) {
	h := &held{dir: dir, letters: map[string]*letter{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of what is held back: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("listing what is held back: %w", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		l := &letter{path: path, next: clock.System{}.Now()}
		if err == nil {
			err = json.Unmarshal(text, l)
		}
		if err != nil {
			return nil, fmt.Errorf("reading what is held back: %w", err)
		}
		h.letters[path] = l
		n, _ := strconv.Atoi(filepath.Base(path[:len(path)-len(".json")]))
		h.last = max(h.last, n)
	}
	return h, nil
}

// keep holds a push back. Once it has returned, a kill does not lose it.
func (h *held) keep(function string, body []byte, due time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	l := &letter{Function: function, Body: body, Due: due, path: filepath.Join(h.dir, strconv.Itoa(h.last)+".json"), next: clock.System{}.Now()}
	text, err := json.Marshal(l)
	if err == nil {
		err = os.WriteFile(l.path+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(l.path+".new", l.path)
	}
	if err != nil {
		return fmt.Errorf("holding a push back: %w", err)
	}
	h.letters[l.path] = l
	return nil
}

// count returns how many are held.
func (h *held) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.letters)
}

// due returns how many should have come by now.
func (h *held) due(now time.Time) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.letters {
		if l.waits(now) {
			n++
		}
	}
	return n
}

// release has all of them come now, those too that were not taken.
func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.letters {
		l.Due, l.attempts = time.Time{}, 0
	}
}

// idle waits until nothing is held that should have come.
func (h *held) idle(ctx context.Context, c clock.Clock) error {
	for h.due(c.Now()) > 0 {
		pause(ctx, holding)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("waiting for what was held back: %w", err)
		}
	}
	return nil
}

// deliver pushes what is due until ctx ends, and waits for what is under way.
func (h *held) deliver(ctx context.Context, c clock.Clock, to queue.Target) {
	var underway sync.WaitGroup
	defer underway.Wait()
	places := make(chan struct{}, mostAtOnce)
	for ; ctx.Err() == nil; pause(ctx, holding) {
		for _, l := range h.ready(c.Now()) {
			places <- struct{}{}
			underway.Go(func() {
				defer func() { <-places }()
				h.settle(l, h.push(ctx, l, to), to)
			})
		}
	}
}

// ready takes what can be tried now.
func (h *held) ready(now time.Time) (found []*letter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	machine := clock.System{}.Now()
	for _, l := range h.letters {
		if l.waits(now) && !l.next.IsZero() && !l.next.After(machine) {
			l.next = time.Time{}
			found = append(found, l)
		}
	}
	return found
}

// push delivers a letter once and returns the status of the answer; -1 for none.
func (h *held) push(ctx context.Context, l *letter, to queue.Target) (status int) {
	defer func() {
		if recover() != nil { // a server would have closed the connection
			status = -1
		}
	}()
	handler := to.Handler(l.Function)
	if handler == nil {
		return -1
	}
	h.mu.Lock()
	ctx, cancel := context.WithTimeout(bearing(ctx, l.attempts+1), queue.AttemptTimeout)
	h.mu.Unlock()
	defer cancel()
	r, err := request(ctx, l.Function, l.Body, to)
	if err != nil {
		return -1
	}
	return pushed(handler, r, l.Body)
}

// settle forgets a letter that was taken, and puts another off.
func (h *held) settle(l *letter, status int, to queue.Target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if acknowledges(status) {
		delete(h.letters, l.path)
		_ = os.Remove(l.path) // one that stays comes twice
		return
	}
	l.attempts++
	if l.attempts == queue.MaxAttempts {
		to.Log.Error("a push that was held back is not taken", "function", l.Function, "status", status)
	}
	l.next = clock.System{}.Now().Add(betweenHeld)
}

// request is the push of a body to a function, signed as the platform does.
func request(ctx context.Context, function string, body []byte, to queue.Target) (*http.Request, error) {
	path := "/" + function + "/events"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("making the push request: %w", err)
	}
	value, err := to.Authorization(ctx, function)
	if err != nil {
		return nil, fmt.Errorf("signing the push: %w", err)
	}
	r.RequestURI, r.RemoteAddr = path, "127.0.0.1:0" // a server's request has them
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", value)
	return r, nil
}
