// Package receipt makes the signed account of what became of a request to erase, and checks one that somebody holds.
//
// It promises that a receipt says "completed" only where a search after the erasing found nothing left, or nothing that
// is not listed as kept, and that whoever has the receipt and a list of keys can check it offline: one sequence of bytes
// (RFC 8785), signed by Ed25519, each receipt naming the one before it of the same tenant. It names nobody: people and
// tenants are commitments, places are ids of the data map, and no text in it comes from a request. It does not say that
// the data map is complete, nor that a search told the truth; the records in the evidence log do their part of that.
//
// The file a person gets is one object, {"receipt":...,"signatures":[{"key","name","signature"}]}. Each signature is one
// of Ed25519 (RFC 8032) over two lines, each ended by a newline: "ostiary erasure receipt v1", and "sha256:" with the
// hash, in hexadecimal, of the bytes of the first member as they stand in the file. It takes nothing of this package to
// check that.
package receipt

import (
	"time"

	"ostiary.internal/shared/calendar"
)

// Version is the version of the shape, member "v".
const Version = 1

// State is how a request ended, as package request has it.
type State string

// The states a receipt is made of.
const (
	Completed State = "completed"                // nothing is left
	Retained  State = "completed_with_retention" // nothing is left but what Receipt.Retained lists
	Partial   State = "partial"                  // something is left, or was not looked at
)

// Kind says what was to be erased.
type Kind string

// The kinds.
const (
	Person  Kind = "erasure" // the data of one person
	Account Kind = "account" // everything of a tenant
)

// Receipt is the account of one request. A later one of the same request Amends it: what came late was found and erased.
//
// An "id" below is up to 128 ASCII letters, digits and . _ - of the policy; a "text" is one line of the policy, at most
// 500 bytes; a "digest" is SHA-256 in hexadecimal. Times are kept in UTC to the second. Members stand in the order that
// RFC 8785, section 3.2.3 asks for.
type Receipt struct {
	Amends     string      `json:"amends,omitempty"` // Digest of the receipt this one replaces
	Backups    []Backup    `json:"backups,omitempty"`
	Copy       *Copy       `json:"copy,omitempty"` // that the person had asked for (articles 15 and 20)
	Deadline   Deadline    `json:"deadline"`
	Entries    []Entry     `json:"entries"`  // of the data map that were searched, in the order of the work
	Executed   time.Time   `json:"executed"` // when the erasing was done the first time: what came late was erased between the searches
	Grants     []Grant     `json:"grants,omitempty"`
	Issued     time.Time   `json:"issued"`
	Kind       Kind        `json:"kind"`
	Map        string      `json:"map"` // digest of the data map
	Outside    []Outside   `json:"outside,omitempty"`
	Plan       string      `json:"plan"`               // digest of the plan that was approved
	Previous   string      `json:"previous,omitempty"` // Digest of the tenant's receipt before this; "" of the first
	Received   time.Time   `json:"received"`
	Recipients []Recipient `json:"recipients,omitempty"`
	Request    string      `json:"request"` // random id
	Retained   []Kept      `json:"retained,omitempty"`
	Seq        int64       `json:"seq"` // number among the tenant's receipts, from 1
	Settled    []Settled   `json:"settled,omitempty"`
	State      State       `json:"state"`
	Strict     Answer      `json:"strict"`            // whether places nobody mapped keep a request from being completed
	Subject    string      `json:"subject,omitempty"` // record.Commitment; none where Kind is Account
	Tenant     string      `json:"tenant"`            // record.Commitment
	Traces     []Trace     `json:"traces,omitempty"`
	Unsearched []string    `json:"unsearched,omitempty"` // ids: kinds of identifiers that were given, and not searched for as nobody proved whose they are
	V          int         `json:"v"`
	Verify     []Pass      `json:"verify"` // searches after the erasing, by the account that can only read
}

// Answer is yes or no: a receipt holds integers and text alone.
type Answer string

// The answers.
const (
	Yes Answer = "yes"
	No  Answer = "no"
)

// Backup is a class of backups, and the day at whose end nothing of the erased is left in it.
type Backup struct {
	By    calendar.Day `json:"by"`
	Class string       `json:"class"` // id
}

// Copy is that of a person's data, handed over before anything was erased: a person's statement.
type Copy struct {
	Handed calendar.Day `json:"handed"`
}

// Deadline is what the clock of article 12(3) was.
type Deadline struct {
	Conservative calendar.Day `json:"conservative"`
	Due          calendar.Day `json:"due"`
	Months       int          `json:"months"` // 1, or 3 when it was extended
}

// Entry is what became of the items of one entry of the data map, over all runs.
type Entry struct {
	Action     string `json:"action"` // id: delete, anonymise, retain, review ...
	Anonymised int64  `json:"anonymised"`
	Entry      string `json:"entry"` // id
	Erased     int64  `json:"erased"`
	Foreign    int64  `json:"foreign"` // of another tenant or none, and not touched
	Found      int64  `json:"found"`
	Gone       int64  `json:"gone"`           // somebody else was first
	Open       string `json:"open,omitempty"` // id of what stands in the way, such as unreachable or review; "" nothing
	Rows       *Rows  `json:"rows,omitempty"` // of Anonymised; none where there are none
}

// Rows tells whether what was made anonymous counts as it did before, row by row: each in its place, and in the group that
// the change makes of the one it was in. Where both hold of all, the number of rows in each group is what it was. It says
// nothing of rows that could not be looked at again, nor of a total whose field Uncounted names.
type Rows struct {
	After     int64    `json:"after"`               // of Before: in their place behind the change
	Before    int64    `json:"before"`              // of Entry.Anonymised: looked at again
	By        []string `json:"by,omitempty"`        // fields of the group, texts
	Moved     int64    `json:"moved"`               // of After: in another group
	Same      int64    `json:"same"`                // of After: in that group; of the rest nobody can tell
	Uncounted []string `json:"uncounted,omitempty"` // fields taken over into totals, texts: in one step with the row, and not added up again
}

// Kept reports whether all anonymised rows count as they did before.
func (e Entry) Kept() bool {
	r := e.Rows
	return r != nil && r.Before == e.Anonymised && r.After == r.Before && (len(r.By) == 0 || r.Same == r.After)
}

// GrantOutcome is what became of third-party grants.
type GrantOutcome string

// The outcomes of grants.
const (
	GrantRevoked GrantOutcome = "revoked" // by the provider
	GrantGone    GrantOutcome = "gone"    // the provider knew none
	GrantShared  GrantOutcome = "shared"  // another connection stands on it: our copy is gone, the grant is not
	GrantManual  GrantOutcome = "manual"  // the provider has no way to end it; a person was asked to
	GrantPending GrantOutcome = "pending" // being tried again
	GrantFailed  GrantOutcome = "failed"  // a person was asked, and could not
)

// Grant counts the third-party grants of one provider that ended alike.
type Grant struct {
	Items    int64        `json:"items"`
	Outcome  GrantOutcome `json:"outcome"`
	Provider string       `json:"provider"` // id
}

// Outside is data that the map knows and no request reaches, such as logs of the platform.
type Outside struct {
	Days int    `json:"days"` // until it is gone by itself; 0 for not at all
	What string `json:"what"` // text
}

// Told says what became of telling a recipient (GDPR article 19).
type Told string

// The outcomes of telling.
const (
	Pending          Told = "pending" // not reached yet; being tried again
	Asked            Told = "asked"
	Acknowledged     Told = "acknowledged"
	Impossible       Told = "impossible"
	Disproportionate Told = "disproportionate"
)

// Recipient is somebody who was given the data and told of its erasure.
type Recipient struct {
	At        time.Time `json:"at"`
	Outcome   Told      `json:"outcome"`
	Recipient string    `json:"recipient"` // id
}

// Kept is what stays of an entry, by what right and until when (GDPR article 17(3)).
type Kept struct {
	Citation string       `json:"citation,omitempty"` // text of the data map; of a hold somebody typed, none
	Entry    string       `json:"entry"`              // id
	Ground   string       `json:"ground"`             // id
	Items    int64        `json:"items"`
	Until    calendar.Day `json:"until"`
}

// Elsewhere is Settled.Why of an entry that lies where this deployment does not work: it was not searched.
const Elsewhere = "region"

// Settled is a person's word for what no search could tell, or only she could judge. No search proves it.
type Settled struct {
	At        time.Time `json:"at"`
	Entry     string    `json:"entry"`               // id
	Reference string    `json:"reference,omitempty"` // id of what was done elsewhere, as she gave it
	Why       string    `json:"why"`                 // id: region, letters, group, unasked or review
}

// Trace is what a store keeps of what it erased, whatever is asked of it.
type Trace struct {
	Entry      string   `json:"entry"`             // id of an entry in that store
	Rewind     int64    `json:"rewind"`            // seconds the database can be set back; 0 for not at all
	SoftDelete int64    `json:"soft_delete"`       // seconds an erased object can be restored; 0 for not at all
	Unknown    []string `json:"unknown,omitempty"` // texts: what could not be asked
}

// Pass is one search after the erasing.
type Pass struct {
	At       time.Time `json:"at"`
	Kept     []Items   `json:"kept,omitempty"` // of entries that keep something
	Left     []Items   `json:"left,omitempty"` // of what should be gone
	N        int64     `json:"n"`              // from 1
	Searched int64     `json:"searched"`       // how many entries were looked at
	Unmapped int64     `json:"unmapped"`       // places that nobody has mapped
}

// Items counts items of one entry.
type Items struct {
	Entry string `json:"entry"` // id
	Items int64  `json:"items"`
}
