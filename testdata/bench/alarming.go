package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/episode"
	"ostiary.internal/shared/watch/notice"
	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/testdata/policies"
)

// alarming measures how long it takes from an entry's bytes to its alarm's message: decoded, judged by all rules, stored
// with its evidence on files that are synced, sealed and handed on. Each entry begins an episode of its own. Beside it is
// one document written to the same file.
func (b *bench) alarming(ctx context.Context) error {
	w, err := b.watch(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	var took, bare []time.Duration
	for i := range max(b.entries/500, 20) {
		data, now := alarm(i), w.clock.Now()
		from := time.Now()
		entries, err := auditlog.Decode(data)
		if err != nil {
			return err
		}
		w.told.Store(nil)
		if _, err := w.service.Ingest(ctx, entries[0], now); err != nil {
			return err
		}
		told := w.told.Load()
		if told == nil {
			return fmt.Errorf("entry %d made no alarm", i)
		}
		took = append(took, told.Sub(from))
		from = time.Now()
		if err := w.store.Tx(ctx, func(tx store.Tx) error { return tx.Put("bare", "one", map[string]int{"n": i}) }); err != nil {
			return err
		}
		bare = append(bare, time.Since(from))
	}
	tail := func(all []time.Duration) string {
		return fmt.Sprintf("p50 %s, p99 %s", short(quantile(all, 0.5)), short(quantile(all, 0.99)))
	}
	var ours, beside []time.Duration // of each run of alarms, the median
	for n := range b.runs {
		from, to := n*len(took)/b.runs, (n+1)*len(took)/b.runs
		ours, beside = append(ours, median(took[from:to])), append(beside, median(bare[from:to]))
	}
	b.add(row{measured: fmt.Sprintf("from an entry to the message of its alarm, %d alarms", len(took)), ours: tail(took), beside: tail(bare),
		what: "one document in the same store, synced", ratio: through(ours, beside)})
	return nil
}

// alarm is an entry by which one of many people lets a stranger in.
func alarm(n int) []byte {
	return fmt.Appendf(nil, `{"insertId":"e%d","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
		"serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy","resourceName":"projects/sharedcontacts-live","authenticationInfo":{"principalEmail":"person%d@sharedcontacts.example"},
		"requestMetadata":{"callerIp":"192.0.2.7"},"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/viewer","member":"user:stranger@elsewhere.example"}]}}}}`, n, morning.Format(time.RFC3339), n)
}

// watch is the watch of one process, on files.
type watch struct {
	service *episode.Service
	store   store.Store
	clock   clock.Clock
	told    atomic.Pointer[time.Time] // when the first message of an alarm was handed on
	close   func()
}

func (b *bench) watch(ctx context.Context) (*watch, error) {
	dir := filepath.Join(b.dir, "watch")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		return nil, err
	}
	set, _ := rule.Load(p)
	set = set.Only(func(r rule.Rule) bool { return !r.AsksList() })
	w := &watch{clock: clock.NewManual(morning)}
	schema := append(store.Schema{outbox.Collection(), {Name: "bare"}}, episode.Collection()...)
	if w.store, err = store.Drivers.Open(ctx, driver.URL("bolt", filepath.Join(dir, "watch.db"), "tree", "watch"), store.Options{Schema: schema, Clock: w.clock}); err != nil {
		return nil, err
	}
	w.close = func() { _ = w.store.Close() }
	keep := folder.New(filepath.Join(dir, "inbox")).Create
	box := outbox.New(w.store, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{
		outbox.Record: func(ctx context.Context, e outbox.Entry) error { return keep(ctx, e.Key, e.Data) },
		outbox.Message: func(context.Context, outbox.Entry) error {
			now := time.Now()
			w.told.CompareAndSwap(nil, &now)
			return nil
		},
	})
	notices := notice.New(p, seal.NewCache(local.New(filepath.Join(dir, "key"), rand.Reader), rand.Reader, w.clock), rand.Reader)
	if err := notices.Ready(ctx); err != nil {
		return nil, err
	}
	w.service, err = episode.New(episode.Config{
		Store: w.store, Box: box, Policy: p, Rules: set, Digest: "sha256:" + p.Digest, Link: "https://ostiary.example", Notify: notices.Notify,
		Commit: func(_ context.Context, s vault.Subject, _ time.Time) (record.Subject, error) {
			return record.Subject{Type: s.Type, C: record.Commitment([]byte("a salt of this month, of 32 byte"), s.Type, s.ID)}, nil
		},
	})
	return w, err
}
