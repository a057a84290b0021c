package notice

// text is one notice in one language: subject, what is the matter, what to do. {what} and {due} are filled in.
type text struct{ subject, body, next string }

// signature ends every message, in the reader's language.
var signature = map[string]string{
	"en": "You get this message because of your role. It holds no link on purpose: open the page of duties the way you always do.",
	"fr": "Vous recevez ce message en raison de votre rôle. Il ne contient volontairement aucun lien : ouvrez la page des tâches comme d’habitude.",
	"de": "Sie erhalten diese Nachricht wegen Ihrer Rolle. Sie enthält absichtlich keinen Link: Öffnen Sie die Seite der Pflichten wie gewohnt.",
}

// concerning and asked say whom and what a notice is about.
var (
	concerning = map[string]string{"en": "It concerns {person}.", "fr": "Cela concerne {person}.", "de": "Es betrifft {person}."}
	asked      = map[string]string{"en": "Asked for: {about}", "fr": "Demandé : {about}", "de": "Beantragt: {about}"}
)

var texts = map[Kind]map[string]text{
	DutyReminder: {
		"en": {"A duty ends soon", "{what}\nTo be done by {due}.", "Do it, then say so on the page of duties."},
		"fr": {"Une tâche arrive à échéance", "{what}\nÀ faire avant le {due}.", "Faites-la, puis déclarez-le sur la page des tâches."},
		"de": {"Eine Pflicht läuft bald ab", "{what}\nZu erledigen bis {due}.", "Erledigen Sie sie und melden Sie es auf der Seite der Pflichten."},
	},
	DutyOverdue: {
		"en": {"A duty is overdue", "{what}\nThis was due on {due}. The promises it keeps are shown as broken until it is done.", "Do it now, then say so on the page of duties."},
		"fr": {"Une tâche est en retard", "{what}\nL’échéance était le {due}. Les promesses qu’elle tient sont affichées comme rompues tant que ce n’est pas fait.", "Faites-la maintenant, puis déclarez-le sur la page des tâches."},
		"de": {"Eine Pflicht ist überfällig", "{what}\nFällig war sie am {due}. Die Zusagen, die sie einhält, stehen bis zur Erledigung als gebrochen da.", "Erledigen Sie sie jetzt und melden Sie es auf der Seite der Pflichten."},
	},
	DutyAsked: {
		"en": {"Somebody asks for something", "{what}\nTo be decided by {due}.", "Look at it on the page of duties."},
		"fr": {"Une demande vous attend", "{what}\nÀ décider avant le {due}.", "Voyez-la sur la page des tâches."},
		"de": {"Ein Antrag wartet auf Sie", "{what}\nZu entscheiden bis {due}.", "Sehen Sie ihn sich auf der Seite der Pflichten an."},
	},
	DutyReview: {
		"en": {"Something done waits for your review", "{what}\nA colleague says that it is done. A second person has to look at it by {due}.", "Look at it on the page of duties."},
		"fr": {"Une tâche faite attend votre relecture", "{what}\nUn collègue dit que c’est fait. Une seconde personne doit le vérifier avant le {due}.", "Voyez-la sur la page des tâches."},
		"de": {"Etwas Erledigtes wartet auf Ihre Prüfung", "{what}\nLaut Meldung ist es erledigt. Eine zweite Person muss es bis {due} prüfen.", "Sehen Sie es sich auf der Seite der Pflichten an."},
	},
	DutyFailed: {
		"en": {"Evidence speaks against a duty", "{what}\nThe newest evidence says that something is out of order. What was done before does not count any more.", "Look at it on the page of duties, put it right, and have new evidence sent."},
		"fr": {"Une preuve contredit une tâche", "{what}\nLa preuve la plus récente signale une anomalie. Ce qui avait été fait ne compte plus.", "Voyez-la sur la page des tâches, corrigez l’anomalie et faites envoyer une nouvelle preuve."},
		"de": {"Ein Nachweis spricht gegen eine Pflicht", "{what}\nLaut dem neuesten Nachweis ist etwas nicht in Ordnung. Was davor getan wurde, zählt nicht mehr.", "Sehen Sie es sich auf der Seite der Pflichten an, beheben Sie es und lassen Sie einen neuen Nachweis senden."},
	},
	DutyRefused: {
		"en": {"What you asked for was refused", "{what}\nIt was looked at and refused: do not install or use it.", "Look at it on the page of duties, or talk to your colleagues."},
		"fr": {"Votre demande est refusée", "{what}\nLa demande a été examinée et refusée : n’installez pas et n’utilisez pas ce que vous demandiez.", "Voyez-la sur la page des tâches, ou parlez-en avec vos collègues."},
		"de": {"Ihr Antrag wurde abgelehnt", "{what}\nEr wurde geprüft und abgelehnt: Installieren oder verwenden Sie nicht, was Sie beantragt haben.", "Sehen Sie ihn sich auf der Seite der Pflichten an, oder sprechen Sie mit Ihren Kollegen darüber."},
	},
	StatementExpires: {
		"en": {"A statement has to be signed again", "{what}\nThe statement signed for this sentence ends on {due}.", "Make sure that it is still true, then sign it on the page of statements."},
		"fr": {"Une déclaration est à signer de nouveau", "{what}\nLa déclaration signée pour cette phrase prend fin le {due}.", "Assurez-vous qu’elle est toujours vraie, puis signez-la sur la page des déclarations."},
		"de": {"Eine Erklärung ist neu zu unterschreiben", "{what}\nDie Erklärung zu diesem Satz endet am {due}.", "Vergewissern Sie sich, dass er noch stimmt, und unterschreiben Sie auf der Seite der Erklärungen."},
	},
	WaiverAsked: {
		"en": {"An exception waits for a second person", "{what}\nA colleague asks for an exception from this promise until {due}.", "Approve it on the page of exceptions, or talk to your colleague."},
		"fr": {"Une dérogation attend une seconde personne", "{what}\nUn collègue demande une dérogation à cette promesse jusqu’au {due}.", "Approuvez-la sur la page des dérogations, ou parlez-en avec votre collègue."},
		"de": {"Eine Ausnahme wartet auf eine zweite Person", "{what}\nFür diese Zusage ist eine Ausnahme bis {due} beantragt.", "Genehmigen Sie sie auf der Seite der Ausnahmen, oder sprechen Sie darüber."},
	},
}
