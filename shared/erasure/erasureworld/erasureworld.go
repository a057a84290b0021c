// Package erasureworld is what stands around a service of the erasure control in its tests: a policy with a data map, a database, keys
// and an outbox, all of which can be made to fail at any call, and what left through it: records, and letters opened. It is for
// tests; no function links it, and it knows none of the services.
package erasureworld

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	keyfile "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
)

// ErrDead is an injected death.
var ErrDead = fault.New(fault.Transient, "an injected death")

// World is what a service stands in. Its fields are for the test to read and set between calls.
type World struct {
	T        testing.TB
	Clock    *clock.Manual
	Raw      store.Store // past all failures
	Store    store.Store // whose calls may be the last, and whose transactions run twice
	Box      *outbox.Box // of Store
	Keys     seal.Keys
	Messages *seal.Cache // of Keys
	// Other takes what is neither a record nor a letter, and reports that it did; nil for nothing.
	Other func(e outbox.Entry) bool

	sync.Mutex     // held while anything leaves
	Left       int // calls that pass; negative: all
	Calls      int
	Records    map[string]record.Record // by id
	Order      []record.Record          // as they came first
	Mail       map[string]Letter        // by key
	Leaked     bytes.Buffer             // whatever left in clear, and the log
}

// Letter is one that went out, opened.
type Letter struct {
	message.Request
	message.Content
	Nth int // that went out, from 0
}

// New returns a world that begins at a time, with the collections of the service, in memory.
func New(t testing.TB, begins time.Time, collections ...store.Collection) *World {
	t.Helper()
	return On(t, begins, func(o store.Options) store.Store {
		s, err := memory.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return storetest.Twice(s)
	}, collections...)
}

// On is New on another store.
func On(t testing.TB, begins time.Time, open func(store.Options) store.Store, collections ...store.Collection) *World {
	t.Helper()
	w := &World{T: t, Clock: clock.NewManual(begins), Left: -1, Records: map[string]record.Record{}, Mail: map[string]Letter{}}
	w.Raw, w.Keys = open(store.Options{Schema: append(store.Schema{outbox.Collection()}, collections...), Clock: w.Clock}), keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	w.Store = storetest.Faulty(w.Raw, func(storetest.Point, int) error { return w.Step() })
	w.Messages = seal.NewCache(w.Keys, rand.Reader, w.Clock)
	w.Box = outbox.New(w.Store, w.Clock, slog.New(slog.NewJSONHandler(&w.Leaked, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep, outbox.Message: w.send})
	return w
}

// Step is a call of anything: the last one is answered with ErrDead.
func (w *World) Step() error {
	w.Lock()
	defer w.Unlock()
	w.Calls++
	if w.Left == 0 {
		return ErrDead
	}
	if w.Left > 0 {
		w.Left--
	}
	return nil
}

// keep is the evidence inbox. It may die after it accepted, as send may.
func (w *World) keep(_ context.Context, e outbox.Entry) error {
	if err := w.Step(); err != nil {
		return err
	}
	w.Lock()
	w.Leaked.Write(e.Data)
	if r, first := recordtest.Keep(w.T, w.Records, e.Key, e.Data); first {
		w.Order = append(w.Order, r)
	}
	w.Unlock()
	return w.Step()
}

func (w *World) send(ctx context.Context, e outbox.Entry) error {
	if err := w.Step(); err != nil {
		return err
	}
	w.Lock()
	fmt.Fprintln(&w.Leaked, e.Target, e.Key, e.Attributes)
	w.Leaked.Write(e.Data)
	if w.Other == nil || !w.Other(e) {
		w.post(ctx, e)
	}
	w.Unlock()
	return w.Step()
}

// post takes a letter; one that comes again is the same.
func (w *World) post(ctx context.Context, e outbox.Entry) {
	var r message.Request
	if err := json.Unmarshal(e.Data, &r); err != nil {
		w.T.Error(err)
	}
	c, err := r.Open(ctx, w.Keys)
	if err != nil {
		w.T.Errorf("opening a letter: %v", err)
	}
	if _, again := w.Mail[e.Key]; !again {
		w.Mail[e.Key] = Letter{r, c, len(w.Mail)}
	}
}

// Pass lets time pass.
func (w *World) Pass(d time.Duration) {
	w.T.Helper()
	if err := w.Clock.Set(w.Clock.Now().Add(d)); err != nil {
		w.T.Fatal(err)
	}
}

// Commit makes the commitment that stands for a member of staff.
func Commit(_ context.Context, s vault.Subject, _ time.Time) (record.Subject, error) {
	return record.Subject{Type: s.Type, C: record.Commitment([]byte("a salt of 16 bytes"), s.Type, s.ID)}, nil
}

// Policy is that of a firm with these people and this data map, whose promise the check keeps; people of it read the languages.
func Policy(t testing.TB, people, mapped, check string, languages ...string) (*policy.Policy, *datamap.Map) {
	t.Helper()
	company := "company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Berlin\n  country: DE\n  languages: [%s]\n  environments: [{id: live, project: firm-live, kind: live}]\n"
	promise := "promises:\n  - {id: P1, text: {en: It is done.}, check: %[1]s, severity: critical, kept_by: [{records: %[1]s}]}\n"
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml": {Data: fmt.Appendf(nil, company, strings.Join(languages, ", "))}, "p/people.yaml": {Data: []byte(people)},
		"p/datamap.yaml": {Data: []byte(mapped)}, "p/promises/all.yaml": {Data: fmt.Appendf(nil, promise, check)},
	}, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	m, problems := datamap.Read(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p, m
}
