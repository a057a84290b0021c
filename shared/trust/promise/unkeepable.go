package promise

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
)

// Numbers from outside that the detectors hold promises to.
const (
	leastPassword = 8                  // characters (NIST SP 800-63B, section 5.1.1.1)
	usualPITR     = 7 * 24 * time.Hour // the longest point-in-time recovery of the common edition of Cloud SQL
)

// doubt is a remark about one promise by itself.
type doubt struct {
	kind Class
	// about returns what is wrong with a sentence and what to do, "" for nothing.
	about func(s sentence) (text, next string)
}

// words makes a doubt about a choice of words.
func words(kind Class, text, next string, all ...string) doubt {
	any := patterns(all...)
	return doubt{kind, func(s sentence) (string, string) {
		if slices.ContainsFunc(any, func(p *regexp.Regexp) bool { return p.MatchString(s.plain) }) {
			return fmt.Sprintf(text, s.ID), next
		}
		return "", ""
	}}
}

// unkeepable finds promises that nobody can measure, that few can keep, or that should not be copied as they are.
func unkeepable(t *texts) []Finding {
	return t.each([]doubt{
		words(Unkeepable, "%s promises servers of one's own; what runs serverless shares its machines.",
			"Promise what isolates customers from each other instead.",
			`bare.?metal`, `métal nu`, `(exclusive use of (its|our|dedicated) servers|usage exclusif de ses serveurs)`, `eigene[nrs]? (physische[nrs]? )?server .*ausschließlich`),
		words(Unkeepable, "%s promises all there is of something without a list: nobody can check all.",
			"List what is used, and promise the list.",
			` all (of the )?((built-in|integrated|available|security|privacy|reasonable) )*(features|functions|recommendations|measures) `,
			` toutes les (fonctionnalités|recommandations|mesures) `, ` alle[nr]? (integrierten |verfügbaren )?(funktionen|empfehlungen|maßnahmen) `),
		{Unkeepable, shortPassword}, {Unkeepable, frozenAlgorithm}, {Unkeepable, longRecovery}, {Unkeepable, monthAtLeast}, {Unkeepable, upTo},
	})
}

// each asks every doubt about every promise, of equal sentences the first.
func (t *texts) each(all []doubt) []Finding {
	var out []Finding
	for _, d := range all {
		said := map[string]bool{}
		for _, s := range once(t.all, func(s sentence) int {
			// Of promises that quote the same sentence it is the one whose params speak of it.
			text, _ := d.about(sentence{Promise: policy.Promise{ID: s.ID, Check: s.Check, Params: s.Params, MaxAge: s.MaxAge}, plain: " "})
			return len(text)
		}) {
			text, next := d.about(s)
			if text == "" || said[s.root] {
				continue
			}
			said[s.root] = true
			same := t.equal(s, func(other sentence) bool { text, _ := d.about(other); return text != "" })
			out = append(out, found(d.kind, text, next, append([]sentence{s}, same...)...))
		}
	}
	return out
}

var characters = regexp.MustCompile(`(\d+) (characters|caractères|zeichen) `)

func shortPassword(s sentence) (string, string) {
	least, err := s.Params["min_len"].Int()
	if said := characters.FindStringSubmatch(s.plain); err != nil && said != nil && strings.Contains(s.plain, "pass") {
		least, err = strconv.Atoi(said[1])
	}
	if err != nil || least >= leastPassword {
		return "", ""
	}
	return fmt.Sprintf("%s promises passwords of at least %d characters; NIST SP 800-63B asks for %d.", s.ID, least, leastPassword),
		"Raise the minimum, and the sentence with it; until then the page should say that it is below the norm."
}

// frozenAlgorithm: a better algorithm would break the wording and not the security.
func frozenAlgorithm(s sentence) (string, string) {
	for _, name := range []string{"sig", "algorithm", "cipher", "hash"} {
		if param, given := s.Params[name]; given && param.Op == "" {
			return fmt.Sprintf("%s names one algorithm (%s): a better one would break the promise.", s.ID, param),
				"Write \"or stronger\", and give the param a bound."
		}
	}
	return "", ""
}

func longRecovery(s sentence) (string, string) {
	param := s.Params["pitr"]
	kept, ok := length(param)
	if !ok || param.Op == "<=" || kept <= usualPITR {
		return "", ""
	}
	return fmt.Sprintf("%s promises recovery to any point of %s; Cloud SQL keeps more than 7 days in its Enterprise Plus edition only.", s.ID, param.Values[0]),
		"Budget for that edition, or promise 7 days and keep daily copies for longer."
}

// Months in a text, as the least or the most time something is kept.
var (
	inMonths = patterns(` (a|one|two|three|six|twelve|\d+) months? `, ` (un|deux|trois|six|douze|\d+) mois[ ,.]`, ` (ein|eine[nms]?|zwei|drei|sechs|zwölf|\d+) monate?[ns]?[ ,.]`)
	atMost   = patterns(` up to (a|one|two|three|six|twelve|\d+) months? `, ` jusqu'à (un|deux|trois|six|douze|\d+) mois[ ,.]`, ` bis zu (ein|eine[nms]?|zwei|drei|sechs|zwölf|\d+) monate?[ns]?[ ,.]`)
)

// retains reports whether a promise is about how long something is kept.
func retains(s sentence) bool { return strings.Contains(s.Check, "retention") }

func monthAtLeast(s sentence) (string, string) {
	param, given := s.Params["min"]
	kept, ok := length(param)
	if !given || !ok || !retains(s) || kept < 28*dayLength || len(s.plain) > 1 && !matches(inMonths, s.plain) {
		return "", ""
	}
	if kept < 31*dayLength {
		return fmt.Sprintf("%s promises a month, which has up to 31 days, and its param says %s.", s.ID, param.Values[0]), "Set the param to P31D a month."
	}
	return fmt.Sprintf("%s counts in months: a month has up to 31 days, so 30 days are not enough (the policy holds it to %s).", s.ID, param.Values[0]),
		"Write days into the sentence, and set every store to at least that."
}

func upTo(s sentence) (string, string) {
	param, given := s.Params["max"]
	if !given || !retains(s) || len(s.plain) > 1 && !matches(atMost, s.plain) {
		return "", ""
	}
	return fmt.Sprintf("%s says \"up to\": that is an upper bound too, and keeping anything longer than %s breaks it.", s.ID, param.Values[0]),
		"Delete by then, or say \"at least\" if that is meant."
}

func matches(any []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(any, func(p *regexp.Regexp) bool { return p.MatchString(text) })
}

// staleClaims finds claimed facts: they were true once, and break by themselves.
func staleClaims(t *texts) []Finding {
	const next = "Bind the sentence to a measurement, and change it the day the measurement does."
	return t.each([]doubt{
		words(StaleClaim, "%s claims that nothing has happened: the first incident makes it untrue.", next,
			` (no|not any|never) .*(incident|breach)\S* .*(last|past) (\w+) years?`, `incidents? .*dernières années ?\? ?non`,
			` aucune? .*(incident|atteinte|violation)\S* .*dernières années`, ` (keine|keinen) .*(vorfall|vorfälle|panne)\S* .*letzten .*jahre`),
		{StaleClaim, func(s sentence) (string, string) {
			slo, given := s.Params["slo"]
			if !given {
				return "", ""
			}
			return fmt.Sprintf("%s claims %s as a fact of the past: the next outage can make it untrue.", s.ID, slo.Values[0]), next
		}},
		{StaleClaim, func(s sentence) (string, string) {
			grade, given := s.Params["grade"]
			if !given {
				return "", ""
			}
			return fmt.Sprintf("%s claims grade %s of somebody else, who can change it any day.", s.ID, grade.Values[0]), next
		}},
		{StaleClaim, func(s sentence) (string, string) {
			due, given := s.Params["due"]
			if !given {
				return "", ""
			}
			return fmt.Sprintf("%s announces something for a time (%s): after that it is untrue or done.", s.ID, due.Values[0]), "Give it a date, and take it out or keep it by then."
		}},
	})
}
