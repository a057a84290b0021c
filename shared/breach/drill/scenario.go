package drill

// scenarios are what is said to have happened, by language, in turn from exercise to exercise.
var scenarios = []map[string]string{
	{
		"en": "Exercise: an export with customers' people went to a wrong address at 8 this morning. The recipient has not answered. Play it through: answer, say whose data, score, decide, write the first notice, have it approved.",
		"fr": "Exercice : un export contenant des personnes de clients est parti à une mauvaise adresse ce matin à 8 h. Le destinataire n'a pas répondu. Jouez-le : répondre, dire à qui sont les données, évaluer, décider, rédiger le premier avis, le faire approuver.",
		"de": "Übung: Ein Export mit Personen von Kunden ging heute um 8 Uhr an eine falsche Adresse. Der Empfänger hat nicht geantwortet. Spielen Sie es durch: antworten, sagen, wessen Daten es sind, bewerten, entscheiden, die erste Mitteilung verfassen und freigeben lassen.",
	},
	{
		"en": "Exercise: a database was encrypted overnight and a ransom is asked for. The backup is two days old; whether data was copied is not known. Play it through: answer, say whose data, score, decide, write the first notice, have it approved.",
		"fr": "Exercice : une base de données a été chiffrée cette nuit et une rançon est demandée. La sauvegarde a deux jours ; on ignore si des données ont été copiées. Jouez-le : répondre, dire à qui sont les données, évaluer, décider, rédiger le premier avis, le faire approuver.",
		"de": "Übung: Eine Datenbank wurde nachts verschlüsselt, Lösegeld wird verlangt. Die Sicherung ist zwei Tage alt; ob Daten kopiert wurden, ist unbekannt. Spielen Sie es durch: antworten, sagen, wessen Daten es sind, bewerten, entscheiden, die erste Mitteilung verfassen und freigeben lassen.",
	},
	{
		"en": "Exercise: a laptop that was not encrypted was stolen from a train, with lists of two customers on it. Play it through: answer, say whose data, score, decide, write the first notice, have it approved.",
		"fr": "Exercice : un ordinateur portable non chiffré a été volé dans un train, avec des listes de deux clients. Jouez-le : répondre, dire à qui sont les données, évaluer, décider, rédiger le premier avis, le faire approuver.",
		"de": "Übung: Ein unverschlüsseltes Notebook mit Listen zweier Kunden wurde im Zug gestohlen. Spielen Sie es durch: antworten, sagen, wessen Daten es sind, bewerten, entscheiden, die erste Mitteilung verfassen und freigeben lassen.",
	},
	{
		"en": "Exercise: one customer saw records of another on screen for an hour after a release. Play it through: answer, say whose data, score, decide, write the first notice, have it approved.",
		"fr": "Exercice : après une mise en production, un client a vu à l'écran des fiches d'un autre pendant une heure. Jouez-le : répondre, dire à qui sont les données, évaluer, décider, rédiger le premier avis, le faire approuver.",
		"de": "Übung: Nach einer Auslieferung sah ein Kunde eine Stunde lang Datensätze eines anderen. Spielen Sie es durch: antworten, sagen, wessen Daten es sind, bewerten, entscheiden, die erste Mitteilung verfassen und freigeben lassen.",
	},
}

func scenarioOf(n int, language string) string {
	texts := scenarios[n%len(scenarios)]
	if text, known := texts[language]; known {
		return text
	}
	return texts["en"]
}

// words are those of results, by language.
var words = map[string]map[string]string{
	string(Passed): {"en": "passed", "fr": "réussi", "de": "bestanden"},
	string(Failed): {"en": "failed", "fr": "échoué", "de": "nicht bestanden"},
	Ack:            {"en": "somebody answered", "fr": "quelqu’un a répondu", "de": "jemand hat geantwortet"},
	Approve:        {"en": "a notice was approved", "fr": "un avis a été approuvé", "de": "eine Mitteilung wurde freigegeben"},
	Deliver:        {"en": "a notice arrived", "fr": "un avis est arrivé", "de": "eine Mitteilung kam an"},
}
