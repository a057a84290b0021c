package notice

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Names of the collections of the database "breach".
const (
	Notices    = "notices"
	Deliveries = "notice_deliveries"
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: Notices, Indexes: []store.Index{{"due"}, {"case", "n"}}},
		{Name: Deliveries, Indexes: []store.Index{{"notice", "at"}, {"news"}}},
	}
}

// Other is where a tenant is reached when the usual ways may be read or forged by somebody else.
type Other struct {
	Tenant  string // id in tenants.yaml; others are not looked at here
	Person  string
	Channel string // mail or sms
	To      string
}

// About is what a case says of itself when something is to be sent.
type About struct {
	Facts
	Nonce   string    // what the ids of records are made of
	Pledged time.Time // when Next was promised
	Tenants []AboutTenant
	Persons string // Yes or No when two people decided whether the persons are told; "" while they have not
	// When three quarters are over of the shortest clock of the company's own, and of that of NextUpdate; zero for none.
	Stall, NextStall time.Time
	Compromised      []string // channels that may be read or forged by somebody else
	Own              []string // ids of people whose own matter the case may be: they hear of no notice, and agree to none
	Closed           bool
}

// AboutTenant is a tenant the case concerns.
type AboutTenant struct {
	ID      string
	Decided string    // Yes or No when two people decided whether it is told; "" while they have not
	Due     time.Time // of its clock; zero where there are no hours
	Stall   time.Time // when three quarters of that are over
	Told    bool      // it has a notice of ours
}

// What is decided about a tenant.
const (
	Yes = "yes"
	No  = "no"
)

// Told is a tenant that has a notice of ours.
type Told struct {
	Case   string
	Tenant string
	At     time.Time
}

// Config is what a Service needs. Store and Box must be of the same database.
type Config struct {
	Store    store.Store
	Box      *outbox.Box
	Policy   *policy.Policy
	Digest   string // of the policy, named in records
	Letters  *letters.Set
	Staff    *letters.Set // of LettersStaff
	Keys     seal.Keys    // seals what people write, and what is kept to be sent
	Messages *seal.Cache  // seals messages
	// Commit makes the commitment that stands for somebody in records of this month. It is called outside transactions.
	Commit func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	// Restored is when the store was put back from a backup; zero: never. What people agreed to before is not handed over, and
	// what was on its way goes no further by itself: what came after the backup may have reached tenants, as the evidence says.
	Restored  time.Time
	Drill     []string // ids of people: they get what would go to tenants, in an exercise
	OutOfBand []Other
	Desk      string      // address of a case's page; its number follows in the fragment
	Random    io.Reader   // nil means crypto/rand
	Crier     cases.Crier // of the cases: how staff are told
	// Calls reports whether a call to people of some roles is a call to one of them at an instant; nil: to everybody with one.
	Calls func(p policy.Person, roles []policy.Role, at time.Time) bool
	// Case reads a case as it is now. It is called outside transactions.
	Case func(ctx context.Context, id string) (About, error)
	// Worked lets a case know that one of the people is at its notices, so that nobody is called again; nil: it is not told.
	Worked func(ctx context.Context, caseID, person string, now time.Time) error
	// Tell lets a case know, in one event, which tenants have a notice of ours. It may be called again with the same.
	Tell func(ctx context.Context, caseID string, told []Told, now time.Time) error
	// Untell lets a case know of tenants that seemed to have a notice of ours and do not; Tell says what they have besides. Nil:
	// it is not told. It may be called again.
	Untell func(ctx context.Context, caseID string, tenants map[string]bool, now time.Time) error
	// Keep lets a case know that NextUpdate was kept at an instant; nil: it is not told. It may be called again.
	Keep func(ctx context.Context, caseID string, at, now time.Time) error
}

// Service keeps notices and hands them over. It is safe for concurrent use. Refusals meant for the caller are *fault.Error
// with a code; on any error nothing was changed, but that after Transient it may have been: everything here may be called
// again.
type Service struct {
	Config
	names    *Names
	promises []string
}

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Letters == nil || c.Staff == nil || c.Keys == nil || c.Messages == nil || c.Commit == nil || c.Case == nil || c.Tell == nil || c.Crier.Quiet == nil {
		return nil, fault.New(fault.Misconfigured, "notices: store, outbox, policy, letters, keys, commitments, cases and their crier are all needed")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &Service{Config: c, names: NamesOf(c.Policy.Tenants).AndPeople(c.Policy.People)}
	for _, p := range c.Policy.Promises {
		if p.Check == cases.Control {
			s.promises = append(s.promises, p.ID)
		}
	}
	return s, nil
}
