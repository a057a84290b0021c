// Package letter writes what people are told about requests to be forgotten: the person, the tenant whose data it is, and
// the people of the company who look after requests.
//
// It promises a text for every letter in EN, FR and DE; that a text which names an unknown variable, or leaves out what
// the law wants said (GDPR, article 12(3) and (4): reasons, complaint, judicial remedy), is refused when it is read; that a
// letter is never written with a hole in it; and that no value adds a line or a link to it that its text does not have. A
// company may put texts of its own into the policy folder, as templates/en/erasure-KIND.txt. It sends nothing, and it is
// no legal advice.
package letter

import (
	"embed"
	"maps"
	"slices"

	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
)

// Kind says what a letter is about.
type Kind string

// Letters to the person, or whoever asked.
const (
	Link      Kind = "link"      // the proof of an identity
	Close     Kind = "close"     // the same, of who wants to close an account
	Elsewhere Kind = "elsewhere" // the same, of whose request is to be passed on; it says nothing of any data
	Received  Kind = "received"  // the identity is established; by when there will be an answer
	Entered   Kind = "entered"   // what came by letter or mail is on record; by when there will be an answer
	Linked    Kind = "linked"    // another request of hers counts
	Identity  Kind = "identity"  // the identity could not be established (articles 11(2) and 12(6))
	Asked     Kind = "asked"     // her organisation has asked for her to be forgotten
	Owner     Kind = "owner"     // she is the last owner of an account
	Closure   Kind = "closure"   // the account closes, and until when it can be kept
	Extended  Kind = "extended"  // two further months, and why (article 12(3))
	Completed Kind = "completed" // nothing is left
	Retained  Kind = "retained"  // what stays, why and until when (article 12(4))
	Amended   Kind = "amended"   // third parties have answered, and the receipt says so (article 19)
	Interim   Kind = "interim"   // what is still open when the answer is due (article 12(3) and (4))
	Rejected  Kind = "rejected"  // why nothing is done (article 12(4))
	Forwarded Kind = "forwarded" // the tenant decides
	Cancelled Kind = "cancelled"
)

// Instruct goes to the tenant: somebody asked to be forgotten there.
const Instruct Kind = "instruct"

// Letters to the people who look after requests.
const (
	Approve  Kind = "approve"  // a plan waits
	Second   Kind = "second"   // a refusal or a hold waits for a second person
	Stuck    Kind = "stuck"    // a request cannot go on by itself
	Deadline Kind = "deadline" // the answer is due soon
	Overdue  Kind = "overdue"
	Target   Kind = "target"  // the company's own target has passed
	Lost     Kind = "lost"    // a letter did not arrive for certain
	Review   Kind = "review"  // something waits for a person to look at it, and is due
	Foreign  Kind = "foreign" // something of another tenant turned up
	Untaken  Kind = "untaken" // a controller's program took no word of its request for a day
)

// needs lists, for each letter, the variables its text must hold. Those of common may stand in each.
var needs = map[Kind][]string{
	Link: {"number", "code", "link", "until"}, Close: {"number", "code", "link", "until", "controller"}, Elsewhere: {"number", "code", "link", "until", "controller"}, Received: {"number", "due", "notes"}, Entered: {"number", "due"}, Linked: {"number", "first"},
	Identity: {"number", "remedies"}, Asked: {"number", "controller", "remedies"}, Owner: {"number"}, Closure: {"number", "until"}, Extended: {"number", "due", "reason"},
	Completed: {"number", "notes", "backups"}, Amended: {"number"}, Retained: {"number", "kept", "notes", "backups", "remedies"}, Rejected: {"number", "ground", "remedies"}, Interim: {"number", "open", "remedies"},
	Forwarded: {"number", "controller", "remedies"}, Cancelled: {"number"}, Instruct: {"number", "person", "received"},
	Approve: {"number", "due", "desk"}, Second: {"number", "due", "desk"}, Stuck: {"number", "due", "desk", "why"},
	Deadline: {"number", "due", "desk"}, Overdue: {"number", "due", "desk"}, Target: {"number", "due", "desk"}, Review: {"number", "due", "desk"}, Lost: {"number", "desk", "letter"},
	Foreign: {"what", "desk"}, Untaken: {"controller", "number", "desk"},
}

var common = []string{"company", "received"}

// Kinds returns all letters.
func Kinds() []Kind { return slices.Sorted(maps.Keys(needs)) }

// Languages returns the languages there are texts in.
func Languages() []string { return letters.Languages() }

//go:embed texts
var own embed.FS

// Vars are the values of a letter's variables.
type Vars = letters.Vars

// Set holds the texts of all letters. It is safe for concurrent use.
type Set struct{ texts *letters.Set }

// spec is what there is to write.
var spec = func() letters.Spec {
	s := letters.Spec{Control: "erasure", Texts: own, Needs: map[string][]string{}, Common: common, Whole: lists, Optional: optional}
	for kind, variables := range needs {
		s.Needs[string(kind)] = variables
	}
	return s
}()

// Read reads all texts: read returns a company's own by its name, templates/LANGUAGE/erasure-KIND.txt, where it has one. Misconfigured names every text that
// cannot be used.
func Read(read func(name string) ([]byte, bool)) (*Set, error) {
	texts, err := letters.Read(spec, read)
	if err != nil {
		return nil, err
	}
	return &Set{texts}, nil
}

// lists are the variables that hold lines of ours, or an address of ours, and are put in as they are.
var lists = []string{"kept", "open", "backups", "remedies", "link", "desk", "ground", "person", "notes"}

// optional are the variables that may be empty: of an answer there may be nothing more to say.
var optional = []string{"notes"}

// Write writes a letter in a language. Misconfigured: no such letter or language, or a variable of its text has no value.
func (s *Set) Write(kind Kind, language string, v Vars) (message.Content, error) {
	return s.texts.Write(string(kind), language, v)
}

// Harmless keeps a value from adding lines or a link to a letter.
func Harmless(value string) string { return letters.Harmless(value) }
