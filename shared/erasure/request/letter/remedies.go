package letter

import "strings"

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
