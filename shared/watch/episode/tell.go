package episode

import (
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/notice"
)

// tell puts a notice about an episode into the batch. What tells two of one kind apart belongs into the key.
func (t *turn) tell(w *working, kind notice.Kind, to []string, key string) error {
	e := w.Episode
	if e.Shadow || len(to) == 0 {
		return nil
	}
	n := notice.Notice{
		Kind: kind, Key: e.Nonce + "/" + key, To: to, Link: t.s.Link + "/justify/" + e.ID, Due: e.Due, Why: string(e.Cause),
		What: t.s.worded(e), Promises: t.s.sentences(e.Promises),
	}
	n.Lines = t.s.about(w)
	return t.s.Notify(t.batch, n)
}

// What says in a language what an episode is an alarm of: the rule's own words.
func (s *Service) What(e Episode) func(string) string {
	r, _ := s.Rules.Rule(e.Rule)
	text := r.Alarm.Text
	if e.Kind == Unreadable || e.Kind == Silence {
		text = ownTexts[e.Kind]
	}
	return func(language string) string { return best(text, language) }
}

// ownTexts are the words of alarms that no rule of the policy makes, and of what a rule could not tell.
var ownTexts = map[Kind]policy.Text{
	Unreadable: {
		EN: "A log entry could not be read. What it tells is not known; it waits among the dead letters (watchaudit-unreadable).",
		FR: "Une entrée du journal n’a pas pu être lue. Ce qu’elle dit n’est pas connu ; elle attend parmi les messages mis de côté (watchaudit-unreadable).",
		DE: "Ein Protokolleintrag war nicht lesbar. Was er sagt, ist nicht bekannt; er wartet bei den nicht zustellbaren Nachrichten (watchaudit-unreadable).",
	},
	Silence: {
		EN: "Nothing comes from the logs any more: the watch sees nothing until that is mended.",
		FR: "Plus rien n’arrive des journaux : la surveillance ne voit rien tant que ce n’est pas réparé.",
		DE: "Aus den Protokollen kommt nichts mehr: Die Überwachung sieht nichts, bis das behoben ist.",
	},
	Undetermined: {
		EN: "It could not be told whether this happened, or what of it is new:",
		FR: "Il n’a pas été possible de dire si ceci s’est produit, ou ce qui en est nouveau :",
		DE: "Es war nicht zu sagen, ob dies geschehen ist oder was daran neu ist:",
	},
}

// worded is What with a word of doubt where there is one.
func (s *Service) worded(e Episode) func(string) string {
	what := s.What(e)
	if e.Kind != Undetermined {
		return what
	}
	return func(language string) string { return best(ownTexts[Undetermined], language) + " " + what(language) }
}

// best is a text in a language, or in another where that is all there is.
func best(text policy.Text, language string) string {
	for _, one := range []string{language, "en", "fr", "de"} {
		if words := text.In(one); words != "" {
			return words
		}
	}
	return ""
}

func (s *Service) sentences(ids []string) func(string) []string {
	return func(language string) (all []string) {
		for _, id := range ids {
			if p, known := s.Policy.Promise(id); known && len(all) < 5 {
				all = append(all, id+": "+best(p.Text, language))
			}
		}
		return all
	}
}

// about are the details of a message: those of the newest member this transaction saw, or of the episode alone.
func (s *Service) about(w *working) []notice.Line {
	e := w.Episode
	all := []notice.Line{{Label: notice.Severity, Text: string(e.Severity)}, {Label: notice.RuleOf, Text: e.Rule}}
	if e.Kind != Violation {
		all = append(all, notice.Line{Label: notice.Unsure, Text: string(e.Kind)})
	}
	all = append(all, notice.Line{Label: notice.Who, Text: s.name(e)})
	if len(w.seen) == 0 {
		return lines(append(all, notice.Line{Label: notice.When, At: e.First}, answerLine(e), notice.Line{Label: notice.Ticket, Text: e.Ticket})...)
	}
	m := w.seen[len(w.seen)-1]
	d := m.Detail
	if len(d.Origin.Chain) > 1 {
		all = append(all, notice.Line{Label: notice.Through, Text: strings.Join(d.Origin.Chain, " > ")})
	}
	all = append(all,
		notice.Line{Label: notice.DidWhat, Text: strings.TrimSpace(d.Subject.Service + " " + d.Subject.Method + " " + d.Subject.Outcome)},
		notice.Line{Label: notice.On, Text: d.Subject.Resource}, notice.Line{Label: notice.When, At: m.At},
		notice.Line{Label: notice.From, Text: d.Origin.IP, Sensitive: true}, notice.Line{Label: notice.Change, Text: strings.Join(d.Origin.Delta, "; ")},
		notice.Line{Label: notice.Values, Text: strings.Join(d.Values, ", "), Sensitive: true})
	if d.Count > 1 {
		all = append(all, notice.Line{Label: notice.Number, Text: strconv.Itoa(d.Count)})
	}
	return lines(append(all, notice.Line{Label: notice.Entry, Text: d.Subject.Entry})...)
}

func answerLine(e Episode) notice.Line {
	return notice.Line{Label: notice.Answer, Text: string(e.Reason)}
}

// name is who acted as staff knows her, or as the log does.
func (s *Service) name(e Episode) string {
	_, logged, _ := strings.Cut(e.Actor, ":")
	if logged == "" {
		logged = e.Actor
	}
	if p, known := s.Policy.PersonByID(e.Person); known {
		if strings.EqualFold(p.Email, logged) {
			return p.Name + " (" + logged + ")"
		}
		return p.Name + " (" + p.Email + ") > " + logged
	}
	return logged
}

// lines are those that say something.
func lines(all ...notice.Line) []notice.Line {
	return slices.DeleteFunc(all, func(l notice.Line) bool { return l.Text == "" && l.At.IsZero() })
}
