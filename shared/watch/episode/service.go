package episode

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"slices"
	"sync"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/notice"
	"ostiary.internal/shared/watch/rule"

	"time"
)

// Names of the collections of the database "watch".
const (
	Episodes   = "episodes"
	members    = "episode_members"
	details    = "episode_details"
	entries    = "entries"
	remembered = "remembered"
	standing   = "standing"
	splits     = "splits"
	splitParts = "split_parts"
	exceptions = "exceptions"
	uses       = "exception_uses"
	pulseDocs  = "pulses"
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: Episodes, Indexes: []store.Index{{"next"}, {"open", "alarmed"}, {"person", "alarmed"}, {"alarmed"}}, Expires: true},
		{Name: members, Indexes: []store.Index{{"group", "at"}, {"episode", "at"}}, Expires: true},
		{Name: details, Expires: true},
		{Name: entries, Expires: true},
		{Name: remembered, Indexes: []store.Index{{"group", "at"}, {"valued", "at"}, {"due"}}, Expires: true},
		// The policies of things hold people's addresses, under names that tell nobody: see rule.Standing.
		{Name: standing, Indexes: []store.Index{{"thing", "at"}}, Expires: true},
		{Name: splits, Indexes: []store.Index{{"due"}}, Expires: true},
		{Name: splitParts, Expires: true},
		{Name: exceptions, Indexes: []store.Index{{"rule", "ends"}}, Expires: true},
		{Name: uses, Indexes: []store.Index{{"exception"}}, Expires: true},
		{Name: pulseDocs},
	}
}

// Config is what a Service needs. Store and Box must be of the same database.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	Policy *policy.Policy
	Rules  *rule.Set
	Digest string // of the policy, named in records
	Link   string // what comes before /justify/ID in messages, such as https://ostiary.example; may be empty
	// Commit makes the commitment that stands for a subject in records of this month. It is called outside transactions.
	Commit func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error)
	Notify func(b *outbox.Batch, n notice.Notice) error // puts a message into the batch; called inside transactions
	// Bus publishes what no alarm goes with: TopicSuspended, and TopicChanged of the services in Assets. Nil: neither.
	Bus    bus.Publisher
	Assets []string  // services as logged, such as compute.googleapis.com
	Random io.Reader // nil means crypto/rand
}

// Service keeps episodes. It is safe for concurrent use. Refusals meant for the caller are *fault.Error with a code; on
// any error nothing was changed, but that after Transient it may have been: everything here may be called again.
type Service struct {
	Config
	needs  []rule.Need // that no setting tells of
	seenAt sync.Map    // of each need: microseconds since 1970 when it was noted last
	most   int         // members of an episode that are told apart
	pages  int         // transactions in which one run settles
	splits int         // entries that were split and wait at once
}

// New returns a Service, or Misconfigured when a part is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Policy == nil || c.Rules == nil || c.Commit == nil || c.Notify == nil {
		return nil, fault.New(fault.Misconfigured, "episodes: store, outbox, policy, rules, commitments and notices are all needed")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	needs := slices.DeleteFunc(c.Rules.Needs(), rule.Need.Configured)
	return &Service{Config: c, needs: needs, most: MaxMembers, pages: mostPages, splits: mostSplits}, nil
}

// nonce keeps the ids of records from being guessed: they are made from it, and it stays here.
func (s *Service) nonce() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fault.New(fault.Transient, "beginning an episode: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}
