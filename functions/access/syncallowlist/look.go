package syncallowlist

import (
	"context"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// look tells what the checks of the access control can say for themselves: whether every target was read and holds the
// set, whether every address that is let in ends with its owner's day, and whether its owner has a second factor. What
// is not in order is an error of the population, so that the promise reads as unknown until somebody has looked.
func (s *syncallowlist) look(ctx context.Context, report allowlist.Report, now time.Time) ([]heartbeat.Beat, error) {
	live, err := s.leases.Live(ctx, now)
	if err != nil {
		return nil, err
	}
	daily, gate := s.beat("ip-daily", len(live)), s.beat("otp-gate", len(live))
	bound := map[string]bool{}
	for _, l := range live {
		known, seen := bound[l.Person]
		if !seen {
			if known, err = s.bound(ctx, l); err != nil {
				return nil, err
			}
			bound[l.Person] = known
		}
		count(&daily.Population, l.InOrder())
		count(&gate.Population, known)
	}
	list := s.beat("ip-allowlist", len(s.reconciler.Targets))
	for _, t := range report.Targets {
		count(&list.Population, inOrder(t))
	}
	return []heartbeat.Beat{list, daily, gate}, nil
}

// inOrder reports whether a door holds the list, or was written to within seconds and is again in some.
func inOrder(t allowlist.Outcome) bool {
	settled := t.Held || t.Wait > 0 && t.Failures == 0 && t.PartFor < patience
	return settled && t.Err == nil && len(t.Wider) == 0
}

// patience is how long a door may hold a part of the list before its check is no longer kept. Nobody is called let in meanwhile; whoever
// has to go, goes first.
const patience = 15 * time.Minute

// beat begins what one check says.
func (s *syncallowlist) beat(check string, expected int) heartbeat.Beat {
	return heartbeat.Beat{Check: check, Promises: s.Promises(check), Result: record.Result{State: record.Kept},
		Population: record.Population{Expected: int64(expected)}}
}

func count(p *record.Population, inOrder bool) {
	if inOrder {
		p.Seen++
	} else {
		p.Errors++
	}
}

// bound reports whether a lease's owner has, or had, an authenticator to have registered with.
func (s *syncallowlist) bound(ctx context.Context, l lease.Lease) (bool, error) {
	var account otp.Account
	err := s.Store.Get(ctx, otp.Accounts, l.Person, &account)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && account.Bound, err
}
