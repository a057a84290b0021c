package lease

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Counting every entry in every registration would make the morning's registrations wait for each other, since each
// adds to what all others count. So the count is exact and transactional only when the targets are nearly full.
const (
	countLife = 10 * time.Second // how long an instance trusts its own count
	margin    = 64               // entries other instances may add meanwhile
)

// room is an instance's last count of the entries in force.
type room struct {
	mu      sync.Mutex
	counted time.Time
	entries int
}

// taken notes an entry this instance added.
func (r *room) taken() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries++
}

// space is what is known of the room at the targets before a registration.
type space struct {
	tight bool // the smallest target is so full that a registration must count exactly
	full  bool // a target had no room for somebody when it was last written to
}

func (s *Service) space(ctx context.Context, sites []access.Fixed, now time.Time) (found space, err error) {
	if s.Full != nil {
		if found.full, err = s.Full(ctx, now); err != nil {
			return found, err
		}
	}
	found.tight, err = s.tight(ctx, sites, now)
	return found, err
}

// tight reports whether the smallest target is so full that a registration must count exactly.
func (s *Service) tight(ctx context.Context, sites []access.Fixed, now time.Time) (bool, error) {
	if s.Capacity == 0 {
		return false, nil
	}
	if s.Capacity <= margin {
		return true, nil
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if age := now.Sub(s.room.counted); age < 0 || age > countLife || s.room.counted.IsZero() {
		held, err := held(s.reader(ctx), sites, now)
		if err != nil {
			return false, err
		}
		s.room.entries, s.room.counted = len(held), now
	}
	return s.room.entries+margin >= s.Capacity, nil
}

// held returns the distinct prefixes in force, fixed sites included.
func held(read reader, sites []access.Fixed, now time.Time) (map[netip.Prefix]bool, error) {
	found, err := open(read)
	if err != nil {
		return nil, err
	}
	prefixes := map[netip.Prefix]bool{}
	for _, site := range sites {
		if now.Before(site.Until) {
			prefixes[site.Prefix] = true
		}
	}
	for _, l := range found {
		if l.Live(now) {
			prefixes[l.Prefix] = true
		}
	}
	return prefixes, nil
}

// fits refuses a prefix for which the smallest target has no entry left. Exhausted with code "capacity_full". A prefix
// that is held already needs none.
func (s *Service) fits(tx store.Tx, room space, sites []access.Fixed, prefix netip.Prefix, now time.Time) error {
	if !room.tight && !room.full {
		return nil
	}
	held, err := held(tx.Query, sites, now)
	if err != nil {
		return err
	}
	if held[prefix] || !room.full && len(held) < s.Capacity {
		return nil
	}
	return refuse(fault.Exhausted, 503, "capacity_full", "The list of addresses is full.",
		"Tell your security team. An address that is registered already still works.")
}
