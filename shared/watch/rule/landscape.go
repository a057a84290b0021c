package rule

import (
	"context"
	"slices"
	"time"
)

// Bounds of what stands within one process. What is forgotten makes the next entry undetermined, never silent.
const (
	mostThings = 50_000  // of one of two generations
	mostHeld   = 200_000 // bindings that one of them was given
	mostStood  = 16      // of one thing
)

type standingOf struct {
	kind  StandingKind
	thing string
}

// landscape is what stands of all things, in two generations: the older one goes when the newer one is full.
type landscape struct {
	young, old map[standingOf][]Standing
	held       int // bindings the younger one was given
}

func (l *landscape) of(k standingOf) []Standing {
	if all, known := l.young[k]; known {
		return all
	}
	return l.old[k]
}

func (l *landscape) put(k standingOf, all []Standing) {
	if l.young == nil || len(l.young) >= mostThings || l.held >= mostHeld {
		l.young, l.old, l.held = map[standingOf][]Standing{}, l.young, 0
	}
	l.young[k] = all
	for _, s := range all {
		l.held += len(s.Bindings)
	}
}

// Stood implements Memory.
func (l *Local) Stood(_ context.Context, kind StandingKind, thing string, at time.Time, but string) (before, after *Standing, err error) {
	for _, s := range l.stood.of(standingOf{kind, thing}) {
		switch {
		case s.Entry == but:
		case !s.Time.After(at):
			before = &s
		case after == nil:
			after = &s
		}
	}
	return before, after, nil
}

// Stand implements Memory.
func (l *Local) Stand(_ context.Context, all ...Standing) error {
	for _, s := range all {
		k := standingOf{s.Kind, s.Thing}
		of := slices.DeleteFunc(slices.Clone(l.stood.of(k)), func(o Standing) bool { return o.Entry == s.Entry })
		of = append(of, s)
		slices.SortStableFunc(of, func(a, b Standing) int { return a.Time.Compare(b.Time) })
		l.stood.put(k, of[max(len(of)-mostStood, 0):])
	}
	return nil
}
