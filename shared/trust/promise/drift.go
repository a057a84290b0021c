package promise

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
)

// concept is one thing in the words of each language. Where one language of a sentence has it and another has not,
// they promise different things.
type concept struct {
	name  string
	words map[string]*regexp.Regexp
}

func concepts() []concept {
	in := func(name, en, fr, de string) concept {
		return concept{name, map[string]*regexp.Regexp{"en": regexp.MustCompile(en), "fr": regexp.MustCompile(fr), "de": regexp.MustCompile(de)}}
	}
	return []concept{
		in("staging data", `staging|test data`, `staging|mise en scène|pré-?production|données de (test|recette)`, `staging|testdaten`),
		in("data in transit", `in transit`, `en transit`, `übertragung|transit`),
		in("data at rest", `at rest`, `au repos`, `im ruhezustand|ruhende`),
		in("text messages", ` sms`, ` sms`, ` sms`),
		in("contractors", `contractor`, `sous-traitant|contractant|prestataire`, `auftragnehmer|freie mitarbeiter`),
		in("a deadline of one day", ` (every day|daily)`, ` (chaque jour|quotidien|tous les jours)`, `täglich`),
	}
}

// drifting finds languages that say different things.
func drifting(t *texts) []Finding {
	return slices.Concat(t.translations(), t.announced(), t.alone())
}

// families returns the sentences that say the same, by root in the order of the policy, one a language.
func (t *texts) families() [][]sentence {
	var out [][]sentence
	at := map[string]int{}
	for _, s := range t.all {
		i, known := at[s.root]
		if !known {
			i = len(out)
			at[s.root], out = i, append(out, nil)
		}
		if !slices.ContainsFunc(out[i], func(o sentence) bool { return o.language == s.language }) {
			out[i] = append(out[i], s)
		}
	}
	return out
}

// translations compares each equal sentence with the first one: concepts, numbers, names and params. Promises that
// quote the same pair of sentences are told once.
func (t *texts) translations() []Finding {
	var all []Finding
	seen := map[string]bool{}
	for _, family := range t.families() {
		a := family[0]
		for _, b := range family[1:] {
			if !seen[a.plain+b.plain] {
				all = append(all, conceptual(a, b)...)
				all = append(all, named(a, b)...)
			}
			seen[a.plain+b.plain] = true
			for _, name := range sortedKeys(a.Params) {
				if other, given := b.Params[name]; given && other.String() != a.Params[name].String() {
					all = append(all, found(Drift, fmt.Sprintf("%s and %s say the same, but %s is %s for one and %s for the other.", a.ID, b.ID, name, a.Params[name], other),
						"Give equal sentences equal params.", a, b))
				}
			}
		}
	}
	return all
}

// conceptual compares two translations by the things they speak of.
func conceptual(a, b sentence) []Finding {
	var x, y []string
	for _, c := range concepts() {
		switch inA, inB := c.words[a.language].MatchString(a.plain), c.words[b.language].MatchString(b.plain); {
		case inA && !inB:
			x = append(x, c.name)
		case inB && !inA:
			y = append(y, c.name)
		}
	}
	if len(x)+len(y) == 0 {
		return nil
	}
	return []Finding{found(Drift, fmt.Sprintf("The %s text (%s) speaks of %s, the %s one (%s) of %s.", inWords(a.language), a.ID, something(x), inWords(b.language), b.ID, something(y)),
		"Decide what is meant, and make the translations say it.", a, b)}
}

// named compares two translations by the numbers and names in them.
func named(a, b sentence) []Finding {
	x, y := difference(marks(a.original), marks(b.original)), difference(marks(b.original), marks(a.original))
	if len(x)+len(y) == 0 {
		return nil
	}
	return []Finding{found(Drift, fmt.Sprintf("The %s text (%s) names %s, the %s one (%s) %s.", inWords(a.language), a.ID, something(x), inWords(b.language), b.ID, something(y)),
		"Name the same numbers and things in every language.", a, b)}
}

var (
	markForm = regexp.MustCompile(`[\p{L}\d]+`)
	isMark   = regexp.MustCompile(`^(\d+|\p{Lu}[\p{Lu}\d]+)$`)
	joined   = regexp.MustCompile(`(\d)[.,](\d)`)
)

// marks returns the numbers and abbreviations of a text, which no translation changes.
func marks(text string) []string {
	set := map[string]bool{}
	for _, w := range markForm.FindAllString(joined.ReplaceAllString(text, "$1$2"), -1) {
		if w = strings.TrimSuffix(w, "s"); isMark.MatchString(w) {
			set[w] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func difference(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func something(all []string) string {
	if len(all) == 0 {
		return "nothing of the kind"
	}
	return list(all)
}

// announced finds a list that follows its sentence in one language and is lost in another.
func (t *texts) announced() []Finding {
	follows := func(s sentence) bool {
		i := slices.IndexFunc(t.all, func(o sentence) bool { return o.ID == s.ID && o.language == s.language })
		return i+1 < len(t.all) && t.all[i+1].Source == s.Source && t.all[i+1].language == s.language && t.all[i+1].plain != s.plain
	}
	var all []Finding
	for _, family := range t.families() {
		with := slices.DeleteFunc(slices.Clone(family), func(s sentence) bool { return !follows(s) })
		for _, s := range family {
			if len(with) > 0 && strings.HasSuffix(s.plain, ": ") && !follows(s) {
				all = append(all, found(Drift, fmt.Sprintf("%s announces a list, and in %s none follows; in %s (%s) it does.", s.ID, inWords(s.language), inWords(with[0].language), with[0].ID),
					"Publish the list in every language.", append([]sentence{s}, with...)...))
			}
		}
	}
	return all
}

// alone finds what only one of several languages promises: each section as a whole, and by itself each sentence that
// names things, numbers or an example no other language has anywhere.
func (t *texts) alone() []Finding {
	if len(t.languages) < 2 {
		return nil
	}
	var all []Finding
	sections := map[string][]sentence{}
	var order []string
	singles := t.singles()
	for _, s := range singles {
		key := s.language + s.Source.File + s.Source.Section
		if sections[key] == nil {
			order = append(order, key)
		}
		sections[key] = append(sections[key], s)
	}
	for _, key := range order {
		s := sections[key]
		all = append(all, found(Drift, fmt.Sprintf("Only in %s, section %q: %s; no sentence in %s is joined to that.", inWords(s[0].language), s[0].Source.Section, list(idsOf(s)), t.others(s[0].language)),
			"Publish them in every language, or join equal sentences by same_as.", s...))
	}
	for _, s := range once(singles, func(s sentence) int { return len(t.own(s, true)) }) {
		same := slices.DeleteFunc(slices.Clone(singles), func(o sentence) bool { return o.ID == s.ID || o.plain != s.plain || o.language != s.language })
		if own := t.own(s, false); len(own) > 0 {
			all = append(all, found(Drift, fmt.Sprintf("Only the %s text promises %s (%s).", inWords(s.language), list(own), s.ID),
				"Promise it in every language, or leave it out of this one.", append([]sentence{s}, same...)...))
		}
	}
	return all
}

// singles returns the promises of one language alone. What quotes a sentence that another promise joins to a
// translation is none.
func (t *texts) singles() []sentence {
	joined := map[string]bool{}
	var singles []sentence
	for _, family := range t.families() {
		for _, s := range family {
			joined[s.language+s.plain] = joined[s.language+s.plain] || len(family) > 1
		}
		if len(family) == 1 {
			singles = append(singles, family[0])
		}
	}
	return slices.DeleteFunc(singles, func(s sentence) bool { return joined[s.language+s.plain] })
}

var example = regexp.MustCompile(`(?i)\((e\. ?g\.|z\. ?b\.|par exemple|for example|p\. ?ex\.) ([^)]+)\)`)

// own returns the abbreviations, numbers and examples of a sentence that no other language has in any sentence; with
// params, only those that the promise's params speak of.
func (t *texts) own(s sentence, params bool) []string {
	var own []string
	for _, mark := range marks(s.original) {
		elsewhere := slices.ContainsFunc(t.all, func(o sentence) bool { return o.language != s.language && slices.Contains(marks(o.original), mark) })
		if !elsewhere && len(mark) > 2 && !strings.EqualFold(mark, t.provider) {
			own = append(own, mark)
		}
	}
	if given := example.FindStringSubmatch(s.original); given != nil && len(strings.Fields(given[2])) > 3 {
		own = append(own, fmt.Sprintf("the example %q", given[2]))
	}
	if params {
		own = slices.DeleteFunc(own, func(mark string) bool {
			return !slices.ContainsFunc(slices.Collect(maps.Values(s.Params)), func(p policy.Param) bool {
				return strings.Contains(strings.ToLower(p.String()), strings.ToLower(mark))
			})
		})
	}
	return own
}

func (t *texts) others(language string) string {
	var names []string
	for _, l := range t.languages {
		if l != language {
			names = append(names, inWords(l))
		}
	}
	return series(names, " or ")
}
