package episode

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/rule"
)

// hashed returns 26 letters and digits (128 bits) that stand for the parts in their order: a name for a document that
// says nothing about them.
func hashed(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	sum := sha256.Sum256(b)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

// keptUnjudged is how much longer than a window needs it a member is kept: as long the schedule may stand still and
// nothing that waits to be judged is lost.
const keptUnjudged = 7 * 24 * time.Hour

// keepsake is a rule.Member as it is stored, under its own id.
type keepsake struct {
	V       int         `json:"v"`
	Group   string      `json:"group"`
	Valued  string      `json:"valued,omitempty"` // stands for the group with the value
	At      int64       `json:"at"`
	Due     int64       `json:"due,omitempty"`
	Member  rule.Member `json:"member"`
	Expires time.Time   `json:"expires"`
}

// keepsakeOf bounds what is stored of an entry. Keys and values stay the same for the same ones.
func keepsakeOf(m rule.Member) keepsake {
	m.Key, m.Value, m.Subject = keyed(m.Key), keyed(m.Value), clipped(m.Subject)
	m.Due, m.Expires = writable(m.Due), writable(m.Expires)
	k := keepsake{V: Version, Group: groupOf(m.Rule, m.Other, m.Key), At: m.Time.UnixMicro(), Member: m, Expires: writable(m.Expires.Add(keptUnjudged))}
	if m.Value != "" {
		k.Valued = hashed(k.Group, m.Value)
	}
	if !m.Due.IsZero() {
		k.Due = m.Due.UnixMicro()
	}
	return k
}

// writable keeps a time among those that have a text (RFC 3339 ends with the year 9999).
func writable(t time.Time) time.Time {
	if last := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC); t.After(last) {
		return last
	}
	return t
}

func groupOf(rule string, other bool, key string) string {
	key = keyed(key)
	if other {
		return hashed("other", rule, key)
	}
	return hashed("own", rule, key)
}

// recall is a rule.Memory within one transaction. What is to be written waits for flush, so that the transaction goes on
// reading after the rules have judged.
type recall struct {
	tx     store.Tx
	writes []keepsake
	first  time.Time // when the first of those that Due returned was due
	wrote  bool      // the rules had something to remember, known already or not

	stands []rule.Standing
	policy *rule.Standing // that stood before what is being judged
}

var _ rule.Memory = (*recall)(nil)

// Range implements rule.Memory.
func (m *recall) Range(_ context.Context, q rule.Query) ([]rule.Member, error) {
	named, value := "group", groupOf(q.Rule, q.Other, q.Key)
	if q.Value != "" {
		named, value = "valued", hashed(value, keyed(q.Value))
	}
	return m.query(store.Query{
		Collection: remembered, Equal: []store.Field{{Name: named, Value: value}}, Limit: q.Limit,
		Range: &store.Range{Name: "at", From: q.From.UnixMicro(), To: q.To.UnixMicro() + 1},
	})
}

func (m *recall) query(q store.Query) ([]rule.Member, error) {
	found, err := store.Find[keepsake](m.tx.Query(q))
	all := make([]rule.Member, len(found))
	for i, k := range found {
		all[i] = k.Member
	}
	return all, err
}

// Add implements rule.Memory.
func (m *recall) Add(_ context.Context, added ...rule.Member) error {
	m.wrote = true
	for _, one := range added {
		var known keepsake
		err := m.tx.Get(remembered, one.ID, &known)
		switch {
		case err == nil:
		case fault.Is(err, fault.NotFound):
			m.writes = append(m.writes, keepsakeOf(one))
		default:
			return err
		}
	}
	return nil
}

// Due implements rule.Memory.
func (m *recall) Due(_ context.Context, now time.Time, limit int) ([]rule.Member, error) {
	all, err := m.query(store.Query{
		Collection: remembered, Range: &store.Range{Name: "due", To: now.UnixMicro() + 1}, Limit: limit,
	})
	if len(all) > 0 {
		m.first = all[0].Due
	}
	return all, err
}

// Done implements rule.Memory.
func (m *recall) Done(_ context.Context, judged ...rule.Member) error {
	m.wrote = true
	for _, one := range judged {
		k := keepsakeOf(one)
		k.Due = 0
		m.writes = append(m.writes, k)
	}
	return nil
}

// stood is a rule.Standing as it is stored, under what stands for its kind, its thing and its entry.
type stood struct {
	V       int           `json:"v"`
	Thing   string        `json:"thing"` // stands for kind and thing
	At      int64         `json:"at"`
	Told    rule.Standing `json:"told"`
	Expires time.Time     `json:"expires"`
}

// Stood implements rule.Memory.
func (m *recall) Stood(_ context.Context, kind rule.StandingKind, thing string, at time.Time, but string) (before, after *rule.Standing, err error) {
	nearest := func(q store.Query) (*rule.Standing, error) {
		q.Collection, q.Limit = standing, 2 // the entry itself may be there
		q.Equal = []store.Field{{Name: "thing", Value: hashed(string(kind), thing)}}
		found, err := store.Find[stood](m.tx.Query(q))
		for _, s := range found {
			if s.Told.Entry != but {
				return &s.Told, err
			}
		}
		return nil, err
	}
	if before, err = nearest(store.Query{Range: &store.Range{Name: "at", To: at.UnixMicro() + 1}, Descending: true}); err != nil {
		return nil, nil, err
	}
	if kind == rule.StandingPolicy {
		m.policy = before
	}
	after, err = nearest(store.Query{Range: &store.Range{Name: "at", From: at.UnixMicro() + 1}})
	return before, after, err
}

// Stand implements rule.Memory.
func (m *recall) Stand(_ context.Context, all ...rule.Standing) error {
	m.stands = append(m.stands, all...)
	return nil
}

// flush writes what waited.
func (m *recall) flush() error {
	for _, s := range m.stands {
		s.Expires = writable(s.Expires)
		of := hashed(string(s.Kind), s.Thing)
		if err := m.tx.Put(standing, hashed(of, s.Entry), stood{Version, of, s.Time.UnixMicro(), s, s.Expires}); err != nil {
			return err
		}
	}
	for _, k := range m.writes {
		if err := m.tx.Put(remembered, k.Member.ID, k); err != nil {
			return err
		}
	}
	return nil
}
