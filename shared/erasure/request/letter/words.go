package letter

import (
	"strconv"
	"time"

	"ostiary.internal/shared/calendar"
)

var months = map[string][]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"fr": {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
}

// Date writes a day as people of a language do: 5 April 2026, 1er mai 2026, 5. April 2026; "" for no day.
func Date(d calendar.Day, language string) string {
	names := months[language]
	if d.IsZero() || names == nil {
		return d.String()
	}
	day := strconv.Itoa(d.Day)
	switch {
	case language == "fr" && d.Day == 1:
		day += "er"
	case language == "de":
		day += "."
	}
	return day + " " + names[d.Month-1] + " " + strconv.Itoa(d.Year)
}

// phrases are the lines of lists.
var phrases = map[string]map[string]string{
	"until":    {"en": "until", "fr": "jusqu’au", "de": "bis zum"},
	"open":     {"en": "for as long as that ground holds", "fr": "tant que ce motif subsiste", "de": "solange dieser Grund besteht"},
	"gone":     {"en": "gone by", "fr": "effacées au plus tard le", "de": "gelöscht spätestens am"},
	"none":     {"en": "No backup holds it.", "fr": "Aucune sauvegarde n’en contient.", "de": "Keine Sicherung enthält sie."},
	"rest":     {"en": "places we are still looking into", "fr": "des emplacements que nous examinons encore", "de": "Orte, die wir noch prüfen"},
	"colon":    {"en": ": ", "fr": " : ", "de": ": "},
	"unproved": {"en": "(Nobody has checked who asked. What was given and written:)", "fr": "(Personne n’a vérifié l’identité. Ce qui a été indiqué et écrit :)", "de": "(Niemand hat geprüft, wer das ist. Angegeben und geschrieben wurde:)"},
	"tenant":   {"en": "the company you dealt with", "fr": "l’entreprise avec laquelle vous étiez en relation", "de": "das Unternehmen, mit dem Sie zu tun hatten"},
	"message":  {"en": "A message about request NUMBER named another tenant than its own", "fr": "Un message concernant la demande NUMBER a nommé un autre client que le sien", "de": "Eine Nachricht über den Antrag NUMBER nannte einen anderen Kunden als seinen"},
	"words": {
		"en": "What follows rests on the word of a person of ours, as no search of ours can tell it:",
		"fr": "Ce qui suit repose sur la parole d’une personne de chez nous, car aucune de nos recherches ne peut le dire :",
		"de": "Das Folgende beruht auf dem Wort eines Menschen bei uns, denn keine unserer Suchen kann es sagen:",
	},
	"region":  {"en": "erased in another region, under the reference", "fr": "effacé dans une autre région, sous la référence", "de": "in einer anderen Region gelöscht, unter der Kennung"},
	"letters": {"en": "nothing of yours is there, however it is written", "fr": "rien de vous ne s’y trouve, quelle que soit l’écriture", "de": "nichts von Ihnen steht dort, wie auch immer geschrieben"},
	"group":   {"en": "nobody can be told apart there", "fr": "personne ne peut y être distingué", "de": "niemand ist dort unterscheidbar"},
	"unasked": {"en": "nothing of yours is there", "fr": "rien de vous ne s’y trouve", "de": "nichts von Ihnen steht dort"},
	"review":  {"en": "somebody has looked, and taken out what was yours", "fr": "quelqu’un a regardé et a retiré ce qui était à vous", "de": "jemand hat nachgesehen und entfernt, was von Ihnen war"},
	"unsearched": {
		"en": "Beside an id an address was named that is not the one on file. Nobody has checked whose it is, so it was not searched for; whoever wants that erased too asks for it by itself.",
		"fr": "À côté d’un identifiant, une adresse a été indiquée qui n’est pas celle que nous avons. Personne n’a vérifié à qui elle est : elle n’a pas été recherchée ; qui veut la faire effacer aussi la demande à part.",
		"de": "Neben einer Kennung wurde eine Adresse genannt, die nicht die hinterlegte ist. Niemand hat geprüft, wessen sie ist, deshalb wurde nach ihr nicht gesucht; wer auch das gelöscht haben will, beantragt es für sich.",
	},
	"apart": {
		"en": "Data that belongs to no organisation, if there is any, was left alone: only the person herself can have that erased.",
		"fr": "Les données qui n’appartiennent à aucune organisation, s’il y en a, n’ont pas été touchées : seule la personne elle-même peut les faire effacer.",
		"de": "Daten, die zu keiner Organisation gehören, blieben unberührt, falls es welche gibt: Nur die Person selbst kann sie löschen lassen.",
	},
	"public": {
		"en": "Some of what was erased anybody could see. We tell those we know to show it too that you want it gone (article 17(2) of the GDPR); whoever else copied it you may ask yourself. It was public here:",
		"fr": "Une partie de ce qui a été effacé était visible de tous. Nous informons ceux dont nous savons qu’ils le montrent aussi que vous voulez le voir disparaître (article 17, paragraphe 2, du RGPD) ; vous pouvez vous adresser vous-même à quiconque d’autre l’a copié. C’était public ici :",
		"de": "Einen Teil des Gelöschten konnten alle sehen. Denen, von denen wir wissen, dass sie es auch zeigen, teilen wir mit, dass Sie es gelöscht haben wollen (Artikel 17 Absatz 2 DSGVO); wer es sonst kopiert hat, den können Sie selbst darum bitten. Öffentlich war es hier:",
	},
	"beside": {
		"en": "You named an id and an address. Nobody has checked that both are of one person, so we search by the id; for the address only if it is the one we have on file.",
		"fr": "Vous avez indiqué un identifiant et une adresse. Personne n’a vérifié que les deux sont d’une même personne : nous cherchons par l’identifiant, et l’adresse seulement si c’est celle que nous avons.",
		"de": "Sie haben eine Kennung und eine Adresse genannt. Niemand hat geprüft, dass beide zu einer Person gehören; wir suchen deshalb nach der Kennung, und nach der Adresse nur, wenn es die hinterlegte ist.",
	},
	"items": {"en": "Erasing by age met items in ENTRY that belong to another tenant, or to none", "fr": "L’effacement par âge a rencontré dans ENTRY des éléments d’un autre client, ou d’aucun", "de": "Das Löschen nach Alter traf in ENTRY auf Einträge eines anderen Kunden, oder keines"},
}

// Phrase returns a few words lists are made of: until, open, gone, none, rest, colon, unproved, tenant; what of another tenant
// turned up: message, items; what people said: words, and region, letters, group, unasked, review; and of an address that was named
// beside an id that it was not searched for, or will not be: unsearched, beside; that what belongs to no tenant was left alone: apart; and that
// something was public: public.
func Phrase(name, language string) string { return phrases[name][language] }

// whys are the reasons for which a request cannot go on, for the people who look after it.
var whys = map[string]map[string]string{
	"last_owner":  {"en": "the person is the last owner of her account", "fr": "la personne est la dernière propriétaire de son compte", "de": "die Person ist die letzte Inhaberin ihres Kontos"},
	"unusable":    {"en": "what the person is known by, or the data map, cannot be searched with", "fr": "ce qui identifie la personne, ou la carte des données, ne permet aucune recherche", "de": "womit die Person bekannt ist, oder die Datenkarte, taugt zu keiner Suche"},
	"not_owner":   {"en": "only an owner closes an account or has another owner erased", "fr": "seule une personne propriétaire ferme un compte ou en fait effacer une autre", "de": "nur wer Inhaber ist, schließt ein Konto oder lässt andere Inhaber löschen"},
	"left":        {"en": "something could not be erased", "fr": "quelque chose n’a pas pu être effacé", "de": "etwas konnte nicht gelöscht werden"},
	"unmapped":    {"en": "there are places that nobody has mapped", "fr": "il y a des emplacements que personne n’a répertoriés", "de": "es gibt Orte, die niemand verzeichnet hat"},
	"export":      {"en": "the person gets a copy of her data first", "fr": "la personne reçoit d’abord une copie de ses données", "de": "die Person bekommt zuerst eine Kopie ihrer Daten"},
	"no_contact":  {"en": "the tenant has no contact it could be passed on to", "fr": "le client n’a pas de contact à qui la transmettre", "de": "der Kunde hat keinen Kontakt, an den er gehen könnte"},
	"undelivered": {"en": "the letter that passes it on did not arrive for certain", "fr": "la lettre qui la transmet n’est peut-être pas arrivée", "de": "der Brief, der ihn weitergibt, kam vielleicht nicht an"},
}

// Why says why a request cannot go on.
func Why(why, language string) string { return whys[why][language] }

// Moment writes an instant as people of a language read it, in a zone.
func Moment(at time.Time, zone *time.Location, language string) string {
	return Date(calendar.Date(at, zone), language) + " " + at.In(zone).Format("15:04 MST")
}
