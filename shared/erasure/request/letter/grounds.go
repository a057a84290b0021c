package letter

import "ostiary.internal/shared/platform/fault"

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
