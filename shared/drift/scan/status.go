package scan

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// StatusOf says how much is known, and how old it is, to who only reads the database.
func StatusOf(ctx context.Context, s store.Store) (Status, error) {
	return (&Service{Config: Config{Store: s}}).Status(ctx)
}

// Wanted is how much is known of what Terraform wants, and how it was held against what there is. It is stored.
type Wanted struct {
	V        int        `json:"v"`
	At       time.Time  `json:"at"` // the last look at everything
	States   []State    `json:"states"`
	Compared int        `json:"compared"`         // resources
	Gaps     []diff.Gap `json:"gaps,omitempty"`   // what no rule compares: it counts neither as equal nor as another
	Doubts   []Doubt    `json:"doubts,omitempty"` // of what nobody could tell whether it is as it is wanted
	More     int        `json:"more,omitempty"`   // gaps and doubts beyond those
}

// State is one that was to be read.
type State struct {
	Name      string    `json:"name"`
	Resources int       `json:"resources"`
	Read      time.Time `json:"read,omitzero"`     // last; zero: never
	Failed    string    `json:"failed,omitempty"`  // why it could not be read: a kind of fault, or diff.TooLong
	Unknown   bool      `json:"unknown,omitempty"` // that is so for too long to say anything of now
	Locked    time.Time `json:"locked,omitzero"`   // since when its lock is held; after LockLasts somebody left it behind
}

// Doubt is something of which nobody could tell whether it is as Terraform wants it.
type Doubt struct {
	Address string `json:"address,omitempty"`
	Asset   string `json:"asset,omitempty"`
	Field   string `json:"field,omitempty"`
	Why     string `json:"why"` // a word of package diff
}

const (
	wantedID = "wanted"
	// mostTold is how many gaps, and how many doubts, are told one by one.
	mostTold = 100
)

// tell stores how much is known of what Terraform wants, for who only reads the database.
func (s *Service) tell(ctx context.Context, v *verdicts) error {
	w := Wanted{V: version, At: v.began}
	s.mu.Lock()
	for i, one := range s.want.states {
		told := State{Name: s.nameOf(i), Resources: len(one.desired.Resources), Read: one.read, Failed: one.failed, Unknown: !one.whole, Locked: one.locked}
		if one.version == "" && one.had {
			told.Resources = 1 // how many it had is not known any more; that it had some is
		}
		w.States = append(w.States, told)
	}
	s.mu.Unlock()
	if v.compared != nil {
		w.compared(v.compared)
	}
	return s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(scans, wantedID, w) })
}

// nameOf is what a state is called.
func (s *Service) nameOf(i int) string {
	if i < len(s.Named) {
		return s.Named[i]
	}
	return strconv.Itoa(i + 1)
}

func (w *Wanted) compared(r *diff.Result) {
	for _, n := range r.Compared {
		w.Compared += n
	}
	w.Gaps = r.Gaps[:min(len(r.Gaps), mostTold)]
	w.More = len(r.Gaps) - len(w.Gaps)
	for _, f := range r.Findings {
		switch {
		case f.Class != diff.Undetermined:
		case len(w.Doubts) == mostTold:
			w.More++
		default:
			w.Doubts = append(w.Doubts, Doubt{Address: f.Address, Asset: f.Key, Field: f.Field, Why: cmp.Or(f.Why, diff.Unread)})
		}
	}
}

// wantedStatus reads what tell stored; nothing before the first look.
func (s *Service) wantedStatus(ctx context.Context) (w Wanted, err error) {
	if err = s.Store.Get(ctx, scans, wantedID, &w); fault.Is(err, fault.NotFound) {
		return Wanted{}, nil
	}
	return w, err
}
