package verify

import (
	"fmt"
	"slices"
)

// Code names a kind of failure, for programs.
type Code string

const (
	trustMalformed      Code = "trust_malformed"
	bundleMalformed     Code = "bundle_malformed"
	checkpointMissing   Code = "checkpoint_missing"
	checkpointMalformed Code = "checkpoint_malformed"
	signatureBad        Code = "signature_bad"
	keyUntrusted        Code = "key_untrusted"
	witnessMissing      Code = "witness_missing"
	tailCut             Code = "tail_cut"
	earlierDiffers      Code = "earlier_differs"
	entriesMissing      Code = "entries_missing"
	entriesCut          Code = "entries_cut"
	entriesDamaged      Code = "entries_damaged"
	tileMissing         Code = "tile_missing"
	tileDiffers         Code = "tile_differs"
	recordDiffers       Code = "record_differs"
	rootDiffers         Code = "root_differs"
	recordMalformed     Code = "record_malformed"
	checkpointsForked   Code = "checkpoints_forked"
	runMissing          Code = "run_missing"
	runsUncounted       Code = "runs_uncounted"
	pageMissing         Code = "page_missing"
	pageDiffers         Code = "page_differs"
	pageWrong           Code = "page_wrong"
	pageUnrecorded      Code = "page_unrecorded"
	registerMissing     Code = "register_missing"
	registerMalformed   Code = "register_malformed"
	payloadDiffers      Code = "payload_differs"
	payloadUnknown      Code = "payload_unknown"
	saltMissing         Code = "salt_missing"
	proofMalformed      Code = "proof_malformed"
	proofDiffers        Code = "proof_differs"
)

// Languages are those a failure can be told in; the first is the default.
var languages = []string{"en", "fr", "de"}

// Languages returns the languages Text knows, the default first.
func Languages() []string { return slices.Clone(languages) }

// meaning is what a code leads to and how it is told, in the order of the languages. Each text takes the place.
type meaning struct {
	outcome Outcome
	texts   [3]string
}

var codes = map[Code]meaning{
	trustMalformed:      {Malformed, [3]string{"%s: the trust file cannot be read", "%s : le fichier de confiance est illisible", "%s: Die Vertrauensdatei ist nicht lesbar"}},
	bundleMalformed:     {Malformed, [3]string{"%s: the bundle is not of the form of one", "%s : le dossier de preuves n'a pas la forme voulue", "%s: Das Bündel hat nicht die vorgesehene Form"}},
	checkpointMissing:   {Incomplete, [3]string{"%s: the signed checkpoint is missing", "%s : le point de contrôle signé manque", "%s: Der signierte Prüfpunkt fehlt"}},
	checkpointMalformed: {Malformed, [3]string{"%s: the checkpoint cannot be read", "%s : le point de contrôle est illisible", "%s: Der Prüfpunkt ist nicht lesbar"}},
	signatureBad:        {Tampered, [3]string{"%s: a trusted key's signature does not fit the text", "%s : la signature d'une clé de confiance ne correspond pas au texte", "%s: Die Signatur eines vertrauten Schlüssels passt nicht zum Text"}},
	keyUntrusted:        {Untrusted, [3]string{"%s: no trusted key has signed for this log and size", "%s : aucune clé de confiance n'a signé pour ce journal et cette taille", "%s: Kein vertrauter Schlüssel hat für dieses Protokoll und diese Größe signiert"}},
	witnessMissing:      {Untrusted, [3]string{"%s: no trusted witness has cosigned", "%s : aucun témoin de confiance n'a cosigné", "%s: Kein vertrauter Zeuge hat mitsigniert"}},
	tailCut:             {Incomplete, [3]string{"%s: the log ends before a checkpoint that was signed earlier", "%s : le journal s'arrête avant un point de contrôle signé plus tôt", "%s: Das Protokoll endet vor einem früher signierten Prüfpunkt"}},
	earlierDiffers:      {Tampered, [3]string{"%s: the log does not extend this earlier checkpoint", "%s : le journal ne prolonge pas ce point de contrôle antérieur", "%s: Das Protokoll setzt diesen früheren Prüfpunkt nicht fort"}},
	entriesMissing:      {Incomplete, [3]string{"%s: records that were signed are missing", "%s : des enregistrements signés manquent", "%s: Signierte Aufzeichnungen fehlen"}},
	entriesCut:          {Incomplete, [3]string{"%s: ends before all records that were signed", "%s : s'arrête avant tous les enregistrements signés", "%s: Endet vor allen signierten Aufzeichnungen"}},
	entriesDamaged:      {Tampered, [3]string{"%s: is not what was signed: it cannot be taken apart into records", "%s : n'est pas ce qui a été signé : impossible d'en séparer les enregistrements", "%s: Ist nicht, was signiert wurde: Es lässt sich nicht in Aufzeichnungen zerlegen"}},
	tileMissing:         {Incomplete, [3]string{"%s: a tile of hashes is missing", "%s : une tuile d'empreintes manque", "%s: Eine Kachel mit Prüfsummen fehlt"}},
	tileDiffers:         {Tampered, [3]string{"%s: the hashes are not those of the records", "%s : les empreintes ne sont pas celles des enregistrements", "%s: Die Prüfsummen sind nicht die der Aufzeichnungen"}},
	recordDiffers:       {Tampered, [3]string{"record %s: is not the one whose hash was logged", "enregistrement %s : n'est pas celui dont l'empreinte a été journalisée", "Aufzeichnung %s: Ist nicht die, deren Prüfsumme protokolliert wurde"}},
	rootDiffers:         {Tampered, [3]string{"%s: the records do not lead to the root that was signed", "%s : les enregistrements ne mènent pas à la racine signée", "%s: Die Aufzeichnungen führen nicht zur signierten Wurzel"}},
	recordMalformed:     {Malformed, [3]string{"record %s: was signed, but is not a record", "enregistrement %s : a été signé, mais n'en est pas un", "Aufzeichnung %s: Wurde signiert, ist aber keine Aufzeichnung"}},
	runMissing:          {Incomplete, [3]string{"%s: records of runs are missing", "%s : des enregistrements d'exécution manquent", "%s: Aufzeichnungen von Läufen fehlen"}},
	checkpointsForked:   {Tampered, [3]string{"%s: the log's key has signed another log of the same size", "%s : la clé du journal a signé un autre journal de la même taille", "%s: Der Schlüssel des Protokolls hat ein anderes Protokoll derselben Größe signiert"}},
	runsUncounted:       {Incomplete, [3]string{"%s: more controls run, or more runs are missing, than can be followed", "%s : plus de contrôles ou d'exécutions manquantes qu'on n'en peut suivre", "%s: Mehr Kontrollen oder fehlende Läufe, als verfolgt werden können"}},
	pageMissing:         {Incomplete, [3]string{"%s: the page that the log names is missing", "%s : la page que nomme le journal manque", "%s: Die Seite, die das Protokoll nennt, fehlt"}},
	pageDiffers:         {PageDiffers, [3]string{"%s: is not the page that the log names", "%s : n'est pas la page que nomme le journal", "%s: Ist nicht die Seite, die das Protokoll nennt"}},
	pageWrong:           {PageDiffers, [3]string{"%s: the records lead to another page", "%s : les enregistrements mènent à une autre page", "%s: Die Aufzeichnungen führen zu einer anderen Seite"}},
	pageUnrecorded:      {PageDiffers, [3]string{"%s: the log names no page", "%s : le journal ne nomme aucune page", "%s: Das Protokoll nennt keine Seite"}},
	registerMissing:     {Incomplete, [3]string{"%s: the register of promises is missing", "%s : le registre des promesses manque", "%s: Das Verzeichnis der Versprechen fehlt"}},
	registerMalformed:   {Malformed, [3]string{"%s: the register of promises cannot be read", "%s : le registre des promesses est illisible", "%s: Das Verzeichnis der Versprechen ist nicht lesbar"}},
	payloadDiffers:      {Tampered, [3]string{"%s: is not the payload its record commits to", "%s : n'est pas la charge à laquelle s'engage son enregistrement", "%s: Ist nicht der Inhalt, auf den sich seine Aufzeichnung festlegt"}},
	payloadUnknown:      {Tampered, [3]string{"%s: no record commits to this payload", "%s : aucun enregistrement ne s'engage à cette charge", "%s: Keine Aufzeichnung legt sich auf diesen Inhalt fest"}},
	saltMissing:         {Incomplete, [3]string{"%s: the salt is missing without which the payload proves nothing", "%s : il manque le sel sans lequel la charge ne prouve rien", "%s: Es fehlt das Salz, ohne das der Inhalt nichts beweist"}},
	proofMalformed:      {Malformed, [3]string{"%s: the proof cannot be read", "%s : la preuve est illisible", "%s: Der Beweis ist nicht lesbar"}},
	proofDiffers:        {Tampered, [3]string{"%s: the proof does not hold for the record", "%s : la preuve ne vaut pas pour l'enregistrement", "%s: Der Beweis gilt nicht für die Aufzeichnung"}},
}

// Text is the failure as one line for a person, in English unless the language is known: en, fr, de. Why follows in
// English: it is for whoever mends the bundle.
func (f Failure) Text(language string) string {
	text := fmt.Sprintf(codes[f.Code].texts[max(slices.Index(languages, language), 0)], f.Where)
	if f.Why != "" {
		text += " (" + f.Why + ")"
	}
	return text
}
