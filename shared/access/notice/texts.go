package notice

import "ostiary.internal/shared/access/otp"

// text is one notice in one language: subject, what happened, what to do if it was not you. {name}, {at}, {by},
// {count} and {left} are filled in.
type text struct{ subject, body, next string }

// signature ends every message: why it came, in the reader's language.
var signature = map[string]string{
	"en": "You get this message because it concerns your own sign-in. It holds no link on purpose: open the page the way you always do.",
	"fr": "Vous recevez ce message parce qu’il concerne votre propre accès. Il ne contient volontairement aucun lien : ouvrez la page comme d’habitude.",
	"de": "Sie erhalten diese Nachricht, weil sie Ihren eigenen Zugang betrifft. Sie enthält absichtlich keinen Link: Öffnen Sie die Seite wie gewohnt.",
}

// notYou is what to do when the person did not do it herself.
var notYou = map[string]string{
	"en": "If this was not you, call the security team now.",
	"fr": "Si ce n’était pas vous, appelez l’équipe de sécurité maintenant.",
	"de": "Waren Sie das nicht, rufen Sie jetzt das Sicherheitsteam an.",
}

// forManager opens the copy of a notice that an attacker would like to hide: the person's manager gets it too.
var forManager = map[string]string{
	"en": "This was sent to {person}, whose manager you are. Ask in person whether it was expected. It read:",
	"fr": "Ceci a été envoyé à {person}, dont vous êtes responsable. Demandez-lui de vive voix si elle ou il s’y attendait. Le message :",
	"de": "Dies wurde an {person} gesendet, in Ihrer Verantwortung als Führungskraft. Fragen Sie persönlich nach, ob es erwartet war. Der Wortlaut:",
}

var texts = map[otp.NoticeKind]map[string]text{
	otp.AuthenticatorAdded: {
		"en": {"A one-time-password app was added", "The app “{name}” was added to your account on {at}.", ""},
		"fr": {"Une application de mots de passe à usage unique a été ajoutée", "L’application « {name} » a été ajoutée à votre compte le {at}.", ""},
		"de": {"Eine Einmalpasswort-App wurde hinzugefügt", "Die App „{name}“ wurde am {at} zu Ihrem Konto hinzugefügt.", ""},
	},
	otp.AuthenticatorRemoved: {
		"en": {"A one-time-password app was removed", "The app “{name}” no longer works since {at}.", ""},
		"fr": {"Une application de mots de passe à usage unique a été retirée", "L’application « {name} » ne fonctionne plus depuis le {at}.", ""},
		"de": {"Eine Einmalpasswort-App wurde entfernt", "Die App „{name}“ gilt seit {at} nicht mehr.", ""},
	},
	otp.CodeReplayed: {
		"en": {"A code of yours was used twice", "On {at} somebody tried a code of “{name}” that had been used already. The second try was refused.", "If you did not type it twice yourself, somebody else has seen your code: call the security team now."},
		"fr": {"Un de vos codes a été présenté deux fois", "Le {at}, quelqu’un a présenté un code de « {name} » déjà utilisé. Le second essai a été refusé.", "Si vous ne l’avez pas saisi deux fois vous-même, quelqu’un a vu votre code : appelez l’équipe de sécurité maintenant."},
		"de": {"Einer Ihrer Codes wurde zweimal benutzt", "Am {at} hat jemand einen schon benutzten Code von „{name}“ eingegeben. Der zweite Versuch wurde abgelehnt.", "Wenn Sie ihn nicht selbst zweimal eingegeben haben, hat ihn jemand gesehen: Rufen Sie jetzt das Sicherheitsteam an."},
	},
	otp.AccountLocked: {
		"en": {"Your one-time passwords are locked", "After {count} wrong codes in a row no code is checked any more, since {at}.", "Use a recovery code, or ask the security team for a reset. If the tries were not yours, say so."},
		"fr": {"Vos mots de passe à usage unique sont bloqués", "Après {count} codes erronés de suite, aucun code n’est plus vérifié depuis le {at}.", "Utilisez un code de secours ou demandez une réinitialisation. Si ces essais n’étaient pas les vôtres, dites-le."},
		"de": {"Ihre Einmalpasswörter sind gesperrt", "Nach {count} falschen Codes in Folge wird seit {at} kein Code mehr geprüft.", "Nutzen Sie einen Wiederherstellungscode oder bitten Sie um Zurücksetzung. Waren es nicht Ihre Versuche, sagen Sie es."},
	},
	otp.RecoveryUsed: {
		"en": {"A recovery code was used", "A recovery code of yours was used on {at} to set up a new app. Codes left: {left}.", ""},
		"fr": {"Un code de secours a été utilisé", "Un de vos codes de secours a été utilisé le {at} pour configurer une nouvelle application. Codes restants : {left}.", ""},
		"de": {"Ein Wiederherstellungscode wurde benutzt", "Am {at} wurde einer Ihrer Wiederherstellungscodes benutzt, um eine neue App einzurichten. Übrige Codes: {left}.", ""},
	},
	otp.RecoveryRenewed: {
		"en": {"You have new recovery codes", "New recovery codes were made on {at}. The old ones no longer work.", ""},
		"fr": {"Vous avez de nouveaux codes de secours", "De nouveaux codes de secours ont été créés le {at}. Les anciens ne fonctionnent plus.", ""},
		"de": {"Sie haben neue Wiederherstellungscodes", "Am {at} wurden neue Wiederherstellungscodes erstellt. Die alten gelten nicht mehr.", ""},
	},
	otp.LinkIssued: {
		"en": {"The security team made an enrolment link for you", "On {at} an enrolment link was made for your account. Somebody of the security team hands it to you.", "If you did not ask for it, call the security team now."},
		"fr": {"L’équipe de sécurité a créé un lien d’inscription pour vous", "Le {at}, un lien d’inscription a été créé pour votre compte. L’équipe de sécurité vous le remet en main propre.", "Si vous ne l’avez pas demandé, appelez l’équipe de sécurité maintenant."},
		"de": {"Das Sicherheitsteam hat einen Einrichtungslink für Sie erstellt", "Am {at} wurde ein Einrichtungslink für Ihr Konto erstellt. Jemand vom Sicherheitsteam übergibt ihn Ihnen.", "Wenn Sie ihn nicht verlangt haben, rufen Sie jetzt das Sicherheitsteam an."},
	},
	otp.ResetRequested: {
		"en": {"A reset of your one-time passwords was asked for", "On {at} a reset of all your one-time-password apps was asked for. A second person must approve it.", "If you did not want it, refuse it on the page for one-time-password apps, and call the security team now."},
		"fr": {"Une réinitialisation de vos mots de passe à usage unique a été demandée", "Le {at}, la réinitialisation de toutes vos applications a été demandée. Une seconde personne doit l’approuver.", "Si vous ne la vouliez pas, refusez-la sur la page des applications et appelez l’équipe de sécurité maintenant."},
		"de": {"Eine Zurücksetzung Ihrer Einmalpasswörter wurde beantragt", "Am {at} wurde beantragt, alle Ihre Einmalpasswort-Apps zurückzusetzen. Eine zweite Person muss zustimmen.", "Wenn Sie das nicht wollten, lehnen Sie es auf der Seite für Einmalpasswort-Apps ab und rufen Sie jetzt das Sicherheitsteam an."},
	},
	otp.ResetApproved: {
		"en": {"Your one-time passwords were reset", "All your one-time-password apps and registered addresses ended on {at}. Set up a new app when you next register.", ""},
		"fr": {"Vos mots de passe à usage unique ont été réinitialisés", "Toutes vos applications et adresses enregistrées ont pris fin le {at}. Configurez une nouvelle application au prochain enregistrement.", ""},
		"de": {"Ihre Einmalpasswörter wurden zurückgesetzt", "Alle Ihre Apps und angemeldeten Adressen endeten am {at}. Richten Sie bei der nächsten Anmeldung eine neue App ein.", ""},
	},
	otp.ResetRefused: {
		"en": {"The reset of your one-time passwords was refused", "The reset asked for was refused on {at}. Nothing has changed.", ""},
		"fr": {"La réinitialisation de vos mots de passe à usage unique a été refusée", "La réinitialisation demandée a été refusée le {at}. Rien n’a changé.", ""},
		"de": {"Die Zurücksetzung Ihrer Einmalpasswörter wurde abgelehnt", "Die beantragte Zurücksetzung wurde am {at} abgelehnt. Nichts hat sich geändert.", ""},
	},
	otp.DriftCorrected: {
		"en": {"Your one-time-password app was matched again", "The app “{name}” was matched with our clock on {at}.", ""},
		"fr": {"Votre application de mots de passe à usage unique a été resynchronisée", "L’application « {name} » a été resynchronisée le {at}.", ""},
		"de": {"Ihre Einmalpasswort-App wurde abgeglichen", "Die App „{name}“ wurde am {at} mit unserer Uhr abgeglichen.", ""},
	},
	otp.DriftWasZeroed: {
		"en": {"The clock correction of your one-time-password app was set to zero", "The security team set the clock correction of “{name}” to zero on {at}. The reason given: {reason}", "If its codes are refused now, match it again with two codes in a row on the page for one-time-password apps."},
		"fr": {"La correction d’horloge de votre application de mots de passe à usage unique a été remise à zéro", "L’équipe de sécurité a remis à zéro la correction d’horloge de « {name} » le {at}. La raison donnée : {reason}", "Si ses codes sont refusés désormais, resynchronisez-la avec deux codes consécutifs sur la page des applications."},
		"de": {"Die Uhrkorrektur Ihrer Einmalpasswort-App wurde auf null gesetzt", "Das Sicherheitsteam hat die Uhrkorrektur von „{name}“ am {at} auf null gesetzt. Der genannte Grund: {reason}", "Wenn ihre Codes jetzt abgelehnt werden, gleichen Sie sie auf der Seite für Einmalpasswort-Apps mit zwei aufeinanderfolgenden Codes ab."},
	},
	otp.TokenAssigned: {
		"en": {"A hardware token was assigned to you", "The hardware token “{name}” was assigned to you on {at}. It does not work yet.", "When you have it in your hand, open the page for one-time-password apps and type two codes of it that follow each other. If you expected no token, call the security team."},
		"fr": {"Un jeton matériel vous a été attribué", "Le jeton matériel « {name} » vous a été attribué le {at}. Il ne fonctionne pas encore.", "Quand vous l’avez en main, ouvrez la page des applications et saisissez deux de ses codes consécutifs. Si vous n’attendiez aucun jeton, appelez l’équipe de sécurité."},
		"de": {"Ihnen wurde ein Hardware-Token zugewiesen", "Der Hardware-Token „{name}“ wurde Ihnen am {at} zugewiesen. Er gilt noch nicht.", "Wenn Sie ihn in der Hand haben, öffnen Sie die Seite für Einmalpasswort-Apps und geben Sie zwei aufeinanderfolgende Codes ein. Wenn Sie keinen Token erwarten, rufen Sie das Sicherheitsteam an."},
	},
	otp.RolloverDue: {
		"en": {"Replace your one-time-password app", "The app “{name}” must be replaced; it stops working on {by}.", "Open the page for one-time-password apps and add a new one in its place."},
		"fr": {"Remplacez votre application de mots de passe à usage unique", "L’application « {name} » doit être remplacée ; elle cessera de fonctionner le {by}.", "Ouvrez la page des applications et ajoutez-en une nouvelle à sa place."},
		"de": {"Ersetzen Sie Ihre Einmalpasswort-App", "Die App „{name}“ muss ersetzt werden; sie gilt nur bis {by}.", "Öffnen Sie die Seite für Einmalpasswort-Apps und richten Sie an ihrer Stelle eine neue ein."},
	},
}
