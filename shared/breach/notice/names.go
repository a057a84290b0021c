package notice

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ostiary.internal/shared/policy"
)

// Names are the words by which tenants are known: a notice for one holds none of another. Looking for them takes as long
// for two tenants as for two thousand.
type Names struct {
	byWord   map[string][]named // in lower case, by the first word
	capitals map[string][]named // short ones, as they are written
}

// named is one name of a tenant, as Spaced has it, without the space before it.
type named struct{ text, tenant string }

// Of names that are looked for, in bytes and in runes: shorter ones are words of every language. So is one in capitals
// alone, such as EST, but not where a text has it in capitals.
const (
	shortest         = 4
	shortestCapitals = 3
)

// NamesOf returns the names of tenants, and their domains.
func NamesOf(tenants []policy.Tenant) *Names {
	n := &Names{map[string][]named{}, map[string][]named{}}
	for _, t := range tenants {
		for _, text := range append([]string{t.Name}, t.Domains...) {
			text = strings.TrimSpace(text)
			switch {
			case len(text) >= shortest:
				add(n.byWord, strings.ToLower(text), t.ID)
			case utf8.RuneCountInString(text) >= shortestCapitals && text == strings.ToUpper(text):
				add(n.capitals, text, t.ID)
			}
		}
	}
	return n
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
	return in(n.capitals, text, in(n.byWord, strings.ToLower(text), nil))
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
// end.
func Spaced(text string) string {
	return " " + strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
}
