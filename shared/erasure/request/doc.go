// Package request keeps the life of a request to be forgotten: how it came, who stands behind it, what was planned,
// decided, done and found afterwards, by when it has to be answered, and what the person is told (GDPR, articles 12 and 17).
//
// # What it promises
//
// Whoever asks gets the same answer in the same time, whether the company knows her or not. Nothing is planned before the
// person, or who may speak for her, has proved to be it; the proof goes to the address the company already has, never to
// the one given. It proves all requests that wait for that address at once, so that nobody gains by sending more of them,
// and nobody can be buried in letters. Of several requests for the same person the first that is proved counts; the others
// are linked to it, what they prove is searched for with the rest, and the earliest arrival starts the clock for all. Each of a
// controller's instructions stands for itself. Whom somebody else has forgotten is told so at the address on file.
//
// A request is completed only by evidence: by a search that found nothing left. What has to stay is named with its ground
// and its end, and the request opens again by itself when that end has come. What two people hold of a person is held in all
// requests of hers, and outlasts the end of her account. What a later search finds is erased too.
//
// Whatever is lost, comes twice, in another order or is cut off by a death at any line, the request ends where it would
// have ended without; each letter is asked for once.
//
// What a person gave to be found lies sealed in the request and is gone when the request closes. Neither records nor
// messages, logs or errors hold it.
//
// # What it does not do
//
// It neither searches nor erases: that is the engine's work, which is told by ids on TopicPlan and TopicRun, asks Work
// what there is to do, and says what became of it. It sends nothing: letters leave sealed with the transaction that
// decided them. It gives no legal advice: grounds are chosen by people from a closed list.
package request

import (
	"time"

	"ostiary.internal/shared/platform/store"
)

// Control is the check under whose name the evidence speaks of requests.
const Control = "dsr-desk"

// Topics. Their payload is Notice: ids and nothing else.
const (
	TopicPlan   = "erasure.plan"   // look the person up, plan, or search again: to the account that only reads
	TopicRun    = "erasure.run"    // an approved plan waits to be carried out
	TopicRevoke = "erasure.revoke" // an account closes: its grants to third parties end at once; or it does not close after all
	TopicFreeze = "erasure.freeze" // the last owner of an account wants to go: the account stands still, or goes on
)

// Notice is what a message says.
type Notice struct {
	V       int    `json:"v"`
	Request string `json:"request"`
	Tenant  string `json:"tenant"`           // whose it is; a message that names another is about nothing
	Frozen  bool   `json:"frozen,omitempty"` // of TopicFreeze
}

// Times of a request.
const (
	LinkLife   = 24 * time.Hour  // of the link that proves an identity
	LinkEvery  = 5 * time.Minute // no address gets more letters with a link: each of them proves all that waits for it
	LinkRarely = 4 * time.Hour
	// Of what comes from one network beyond Prompt within an hour, whoever asked is looked up one after the other, known or
	// not, and gets her letter then: LinkPace apart; of a wider network AroundPace, of everywhere AllPace.
	LinkPace   = 10 * time.Second
	AroundPace = 3 * time.Second
	AllPace    = time.Second
	Pending    = 30 * 24 * time.Hour // without a proof what was given is destroyed
	Idle       = 10 * time.Minute    // without a sign of life the engine is called again
	Unheard    = time.Hour           // a store of a tenant's data is asked whether it has somebody; then her request goes on without
	Fresh      = 5 * time.Minute     // a sign-in this recent proves an identity
	Proposal   = 7 * 24 * time.Hour  // for a second person to agree
	MaxHold    = 3 * 366 * 24 * time.Hour
	MaxStatute = 31 * 366 * 24 * time.Hour // of what a statute keeps
)

// Limits of a request.
const (
	MaxTries       = 5     // wrong codes for one request, until another letter goes out
	MaxLinks       = 5     // letters to one address within a day, LinkEvery apart; further ones LinkRarely
	MaxAsks        = 5     // for the same by who is signed in within a day, while the last of them is open; on the public page, from one network within an hour at once
	Prompt         = 30    // from one network about whomever within an hour, on the public page: more wait for their letters
	PromptAround   = 300   // from a wider one
	PromptAll      = 2_000 // from everywhere
	MaxIdentifiers = 50    // given with a request: as many as OpenDSR takes
	MaxHolds       = 50
	MaxText        = 64 << 10 // bytes of a mail that is entered
	maxSweeps      = 5        // runs in a row that leave something behind
	maxRestarts    = 3        // of the searches, for what came late
	maxLinked      = 100      // requests that are named as linked to one; more are linked all the same
	maxUnited      = 100      // identifiers of a request with those of the ones that were linked to it
)

// Passes returns how long after the execution each search for what is left takes place.
func Passes() []time.Duration {
	return []time.Duration{0, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}
}

const version = 1

// Names of the collections of the database "erasure".
const (
	Requests     = "requests"
	claims       = "claims"       // which request counts for a person
	asks         = "asks"         // how often somebody asked, how many letters went to an address
	links        = "links"        // what proves an identity, by its hash
	instructions = "instructions" // of controllers, by their own ids
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: Requests, Indexes: []store.Index{{"next"}, {"number"}, {"address"}, {"open", "due_at"}, {"desk", "due_at"}, {"shown", "due_at"}, {"state", "due_at"}}, Expires: true},
		{Name: claims},
		{Name: asks, Expires: true},
		{Name: links, Expires: true},
		{Name: instructions, Expires: true},
	}
}
