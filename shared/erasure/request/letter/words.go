package letter

import (
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
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

// grounds are the words of each ground in law.
var grounds = map[string]map[string]string{
	"art17-3-a": {
		"en": "we need it to exercise the right of freedom of expression and information (Article 17(3)(a) GDPR)",
		"fr": "elles sont nécessaires à l’exercice du droit à la liberté d’expression et d’information (article 17, paragraphe 3, point a), du RGPD)",
		"de": "sie sind zur Ausübung des Rechts auf freie Meinungsäußerung und Information erforderlich (Artikel 17 Absatz 3 Buchstabe a DSGVO)",
	},
	"art17-3-b": {
		"en": "the law obliges us to keep it, or a task in the public interest needs it (Article 17(3)(b) GDPR)",
		"fr": "une obligation légale ou une mission d’intérêt public nous impose de les conserver (article 17, paragraphe 3, point b), du RGPD)",
		"de": "eine rechtliche Verpflichtung oder eine Aufgabe im öffentlichen Interesse verlangt sie (Artikel 17 Absatz 3 Buchstabe b DSGVO)",
	},
	"art17-3-c": {
		"en": "public health needs it (Article 17(3)(c) GDPR)",
		"fr": "des motifs d’intérêt public dans le domaine de la santé publique l’exigent (article 17, paragraphe 3, point c), du RGPD)",
		"de": "Gründe des öffentlichen Interesses im Bereich der öffentlichen Gesundheit verlangen sie (Artikel 17 Absatz 3 Buchstabe c DSGVO)",
	},
	"art17-3-d": {
		"en": "archiving in the public interest, research or statistics need it (Article 17(3)(d) GDPR)",
		"fr": "des fins archivistiques dans l’intérêt public, de recherche ou statistiques l’exigent (article 17, paragraphe 3, point d), du RGPD)",
		"de": "Archivzwecke im öffentlichen Interesse, Forschung oder Statistik verlangen sie (Artikel 17 Absatz 3 Buchstabe d DSGVO)",
	},
	"art17-3-e": {
		"en": "we need it to establish, exercise or defend legal claims (Article 17(3)(e) GDPR)",
		"fr": "elles sont nécessaires à la constatation, à l’exercice ou à la défense de droits en justice (article 17, paragraphe 3, point e), du RGPD)",
		"de": "sie sind zur Geltendmachung, Ausübung oder Verteidigung von Rechtsansprüchen erforderlich (Artikel 17 Absatz 3 Buchstabe e DSGVO)",
	},
	"statute": {
		"en": "a statute obliges us to keep it for a time (Article 17(3)(b) GDPR)",
		"fr": "une loi nous oblige à les conserver un certain temps (article 17, paragraphe 3, point b), du RGPD)",
		"de": "ein Gesetz verpflichtet uns, sie eine Zeit lang aufzubewahren (Artikel 17 Absatz 3 Buchstabe b DSGVO)",
	},
	"art12-5": {
		"en": "the request is manifestly unfounded or excessive (Article 12(5) GDPR)",
		"fr": "la demande est manifestement infondée ou excessive (article 12, paragraphe 5, du RGPD)",
		"de": "der Antrag ist offenkundig unbegründet oder exzessiv (Artikel 12 Absatz 5 DSGVO)",
	},
	"art17-1": {
		"en": "none of the grounds of Article 17(1) GDPR applies",
		"fr": "aucun des motifs de l’article 17, paragraphe 1, du RGPD ne s’applique",
		"de": "keiner der Gründe des Artikels 17 Absatz 1 DSGVO trifft zu",
	},
	"complexity": {"en": "the request is complex", "fr": "la demande est complexe", "de": "der Antrag ist komplex"},
	"number":     {"en": "we have many requests to answer", "fr": "le nombre de demandes est élevé", "de": "wir haben viele Anträge zu beantworten"},
}

// Ground writes a ground in law, or the reason of an extension, with the provision it rests on. Misconfigured: there are no
// words for it.
func Ground(ground, citation, language string) (string, error) {
	words := grounds[ground][language]
	if words == "" {
		return "", fault.New(fault.Misconfigured, "writing a letter: no words for the ground %.20q in %q", ground, language)
	}
	if citation = Harmless(citation); citation != "" {
		words += ", " + citation
	}
	return words, nil
}

// authorities are the supervisory authorities by country (ISO 3166), each under the name it bears itself.
var authorities = map[string]string{
	"AT": "Österreichische Datenschutzbehörde, dsb.gv.at", "BE": "Autorité de protection des données / Gegevensbeschermingsautoriteit, autoriteprotectiondonnees.be",
	"DE": "Bundesbeauftragte für den Datenschutz und die Informationsfreiheit, bfdi.bund.de", "ES": "Agencia Española de Protección de Datos, aepd.es",
	"FR": "Commission nationale de l’informatique et des libertés (CNIL), cnil.fr", "GB": "Information Commissioner’s Office, ico.org.uk", "UK": "Information Commissioner’s Office, ico.org.uk",
	"IE": "Data Protection Commission, dataprotection.ie", "IT": "Garante per la protezione dei dati personali, garanteprivacy.it",
	"LU": "Commission nationale pour la protection des données, cnpd.public.lu", "NL": "Autoriteit Persoonsgegevens, autoriteitpersoonsgegevens.nl",
}

// Authority names the supervisory authority of a country; "" where none is known.
func Authority(country string) string { return authorities[country] }

var remedies = map[string]string{
	"en": "You may lodge a complaint with a supervisory authority, in particular where you live, where you work or where you think the law was broken (Article 77 GDPR); ours is {authority}. You may also go to court (Article 79 GDPR).",
	"fr": "Vous pouvez introduire une réclamation auprès d’une autorité de contrôle, notamment celle de votre résidence, de votre lieu de travail ou du lieu de la violation supposée (article 77 du RGPD) ; la nôtre est : {authority}. Vous pouvez aussi saisir un tribunal (article 79 du RGPD).",
	"de": "Sie können sich bei einer Aufsichtsbehörde beschweren, insbesondere an Ihrem Aufenthaltsort, Ihrem Arbeitsplatz oder am Ort des vermuteten Verstoßes (Artikel 77 DSGVO); für uns zuständig ist: {authority}. Sie können außerdem vor Gericht gehen (Artikel 79 DSGVO).",
}

var anyAuthority = map[string]string{"en": "the one of our country", "fr": "celle de notre pays", "de": "die unseres Landes"}

// Remedies writes what a person may do about an answer she does not agree with (article 12(4)). authority may be "".
func Remedies(authority, language string) string {
	if authority = Harmless(authority); authority == "" {
		authority = anyAuthority[language]
	}
	return strings.ReplaceAll(remedies[language], "{authority}", authority)
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
	"items":    {"en": "Erasing by age met items in ENTRY that belong to another tenant, or to none", "fr": "L’effacement par âge a rencontré dans ENTRY des éléments d’un autre client, ou d’aucun", "de": "Das Löschen nach Alter traf in ENTRY auf Einträge eines anderen Kunden, oder keines"},
}

// Phrase returns a few words lists are made of: until, open, gone, none, rest, colon, unproved, tenant; and what of another
// tenant turned up: message, items.
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
