// Package notice writes what tenants and persons are told of a breach, and sees to it that two people agree to exactly
// that.
//
// # What it promises
//
// Every notice is made of a text with named holes, in EN, FR or DE, and of what people wrote into them: one that leaves
// out what article 33(2), 33(3) or 34(2) of the GDPR wants said does not come about; what is not known yet is said to be
// not known. Before anybody approves it, it is looked through: for the names of other tenants, addresses of people and
// machines, links, and, in a notice of a processor, verdicts about the risk, which are the controller's to make. Each
// tenant is written to on its own, each person of it once. What is approved is a digest of every text and every address:
// whatever changes afterwards voids it.
//
// # What it does not do
//
// It sends nothing itself: package message does. A notice to persons is handed to nobody: the company's own product sends
// it, and people say when and how.
package notice

import (
	"embed"
	"slices"
	"strings"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/message/letters"
)

// Kind says what a notice is. It is stored.
type Kind string

// Notices of a processor to a controller (article 33(2)).
const (
	Initial    Kind = "initial"
	Update     Kind = "update"
	Final      Kind = "final"
	Correction Kind = "correction"
	Withdrawal Kind = "withdrawal"
)

// Persons is the notice of a controller to the persons concerned (article 34).
const Persons Kind = "persons"

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Initial, Update, Final, Correction, Withdrawal, Persons} }

// sayShort is what a text message says: its subject alone is sent.
const sayShort = "short"

//go:embed texts
var own embed.FS

// chained ends the name of a text to a tenant that is a processor itself: it is for it to tell its controllers, whom nobody
// names.
const chained = "-processor"

// needs is what each text must say.
func needs() map[string][]string {
	all := map[string][]string{
		string(Initial):    {"number", "tenant", "company", "nature", "first_sign", "aware", "contained", "subjects", "records", "excluded", "subprocessors", "measures", "open", "next", "contact"},
		string(Update):     {"number", "tenant", "news", "subjects", "records", "measures", "open", "next", "contact"},
		string(Final):      {"number", "tenant", "nature", "contained", "subjects", "records", "measures", "contact"},
		string(Correction): {"number", "tenant", "was", "news", "contact"},
		string(Withdrawal): {"number", "tenant", "news", "contact"},
		string(Persons):    {"number", "company", "nature", "consequences", "measures", "advice", "contact"},
		sayShort:           {"number", "contact"},
	}
	for _, k := range Kinds() {
		if k != Persons {
			all[string(k)+chained] = all[string(k)]
		}
	}
	return all
}

// spec lists what each notice must say. What people write is put in as it is, after Lint.
var spec = letters.Spec{
	Control: "breach", Texts: own, Needs: needs(),
	Common:   []string{"company", "exercise"},
	Whole:    []string{"nature", "measures", "open", "news", "was", "consequences", "advice", "excluded", "subprocessors", "contact", "subjects", "records", "exercise"},
	Optional: []string{"exercise"},
}

// given are the variables people do not write: they follow from the case and the recipient.
var given = []string{"number", "tenant", "company", "exercise", "first_sign", "aware", "contained", "next"}

// Written are the variables of a kind that people write, in order.
func Written(k Kind) []string {
	return slices.DeleteFunc(slices.Clone(spec.Needs[string(k)]), func(name string) bool { return slices.Contains(given, name) })
}

// Read reads the texts: read returns a company's own, templates/en/breach-KIND.txt, or breach-KIND-processor.txt for tenants
// that are processors themselves, where it has one. Misconfigured names
// each that cannot be used.
func Read(read func(name string) ([]byte, bool)) (*letters.Set, error) {
	if err := cases.CheckMarks(spec, read); err != nil {
		return nil, err
	}
	return letters.Read(spec, read)
}

// Exercise begins the subject of everything that is written in an exercise.
func Exercise(language string) string {
	return cases.Mark(language)
}

// NotKnown is what people write where something is not known yet; it is said in the language of the notice.
const NotKnown = "unknown"

// notKnown is NotKnown in words.
var notKnown = map[string]string{"en": "not known yet", "fr": "pas encore connu", "de": "noch nicht bekannt"}

// spoken returns what people wrote, or that it is not known.
func spoken(text, language string) string {
	if text = strings.TrimSpace(text); text == NotKnown {
		return notKnown[language]
	}
	return text
}
