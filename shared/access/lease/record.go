package lease

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// check is the name under which the evidence speaks of registrations.
const check = "ip-daily"

// Marks are the commitments under which evidence speaks of a lease: what the records of one lease have in common,
// without saying whose it is. Person and Prefix are the ones the code's own record bears. They die with the account's
// salt.
type Marks struct {
	Lease  string `json:"lease"`
	Person string `json:"person"`
	Prefix string `json:"prefix"`
}

func newMarks(account otp.Account, l Lease) Marks {
	return Marks{
		Lease:  account.Mark("lease", l.ID, l.Started),
		Person: account.Mark("person", l.Person, l.Started),
		Prefix: account.Mark("source", l.Prefix.String(), l.Started),
	}
}

// enter puts the day's register entry into the batch: who, from where, until when, by which factor.
func (s *Service) enter(b *outbox.Batch, l Lease, of Request, fresh bool, factor otp.Result, now time.Time) error {
	r := s.entry(l, "registered", of.ID, now)
	r.Facts["factor"], r.Facts["authenticator"], r.Facts["new"] = string(factor.Outcome), factor.Authenticator, strconv.FormatBool(fresh)
	if of.TwoStep != "" {
		r.Facts["two_step"] = of.TwoStep // at this sign-in, as far as Google tells
	}
	if of.Elsewhere != nil {
		r.Facts["device"] = "another" // than the one the code was typed on
	}
	return r.Put(b)
}

// enterJoined is enter for the other address of a device, which came without a code of its own: the record names the
// lease that the code was for.
func (s *Service) enterJoined(b *outbox.Batch, l, of Lease, request string, now time.Time) error {
	r := s.entry(l, "paired", request, now)
	r.Subjects = append(r.Subjects, record.Subject{Type: "device", C: of.Marks.Lease})
	return r.Put(b)
}

// entry is what all entries of the register have in common.
func (s *Service) entry(l Lease, event, request string, now time.Time) record.Record {
	r := record.New(record.Access, check, "registration "+l.ID+" "+request, s.Promises...)
	r.Config, r.Method = s.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "http", now, now
	r.Window = record.Window{From: l.Started, To: l.Ends}
	r.Result = record.Result{State: record.Pass}
	r.Facts = map[string]string{
		"event": event, "date": l.Date, "zone": l.Zone, "tzdata": l.TZData, "family": string(l.Family), "request": record.Digest([]byte(request)),
	}
	if l.Network != "" {
		r.Facts["network"] = string(l.Network)
		if s.NetworkList != "" {
			r.Facts["network_list"] = s.NetworkList
		}
	}
	r.Subjects = []record.Subject{{Type: "person", C: l.Marks.Person}, {Type: "prefix", C: l.Marks.Prefix}, {Type: "lease", C: l.Marks.Lease}}
	return r
}

// tell puts into the batch what became of leases: one record for all that took the same step for the same reason.
func (s *Service) tell(b *outbox.Batch, event string, about []Lease, now time.Time) error {
	about = slices.SortedFunc(slices.Values(about), ByAge)
	source := fmt.Sprintf("leases %s %d", event, now.UnixMicro())
	for _, l := range about {
		source += " " + l.ID
	}
	r := record.New(record.Access, check, source, s.Promises...)
	r.Config, r.Method = s.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "reconcile", now, now
	r.Facts = map[string]string{"event": event, "leases": strconv.Itoa(len(about))}
	if why := about[0].Why; why != "" {
		r.Facts["why"] = string(why)
	}
	if event == string(Working) && about[0].Tested {
		r.Facts["by"] = "device" // its own word: no door has told
	}
	for _, l := range about {
		r.Subjects = append(r.Subjects, record.Subject{Type: "lease", C: l.Marks.Lease})
	}
	return r.Put(b)
}

// Reading is that somebody asked for the register of some days.
type Reading struct {
	Person   string // id of the reader
	Role     string // by which the reader may
	From, To string // YYYY-MM-DD, both included
	Format   string // html, json or csv
	Request  string // the server's own id of the request
}

// Read puts on record, before anything is shown, that somebody reads the register: under the reader's mark, so that two who
// read by the same role can be told apart. Whoever has no account gets one without an authenticator, for the mark's sake; it
// goes as accounts go. What cannot be put on record must not be shown.
func (s *Service) Read(ctx context.Context, of Reading, now time.Time) error {
	salt, err := otp.NewSalt(s.Random)
	if err != nil {
		return err
	}
	return s.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		var reader otp.Account
		err := tx.Get(otp.Accounts, of.Person, &reader)
		if fault.Is(err, fault.NotFound) {
			reader = otp.NewAccount(of.Person, salt)
			err = tx.Create(otp.Accounts, of.Person, reader)
		}
		if err != nil {
			return fmt.Errorf("reading the reader's account: %w", err)
		}
		r := record.New(record.Access, check, "register "+of.Request, s.Promises...)
		r.Config, r.Method = s.Policy, record.Test
		r.Source.Type, r.Source.Observed, r.Source.Collected = "http", now, now
		r.Facts = map[string]string{"event": "register-read", "from": of.From, "to": of.To, "format": of.Format, "role": of.Role, "request": record.Digest([]byte(of.Request))}
		r.Subjects = []record.Subject{{Type: "person", C: reader.Mark("person", of.Person, now)}}
		return r.Put(b)
	})
}
