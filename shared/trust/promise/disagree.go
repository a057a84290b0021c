package promise

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names of params that are a bound even where the policy writes none: how long something is there at least, and at most.
var (
	leastNames = []string{"min", "kept", "keep", "retention", "retain"}
	mostNames  = []string{"max", "deleted", "delete", "purge", "ttl", "expires"}
)

// bound is the length of time in a param, and which way it binds: ">=", "<=", or "" for that very length.
func bound(s sentence, name string) (held time.Duration, op string, ok bool) {
	param := s.Params[name]
	held, ok = length(param)
	switch op = param.Op; {
	case op == "" && slices.Contains(leastNames, name):
		op = ">="
	case op == "" && slices.Contains(mostNames, name):
		op = "<="
	}
	return held, op, ok
}

// retained finds promises of one check about one thing of which one keeps it for longer than the other lets it be there.
func retained(all []sentence) []Finding {
	var out []Finding
	for _, low := range all {
		for _, high := range all {
			if low.Check != high.Check || low.root == high.root || !slices.ContainsFunc(low.content(), func(w string) bool { return slices.Contains(high.content(), w) }) {
				continue
			}
			for _, least := range leastNames {
				for _, most := range mostNames {
					x, up, given := bound(low, least)
					y, down, also := bound(high, most)
					if given && also && up == ">=" && down == "<=" && x > y {
						out = append(out, found(Contradiction,
							fmt.Sprintf("%s keeps it for at least %s (%s), and by %s it is gone after %s (%s).", low.ID, low.Params[least].Values[0], least, high.ID, high.Params[most].Values[0], most),
							"Change one of the two numbers, or say in each sentence what it is about.", low, high))
					}
				}
			}
		}
	}
	return out
}

// spans are lengths of time in words, with their unit; the shortest and the longest a unit can be, in seconds.
var (
	spans = regexp.MustCompile(`[ '-](\d{1,4}|one|two|three|six|twelve|une?|deux|trois|six|douze|eine[mnrs]?|zwei|drei|sechs|zwölf)[ -]` +
		`(seconds?|secondes?|sekunden?|minutes?|minuten?|hours?|heures?|stunden?|days?|jours?|tage?n?|weeks?|semaines?|wochen?|months?|mois|monate?[ns]?|years?|ans?|années?|jahre?[ns]?)\b`)
	units = []struct {
		begin           []string
		shortest, whole int64
	}{
		{[]string{"sec", "sek"}, 1, 1}, {[]string{"min"}, 60, 60}, {[]string{"hour", "heure", "stund"}, 3600, 3600}, {[]string{"day", "jour", "tag"}, 86400, 86400},
		{[]string{"week", "semaine", "woche"}, 7 * 86400, 7 * 86400}, {[]string{"month", "mois", "monat"}, 28 * 86400, 31 * 86400}, {[]string{"year", "an", "jahr"}, 365 * 86400, 366 * 86400},
	}
	counted = map[string]int64{"two": 2, "deux": 2, "zwei": 2, "three": 3, "trois": 3, "drei": 3, "six": 6, "sechs": 6, "twelve": 12, "douze": 12, "zwölf": 12}
)

// span returns the only length of time that a sentence names, as the shortest and the longest it can mean.
func (s sentence) span() (shortest, longest time.Duration, text string, ok bool) {
	all := spans.FindAllStringSubmatch(s.plain, -1)
	if len(all) != 1 {
		return 0, 0, "", false
	}
	n, known := counted[all[0][1]]
	if given, err := strconv.ParseInt(all[0][1], 10, 64); err == nil {
		n = given
	} else if !known {
		n = 1
	}
	for _, u := range units {
		if slices.ContainsFunc(u.begin, func(begin string) bool { return strings.HasPrefix(all[0][2], begin) }) {
			return time.Duration(n*u.shortest) * time.Second, time.Duration(n*u.whole) * time.Second, strings.Trim(all[0][0], " '-"), true
		}
	}
	return 0, 0, "", false
}

// otherwise finds sentences that name one length of time where their params hold them to another: a weaker one, where it is
// a bound. What the policy holds stricter than the sentence is kept.
func otherwise(all []sentence) []Finding {
	var out []Finding
	told := map[string]bool{}
	for _, s := range all {
		shortest, longest, text, says := s.span()
		var names []string
		for _, name := range sortedKeys(s.Params) {
			if _, _, ok := bound(s, name); ok {
				names = append(names, name)
			}
		}
		if !says || len(names) != 1 || told[s.root] {
			continue // of several lengths nobody knows which is which
		}
		held, op, _ := bound(s, names[0])
		if weaker := op != "<=" && held < shortest || op != ">=" && held > longest; weaker {
			told[s.root] = true
			out = append(out, found(Contradiction,
				fmt.Sprintf("%s says %q, and the policy holds it to %s (%s).", s.ID, text, s.Params[names[0]], names[0]),
				"Make the sentence and its params say the same.", s))
		}
	}
	return out
}

// Words of a sentence that turn it round, those that narrow what is turned round, and those that say nothing by themselves.
var (
	negations = fields(`never not no cannot can't don't doesn't nobody none ne pas jamais aucun aucune nicht nie niemals kein keine keinen keinem keiner`)
	narrowing = patterns(` (except|unless|without|other than|only|more|longer|less|until|before|apart from) `, ` (sauf|sans|hors|que|plus|moins|avant|jusqu'à|uniquement|seule?s?|seulement) `,
		` (außer|ohne|nur|mehr|länger|weniger|bevor|bis|ausschließlich) `)
	empty = fields(`a an the of to in on at by for from with and or our we us you your they their its it this that these those any all be is are was were been may can could must will would shall should do does has have had
		un une des le la les l d de du au aux en par pour avec et ou nos notre nous vous votre vos ils elles leur leurs son sa ses ce cet cette ces tout tous toute toutes est sont a ont peut peuvent doit doivent se s y n
		ein eine einen einem einer der die das den dem des zu zum zur im in an am auf von vom für mit und oder unser unsere unseren wir uns sie ihr ihre ihren es dies diese dieser alle ist sind wird werden darf dürfen kann können muss müssen hat haben`)
)

func fields(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

var elided = regexp.MustCompile(` (l|d|n|s|qu|j)'`)

// tokens are the words of a sentence, elided articles set apart.
func (s sentence) tokens() []string {
	return strings.Fields(elided.ReplaceAllString(s.plain, " $1 "))
}

// denies reports whether the sentence says that something is not so, without a condition.
func (s sentence) denies() bool {
	return slices.ContainsFunc(s.tokens(), func(w string) bool { return negations[w] }) && !matches(narrowing, s.plain)
}

// content are the words that say what a sentence is about, each once and without the s of a plural; how long is no such.
func (s sentence) content() []string {
	s.plain = spans.ReplaceAllString(s.plain, " ")
	var out []string
	for _, w := range s.tokens() {
		if !negations[w] && !empty[w] && strings.ContainsFunc(w, func(r rune) bool { return r >= 'a' }) {
			out = append(out, strings.TrimSuffix(w, "s"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// leastShared is how many words two sentences share at least before one denies the other.
const leastShared = 3

// denied finds a sentence that says plainly what another denies: it holds all words of that one, or of a long one all but
// one in five.
func denied(t *texts) []Finding {
	var out []Finding
	sentences := once(t.all, nil)
	for _, no := range sentences {
		if !no.denies() {
			continue
		}
		words := no.content()
		for _, yes := range sentences {
			if yes.language != no.language || yes.root == no.root || slices.ContainsFunc(yes.tokens(), func(w string) bool { return negations[w] }) {
				continue
			}
			has := yes.content()
			shared := len(words) - len(difference(words, has))
			if shared >= leastShared && shared*5 >= len(words)*4 && (shared == len(words) || len(words) >= 5) {
				out = append(out, found(Contradiction, fmt.Sprintf("%s denies what %s says, in nearly the same words.", no.ID, yes.ID),
					"Name the exception in both, or take one of them out.", no, yes))
			}
		}
	}
	return out
}
