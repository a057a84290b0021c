package notice

// text is one notice in one language: subject, what is the matter, what to do.
type text struct{ subject, body, next string }

// Labels of lines this package adds.
const (
	why     Label = "why"
	promise Label = "promise"
	due     Label = "due"
)

// signature ends every message, in the reader's language.
var signature = map[string]string{
	"en": "You get this message because of your work or your role. The link grants nothing: the page asks you to sign in.",
	"fr": "Vous recevez ce message en raison de votre travail ou de votre rôle. Le lien ne donne aucun droit : la page vous demande de vous connecter.",
	"de": "Sie erhalten diese Nachricht wegen Ihrer Arbeit oder Ihrer Rolle. Der Link gibt kein Recht: Die Seite verlangt eine Anmeldung.",
}

// revoke is the step that follows when somebody else acted in a person's name.
var revoke = map[string]string{
	"en": "End the person's sessions and look whether her second factor is still hers.",
	"fr": "Mettez fin aux sessions de la personne et vérifiez que son second facteur est toujours le sien.",
	"de": "Beenden Sie die Sitzungen der Person und prüfen Sie, ob ihr zweiter Faktor noch ihrer ist.",
}

// causes say why something became a suspicion.
var causes = map[string]map[string]string{
	"silence":    {"en": "no answer in time", "fr": "pas de réponse à temps", "de": "keine Antwort in der Frist"},
	"refused":    {"en": "the justification was refused", "fr": "la justification a été refusée", "de": "die Begründung wurde abgelehnt"},
	"not_me":     {"en": "the person says that it was not her", "fr": "la personne dit que ce n’était pas elle", "de": "die Person sagt, dass sie es nicht war"},
	"unreviewed": {"en": "nobody reviewed the explanation in time", "fr": "personne n’a examiné l’explication à temps", "de": "niemand hat die Erklärung in der Frist geprüft"},
}

var labels = map[Label]map[string]string{
	Severity:  {"en": "Severity", "fr": "Gravité", "de": "Schwere"},
	Who:       {"en": "Who", "fr": "Qui", "de": "Wer"},
	Through:   {"en": "Through", "fr": "Par l’intermédiaire de", "de": "Über"},
	DidWhat:   {"en": "Did", "fr": "Action", "de": "Handlung"},
	On:        {"en": "On", "fr": "Sur", "de": "An"},
	When:      {"en": "When", "fr": "Quand", "de": "Wann"},
	From:      {"en": "From", "fr": "Depuis", "de": "Von"},
	Change:    {"en": "Change", "fr": "Changement", "de": "Änderung"},
	Values:    {"en": "Concerned", "fr": "Concernés", "de": "Betroffen"},
	Number:    {"en": "How many", "fr": "Combien", "de": "Wie viele"},
	Unsure:    {"en": "Kind", "fr": "Nature", "de": "Art"},
	Answer:    {"en": "Reason", "fr": "Motif", "de": "Grund"},
	Ticket:    {"en": "Ticket", "fr": "Ticket", "de": "Ticket"},
	Entry:     {"en": "Log entry", "fr": "Entrée du journal", "de": "Protokolleintrag"},
	RuleOf:    {"en": "Rule", "fr": "Règle", "de": "Regel"},
	Precision: {"en": "Often wrong", "fr": "Souvent fausse", "de": "Oft falsch"},
	Reviewer:  {"en": "Reviewed by (accepted / refused)", "fr": "Examinées par (acceptées / refusées)", "de": "Geprüft von (angenommen / abgelehnt)"},
	Unused:    {"en": "Never used", "fr": "Jamais utilisées", "de": "Nie benutzt"},
	Expired:   {"en": "Ended", "fr": "Terminées", "de": "Beendet"},
	why:       {"en": "Why", "fr": "Pourquoi", "de": "Warum"},
	promise:   {"en": "Promise", "fr": "Promesse", "de": "Zusage"},
	due:       {"en": "Until", "fr": "Jusqu’au", "de": "Bis"},
}

var texts = map[Kind]map[string]text{
	Asked: {
		"en": {"Please explain what was seen", "The log shows something that has to be explained. It was done in your name, by a program you used, or by something that is yours to answer for.",
			"Open the page, give the reason and the ticket, or say that it was not you. A second person then looks at it."},
		"fr": {"Merci d’expliquer ce qui a été observé", "Le journal montre quelque chose qui doit être expliqué. Cela a été fait en votre nom, par un programme que vous avez utilisé, ou par quelque chose dont vous répondez.",
			"Ouvrez la page, donnez le motif et le ticket, ou dites que ce n’était pas vous. Une seconde personne l’examine ensuite."},
		"de": {"Bitte erklären Sie, was zu sehen war", "Das Protokoll zeigt etwas, das erklärt werden muss. Es geschah in Ihrem Namen, durch ein Programm, das Sie benutzt haben, oder durch etwas, für das Sie antworten.",
			"Öffnen Sie die Seite, nennen Sie Grund und Ticket, oder sagen Sie, dass Sie es nicht waren. Eine zweite Person sieht es sich dann an."},
	},
	Alarm: {
		"en": {"Alarm", "A rule has found something in the log, or could not tell.", "Look at the page. Where somebody is asked, wait for the answer, then review it; otherwise settle it there."},
		"fr": {"Alarme", "Une règle a trouvé quelque chose dans le journal, ou n’a pas pu en juger.", "Voyez la page. Si quelqu’un est interrogé, attendez la réponse puis examinez-la ; sinon, réglez-le à cet endroit."},
		"de": {"Ein Alarm", "Eine Regel hat im Protokoll etwas gefunden oder konnte es nicht beurteilen.", "Sehen Sie sich die Seite an. Wo jemand gefragt ist, warten Sie auf die Antwort und prüfen sie; sonst erledigen Sie es dort."},
	},
	Worse: {
		"en": {"An alarm became graver", "Something graver was seen that belongs to an alarm you know.", "Look at the page again."},
		"fr": {"Une alarme s’est aggravée", "Quelque chose de plus grave a été observé, qui relève d’une alarme que vous connaissez.", "Revoyez la page."},
		"de": {"Ein Alarm ist schwerer geworden", "Es wurde etwas Schwereres gesehen, das zu einem Alarm gehört, den Sie kennen.", "Sehen Sie sich die Seite noch einmal an."},
	},
	Reminder: {
		"en": {"Your explanation is still missing", "Half of the time to explain or settle it is over.", "Answer on the page. Without an answer it becomes a suspicion."},
		"fr": {"Votre explication manque encore", "La moitié du délai pour l’expliquer ou le régler est écoulée.", "Répondez sur la page. Sans réponse, cela devient un soupçon."},
		"de": {"Ihre Erklärung fehlt noch", "Die Hälfte der Zeit, es zu erklären oder zu erledigen, ist vorbei.", "Antworten Sie auf der Seite. Ohne Antwort wird daraus ein Verdacht."},
	},
	Review: {
		"en": {"An explanation waits for your review", "Somebody has explained an alarm. A second person has to look at it.", "Accept or refuse it on the page."},
		"fr": {"Une explication attend votre examen", "Quelqu’un a expliqué une alarme. Une seconde personne doit l’examiner.", "Acceptez-la ou refusez-la sur la page."},
		"de": {"Eine Erklärung wartet auf Ihre Prüfung", "Jemand hat einen Alarm erklärt. Eine zweite Person muss es sich ansehen.", "Nehmen Sie sie auf der Seite an, oder lehnen Sie sie ab."},
	},
	ReviewOverdue: {
		"en": {"An explanation still waits for your review", "Half of the time to review is over, and nobody has looked at the explanation of an alarm. Past it, it is a suspicion.", "Accept or refuse it on the page now."},
		"fr": {"Une explication attend toujours votre examen", "La moitié du délai d’examen est écoulée, et personne n’a regardé l’explication d’une alarme. Passé ce délai, c’est un soupçon.", "Acceptez-la ou refusez-la maintenant sur la page."},
		"de": {"Eine Erklärung wartet noch auf Ihre Prüfung", "Die Hälfte der Zeit für die Prüfung ist vorbei, und niemand hat sich die Erklärung eines Alarms angesehen. Danach ist sie ein Verdacht.", "Nehmen Sie sie jetzt auf der Seite an, oder lehnen Sie sie ab."},
	},
	Suspicion: {
		"en": {"An alarm became a suspicion", "An alarm was not explained as it has to be. It is a suspicion now.", "Look into it at once."},
		"fr": {"Une alarme est devenue un soupçon", "Une alarme n’a pas été expliquée comme il le faut. C’est maintenant un soupçon.", "Examinez-le immédiatement."},
		"de": {"Aus einem Alarm wurde ein Verdacht", "Ein Alarm wurde nicht erklärt, wie es sein muss. Er ist jetzt ein Verdacht.", "Gehen Sie ihm sofort nach."},
	},
	ExceptionAsked: {
		"en": {"An exception from an alarm waits for you", "A colleague asks that something raise no alarm for a time. A second person has to agree.", "Approve it on the page, or talk to your colleague."},
		"fr": {"Une exception à une alarme vous attend", "Un collègue demande que quelque chose ne déclenche pas d’alarme pendant un temps. Une seconde personne doit être d’accord.", "Approuvez-la sur la page, ou parlez-en avec votre collègue."},
		"de": {"Eine Ausnahme von einem Alarm wartet auf Sie", "Für eine Zeit soll etwas keinen Alarm auslösen. Eine zweite Person muss zustimmen.", "Genehmigen Sie sie auf der Seite, oder sprechen Sie darüber."},
	},
	Report: {
		"en": {"Alarms of the month", "These are last month’s alarms by rule, the rules that are often wrong, the reasons that were accepted, who reviewed them, and the exceptions that ended or that nothing used.", "Mend rules that are often wrong, and end exceptions nobody needs."},
		"fr": {"Alarmes du mois", "Voici les alarmes du mois dernier par règle, les règles souvent fausses, les motifs acceptés, qui les a examinés, et les exceptions terminées ou inutilisées.", "Corrigez les règles souvent fausses, et mettez fin aux exceptions inutiles."},
		"de": {"Alarme des Monats", "Dies sind die Alarme des letzten Monats nach Regel, die Regeln, die oft falsch liegen, die angenommenen Gründe, wer sie geprüft hat, und die Ausnahmen, die endeten oder die nichts benutzt hat.", "Bessern Sie Regeln, die oft falsch liegen, und beenden Sie Ausnahmen, die niemand braucht."},
	},
}
