package lease

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Joining asks for the other address of a device that has a lease, without another code: whoever calls has proved that it
// is the same device.
type Joining struct {
	Address netip.Addr // as observed
	ID      string     // the server's own id of the request
	// Read reads, within the transaction, whose device it is and one of its leases. An error refuses.
	Read func(tx store.Tx) (person, lease string, err error)
	// Joined writes, within the transaction, that the device has its address; fresh is false when it had it
	// before, and nothing else is written. An error refuses.
	Joined func(tx store.Tx, l Lease, fresh bool) error
}

// Join gives a device the lease of its other address: it ends when the device's first one does, if not sooner, and is no change of
// address of its own. An address of the same family that the device had before ends. A prefix that the person has
// registered already is returned as it is.
//
// Errors for the caller: codes address_refused, address_unknown, relay_refused, hosting_refused, capacity_full, and those of j.Read; NotFound without a
// code when the device has no live lease.
func (s *Service) Join(ctx context.Context, j Joining, now time.Time) (Lease, error) {
	sites, err := s.Fixed(ctx)
	if err != nil {
		return Lease{}, fmt.Errorf("reading the fixed sites: %w", err)
	}
	room, err := s.space(ctx, sites, now)
	if err != nil {
		return Lease{}, err
	}
	var joined Lease
	fresh := false
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		person, id, err := j.Read(tx)
		if err != nil {
			return err
		}
		a := attempt{sites: sites, s: s, tx: tx, batch: batch, r: Request{Person: person, ID: j.ID}, now: now}
		device, err := a.join(id, j.Address, room)
		if err != nil {
			return err
		}
		if fresh = a.terms.kept == nil; !fresh {
			joined = *a.terms.kept
			return j.Joined(tx, joined, false)
		}
		if joined, err = a.joined(device); err != nil {
			return err
		}
		return j.Joined(tx, joined, true)
	})
	if err == nil && fresh {
		s.room.taken()
	}
	return joined, err
}

// join does all reads and refusals. It returns the live leases of the device.
func (a *attempt) join(id string, addr netip.Addr, room space) ([]Lease, error) {
	mine, err := ofPerson(a.tx.Query, a.r.Person, a.now.Add(-recent))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(mine, func(l Lease) bool { return l.ID == id })
	if i < 0 || !mine[i].Live(a.now) {
		return nil, fault.New(fault.NotFound, "joining lease %s: it is not live", id)
	}
	if a.prefix, a.where, err = a.s.place(addr); err != nil {
		return nil, err
	}
	first := mine[i]
	a.r.TwoStep = first.TwoStep
	a.terms = plan{ends: Shorten(first.Ends, a.now, a.s.Rules, a.where), date: first.Date, generation: 1}
	for _, l := range mine {
		switch {
		case l.Prefix != a.prefix:
		case l.Live(a.now):
			a.terms.kept = &l
			return nil, nil
		case l.Date == first.Date:
			a.terms.generation = max(a.terms.generation, l.Generation+1)
		}
	}
	if err := a.s.fits(a.tx, room, a.sites, a.prefix, a.now); err != nil {
		return nil, err
	}
	if err := a.tx.Get(otp.Accounts, a.r.Person, &a.account); err != nil {
		return nil, fmt.Errorf("reading the account: %w", err)
	}
	device := slices.DeleteFunc(mine, func(l Lease) bool { return l.Device() != first.Device() || !l.Live(a.now) })
	slices.SortFunc(device, func(x, y Lease) int { // the one that was named first
		if x.ID == id {
			return -1
		}
		if y.ID == id {
			return 1
		}
		return ByAge(x, y)
	})
	return device, nil
}

// joined writes the lease of the device's other address.
func (a *attempt) joined(device []Lease) (Lease, error) {
	first := device[0]
	l := a.fresh(first.Zone, first.TZData)
	l.Root = first.Device()
	var before []Lease
	for _, other := range device {
		if other.Family == l.Family {
			before = append(before, other)
		}
	}
	if _, err := a.s.end(a.tx, a.batch, before, Replaced, a.now); err != nil {
		return l, err
	}
	if err := a.tx.Create(leases, l.ID, l); err != nil {
		return l, err
	}
	if err := announce(a.batch, l); err != nil {
		return l, err
	}
	return l, a.s.enterJoined(a.batch, l, first, a.r.ID, a.now)
}

// Tested takes the word of a device that it came through the doors: its lease is working from then on, if it was
// confirmed. addr is the device's, as observed: the word of another place counts for nothing. NotFound: the person has no
// such lease, or the device is not at its prefix.
func (s *Service) Tested(ctx context.Context, person, id string, addr netip.Addr, now time.Time) (Lease, error) {
	var l Lease
	err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		l = Lease{}
		if err := tx.Get(leases, id, &l); err != nil {
			return fmt.Errorf("testing a lease: %w", err)
		}
		if l.Person != person || !l.Prefix.Contains(addr.Unmap()) {
			return fault.New(fault.NotFound, "testing lease %s: of another person, or place", id)
		}
		if l = l.At(now); l.State != Confirmed {
			return nil
		}
		first := l.FirstWorking.IsZero()
		var err error
		if l, err = l.To(Working, "", now); err != nil {
			return err
		}
		l.Tested, l.FirstTested = true, l.FirstTested || first
		if err := tx.Put(leases, l.ID, l); err != nil {
			return err
		}
		return s.tell(batch, string(Working), []Lease{l}, now)
	})
	return l, err
}
