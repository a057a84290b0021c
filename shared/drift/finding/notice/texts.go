package notice

// text is one notice in one language: subject, what is the matter, what to do.
type text struct{ subject, body, next string }

// Labels of lines this package adds.
const (
	promise Label = "promise"
	due     Label = "due"
)

// signature ends every message, in the reader's language.
var signature = map[string]string{
	"en": "You get this message because of your role. The link grants nothing: the page asks you to sign in.",
	"fr": "Vous recevez ce message en raison de votre rôle. Le lien ne donne aucun droit : la page vous demande de vous connecter.",
	"de": "Sie erhalten diese Nachricht wegen Ihrer Rolle. Der Link gibt kein Recht: Die Seite verlangt eine Anmeldung.",
}

// causes say what is otherwise.
var causes = map[Why]map[string]string{
	Value:      {"en": "The value is another one by now.", "fr": "La valeur n’est plus la même.", "de": "Der Wert ist inzwischen ein anderer."},
	Void:       {"en": "The value is another one by now. What was accepted was the former one: this one is not.", "fr": "La valeur n’est plus la même. C’est la précédente qui avait été acceptée : celle-ci ne l’est pas.", "de": "Der Wert ist inzwischen ein anderer. Hingenommen war der frühere: Dieser ist es nicht."},
	Attributed: {"en": "Who may have done it is known now.", "fr": "On sait maintenant qui a pu le faire.", "de": "Wer es getan haben kann, ist jetzt bekannt."},
	Own:        {"en": "Whoever accepted it may have done it herself: it is not accepted any more.", "fr": "La personne qui l’a acceptée peut l’avoir faite elle-même : elle n’est plus acceptée.", "de": "Wer es hingenommen hat, kann es selbst getan haben: Es ist nicht mehr hingenommen."},
	Ended:      {"en": "It was accepted until now. It is not any more.", "fr": "Elle était acceptée jusqu’à maintenant. Elle ne l’est plus.", "de": "Es war bis jetzt hingenommen. Es ist es nicht mehr."},
	Revoked:    {"en": "It was accepted, and somebody has taken that back.", "fr": "Elle était acceptée, et quelqu’un est revenu dessus.", "de": "Es war hingenommen, und jemand hat das zurückgenommen."},
	Graver:     {"en": "It is graver by now, so that one person’s acceptance is not enough any more.", "fr": "Elle est devenue plus grave, de sorte que l’acceptation d’une seule personne ne suffit plus.", "de": "Es ist inzwischen schwerer, sodass die Zustimmung einer Person nicht mehr genügt."},
}

var labels = map[Label]map[string]string{
	Severity: {"en": "Severity", "fr": "Gravité", "de": "Schwere"},
	On:       {"en": "On", "fr": "Sur", "de": "An"},
	What:     {"en": "What", "fr": "Quoi", "de": "Was"},
	Wanted:   {"en": "Should be", "fr": "Attendu", "de": "Soll"},
	Found:    {"en": "Is", "fr": "Constaté", "de": "Ist"},
	Who:      {"en": "May have done it", "fr": "A pu le faire", "de": "Kann es getan haben"},
	Did:      {"en": "Method", "fr": "Méthode", "de": "Methode"},
	When:     {"en": "When", "fr": "Quand", "de": "Wann"},
	Ticket:   {"en": "Ticket", "fr": "Ticket", "de": "Ticket"},
	Since:    {"en": "Not known since", "fr": "Inconnu depuis", "de": "Unbekannt seit"},
	Number:   {"en": "How many", "fr": "Combien", "de": "Wie viele"},
	promise:  {"en": "Promise", "fr": "Promesse", "de": "Zusage"},
	due:      {"en": "Until", "fr": "Jusqu’au", "de": "Bis"},
}

var texts = map[Kind]map[string]text{
	Opened: {
		"en": {"Out of order", "Something is configured otherwise than was promised, or than Terraform wants it.", "Put it back, or accept it for a while on the page. Nothing is repaired by itself."},
		"fr": {"Un écart de configuration", "Quelque chose est configuré autrement que promis, ou que Terraform ne le veut.", "Remettez-le en ordre, ou acceptez-le pour un temps sur la page. Rien n’est réparé automatiquement."},
		"de": {"Eine Abweichung", "Etwas ist anders eingestellt als zugesagt, oder als Terraform es will.", "Stellen Sie es zurück, oder nehmen Sie es auf der Seite für eine Zeit hin. Nichts wird von selbst repariert."},
	},
	Changed: {
		"en": {"Still out of order, and otherwise", "Something you know about that is out of order.", "Look at the page again: put it back, or accept it as it is now."},
		"fr": {"L’écart demeure, et a changé", "Un écart de configuration que vous connaissez.", "Revoyez la page : remettez-le en ordre, ou acceptez-le tel qu’il est maintenant."},
		"de": {"Die Abweichung besteht, und anders", "Eine Abweichung, die Sie kennen.", "Sehen Sie sich die Seite noch einmal an: Stellen Sie es zurück, oder nehmen Sie es so hin, wie es jetzt ist."},
	},
	Asked: {
		"en": {"An acceptance waits for you", "A colleague asks that something that is out of order may be so for a while. For something so grave a second person has to agree.", "Look at the value on the page and accept it until the same day, or talk to your colleague."},
		"fr": {"Une acceptation vous attend", "Un collègue demande qu’un écart de configuration puisse durer un temps. Pour un écart aussi grave, une seconde personne doit être d’accord.", "Voyez la valeur sur la page et acceptez-la jusqu’au même jour, ou parlez-en avec votre collègue."},
		"de": {"Eine Zustimmung wartet auf Sie", "Eine Abweichung soll für eine Zeit bestehen dürfen. Bei einer so schweren muss eine zweite Person zustimmen.", "Sehen Sie sich den Wert auf der Seite an und stimmen Sie bis zum selben Tag zu, oder sprechen Sie darüber."},
	},
	Ending: {
		"en": {"An acceptance ends soon", "Something that is out of order was accepted for a while, and the while is nearly over. Then the promise counts as broken.", "Put it back before that day, or accept it anew afterwards."},
		"fr": {"Une acceptation prend bientôt fin", "Un écart de configuration était accepté pour un temps, et ce temps est presque écoulé. La promesse comptera ensuite comme rompue.", "Remettez-le en ordre avant ce jour, ou acceptez-le de nouveau ensuite."},
		"de": {"Eine Zustimmung endet bald", "Eine Abweichung war für eine Zeit hingenommen, und die Zeit ist fast um. Danach gilt die Zusage als gebrochen.", "Stellen Sie es vor diesem Tag zurück, oder nehmen Sie es danach neu hin."},
	},
	Lost: {
		"en": {"Nobody can tell any more", "Something that was out of order cannot be read any more. It counts neither as put right nor as worse.", "See to it that it can be read again: access, quota, the service itself."},
		"fr": {"Plus personne ne peut le dire", "Un écart de configuration ne peut plus être lu. Il ne compte ni comme réparé ni comme aggravé.", "Faites en sorte qu’il puisse être lu de nouveau : accès, quota, le service lui-même."},
		"de": {"Niemand kann es mehr sagen", "Eine Abweichung lässt sich nicht mehr lesen. Sie gilt weder als behoben noch als schlimmer.", "Sorgen Sie dafür, dass es wieder gelesen werden kann: Zugriff, Kontingent, der Dienst selbst."},
	},
	Many: {
		"en": {"Much out of order at once", "So much changed at once that the rest is told together: what is out of order, otherwise, or in order again.", "Look at the list; the gravest stands first."},
		"fr": {"Beaucoup d’écarts à la fois", "Tant de choses ont changé à la fois que le reste est annoncé ensemble : ce qui est en écart, a changé, ou est de nouveau en ordre.", "Voyez la liste ; le plus grave vient en premier."},
		"de": {"Viele Abweichungen zugleich", "Es hat sich so viel zugleich geändert, dass der Rest zusammen gemeldet wird: was abweicht, anders oder wieder in Ordnung ist.", "Sehen Sie sich die Liste an; das Schwerste steht oben."},
	},
	Dropped: {
		"en": {"Promised no more", "Something that was out of order is as it was, but nobody wants it otherwise any more: the policy, or Terraform, says something else now, or nobody looks there any more. It does not count as put right.", "If that was not meant, put the promise, or the code, back."},
		"fr": {"N’est plus promis", "Un écart de configuration est resté tel quel, mais plus rien ne le veut autrement : la politique, ou Terraform, dit autre chose à présent, ou plus personne n’y regarde. Il ne compte pas comme réparé.", "Si ce n’était pas voulu, rétablissez la promesse, ou le code."},
		"de": {"Nicht mehr zugesagt", "Eine Abweichung ist, wie sie war, aber niemand will es mehr anders: Die Richtlinie, oder Terraform, sagt jetzt etwas anderes, oder niemand sieht dort mehr nach. Sie gilt nicht als behoben.", "War das nicht gewollt, stellen Sie die Zusage, oder den Code, wieder her."},
	},
	Healed: {
		"en": {"In order again", "Something that was out of order is as it should be.", "There is nothing to do."},
		"fr": {"De nouveau en ordre", "Ce qui était en écart est comme il doit être.", "Il n’y a rien à faire."},
		"de": {"Wieder in Ordnung", "Eine Abweichung ist behoben.", "Es ist nichts zu tun."},
	},
}
