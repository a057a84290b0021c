package run

import (
	"context"
	"strings"

	"ostiary.internal/shared/platform/store"
)

// Part is how far one phase of one round has come in one step of an entry. It holds nothing of a person but numbers.
type Part struct {
	Round  int
	Phase  Phase
	Search int // of Searching: which, from 1
	Entry  string
	Count  Count
	Why    string // a word: why it was given up
	Done   bool
}

// Phase is what a walk is for.
type Phase string

// The phases.
const (
	Planning  Phase = planning
	Erasing   Phase = erasing
	Searching Phase = searching
)

// Parts returns how far the work for a request has come, in no order. It needs no key, and no right but to read.
func Parts(ctx context.Context, s store.Store, request string) (all []Part, err error) {
	var after *store.Cursor
	for {
		docs, err := s.Query(ctx, store.Query{
			Collection: tasks, Equal: []store.Field{{Name: "request", Value: request}}, After: after, Limit: store.MaxQueryResults,
		})
		list, err := store.Find[task](docs, err)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			all = append(all, part(t))
		}
		if len(docs) < store.MaxQueryResults {
			return all, nil
		}
		after = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}

func part(t task) Part {
	p := Part{Round: t.Round, Phase: Phase(t.Phase), Entry: t.Entry, Count: t.Count, Why: t.Why, Done: t.Done}
	if nth, search := strings.CutPrefix(t.Phase, searching); search {
		p.Phase = Searching
		for _, digit := range nth {
			p.Search = p.Search*10 + int(digit-'0')
		}
	}
	return p
}
