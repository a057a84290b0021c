package promise

import (
	"regexp"
	"slices"
	"strings"
)

// opposite is a kind of sentence, and the kind of sentence that denies it. Each language has its own words; a
// sentence belongs to a kind when one of the patterns matches its plain form.
type opposite struct {
	claim, counter []*regexp.Regexp
	text, next     string // {claim} and {counter} stand for ids
}

func patterns(all ...string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, p := range all {
		out = append(out, regexp.MustCompile(p))
	}
	return out
}

// holders are companies that keep data for others.
const holders = `(dropbox|stripe|authorize\.net|paypal|mailchimp|sendgrid|hubspot|salesforce|slack|box\.com|onedrive|backblaze|aws|amazon|azure|google cloud|ovh|hetzner)`

func opposites() []opposite {
	return []opposite{{
		claim: patterns(
			`developers? .*(cannot|can not|no possibility|not have the possibility|have no access|never).* (live|real|production)`,
			`développeurs .*(n'ont pas|ne peuvent pas|aucun accès|n'accèdent pas|jamais).* (réelles|en direct|live|de production)`,
			`entwickler .*(keine möglichkeit|keinen zugriff|können nicht|niemals).*(live-|echt|produktiv)`),
		counter: patterns(
			`develop\S* .*(impersonate|act as users?|log in as)`,
			`développe\S* .*(usurp|se faire passer pour|prendre l'identité|agir au nom)`,
			`entwickl\S* .*als (benutzer|nutzer|kunden) aus(geben|gibt)`),
		text: "{claim} says that developers cannot reach live data; by {counter} they may act as users, who see live data.",
		next: "Say in {claim} that acting as a user is the one exception, or take the right away and {counter} out.",
	}, {
		claim: patterns(
			`(do not|don't|never|no) .*(import|store|collect|keep).*(personal|identif)`,
			`(n'importons|ne stockons|ne conservons|ne recueillons|ne collectons|aucune) .*(personnelles|identifiables|nominatives)`,
			`(keine|nicht|niemals) .*(personenbezogen|persönlich|identifizier).*(importier|speicher|erheb|erfass)`,
			`(importieren|speichern|erheben|erfassen) .*keine .*(personenbezogen|persönlich|identifizier)`),
		counter: patterns(
			`(import|store|read|collect)\S* .*(subject line|event title|free text|description field|notes)`,
			`(importe|stocke|collecte|enregistre|lit)\S* .*(ligne d'objet|objet du|titre de l'événement|texte libre)`,
			`(importier|speicher|lies|erfass)\S* .*(betreff|terminbeschreibung|freitext)`),
		text: "{claim} says that nothing personal is kept; by {counter} a line of free text comes in, which often holds names.",
		next: "Leave the free text out, or say in {claim} what of it is kept and for how long.",
	}, {
		claim: patterns(
			`no third part(y|ies) .*(receiv|get|obtain|has access|have access)`,
			`(pas de|aucune?) tiers .*(reçoi|obtien|accè)`,
			`(kein|keine|keinem) dritte\S* .*(erh[aä]lt|bekomm|zugriff)`),
		counter: patterns(
			`(host|stor|kept|back(ed)? ?up|sav)\S* .*`+holders,
			`(héberg|stock|sauvegard|conserv|encadr)\S* .*`+holders,
			`(gehostet|gespeichert|gesichert|aufbewahrt|sicherung)\S* .*`+holders, holders+` .*(gehostet|gespeichert|gesichert)`),
		text: "{claim} says that no third party receives data; by {counter} data lies with one that is named.",
		next: "Publish the list of processors, and say in {claim} \"nobody but those\"; or move that data back.",
	}, {
		claim: patterns(
			`(only|no data other than|nothing but) .*(voluntar|given by the)`,
			`(aucune donnée autre que|uniquement|seules|que les données) .*volontairement`,
			`(nur|keine anderen daten|ausschließlich) .*freiwillig`),
		counter: patterns(
			`(usage data|usage behaviou?r|tracks? |tracking of|pages? (they|users?) visit)`,
			`(données d'utilisation|comportement|suivi de l'usage|(endroits|pages|écrans) .*(visité|consulté))`,
			`(nutzungsdaten|nutzungsverhalten|seiten.* besucht)`),
		text: "{claim} says that only what people give of their own will is collected; by {counter} it is recorded how they use the product.",
		next: "Name usage data in {claim}, with its purpose, or stop collecting it.",
	}}
}

// opposed finds promises that deny each other in words.
func opposed(t *texts) []Finding {
	var all []Finding
	sentences := once(t.all, nil)
	for _, o := range opposites() {
		claims, counters := t.match(sentences, o.claim), t.match(sentences, o.counter)
		// A sentence that holds both sides explains itself.
		counters = slices.DeleteFunc(counters, func(s sentence) bool { return slices.Contains(idsOf(claims), s.ID) })
		if len(claims) == 0 || len(counters) == 0 {
			continue
		}
		// People compare what stands on one page: claims in the language of a counter come first.
		slices.SortStableFunc(claims, func(a, b sentence) int { return t.beside(b, counters) - t.beside(a, counters) })
		say := strings.NewReplacer("{claim}", list(idsOf(claims[:1])), "{counter}", list(idsOf(counters)))
		all = append(all, found(Contradiction, say.Replace(o.text), say.Replace(o.next), slices.Concat(claims[:1], counters, claims[1:])...))
	}
	return slices.Concat(all, t.exclusive(), denied(t))
}

// beside weighs a sentence by how near the nearest of others stands: the same section, the same language.
func (t *texts) beside(s sentence, others []sentence) int {
	near := 0
	for _, o := range others {
		if o.language == s.language {
			near = max(near, 1)
		}
		if o.Source == s.Source {
			near = max(near, 2)
		}
	}
	return near
}

// match returns the sentences one of the patterns matches. Where everything is hosted is no third party.
func (t *texts) match(all []sentence, any []*regexp.Regexp) []sentence {
	var out []sentence
	for _, s := range all {
		text := s.plain
		if t.provider != "" {
			text = strings.ReplaceAll(text, t.provider, "")
		}
		if slices.ContainsFunc(any, func(p *regexp.Regexp) bool { return p.MatchString(text) }) {
			out = append(out, s)
		}
	}
	return out
}

var only = patterns(` (only|exclusively|limited to|nobody but) `, ` (seuls?|seules?|uniquement|exclusivement|réservée?s?|limitée?s?) `, ` (nur|ausschließlich|beschränkt|begrenzt)[ .]`)

// exclusive finds promises of one check that each let only some in, and not the same.
func (t *texts) exclusive() []Finding {
	var all []Finding
	seen := map[string]bool{}
	sentences := t.match(once(t.all, nil), only)
	for i, a := range sentences {
		for _, name := range sortedKeys(a.Params) {
			param := a.Params[name]
			if len(param.Values) < 2 || param.Op != "" || seen[a.root+" "+name] {
				continue
			}
			var others, same []sentence
			for _, b := range sentences[i+1:] {
				switch other, has := b.Params[name]; {
				case b.root == a.root:
					same = append(same, b)
				case has && b.Check == a.Check && !sameValues(param.Values, other.Values):
					others = append(others, b)
					seen[b.root+" "+name] = true
				}
			}
			if len(others) > 0 {
				seen[a.root+" "+name] = true
				all = append(all, found(Contradiction,
					a.ID+" lets only "+strings.Join(param.Values, " and ")+" in, and "+others[0].ID+" only "+strings.Join(others[0].Params[name].Values, " and ")+".",
					"Make the "+name+" of "+list(idsOf(slices.Concat([]sentence{a}, others)))+" the same in text and params, or say in each which data it is about.",
					slices.Concat([]sentence{a}, others, same)...))
			}
		}
	}
	return all
}

func sameValues(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}
