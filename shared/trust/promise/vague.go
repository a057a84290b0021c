package promise

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// measure is a kind of number that a vague word stands for.
type measure struct {
	name   string
	words  []*regexp.Regexp // each matches the word alone, in group 1
	plain  []*regexp.Regexp // a sentence with one of these has said the number
	params []string         // names under which a policy gives the number, the likeliest first
	usual  string           // a usual number, where the policy gives none
}

// word matches one of the words of a language by itself.
func word(all ...string) *regexp.Regexp {
	return regexp.MustCompile(`[^\p{L}](` + strings.Join(all, "|") + `)[^\p{L}]`)
}

func measures() []measure {
	every := patterns(
		` (daily|weekly|monthly|yearly|annual(ly)?|every (day|week|month|year|quarter|hour)|every \d+|(once|twice) a |at least .* a (year|month)|24/7) ?`,
		`( quotidien| hebdomadaire| mensuel| annuel| par (jour|semaine|mois|an) | (chaque|tous les|toutes les) (jour|semaine|mois|an|\d+)|24 ?h|24 heures)`,
		` (täglich|wöchentlich|monatlich|jährlich|jede[nrs]? (tag|woche|monat|jahr|stunde)|alle \d+|rund um die uhr)`)
	number := patterns(`\d+ ?(s|sec|seconds?|min|minutes?|h|hours?|days?|secondes?|heures?|jours?|sekunden|minuten|stunden|tagen?) `)
	count := patterns(` (at most|no more than|au plus|au maximum de|höchstens) \d`)
	return []measure{{
		"how often", []*regexp.Regexp{
			word("regularly", "regular", "frequently", "frequent", "often", "periodically", "periodic", "from time to time", "continuously", "continually", "constantly"),
			word("régulièrement", "réguliers?", "régulières?", "fréquemment", "fréquente?s?", "souvent", "périodiquement", "périodiques?", "en permanence", "continuellement", "constamment", "continûment"),
			word("regelmäßige?[nrs]?", "regelmäßig", "häufige?[nrs]?", "häufig", "oft", "periodisch", "laufend", "ständig", "kontinuierlich"),
		}, every, []string{"cadence", "heartbeat", "renew", "review", "update", "age", "lag", "drill", "test", "probe"}, "every 90 days (P90D)",
	}, {
		"how soon", []*regexp.Regexp{
			word("immediately", "promptly", "quickly", "rapidly", "swiftly", "instantly", "in a timely manner", "as soon as possible", "without delay", "short time", "in real time"),
			word("immédiatement", "rapidement", "promptement", "sans délai", "dans les meilleurs délais", "dès que possible", "instantanément", "en temps réel"),
			word("sofort", "umgehend", "unverzüglich", "schnell", "zeitnah", "so schnell wie möglich", "kurzer zeit", "in echtzeit"),
		}, number, []string{"detect", "done", "send", "ack", "within", "dead", "answer", "close", "fix_critical", "age", "window"}, "5 minutes (PT5M)",
	}, {
		"how much", []*regexp.Regexp{
			word("minimal", "a minimum of", "a small number of", "as few as possible", "limited number"),
			word("nombre minimal", "quantité minimale", "minimale?s?", "le moins possible", "petit nombre"),
			word("minimale?[nrs]?", "geringe anzahl", "so wenig wie möglich", "möglichst wenige?"),
		}, count, []string{"max_tools", "fields", "columns", "max", "limit", "count"}, "the length of a list of what is allowed",
	}}
}

// vague finds words that promise a measure and name no number, and tells which number the policy reads them as.
func vague(t *texts) []Finding {
	var all []Finding
	for _, m := range measures() {
		name := func(s sentence) int { return len(m.params) - m.param(s) }
		said := map[string]bool{}
		for _, s := range once(t.all, name) {
			text := m.said(s.plain)
			if text == "" || said[s.root] {
				continue
			}
			said[s.root] = true
			same := t.equal(s, func(other sentence) bool { return m.said(other.plain) != "" })
			all = append(all, m.finding(text, s, same))
		}
	}
	return all
}

// said returns the vague word of a text that gives no number for it.
func (m measure) said(plain string) string {
	for _, w := range m.words {
		if found := w.FindStringSubmatch(plain); found != nil {
			if slices.ContainsFunc(m.plain, func(p *regexp.Regexp) bool { return p.MatchString(plain) }) {
				return ""
			}
			return found[1]
		}
	}
	return ""
}

// param returns the place of the first param that gives the number, len(params) for none.
func (m measure) param(s sentence) int {
	for i, name := range m.params {
		if _, given := s.Params[name]; given {
			return i
		}
	}
	return len(m.params)
}

func (m measure) finding(text string, s sentence, same []sentence) Finding {
	all := append([]sentence{s}, same...)
	if i := m.param(s); i < len(m.params) {
		name := m.params[i]
		value := s.Params[name].String()
		return found(Vague,
			fmt.Sprintf("%q in %s does not say %s; the policy reads it as %s (%s).", text, s.ID, m.name, value, name),
			fmt.Sprintf("Have the signer confirm %s, or write it into the sentence.", value), all...)
	}
	return found(Vague,
		fmt.Sprintf("%q in %s does not say %s, and the policy gives no number either.", text, s.ID, m.name),
		fmt.Sprintf("Write the number into the sentence, or into params; usual is %s.", m.usual), all...)
}

// equal returns the equal sentences of a sentence, its own translations left out, that fulfil a condition.
func (t *texts) equal(s sentence, condition func(sentence) bool) []sentence {
	var out []sentence
	for _, other := range t.all {
		if other.root == s.root && other.ID != s.ID && condition(other) {
			out = append(out, other)
		}
	}
	return out
}
