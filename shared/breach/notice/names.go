package notice

import (
	"io/fs"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"ostiary.internal/shared/policy"
)

// Names are the words by which tenants are known: a notice for one holds none of another. Looking for them takes as long
// for two tenants as for two thousand.
type Names struct {
	byWord  map[string][]named // in lower case, by the first word
	written map[string][]named // those that count only as they are written
}

// named is one name of a tenant, as Spaced has it, without the space before it.
type named struct{ text, tenant string }

// Of names that are looked for whatever the case of letters, in bytes, and as they are written, in runes. A short one is a word
// of every language, unless it is in capitals, or has a digit, and a text has it so.
const (
	shortest        = 4
	shortestWritten = 2
)

// NamesOf returns the names of tenants, with and without their legal form, and their domains.
func NamesOf(tenants []policy.Tenant) *Names {
	n := &Names{map[string][]named{}, map[string][]named{}}
	usual := ordinary()
	for _, t := range tenants {
		for _, text := range append([]string{t.Name}, t.Domains...) {
			n.add(strings.TrimSpace(text), t.ID)
		}
		bare := withoutForm(t.Name)
		switch one := !strings.Contains(bare, " "); {
		case bare == "" || one && usual[strings.ToLower(bare)]:
		case one && len(bare) >= shortest: // in small letters it may be any word
			add(n.written, bare, t.ID)
			add(n.written, strings.ToUpper(bare), t.ID)
		default:
			n.add(bare, t.ID)
		}
	}
	return n
}

// somebody stands for whoever works here: of them it is enough to know that one is named.
const somebody = "\x00"

// AndPeople adds the names of people who work here, such as of who made the mistake: those of at least two words.
func (n *Names) AndPeople(people []policy.Person) *Names {
	for _, p := range people {
		if strings.Contains(strings.TrimSpace(Spaced(p.Name)), " ") {
			n.add(strings.TrimSpace(p.Name), somebody)
		}
	}
	return n
}

// abbreviations are what stands in texts in capitals, whoever is called so.
const abbreviations = " AI EU IA ID IP IT KI OS PC PJ UE UK US VM "

// add adds a name by which it is looked for, or none that is too short.
func (n *Names) add(text, tenant string) {
	switch {
	case len(text) >= shortest:
		add(n.byWord, strings.ToLower(text), tenant)
	case strings.Contains(abbreviations, " "+text+" "):
	case utf8.RuneCountInString(text) >= shortestWritten && (text == strings.ToUpper(text) || strings.ContainsFunc(text, unicode.IsDigit)):
		add(n.written, text, tenant)
	}
}

// forms are legal forms of companies, in small letters; those with dots end in single letters.
const forms = " ab ag aps as asbl bv co company corp corporation ei ek eurl ev gbr ggmbh gmbh inc incorporated kg kgaa limited llc llp ltd mbh nv ohg oy oyj partg plc sa sarl sàrl sas sasu sci scop se selarl sl snc spa srl ug "

// withoutForm returns the words of a name without its legal form; "" for a name that has none.
func withoutForm(name string) string {
	words := strings.Fields(Spaced(name))
	from, to := 0, len(words)
	form := func(word string) bool { return strings.Contains(forms, " "+strings.ToLower(word)+" ") }
	for to > 1 && form(words[to-1]) {
		to--
	}
	letters := to
	for letters > 1 && utf8.RuneCountInString(words[letters-1]) == 1 {
		letters--
	}
	if to-letters > 1 { // as in S.A.
		to = letters
	}
	for from < to-1 && form(words[from]) {
		from++
	}
	if from == 0 && to == len(words) {
		return ""
	}
	return strings.Join(words[from:to], " ")
}

// ordinary are words, in small letters, that are no name where they stand alone: those of our own texts, and some by which many
// companies are called.
func ordinary() map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields("bank banque cloud conseil consulting daten digital dienst dienste group groupe gruppe health klinik kunden mail media medien netz office online partner partners praxis santé schule school service services software solutions système systems technologies verein web") {
		all[word] = true
	}
	_ = fs.WalkDir(own, "texts", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := own.ReadFile(path)
		for _, word := range strings.Fields(Spaced(strings.ToLower(string(text)))) {
			all[word] = true
		}
		return err
	})
	return all
}

func add(to map[string][]named, text, tenant string) {
	if words := strings.TrimPrefix(Spaced(text), " "); words != " " {
		first, _, _ := strings.Cut(words, " ")
		to[first] = append(to[first], named{words, tenant})
	}
}

// In returns the tenants whose name stands in a text as words of their own, however they are broken over lines and, but for
// short ones, whatever the case of letters.
func (n *Names) In(text string) (tenants []string) {
	if n == nil {
		return nil
	}
	return in(n.written, text, in(n.byWord, strings.ToLower(text), nil))
}

func in(names map[string][]named, text string, tenants []string) []string {
	for rest := strings.TrimPrefix(Spaced(text), " "); rest != ""; {
		first, after, _ := strings.Cut(rest, " ")
		for _, name := range names[first] {
			if strings.HasPrefix(rest, name.text) && !slices.Contains(tenants, name.tenant) {
				tenants = append(tenants, name.tenant)
			}
		}
		rest = after
	}
	return tenants
}

// Spaced is a text with a single space in place of every run of signs that are neither letters nor digits, and one at each
// end. Letters that look alike however they are encoded are the same (Unicode normalization form KC).
func Spaced(text string) string {
	return " " + strings.Join(strings.FieldsFunc(norm.NFKC.String(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
}
