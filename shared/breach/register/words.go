package register

import (
	_ "embed" // the words
	"fmt"
	"strings"

	"ostiary.internal/shared/breach/cases"
)

//go:embed words.txt
var wordFile string

// language is one of en, fr and de.
type language string

var languages = []language{"en", "fr", "de"}

// languageOf returns a language there are words in; English for any other.
func languageOf(name string) language {
	for _, l := range languages {
		if string(l) == name {
			return l
		}
	}
	return "en"
}

// words are those of words.txt, by key, then by language.
var words = readWords(wordFile)

// readWords reads lines of a key and what it is called in each language, with bars between them.
func readWords(file string) map[string]map[language]string {
	all := map[string]map[language]string{}
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, " | ")
		if len(parts) != 1+len(languages) || all[parts[0]] != nil {
			panic(fmt.Sprintf("words of the register: %q has not one word for each language, or is there twice", parts[0])) // the file is part of the program
		}
		all[parts[0]] = map[language]string{}
		for i, l := range languages {
			all[parts[0]][l] = strings.TrimSpace(parts[i+1])
		}
	}
	return all
}

// w returns the word for a key; the key itself where a state is newer than the words.
func (l language) w(key string) string {
	if word, has := words[key]; has {
		return word[l]
	}
	return key
}

// all returns the words for some keys.
func (l language) all(keys ...string) []string {
	var list []string
	for _, key := range keys {
		list = append(list, l.w(key))
	}
	return list
}

// each returns the words for some keys in one line.
func (l language) each(keys []string) string { return join(l.all(keys...)...) }

func (l language) yes(b bool) string {
	if b {
		return l.w("yes")
	}
	return l.w("no")
}

// counted writes a number with how far it is known; "" where it is not.
func (l language) counted(c cases.Count, partly bool) string {
	text := ""
	switch c.How {
	case cases.Exact:
		text = fmt.Sprint(c.N)
	case cases.Estimate:
		text = fmt.Sprintf(l.w("about"), c.N)
	case cases.NotApplicable:
		return l.w("not_applicable")
	default:
		return ""
	}
	if partly {
		text += ", " + l.w("more_unknown")
	}
	return text
}

// inapplicable says that something does not apply, and why where that is known.
func (l language) inapplicable(why string) string {
	return strings.TrimSuffix(l.w("not_applicable")+": "+why, ": ")
}

// laws are how the names of the data file's laws begin in other languages.
var laws = map[language]*strings.Replacer{
	"en": strings.NewReplacer(),
	"fr": strings.NewReplacer("GDPR, article", "RGPD, article", "UK GDPR, article", "RGPD britannique, article", "the contract with the controller", "le contrat avec le responsable du traitement", "a contract of the company's own", "un contrat propre à l'entreprise", "Regulation (EU)", "Règlement (UE)", "complement of a first notification", "complément d'une notification initiale", "second subparagraph", "deuxième alinéa"),
	"de": strings.NewReplacer("GDPR, article", "DSGVO, Artikel", "UK GDPR, article", "britische DSGVO, Artikel", "the contract with the controller", "der Vertrag mit dem Verantwortlichen", "a contract of the company's own", "ein eigener Vertrag des Unternehmens", "Regulation (EU)", "Verordnung (EU)", "complement of a first notification", "Ergänzung einer Erstmeldung", "second subparagraph", "Unterabsatz 2", "NIS2, article", "NIS2, Artikel", ", article", ", Artikel"),
}

func (l language) law(name string) string { return laws[l].Replace(name) }

// has reports whether there is a word for a key.
func (l language) has(key string) bool { return words[key] != nil }
