package allowlist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Config is what a Reconciler needs. Store, Box and Leases must be of the same database.
type Config struct {
	Store   store.Store
	Box     *outbox.Box
	Leases  *lease.Service
	Targets []Target // without any, the admission check over the leases is the only enforcement
	// Lost tells why a person with a live lease must lose it: lease.Suspended or lease.Withdrawn; "" for one who keeps it. An
	// error is no answer: the person keeps what she has, at most until its end, and the run says so. It is called
	// from several goroutines.
	Lost func(ctx context.Context, person string) (lease.Why, error)
	// Owner names the writer. Two runs of one owner never overlap, so an owner may take over from itself at once
	// after a crash; give the same name only to what cannot run twice.
	Owner string
	// Tell has people told who wrote to a target beside us; nil: nobody is told. It does no I/O; Ready is called before,
	// outside of any transaction.
	Tell     func(b *outbox.Batch, n Notice) error
	Ready    func(ctx context.Context) error
	Promises []string // ids of the promises the evidence counts for
	Policy   string   // record.Digest of the policy in force; may be empty
	Log      *slog.Logger
}

// Reconciler makes the targets hold what the leases say. It is safe for concurrent use; one run at a time per process,
// one writer at a time per target.
type Reconciler struct {
	Config
	mu      sync.Mutex
	cramped map[string]time.Time // leases that stood before the room shrank, since when some target has none for them

	lookMu  sync.Mutex
	inOrder map[string]time.Time // when a target was last found in order, by this process
}

// New returns a Reconciler, or Misconfigured when a part is missing or two targets share a name.
func New(c Config) (*Reconciler, error) {
	if c.Store == nil || c.Box == nil || c.Leases == nil || c.Owner == "" {
		return nil, fault.New(fault.Misconfigured, "allow-list: store, outbox, leases and owner are all needed")
	}
	names := map[string]bool{}
	for _, t := range c.Targets {
		if t.Name() == "" || names[t.Name()] {
			return nil, fault.New(fault.Misconfigured, "allow-list: target name %q is empty or there twice", t.Name())
		}
		names[t.Name()] = true
	}
	if c.Lost == nil {
		c.Lost = func(context.Context, string) (lease.Why, error) { return "", nil }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Reconciler{Config: c, cramped: map[string]time.Time{}, inOrder: map[string]time.Time{}}, nil
}

// Report is what a run did.
type Report struct {
	Entries      int  // that should be in force
	Confirmed    int  // leases read back for the first time
	Ended        int  // leases ended by the run: suspended, replaced, no room
	Removed      int  // leases seen gone from every target
	Undetermined int  // people whose standing could not be read
	Full         bool // some target had no room for somebody
	Targets      []Outcome
}

// Outcome is what a run found and did at one target.
type Outcome struct {
	Target  string
	Applied bool // the target was written to
	Held    bool // the target was read back and holds the set
	Foreign bool // somebody else had changed it; it was made right again if Held
	// Wait is how long its write quota asks to wait; what is due is written by a run after that. 0 when nothing waits.
	Wait time.Duration
	// Part says that it holds part of the set, for its time or quota ran out: the next runs go on.
	Part     bool
	PartFor  time.Duration // for how long it has held a part
	Failures int           // in a row, before this run; it is tried again after Wait
	Wider    []string      // what lets more in past it, as Observed.Wider
	Err      error
}

const (
	rounds     = 3                // a confirmation may end the device it replaces, which changes the set once more
	roundLimit = 20 * time.Second // a round that took longer is the run's last: the next run goes on
)

// Run brings every target to the set that is due at now, and the leases to what the targets hold. It ends the leases
// of people who lost their standing, and the newest ones where a target has no room. A run that finds everything in
// order writes nothing. It may be killed anywhere and run again; on an error the leases concerned stay pending, and
// the error says which targets, Transient where another run may succeed.
func (r *Reconciler) Run(ctx context.Context, now time.Time) (Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var report Report
	d, err := r.due(ctx, now)
	if err != nil {
		return report, err
	}
	if d, err = r.dismiss(ctx, d, now, &report); err != nil {
		return report, err
	}
	for range rounds {
		begun := r.Leases.Clock.Now()
		if d, err = r.makeRoom(ctx, d, now, &report); err != nil {
			return report, err
		}
		again, err := r.round(ctx, &d, now, &report)
		if err != nil || !again || r.Leases.Clock.Now().Sub(begun) > roundLimit {
			return report, err
		}
	}
	return report, nil
}

// round takes every target to the present set once, side by side: one that is slow holds up no other. It asks for another
// round when it changed the set.
func (r *Reconciler) round(ctx context.Context, d *due, now time.Time, report *Report) (again bool, err error) {
	seen, failed := make([]sighting, len(r.Targets)), make([]error, len(r.Targets))
	var group sync.WaitGroup
	for i, t := range r.Targets {
		group.Go(func() {
			s, err := r.converge(ctx, t, *d, now)
			if err != nil {
				failed[i] = fmt.Errorf("target %s: %w", t.Name(), err)
			}
			s.outcome.Target, s.outcome.Err = t.Name(), err
			seen[i] = s
		})
	}
	group.Wait()
	report.Targets = report.Targets[:0]
	for _, s := range seen {
		report.Targets = append(report.Targets, s.outcome)
		*d = s.due
	}
	report.Entries = d.set.Len()
	moved, err := r.Leases.Advance(ctx, follow(everywhere(d.leases, seen), seen, now), now)
	report.count(moved)
	if err != nil {
		return false, errors.Join(append(failed, err)...)
	}
	replaced, err := r.Leases.Advance(ctx, beyond(d.leases, moved, r.Leases.Rules.Devices, now), now)
	report.Ended += len(replaced)
	if err == nil && len(replaced) > 0 {
		*d, err = r.due(ctx, now)
	}
	return len(replaced) > 0 && err == nil, errors.Join(append(failed, err)...)
}

// everywhere are the leases that were known when each target was looked at: of another nobody can say that a target lacks it.
func everywhere(leases []lease.Lease, seen []sighting) []lease.Lease {
	known := map[string]int{}
	for _, s := range seen {
		for _, l := range s.due.leases {
			known[l.ID]++
		}
	}
	return slices.DeleteFunc(slices.Clone(leases), func(l lease.Lease) bool { return known[l.ID] < len(seen) })
}

// Wait is the longest time a target's write quota asks to wait; 0 when nothing waits. A target that holds part of the set, or that
// failed a moment ago, asks for nothing: the runs of each minute go on with it.
func (report *Report) Wait() (longest time.Duration) {
	for _, t := range report.Targets {
		if !t.Part && t.Failures == 0 {
			longest = max(longest, t.Wait)
		}
	}
	return longest
}

func (report *Report) count(moved []lease.Lease) {
	for _, l := range moved {
		switch {
		case !l.Open:
			report.Removed++
		case l.State == lease.Confirmed:
			report.Confirmed++
		}
	}
}

// due is what the store says should be in force.
type due struct {
	leases []lease.Lease // all that are open, live or not
	sites  []access.Fixed
	set    Set
}

func (r *Reconciler) due(ctx context.Context, now time.Time) (due, error) {
	var d due
	var err error
	if d.leases, err = r.Leases.Open(ctx); err != nil {
		return d, err
	}
	if d.sites, err = r.Leases.Fixed(ctx); err != nil {
		return d, fmt.Errorf("reading the fixed sites: %w", err)
	}
	d.set = Desired(d.leases, d.sites, now)
	return d, nil
}
