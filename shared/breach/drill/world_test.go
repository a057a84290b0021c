package drill_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/breach/notice"
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

var files = map[string]string{
	"company.yaml": "company: {name: Firm, zone: Europe/Paris, country: FR, languages: [fr, en], domains: [firm.example]}\n",
	"people.yaml": `people:
- {id: vera, email: vera@firm.example, name: Vera, roles: [employee, security], language: fr, zone: Europe/Paris}
- {id: dana, email: dana@firm.example, name: Dana, roles: [employee, dpo], language: de, zone: Europe/Paris}
- {id: otto, email: otto@firm.example, name: Otto, roles: [employee, owner, oncall], language: en, zone: Europe/Paris}
- {id: emma, email: emma@firm.example, name: Emma, roles: [employee], language: en, zone: Europe/Paris}
`,
	"tenants.yaml": `tenants:
- {id: nord, name: Cabinet Nord, country: FR, language: fr, domains: [nord.example], contract_hours: 24, contacts: [{role: privacy, email: dpo@nord.example, language: fr, channels: [mail]}]}
`,
	"promises/one.yaml": `promises:
- {id: X94, text: {en: Customers are told of a breach.}, source: {file: policy.html, section: one}, check: breach-clock, severity: high, kept_by: [{records: breach-clock}]}
`,
	"breach.yaml": `authorities: [{id: cnil, name: CNIL, portal: "https://cnil.example/", lead: true}]
contact: "+33 1 99 00 12 34"
ladder:
- {id: oncall, roles: [oncall], wait: PT10M, channels: [mail, sms, chat]}
- {id: owner, roles: [owner], wait: PT1H}
drill: {people: [emma], every: P3M}
reviewed: 2025-12-01
`,
}

// desk is a Service whose store, keys and sinks can be made to fail, with everything it sends.
type desk struct {
	*drill.Service
	t         *testing.T
	clock     *clock.Manual
	keys      seal.Keys
	mu        sync.Mutex
	left      int    // calls that pass; negative: all
	meanwhile func() // what another process does once, before the next transaction
	notices   []notice.Notice
	numbers   bool // people have numbers for text messages
	records   map[string]record.Record
	mail      map[string]string // by key: what it says, to whom
	clear     bytes.Buffer
}

var errDown = fault.New(fault.Transient, "an injected failure")

func (d *desk) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 {
		return errDown
	}
	d.left--
	return nil
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	all := fstest.MapFS{}
	for name, text := range files {
		all["p/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, problems, err := policy.Load(all, "p")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	says, problems := breach.Read(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d := &desk{t: t, clock: clock.NewManual(time.Date(2026, 1, 5, 8, 30, 0, 0, time.UTC)), left: -1, numbers: true, records: map[string]record.Record{}, mail: map[string]string{}}
	raw, err := memory.New(store.Options{Schema: slices.Concat(store.Schema{outbox.Collection()}, cases.Collection(), drill.Collection()), Clock: d.clock})
	if err != nil {
		t.Fatal(err)
	}
	faulty := late{storetest.Faulty(storetest.Twice(raw), func(storetest.Point, int) error { return d.step() }), d}
	d.keys = keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	box := outbox.New(faulty, d.clock, slog.New(slog.NewJSONHandler(&d.clear, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: d.keep, outbox.Message: d.send})
	d.Service = d.service(p, says, faulty, box)
	return d
}

func (d *desk) service(p *policy.Policy, says breach.Policy, s store.Store, box *outbox.Box) *drill.Service {
	d.t.Helper()
	messages := seal.NewCache(d.keys, rand.Reader, d.clock)
	said, err := cases.Letters(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	letters, err := drill.Letters(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	kept, err := cases.New(cases.Config{Store: s, Box: box, Policy: p, Digest: record.Digest([]byte("policy")), Rules: says.Rules, Keys: d.keys, Messages: messages, Letters: said, Desk: "https://ostiary.example/declarebreach/case",
		Commit: func(_ context.Context, s vault.Subject, _ time.Time) (record.Subject, error) {
			return record.Subject{Type: s.Type, C: record.Commitment([]byte("a salt of sixteen"), s.Type, s.ID)}, d.step()
		}})
	if err != nil {
		d.t.Fatal(err)
	}
	got, err := drill.New(drill.Config{Store: s, Box: box, Policy: p, Digest: record.Digest([]byte("policy")), Breach: says, Letters: letters, Messages: messages, Cases: kept, Desk: "https://ostiary.example/declarebreach/",
		Notices: func(context.Context, string) ([]notice.Notice, error) { return d.notices, d.step() },
		OutOfBand: func(person, channel string) (string, bool) {
			return "+33639980001", d.numbers && person == "otto" && channel == "sms"
		}})
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

func (d *desk) keep(_ context.Context, e outbox.Entry) error {
	if err := d.step(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear.Write(e.Data)
	recordtest.Keep(d.t, d.records, e.Key, e.Data)
	return nil
}

func (d *desk) send(ctx context.Context, e outbox.Entry) error {
	if err := d.step(); err != nil {
		return err
	}
	var r message.Request
	if err := json.Unmarshal(e.Data, &r); err != nil {
		d.t.Errorf("message: %v", err)
		return nil
	}
	c, err := r.Open(ctx, d.keys)
	if err != nil {
		d.t.Errorf("message: %v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mail[r.Key] = r.Channel + " " + r.Person + c.To + ": " + c.Subject
	return nil
}

// pass lets time pass, looked at every so often.
func (d *desk) pass(by, every time.Duration) {
	d.t.Helper()
	for end := d.clock.Now().Add(by); d.clock.Now().Before(end); {
		if err := d.clock.Set(d.clock.Now().Add(every)); err != nil {
			d.t.Fatal(err)
		}
		if err := d.Tick(d.t.Context(), d.clock.Now()); err != nil {
			d.t.Fatal(err)
		}
	}
}

// of are the drills of a kind, newest first.
func (d *desk) of(kind drill.Kind) (found []drill.Drill) {
	d.t.Helper()
	all, err := d.List(d.t.Context(), nil, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, one := range all {
		if one.Kind == kind {
			found = append(found, one)
		}
	}
	return found
}

// result is the record of the last result of a kind of drill.
func (d *desk) result(kind drill.Kind) (last record.Record) {
	for _, r := range d.records {
		if r.Facts["drill"] == string(kind) && !r.Source.Observed.Before(last.Source.Observed) {
			last = r
		}
	}
	return last
}

func (d *desk) says(text string) bool {
	for _, one := range d.mail {
		if strings.Contains(one, text) {
			return true
		}
	}
	return false
}

// late lets another process come first: between what was read and the transaction.
type late struct {
	store.Store
	d *desk
}

func (l late) Tx(ctx context.Context, fn func(tx store.Tx) error) error {
	if other := l.d.meanwhile; other != nil {
		l.d.meanwhile = nil
		other()
	}
	return l.Store.Tx(ctx, fn)
}
