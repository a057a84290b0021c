package promise

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
)

// Class says what is wrong with a text.
type Class string

const (
	Contradiction Class = "contradiction" // two promises cannot both be kept
	Vague         Class = "vague"         // a word that promises a measure without saying which
	Drift         Class = "drift"         // the languages say different things
	Unkeepable    Class = "unkeepable"    // nobody can measure it, few can keep it, or it should not be copied
	StaleClaim    Class = "stale-claim"   // a claimed fact that time or events make untrue by themselves
)

// Finding is one remark of the lint.
type Finding struct {
	ID   string   `json:"id"`  // the promise to look at first
	IDs  []string `json:"ids"` // all promises concerned, ID first
	Kind Class    `json:"kind"`
	Text string   `json:"text"` // what is wrong, one plain sentence
	Next string   `json:"next"` // what to do about it
}

// Lint finds what is wrong with the promises themselves, from texts, params and checks. It is advice: nothing
// refuses to load because of it. The findings stand in the order of the policy; the same policy gives the same ones.
//
// It knows words of three languages and the names of params, no promise in particular. It misses what it has no
// words for, and it cannot tell whether a sentence is true.
func Lint(p *policy.Policy) []Finding {
	t := read(p)
	var all []Finding
	for _, detect := range []func(*texts) []Finding{opposed, outnumbered, vague, drifting, unkeepable, staleClaims} {
		all = append(all, detect(t)...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(t.order[a.ID], t.order[b.ID]), cmp.Compare(a.Kind, b.Kind), slices.Compare(a.IDs, b.IDs))
	})
	return all
}

// sentence is one promise in one language.
type sentence struct {
	policy.Promise
	language string
	original string
	plain    string // lower case, straight apostrophes, words and the marks between them set apart by single spaces
	root     string // of its equal sentences
}

// texts are all sentences of a policy.
type texts struct {
	all       []sentence
	order     map[string]int // of a promise
	languages []string       // in which the policy says anything at all, the company's own first
	provider  string         // where everything is hosted, "" when no promise says
}

func read(p *policy.Policy) *texts {
	t := &texts{order: map[string]int{}}
	used := map[string]bool{}
	for i, promise := range p.Promises {
		t.order[promise.ID] = i
		if provider, named := promise.Params["provider"]; named && t.provider == "" {
			t.provider = provider.String()
		}
		for _, language := range []string{"en", "fr", "de"} {
			if text := promise.Text.In(language); text != "" {
				t.all = append(t.all, sentence{promise, language, text, plain(text), cmp.Or(promise.SameAs, promise.ID)})
				used[language] = true
			}
		}
	}
	for _, language := range append(slices.Clone(p.Company.Languages), "en", "fr", "de") {
		if used[language] && !slices.Contains(t.languages, language) {
			t.languages = append(t.languages, language)
		}
	}
	return t
}

var straight = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "\u00a0", " ", "\u202f", " ")

// apart finds the marks that end a word: within a word, as in 99.3 or authorize.net, they belong to it.
var apart = regexp.MustCompile(`([("])|([.,;:!?…)"]+)(\s|$)`)

func plain(text string) string {
	text = apart.ReplaceAllString(strings.ToLower(straight.Replace(text)), " $1$2 ")
	return " " + strings.Join(strings.Fields(text), " ") + " "
}

// once returns one promise for each sentence that several promises quote: the weightiest, without a weight the most
// severe; of equal ones the first.
func once(all []sentence, weight func(sentence) int) []sentence {
	var out []sentence
	at := map[string]int{}
	for _, s := range all {
		i, seen := at[s.language+s.plain]
		switch {
		case !seen:
			at[s.language+s.plain] = len(out)
			out = append(out, s)
		case weight == nil && severe(s) > severe(out[i]), weight != nil && weight(s) > weight(out[i]):
			out[i] = s
		}
	}
	return out
}

func severe(s sentence) int { return -weight(s.Severity) }

// found makes a finding; the first id is the one to look at.
func found(kind Class, text, next string, all ...sentence) Finding {
	f := Finding{ID: all[0].ID, Kind: kind, Text: text, Next: next}
	for _, s := range all {
		if !slices.Contains(f.IDs, s.ID) {
			f.IDs = append(f.IDs, s.ID)
		}
	}
	return f
}

// list joins ids for people: A, B and C.
func list(ids []string) string { return series(ids, " and ") }

func series(all []string, last string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + last + all[len(all)-1]
}

func idsOf(all []sentence) []string {
	var ids []string
	for _, s := range all {
		if !slices.Contains(ids, s.ID) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// inWords is a language's English name.
func inWords(language string) string {
	return map[string]string{"en": "English", "fr": "French", "de": "German"}[language]
}
