package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// ticking measures the minute of the breach control over many open cases: one in which nothing is due, beside asking the
// same question of the store, and one in which each case has something to say, beside as many documents of its size.
func (b *bench) ticking(ctx context.Context) error {
	f, err := newFirm(ctx, filepath.Join(b.dir, "tick"), 3)
	if err != nil {
		return err
	}
	defer f.close()
	for i := range b.cases {
		if _, err := f.declare(ctx, fmt.Sprint("form ", i)); err != nil {
			return err
		}
	}
	query := store.Query{Collection: cases.Cases, Range: &store.Range{Name: "next", From: int64(1), To: f.clock.Now().UnixMicro() + 1}, Limit: 100}
	if err := b.compare(fmt.Sprintf("a minute of %d open cases, nothing due", b.cases),
		func() error { return f.cases.Tick(ctx, f.clock.Now()) },
		func() error { _, err := f.store.Query(ctx, query); return err }, "the same query alone"); err != nil {
		return err
	}
	var ours, bare []time.Duration
	for range 4 { // the next step of the ladder, each time for all
		if err := f.clock.Set(f.clock.Now().Add(time.Hour)); err != nil {
			return err
		}
		from := time.Now()
		if err := f.cases.Tick(ctx, f.clock.Now()); err != nil {
			return err
		}
		ours = append(ours, time.Since(from))
		from = time.Now()
		for i := range b.cases {
			if err := f.store.Tx(ctx, func(tx store.Tx) error {
				return tx.Put("bare", fmt.Sprint(i), map[string]string{"text": strings.Repeat("x", 1000)})
			}); err != nil {
				return err
			}
		}
		bare = append(bare, time.Since(from))
		f.drain()
	}
	b.times(fmt.Sprintf("a minute of %d open cases, each calls somebody", b.cases), ours, bare, "as many documents in the same store, synced")
	return nil
}

// firm is a company with its breach control in one process, on files.
type firm struct {
	store   store.Store
	box     *outbox.Box
	cases   *cases.Service
	notices *notice.Service
	keys    seal.Keys
	clock   *clock.Manual
	policy  *policy.Policy
	tenants []policy.Tenant
	keep    func(ctx context.Context, id string, data []byte) error

	bus     chan outbox.Entry // what is not for staff
	waiting atomic.Int64      // on the bus, or in hand
	mu      sync.Mutex
	err     error
	close   func()
}

const breachPeople = `people:
- {id: vera, email: vera@firm.example, name: Vera, roles: [employee, security, oncall], language: fr, zone: Europe/Paris}
- {id: dana, email: dana@firm.example, name: Dana, roles: [employee, dpo], language: de, zone: Europe/Paris}
- {id: otto, email: otto@firm.example, name: Otto, roles: [employee, owner], language: en, zone: Europe/Paris}
`

const breachPromise = `promises:
- id: B94
  text: {en: Customers are notified in case of a privacy breach.}
  source: {file: faq.html, section: one}
  check: breach-clock
  severity: high
  kept_by: [{records: breach-clock}]
`

// newFirm begins a company of so many tenants.
func newFirm(ctx context.Context, dir string, tenants int) (*firm, error) {
	if err := os.MkdirAll(filepath.Join(dir, "policy", "promises"), 0o700); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("tenants:\n")
	for i := range tenants {
		fmt.Fprintf(&b, "- {id: t%04d, name: Customer number %d, country: FR, language: %s, domains: [t%04d.example], contract_hours: 48, contacts: [{role: privacy, email: dpo@t%04d.example, language: %[3]s}]}\n",
			i, i, letters.Languages()[i%3], i, i)
	}
	for name, text := range map[string]string{
		"company.yaml": "company: {name: Firm, zone: Europe/Paris, country: FR, languages: [en, fr], domains: [firm.example]}\n", "people.yaml": breachPeople, "promises/breach.yaml": breachPromise, "tenants.yaml": b.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, "policy", name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	p, problems, err := policy.Load(os.DirFS(dir), "policy")
	if err != nil || len(problems) > 0 {
		return nil, fmt.Errorf("the policy: %v %w", problems, err)
	}
	f := &firm{clock: clock.NewManual(morning), keys: local.New(filepath.Join(dir, "key"), rand.Reader), policy: p, tenants: p.Tenants, bus: make(chan outbox.Entry, 10*tenants+1000)}
	schema := append(store.Schema{outbox.Collection(), message.Collection(), {Name: "bare"}}, append(cases.Collection(), notice.Collection()...)...)
	if f.store, err = store.Drivers.Open(ctx, driver.URL("bolt", filepath.Join(dir, "breach.db"), "tree", "breach"), store.Options{Schema: schema, Clock: f.clock}); err != nil {
		return nil, err
	}
	f.close = func() { _ = f.store.Close() }
	f.keep = folder.New(filepath.Join(dir, "inbox")).Create
	f.box = outbox.New(f.store, f.clock, slog.New(slog.DiscardHandler), f.sinks())
	return f, f.services()
}

// services builds cases and notices.
func (f *firm) services() error {
	staff, err := cases.Letters(nil)
	if err != nil {
		return err
	}
	texts, err := notice.Read(nil)
	if err != nil {
		return err
	}
	asks, err := notice.LettersStaff(nil)
	if err != nil {
		return err
	}
	rules := cases.Defaults(f.policy.Company.Location(), "FR")
	rules.Hours = map[string]int{}
	for _, t := range f.tenants {
		rules.Hours[t.ID] = t.ContractHours
	}
	messages := seal.NewCache(f.keys, rand.Reader, f.clock)
	commit := func(_ context.Context, s vault.Subject, _ time.Time) (record.Subject, error) {
		return record.Subject{Type: s.Type, C: record.Commitment([]byte("a salt of this month, of 32 byte"), s.Type, s.ID)}, nil
	}
	digest := "sha256:" + f.policy.Digest
	if f.cases, err = cases.New(cases.Config{
		Store: f.store, Box: f.box, Policy: f.policy, Digest: digest, Rules: rules, Keys: f.keys, Messages: messages, Letters: staff, Commit: commit, Desk: "https://ostiary.example/",
	}); err != nil {
		return err
	}
	f.notices, err = notice.New(notice.Config{
		Store: f.store, Box: f.box, Policy: f.policy, Digest: digest, Letters: texts, Staff: asks, Keys: f.keys, Messages: messages, Commit: commit, Desk: "https://ostiary.example/", Crier: f.cases.Crier, Tell: f.tell,
		Case: func(ctx context.Context, id string) (notice.About, error) {
			read, err := f.cases.Get(ctx, id)
			return notice.AboutCase(read.Case, rules, "Firm", f.clock.Now()), err
		},
	})
	return err
}

// sinks keep records on files that are synced, and hand on what is not for staff.
func (f *firm) sinks() map[outbox.Kind]outbox.Sink {
	return map[outbox.Kind]outbox.Sink{
		outbox.Record: func(ctx context.Context, e outbox.Entry) error { return f.keep(ctx, e.Key, e.Data) },
		outbox.Message: func(_ context.Context, e outbox.Entry) error {
			if e.Target != message.TopicRequested || strings.HasPrefix(e.Key, "breach-notice/") {
				f.waiting.Add(1)
				f.bus <- e
			}
			return nil
		},
	}
}

func (f *firm) tell(ctx context.Context, id string, told []notice.Told, now time.Time) error {
	arrivals := map[string]time.Time{}
	for _, one := range told {
		arrivals[one.Tenant] = one.At
	}
	_, err := f.cases.Do(ctx, id, policy.Person{}, cases.Event{What: cases.Told, Arrivals: arrivals}, cases.Words{}, now)
	return err
}

func (f *firm) person(id string) policy.Person {
	p, _ := f.policy.PersonByID(id)
	return p
}

// declare begins a breach that concerns every tenant.
func (f *firm) declare(ctx context.Context, client string) (cases.Case, error) {
	d := cases.Declaration{Client: client, Breach: true, Summary: "Files were read."}
	for _, t := range f.tenants {
		d.Tracks = append(d.Tracks, cases.Track{ID: t.ID, Role: cases.Processor, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.Unknown}})
	}
	c, _, err := f.cases.Declare(ctx, f.person("vera"), d, f.clock.Now())
	return c, err
}

// approvable is a notice about a breach of which two decided that every tenant is told.
func (f *firm) approvable(ctx context.Context) (notice.Notice, error) {
	c, err := f.declare(ctx, "form")
	for _, who := range []string{"vera", "dana"} {
		if err == nil {
			_, err = f.cases.Do(ctx, c.ID, f.person(who), cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: true}, cases.Words{}, f.clock.Now())
		}
	}
	if err != nil {
		return notice.Notice{}, err
	}
	d := notice.Draft{Kind: notice.Initial, Texts: map[string]map[string]string{}}
	for _, language := range letters.Languages() {
		d.Texts[language] = map[string]string{}
		for _, name := range notice.Written(notice.Initial) {
			d.Texts[language][name] = "What is known of it so far, in a sentence or two."
		}
	}
	return f.notices.Write(ctx, f.person("vera"), c.ID, 0, d, nil, f.clock.Now())
}

// drain forgets what is on the bus.
func (f *firm) drain() {
	for f.waiting.Load() > 0 {
		<-f.bus
		f.waiting.Add(-1)
	}
}

func (f *firm) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = errors.Join(f.err, err)
}

func (f *firm) failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
