package lease

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// Hard caps on the life of a lease, whatever a zone or a rule says: the second is for days that are longer than 24
// hours.
const (
	maxLife     = 24 * time.Hour
	maxLongLife = 25 * time.Hour
)

// Term returns when a lease that begins at now ends: at the end of the person's day, or of the working day the rules
// name, or after the hours they allow. Nothing is ever granted beyond the day, however little of it is left.
// Conflict with code "person_limit": the rules allow no registration at this hour.
func Term(now time.Time, zone *time.Location, rules access.Lease) (time.Time, error) {
	local := now.In(zone)
	if day := local.Weekday(); rules.Weekend == access.Refuse && (day == time.Saturday || day == time.Sunday) {
		return time.Time{}, limit("Addresses are not registered at weekends.", "Come back on Monday, or ask your security team.")
	}
	ends, err := calendar.DayEnd(now, zone, rules.DayEnd)
	if err != nil {
		return time.Time{}, fault.New(fault.Misconfigured, "computing the end of a lease: %w", err)
	}
	if !now.Before(ends) {
		return time.Time{}, limit(fmt.Sprintf("The working day ended at %s.", rules.DayEnd), "Come back tomorrow, or ask your security team.")
	}
	if hours := time.Duration(rules.MaxHours) * time.Hour; hours > 0 && hours < maxLife && now.Add(hours).Before(ends) {
		ends = now.Add(hours)
	}
	if ends.Sub(now) > maxLongLife {
		ends = now.Add(maxLife)
	}
	return ends.UTC(), nil
}

// plan is what a registration comes to before its code is looked at. Either kept, a live lease of the same prefix
// that the registration returns unchanged, or the terms of a new one.
type plan struct {
	kept       *Lease
	ends       time.Time
	date       string
	generation int
	replaces   string // the device whose place the new one takes; "" for none
}

// decide plans a registration from the person's leases of the last days. Conflict with code "person_limit": too many
// new addresses today, or the wrong hour.
func decide(mine []Lease, prefix netip.Prefix, zone *time.Location, rules access.Lease, now time.Time) (plan, error) {
	p := plan{date: calendar.Date(now, zone).String(), generation: 1}
	today := 0
	for _, l := range mine {
		if l.Prefix == prefix && l.Live(now) {
			return plan{kept: &l}, nil
		}
		if l.Date != p.date {
			continue
		}
		if l.Root == "" { // the other address of a device came without a code: it is no change of its own
			today++
		}
		if l.Prefix == prefix && l.Generation >= p.generation {
			p.generation = l.Generation + 1
		}
	}
	if today >= rules.ChangesPerDay {
		return plan{}, limit(fmt.Sprintf("You have registered %d addresses today, which is the limit.", today),
			"Use one that is registered, or ask your security team to look at it.")
	}
	var err error
	p.ends, err = Term(now, zone, rules)
	return p, err
}

// identify names a lease. The account's salt keeps anybody who sees the id from trying out addresses until one fits
// (all of IPv4 takes minutes).
func identify(salt []byte, person string, prefix netip.Prefix, date string, generation int) string {
	h := hmac.New(sha256.New, salt)
	fmt.Fprintf(h, "lease %d:%s %s %s", len(person), person, prefix, date)
	id := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:15]))
	if generation > 1 {
		id += "-" + strconv.Itoa(generation)
	}
	return id
}

func limit(detail, next string) error {
	return refuse(fault.Conflict, 409, "person_limit", detail, next)
}

func refuse(kind fault.Kind, status int, code, detail, next string) *fault.Error {
	e := fault.Refuse(kind, code, detail, next)
	e.Status = status
	return e
}
