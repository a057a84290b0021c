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
	"regexp"
	"slices"
	"strings"
	"unicode"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// Kind says what a letter is about.
type Kind string

// Letters to the person, or whoever asked.
const (
	Link      Kind = "link"      // the proof of an identity
	Close     Kind = "close"     // the same, of who wants to close an account
	Received  Kind = "received"  // the identity is established; by when there will be an answer
	Linked    Kind = "linked"    // another request of hers counts
	Identity  Kind = "identity"  // the identity could not be established (articles 11(2) and 12(6))
	Asked     Kind = "asked"     // her organisation has asked for her to be forgotten
	Owner     Kind = "owner"     // she is the last owner of an account
	Closure   Kind = "closure"   // the account closes, and until when it can be kept
	Extended  Kind = "extended"  // two further months, and why (article 12(3))
	Completed Kind = "completed" // nothing is left
	Retained  Kind = "retained"  // what stays, why and until when (article 12(4))
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
	Target   Kind = "target" // the company's own target has passed
	Lost     Kind = "lost"   // a letter did not arrive for certain
)

// Vars are the values of a letter's variables.
type Vars map[string]string

// needs lists, for each letter, the variables its text must hold. Those of common may stand in each.
var needs = map[Kind][]string{
	Link: {"number", "code", "link", "until"}, Close: {"number", "code", "link", "until", "controller"}, Received: {"number", "due"}, Linked: {"number", "first"},
	Identity: {"number", "remedies"}, Asked: {"number", "controller", "remedies"}, Owner: {"number"}, Closure: {"number", "until"}, Extended: {"number", "due", "reason"},
	Completed: {"number", "backups"}, Retained: {"number", "kept", "backups", "remedies"}, Rejected: {"number", "ground", "remedies"}, Interim: {"number", "open", "remedies"},
	Forwarded: {"number", "controller", "remedies"}, Cancelled: {"number"}, Instruct: {"number", "person", "received"},
	Approve: {"number", "due", "desk"}, Second: {"number", "due", "desk"}, Stuck: {"number", "due", "desk", "why"},
	Deadline: {"number", "due", "desk"}, Overdue: {"number", "due", "desk"}, Target: {"number", "due", "desk"}, Lost: {"number", "desk", "letter"},
}

var common = []string{"company", "received"}

// Kinds returns all letters.
func Kinds() []Kind { return slices.Sorted(maps.Keys(needs)) }

// Languages returns the languages there are texts in.
func Languages() []string { return []string{"en", "fr", "de"} }

//go:embed texts
var own embed.FS

// Set holds the texts of all letters. It is safe for concurrent use.
type Set struct{ texts map[string]text }

type text struct{ subject, body string }

// Name returns the name of a company's own text of a letter in its policy folder.
func Name(kind Kind, language string) string {
	return "templates/" + language + "/erasure-" + string(kind) + ".txt"
}

// Read reads all texts: read returns a company's own by its Name, where it has one. Misconfigured names every text that
// cannot be used.
func Read(read func(name string) ([]byte, bool)) (*Set, error) {
	s, wrong := &Set{texts: map[string]text{}}, []string(nil)
	for _, language := range Languages() {
		for _, kind := range Kinds() {
			name, data, found := Name(kind, language), []byte(nil), false
			if read != nil {
				data, found = read(name)
			}
			if !found {
				name = "texts/" + language + "/" + string(kind) + ".txt"
				data, _ = own.ReadFile(name)
			}
			t, why := parse(kind, string(data))
			if why != "" {
				wrong = append(wrong, name+": "+why)
			}
			s.texts[language+"/"+string(kind)] = t
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Misconfigured, "reading the letters: %s", strings.Join(wrong, "; "))
	}
	return s, nil
}

var variable = regexp.MustCompile(`\{([^{}\n]*)\}`)

// parse reads a text and says why it cannot be used.
func parse(kind Kind, data string) (t text, why string) {
	first, body, _ := strings.Cut(strings.ReplaceAll(data, "\r\n", "\n"), "\n")
	subject, is := strings.CutPrefix(first, "Subject: ")
	body = strings.TrimSpace(body)
	switch {
	case data == "":
		return t, "there is no text"
	case !is || strings.TrimSpace(subject) == "":
		return t, `the first line is not "Subject: ..."`
	case body == "":
		return t, "there is nothing below the subject"
	case len(subject) > message.MaxSubjectBytes/2 || len(body) > message.MaxTextBytes/4:
		return t, "it is too long"
	}
	whole := subject + "\n" + body
	seen := map[string]bool{}
	for _, m := range variable.FindAllStringSubmatch(whole, -1) {
		if seen[m[1]] = true; !slices.Contains(needs[kind], m[1]) && !slices.Contains(common, m[1]) {
			return t, "it names the variable {" + m[1] + "}; there are {" + strings.Join(append(slices.Clone(needs[kind]), common...), "}, {") + "}"
		}
	}
	if rest := variable.ReplaceAllString(whole, ""); strings.ContainsAny(rest, "{}") {
		return t, "a brace stands alone"
	}
	for _, name := range needs[kind] {
		if !seen[name] {
			return t, "it leaves out {" + name + "}"
		}
	}
	return text{strings.TrimSpace(subject), body}, ""
}

// lists are the variables that hold lines of ours, or an address of ours, and are put in as they are.
var lists = []string{"kept", "open", "backups", "remedies", "link", "desk", "ground", "person"}

// Write writes a letter in a language. Misconfigured: no such letter or language, or a variable of its text has no value.
func (s *Set) Write(kind Kind, language string, v Vars) (message.Content, error) {
	t, known := s.texts[language+"/"+string(kind)]
	if !known {
		return message.Content{}, fault.New(fault.Misconfigured, "writing a letter: no text for %s in %q", kind, language)
	}
	missing := ""
	fill := func(in string) string {
		return variable.ReplaceAllStringFunc(in, func(m string) string {
			name := m[1 : len(m)-1]
			value := strings.TrimSpace(v[name])
			if value == "" {
				missing = name
			}
			if slices.Contains(lists, name) {
				return value
			}
			return Harmless(value)
		})
	}
	c := message.Content{Subject: fill(t.subject), Text: fill(t.body) + "\n"}
	if missing != "" {
		return message.Content{}, fault.New(fault.Misconfigured, "writing a letter: %s has no value for {%s}", kind, missing)
	}
	return c, nil
}

// Harmless keeps a value from adding lines or a link to a letter.
func Harmless(value string) string {
	value = strings.ReplaceAll(value, "://", " ")
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_'’()+#&,.:;/§", r) {
			return r
		}
		return ' '
	}, value)), " ")
}
