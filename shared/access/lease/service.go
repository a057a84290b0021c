package lease

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Config is what a Service needs. Store, Box and OTP must be of the same database.
type Config struct {
	Store store.Store
	Box   *outbox.Box
	OTP   *otp.Service // needed by Register alone
	Clock clock.Clock
	Rules access.Lease
	// Fixed returns the sites in force, from the policy and from decisions kept in a store; nil for none.
	Fixed  func(ctx context.Context) ([]access.Fixed, error)
	Screen address.Screen
	// Network says what is known of the network of an address; nil for the list that comes with the program.
	Network     func(netip.Addr) (network.Network, bool)
	NetworkList string // date of that list (YYYY-MM-DD), which the evidence names beside what the list says
	Capacity    int    // entries of the smallest target; 0 for no limit
	// Full reports whether some target had no room for somebody when it was last written to: what was declared is not always
	// what there is. Nil: never.
	Full     func(ctx context.Context, now time.Time) (bool, error)
	Promises []string  // ids of the promises the evidence counts for
	Policy   string    // record.Digest of the policy in force, named in the evidence; may be empty
	Random   io.Reader // salts of readers without an account; nil means crypto/rand
	Log      *slog.Logger
}

// Service keeps leases. It is safe for concurrent use.
type Service struct {
	Config
	room room
}

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Clock == nil {
		return nil, fault.New(fault.Misconfigured, "leases: store, outbox and clock are all needed")
	}
	if c.Fixed == nil {
		c.Fixed = func(context.Context) ([]access.Fixed, error) { return nil, nil }
	}
	if c.Network == nil {
		c.Network, c.NetworkList = network.Shipped().Of, network.Shipped().Date.Format(time.DateOnly)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c}, nil
}

// reader is a store or a transaction's way to query.
type reader func(q store.Query) ([]store.Document, error)

func (s *Service) reader(ctx context.Context) reader {
	return func(q store.Query) ([]store.Document, error) { return s.Store.Query(ctx, q) }
}

// all reads every page of a query.
func all(read reader, q store.Query) ([]Lease, error) {
	q.Limit = store.MaxQueryResults
	var found []Lease
	for {
		page, err := read(q)
		if err != nil {
			return nil, fmt.Errorf("reading leases: %w", err)
		}
		for _, d := range page {
			var l Lease
			if err := d.Decode(&l); err != nil {
				return nil, fmt.Errorf("decoding lease %s: %w", d.ID, err)
			}
			found = append(found, l)
		}
		if len(page) < q.Limit {
			return found, nil
		}
		last := found[len(found)-1]
		q.After = &store.Cursor{ID: last.ID}
		if q.Range != nil {
			q.After.Value = last.Until
		}
	}
}

// ofPerson returns a person's leases that end after since.
func ofPerson(read reader, person string, since time.Time) ([]Lease, error) {
	return all(read, store.Query{Collection: leases, Equal: []store.Field{{Name: "person", Value: person}},
		Range: &store.Range{Name: "until", From: since.UnixMicro() + 1}})
}

func open(read reader) ([]Lease, error) {
	return all(read, store.Query{Collection: leases, Equal: []store.Field{{Name: "open", Value: true}}})
}

// Open returns every lease of which a target may still hold something: the live ones, and those that ended or
// expired without anybody having seen them gone.
func (s *Service) Open(ctx context.Context) ([]Lease, error) { return open(s.reader(ctx)) }

// Reader is Open for who may read the database and nothing else.
func Reader(s store.Store) func(ctx context.Context) ([]Lease, error) {
	return (&Service{Config: Config{Store: s}}).Open
}

// Live returns the leases that admit at now, of all people, in no particular order.
func (s *Service) Live(ctx context.Context, now time.Time) ([]Lease, error) {
	found, err := s.Open(ctx)
	return slices.DeleteFunc(found, func(l Lease) bool { return !l.Live(now) }), err
}

// recent is how far back List looks: long enough to show yesterday's address.
const recent = 48 * time.Hour

// List returns a person's leases of today and yesterday, the newest first, as they stand now.
func (s *Service) List(ctx context.Context, person string) ([]Lease, error) {
	return s.since(ctx, person, recent)
}

// History returns all leases of a person that are kept, as List does.
func (s *Service) History(ctx context.Context, person string) ([]Lease, error) {
	return s.since(ctx, person, Retention)
}

// OfDate returns the leases that began on a date of people's zones (YYYY-MM-DD), the oldest first, as they stand now. Those
// of a date before Earliest are gone.
func (s *Service) OfDate(ctx context.Context, date string) ([]Lease, error) {
	found, err := all(s.reader(ctx), store.Query{Collection: leases, Equal: []store.Field{{Name: "date", Value: date}}})
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	for i := range found {
		found[i] = found[i].At(now)
	}
	slices.SortFunc(found, ByAge)
	return found, nil
}

func (s *Service) since(ctx context.Context, person string, ago time.Duration) ([]Lease, error) {
	now := s.Clock.Now()
	found, err := ofPerson(s.reader(ctx), person, now.Add(-ago))
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i] = found[i].At(now)
	}
	slices.SortFunc(found, func(a, b Lease) int { return ByAge(b, a) })
	return found, nil
}

// Admission is the answer to one connection.
type Admission struct {
	Admitted bool
	Site     string    // the fixed site that admits, or ""
	Leases   []string  // ids of the leases that admit
	Until    time.Time // the latest end among them
}

// Admit says whether a connection from addr may come in at now: through a live lease of its prefix or a fixed site.
// The first time a confirmed lease admits it is marked working. An error admits nobody.
func (s *Service) Admit(ctx context.Context, addr netip.Addr, now time.Time) (Admission, error) {
	prefix, ok := address.Of(addr)
	if !ok {
		return Admission{}, nil
	}
	var a Admission
	until := func(t time.Time) {
		a.Admitted = true
		if t.After(a.Until) {
			a.Until = t
		}
	}
	sites, err := s.Fixed(ctx)
	if err != nil {
		return Admission{}, fmt.Errorf("reading the fixed sites: %w", err)
	}
	for _, site := range sites {
		if site.Prefix.Contains(addr.Unmap()) && now.Before(site.Until) {
			a.Site = site.Name
			until(site.Until)
		}
	}
	found, err := all(s.reader(ctx), store.Query{Collection: leases, Equal: []store.Field{{Name: "prefix", Value: prefix.String()}},
		Range: &store.Range{Name: "until", From: now.UnixMicro() + 1}})
	if err != nil {
		return Admission{}, err
	}
	var first []Step
	for _, l := range found {
		if !l.Live(now) {
			continue
		}
		a.Leases = append(a.Leases, l.ID)
		until(l.Ends)
		if l.State == Confirmed {
			first = append(first, Step{ID: l.ID, To: []State{Working}})
		}
	}
	if _, err := s.Advance(ctx, first, now); err != nil {
		// The person is let in; that the page turns green a moment later is no reason to keep her out.
		s.Log.WarnContext(ctx, "marking leases as working", "error", err)
	}
	return a, nil
}
