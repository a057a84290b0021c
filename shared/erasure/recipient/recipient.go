// Package recipient tells those to whom data was disclosed that it has been erased (GDPR, article 19), and keeps what became
// of it, for the receipt and for the person who asks.
//
// # What it promises
//
// A recipient is told of each identifier of a request once, by those the data map says he knows people by and by no other:
// what becomes known later is told by a further notice. Of an account that closes he is told the tenant's id alone. What is told is kept sealed until he has it, and no longer. Who
// cannot be reached is tried again, ever more rarely; after KeepTrying a person decides: that he knows, that it proves
// impossible, or involves disproportionate effort. Only a person says the latter two.
//
// # What it does not do
//
// It does not check that a recipient erases anything: article 19 asks to tell him. It speaks to nobody: package wire does,
// and mails leave sealed with the transaction that decided them.
package recipient

import (
	"slices"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Control is the check under whose name the evidence speaks: telling recipients is a part of answering requests.
const Control = "dsr-desk"

// Times of telling.
const (
	KeepTrying = 14 * 24 * time.Hour // by machine; then a person decides
	AnswerTime = 30 * 24 * time.Hour // for whoever was asked by mail; then a person looks
	TaskTime   = 7 * 24 * time.Hour  // she is reminded as often
	keep       = 400 * 24 * time.Hour
)

// Notices is the collection, in the database "erasure".
const Notices = "notices"

// Collection declares what the control's schema holds for this package.
func Collection() store.Collection {
	return store.Collection{Name: Notices, Indexes: []store.Index{{"next"}, {"request"}}, Expires: true}
}

const version = 1

// Identity is one identifier by which a recipient knows somebody.
type Identity struct {
	Kind  string `json:"kind"` // as the data map names it
	Value string `json:"value"`
	// Type is what the kind is by OpenDSR, "" for nothing: as the data map has it when somebody is told.
	Type opendsr.IdentityType `json:"-"`
}

// Typed reports whether OpenDSR has words for whom a message is about.
func (m Message) Typed() bool {
	return m.Tenant == "" && !slices.ContainsFunc(m.Identities, func(i Identity) bool { return i.Type == "" })
}

// Notice is what one recipient is told about one request at one time, as it is stored.
type Notice struct {
	V         int            `json:"v"`
	ID        string         `json:"id"` // a keyed hash of request, recipient and number; what mails are named after
	Rev       int64          `json:"rev"`
	Salt      []byte         `json:"salt"` // of its commitment in records
	Request   string         `json:"request"`
	Recipient string         `json:"recipient"` // id in the data map
	External  string         `json:"external"`  // UUID of version 4: what the recipient is told it is called
	State     receipt.Told   `json:"state"`
	Why       string         `json:"why,omitempty"` // a word: what stands in the way
	Private   *seal.Envelope `json:"private,omitempty"`
	Covers    []string       `json:"covers,omitempty"` // keyed hashes of the identifiers it tells; gone with the request's own
	Since     time.Time      `json:"since"`
	Tries     int            `json:"tries,omitempty"`
	Task      bool           `json:"task,omitempty"` // it waits for a person
	Next      int64          `json:"next,omitempty"` // microseconds since 1970: when to look again; 0 when it is settled
	At        time.Time      `json:"at"`             // of the state
	By        string         `json:"by,omitempty"`   // who settled it
	Finding   string         `json:"finding,omitempty"`
	Expires   time.Time      `json:"expires,omitzero"`
}

// Result is what became of telling.
type Result string

// The results.
const (
	Heard   Result = "heard"   // the recipient confirms that he has it
	Sent    Result = "sent"    // it is on its way, and nobody confirms anything
	Later   Result = "later"   // not now
	Refused Result = "refused" // trying again will not help
)

// Answer is a Result with what the recipient said of time, and why not, as a word.
type Answer struct {
	Result Result
	After  time.Duration // of Later: at least so long; 0 where he does not say
	Why    string
}

// waits between attempts; the last is repeated.
var waits = []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// settled reports whether nothing is left to do for anybody.
func settled(s receipt.Told) bool {
	return s == receipt.Acknowledged || s == receipt.Impossible || s == receipt.Disproportionate
}

// Decide says what an answer makes of a notice. One that is settled, or in a person's hands, is left as it is.
func Decide(n Notice, a Answer, now time.Time) Notice {
	if settled(n.State) || n.Task {
		return n
	}
	n.Tries++
	switch a.Result {
	case Heard:
		return n.end(receipt.Acknowledged, now)
	case Sent:
		n.State, n.Why, n.Private, n.At = receipt.Asked, "", nil, now
		n.Next = now.Add(AnswerTime).UnixMicro()
		return n
	case Refused:
		return n.task(a.Why, now)
	case Later:
	}
	next := now.Add(max(waits[min(n.Tries, len(waits))-1], a.After))
	if next.After(n.Since.Add(KeepTrying)) {
		return n.task("unreachable", now)
	}
	n.Why, n.Next = a.Why, next.UnixMicro()
	return n
}

// Settle notes what a person decides: Acknowledged, Impossible or Disproportionate.
func Settle(n Notice, outcome receipt.Told, by string, now time.Time) (Notice, bool) {
	if settled(n.State) || !settled(outcome) {
		return n, false
	}
	n.By = by
	return n.end(outcome, now), true
}

func (n Notice) end(s receipt.Told, now time.Time) Notice {
	n.State, n.Why, n.Private, n.Task, n.Next, n.At, n.Expires = s, "", nil, false, 0, now, now.Add(keep)
	return n
}

// task hands a notice to a person, who is told of whom it is by mail.
func (n Notice) task(why string, now time.Time) Notice {
	n.Task, n.Why, n.Private = true, why, nil
	n.Next = now.Add(TaskTime).UnixMicro()
	return n
}
