package log

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// maxUnread is how many objects of the inbox a pass leaves unread because reading them fails, before it takes the whole
// inbox for out of reach: each may cost as long as one call lasts.
const maxUnread = 16

// stays says why an object of the inbox is neither read nor deleted, whatever it holds: what its maker said of it, which
// whoever may create an object decides alone, or its name. "" for any other. None of our own writers makes such an object.
func stays(l Listed) refusal {
	switch {
	case CheckName(l.Name) != nil:
		return unnameable
	case l.Held:
		return held
	case l.Sealed:
		return sealed
	}
	return ""
}

// stays reports whether an object that was refused for this reason remains in the inbox.
func (r refusal) stays() bool { return r == unnameable || r == held || r == sealed }

// left is what a pass could not do with single objects of the inbox, while it went on with all others.
type left struct {
	mu        sync.Mutex
	unread    int
	undeleted map[spent]bool
	first     error
}

// reading notes that an object could not be read, and returns the error when there have been too many.
func (l *left) reading(ctx context.Context, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil || l.unread >= maxUnread {
		return err
	}
	l.unread++
	l.note(err)
	return nil
}

// deleting notes that an object may not be deleted.
func (l *left) deleting(o spent, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.undeleted == nil {
		l.undeleted = map[spent]bool{}
	}
	l.undeleted[o] = true
	l.note(err)
}

// holds reports whether an object could not be deleted.
func (l *left) holds(o spent) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.undeleted[o]
}

func (l *left) note(err error) {
	if l.first == nil {
		l.first = err
	}
}

// error is what the pass ends with, of the kind of the first error; nil when nothing was left.
func (l *left) error() error {
	if l.first == nil {
		return nil
	}
	return fmt.Errorf("everything else is done; objects left in the inbox: %d could not be read, %d may not be deleted, the first: %w", l.unread, len(l.undeleted), l.first)
}

// again returns the line that keeps an id known for another Window, if the log would forget it within half of one. What lies
// in the inbox for longer than Window is recognised by that, and enters once.
func (w *window) again(text string, now time.Time) (line string, due bool) {
	key, ok := parseID(text)
	if !ok {
		return "", false
	}
	soon := idsPrefix + now.UTC().Add(-Window/2).Format(hourForm)
	w.mu.RLock()
	defer w.mu.RUnlock()
	for name, p := range w.parts {
		leaf, found := p.known[key]
		switch {
		case found && name >= soon:
			return "", false
		case found:
			line = text + " " + letters.EncodeToString(leaf[:])
		}
	}
	return line, line != ""
}
