package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
)

// Draft is a notice as people write it.
type Draft struct {
	Kind    Kind
	Version int // from 1; each change is a new one
	// Texts are what people wrote, by language, then by variable. NotKnown stands for what is not known yet.
	Texts map[string]map[string]string
	// Tenants has what is each tenant's own beside that, such as subjects and records, by tenant, then by language.
	Tenants map[string]map[string]map[string]string
}

// Facts are what a case says of itself.
type Facts struct {
	Number    string
	Company   string
	Exercise  bool
	Zone      *time.Location
	FirstSign time.Time
	Aware     time.Time
	Contained time.Time // zero: not yet
	Next      time.Time // when people hear of it again; zero: nothing is promised
}

// Message is one text to one recipient.
type Message struct {
	Recipient
	message.Content
	Short string // what a text message says instead
}

// Bounds of what people write.
const (
	MaxText       = 8_000 // bytes of one variable
	maxRecipients = 10_000
)

// Compose writes a notice to every recipient, in order. Codes: texts_missing (a language or a variable nobody wrote),
// texts_invalid (too long, or what Lint finds, or another tenant's name).
func Compose(set *letters.Set, d Draft, f Facts, to []Recipient, names *Names) ([]Message, error) {
	if len(to) == 0 || len(to) > maxRecipients || !slices.Contains(Kinds(), d.Kind) {
		return nil, fault.New(fault.Invalid, "writing a notice: nobody to be told, too many, or of no known kind")
	}
	var all []Message
	read := reading{kind: d.Kind, names: names, known: map[[4]string]finding{}}
	for _, r := range to {
		vars, err := d.vars(f, r)
		if err != nil {
			return nil, err
		}
		for _, name := range Written(d.Kind) {
			if why := read.wrong(r, name, vars[name], vars["contact"]); why != "" {
				return nil, fault.Refuse(fault.Invalid, "texts_invalid", "In "+r.Language+", "+name+" "+why+".", "Rewrite it.")
			}
		}
		m := Message{Recipient: r}
		if m.Content, err = set.Write(r.text(d.Kind), r.Language, vars); err != nil {
			return nil, err
		}
		if m.Short, err = short(set, r.Language, vars); err != nil {
			return nil, err
		}
		if m.To = r.Address; f.Exercise { // whatever the company's own text says
			m.Subject, m.Short = cases.Marked(m.Subject, r.Language), cases.Marked(m.Short, r.Language)
		}
		all = append(all, m)
	}
	return all, nil
}

// reading looks through texts, each once: most recipients are told the same.
type reading struct {
	kind  Kind
	names *Names
	known map[[4]string]finding
}

type finding struct {
	why     string
	tenants []string // that are named
}

// wrong says what is wrong with a text for a recipient; "" for nothing.
func (r reading) wrong(to Recipient, name, text, contact string) string {
	key := [4]string{to.Language, name, text, contact}
	found, seen := r.known[key]
	if !seen {
		found = finding{Lint(r.kind, name, text, contact), r.names.In(text)}
		r.known[key] = found
	}
	if slices.ContainsFunc(found.tenants, func(t string) bool { return t != to.Tenant && t != somebody }) {
		return "names another tenant"
	}
	if name != "contact" && slices.Contains(found.tenants, somebody) && found.why == "" {
		return "names somebody who works here"
	}
	return found.why
}

// shortContact bounds, in bytes, whom to call in a text message.
const shortContact = 80

// short is what a text message says of a notice: that there is one, and nothing of it.
func short(set *letters.Set, language string, vars letters.Vars) (string, error) {
	contact, _, _ := strings.Cut(vars["contact"], "\n")
	if len(contact) > shortContact {
		contact = strings.ToValidUTF8(contact[:shortContact], "")
	}
	c, err := set.Write(sayShort, language, letters.Vars{"number": vars["number"], "company": vars["company"], "contact": contact, "exercise": vars["exercise"]})
	return c.Subject, err
}

// vars are the values for one recipient. A tenant's own text goes before that for all.
func (d Draft) vars(f Facts, r Recipient) (letters.Vars, error) {
	v := letters.Vars{"number": f.Number, "company": f.Company, "tenant": r.Name, "first_sign": moment(f.FirstSign, f.Zone, r.Language), "aware": moment(f.Aware, f.Zone, r.Language),
		"contained": moment(f.Contained, f.Zone, r.Language), "next": moment(f.Next, f.Zone, r.Language)}
	if f.Exercise {
		v["exercise"] = Exercise(r.Language)
	}
	var missing []string
	for _, name := range Written(d.Kind) {
		text := spoken(d.Tenants[r.Tenant][r.Language][name], r.Language)
		if text == "" {
			text = spoken(d.Texts[r.Language][name], r.Language)
		}
		if text == "" {
			missing = append(missing, name)
		}
		if len(text) > MaxText {
			return nil, fault.Refuse(fault.Invalid, "texts_invalid", "In "+r.Language+", "+name+" is too long.", "Shorten it to 8,000 bytes.")
		}
		v[name] = text
	}
	if len(missing) > 0 {
		return nil, fault.Refuse(fault.Invalid, "texts_missing", "In "+r.Language+" nobody wrote: "+strings.Join(missing, ", ")+".", "Write them, or \""+NotKnown+"\" for what is not known yet.")
	}
	return v, nil
}

// moment writes an instant in the company's zone, with its offset, alike in every language; what is not known yet in
// words.
func moment(t time.Time, zone *time.Location, language string) string {
	if t.IsZero() {
		return notKnown[language]
	}
	return calendar.Date(t, zone).String() + " " + t.In(zone).Format("15:04 (-07:00)")
}

// Hash is what two people agree to: a digest of each text with the address it goes to, the kind and the version. It is the
// same wherever it is computed, and another when a byte of any of them changes.
func Hash(caseID string, d Draft, all []Message) string {
	type one struct {
		Tenant, Address, Language, Subject, Text, Short string
		Ways                                            []Way
	}
	var whole struct {
		Case    string
		Kind    Kind
		Version int
		To      []one
	}
	whole.Case, whole.Kind, whole.Version = caseID, d.Kind, d.Version
	for _, m := range all {
		whole.To = append(whole.To, one{m.Tenant, m.Address, m.Language, m.Subject, m.Text, m.Short, m.Ways})
	}
	data, err := json.Marshal(whole)
	if err != nil {
		panic(err) // strings and numbers alone
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
