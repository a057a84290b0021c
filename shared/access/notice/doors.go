package notice

import (
	"io"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/staff"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// Doors tells the security team, and the owners, what others did to a door of the allow-list. It is safe for concurrent use.
type Doors struct {
	*staff.Sender
	policy *policy.Policy
	clock  clock.Clock
}

// NewDoors returns a Doors that seals with keys.
func NewDoors(p *policy.Policy, keys *seal.Cache, random io.Reader, clk clock.Clock) *Doors {
	return &Doors{staff.New(keys, random), p, clk}
}

// Tell puts a message to each of them into the batch. It does no I/O. Transient: Ready has not succeeded yet.
func (d *Doors) Tell(b *outbox.Batch, n allowlist.Notice) error {
	var to []string
	for _, p := range d.policy.People {
		if p.Active(d.clock.Now()) && (p.Has(policy.Security) || p.Has(policy.Owner)) {
			to = append(to, p.ID)
		}
	}
	return staff.Each(d.Sender, b, "access-door", n.Key, to, d.policy.PersonByID, func(p policy.Person) (string, message.Content, error) {
		content, err := d.write(n, p)
		return p.Language, content, err
	})
}

// write is the text for one reader. What a person or a service is called is the policy's word; names of rules are of
// whoever made them.
func (d *Doors) write(n allowlist.Notice, to policy.Person) (message.Content, error) {
	t, ok := doors[to.Language]
	if !ok {
		return message.Content{}, fault.New(fault.Misconfigured, "writing a notice about a door: no text in %q", to.Language)
	}
	what := t.touched
	var who string
	switch {
	case n.Late > 0:
		what = t.late
	case len(n.Wider) > 0:
		what = t.wider
	case n.Frame && n.Call.Entry == "":
		what = t.frame
	case n.Call.Person != "":
		who = n.Call.Person
		if p, known := d.policy.PersonByID(n.Call.Person); known {
			who = p.Name
		}
		if n.Call.Person == to.ID {
			who = t.you
		}
	case n.Call.Entry != "":
		who = t.service + " " + strings.Join(n.Call.Chain, ", ")
	default:
		what = t.nobody
	}
	if n.Frame && who != "" {
		what = t.framed
	}
	var rules strings.Builder
	for _, rule := range n.Wider {
		rules.WriteString("\n- " + harmless(rule))
	}
	at := n.Call.At
	if at.IsZero() {
		at = n.Found
	}
	fill := strings.NewReplacer("{door}", n.Target, "{who}", harmless(who), "{at}", local(at.Format(time.RFC3339Nano), to.Location()),
		"{found}", local(n.Found.Format(time.RFC3339Nano), to.Location()), "{method}", harmless(strings.ReplaceAll(n.Call.Method, ".", " ")), "{rules}", rules.String(), "{late}", strconv.Itoa(n.Late))
	return message.Content{Subject: "Ostiary: " + fill.Replace(what.subject), Text: fill.Replace(what.body) + "\n\n" + what.next + "\n\n--\n" + t.signature + "\n"}, nil
}

// doorTexts are the texts in one language.
type doorTexts struct {
	touched, nobody, wider  text
	late, frame, framed     text
	you, service, signature string
}

var doors = map[string]doorTexts{
	"en": {
		touched: text{"the door “{door}” was changed past the registrations", "{who} changed the door “{door}” on {at} (call: {method}). It was seen on {found}, and put back to exactly what is registered.",
			"Ask why. Whoever needs to come in registers the address, or asks for a fixed site; what is changed by hand does not stay."},
		nobody: text{"the door “{door}” was changed past the registrations", "Somebody changed the door “{door}”. It was seen on {found}, and put back to exactly what is registered. The audit log names nobody.",
			"Look who may change this door, and whether the audit log of its service reaches Ostiary."},
		wider: text{"other rules let more in than the door “{door}”", "Since {found} these rules apply beside the door “{door}”, so that registered addresses are not all that counts:{rules}",
			"Narrow or remove them, or give them a lower precedence. Ostiary does not change rules that are not its own."},
		frame: text{"what the door “{door}” guards was changed", "On {found} the door “{door}” was seen to be made otherwise than before: other ports, protocols, machines or a default. The audit log names nobody.",
			"Hold it against Terraform, and apply that again where it should not be so. Ostiary writes addresses alone, and does not put this back."},
		framed: text{"what the door “{door}” guards was changed", "{who} changed what the door “{door}” is made of on {at} (call: {method}): ports, protocols, machines or a default. It was seen on {found}.",
			"Hold it against Terraform, and apply that again where it should not be so. Ostiary writes addresses alone, and does not put this back."},
		late: text{"the door “{door}” still let in what had ended", "On {found} the door “{door}” still let in addresses whose registration had ended minutes before: {late}. The watchdog takes them away.",
			"The function that keeps the doors does not do its work. Look at its alerts and logs first; until then nobody new gets in."},
		you: "You", service: "The service", signature: "You get this message because you look after your company’s security. It holds no link on purpose.",
	},
	"fr": {
		touched: text{"la porte « {door} » a été modifiée hors des enregistrements", "{who} a modifié la porte « {door} » le {at} (appel : {method}). Cela a été constaté le {found}, et la porte rétablie exactement selon les enregistrements.",
			"Demandez pourquoi. Qui doit entrer enregistre son adresse ou demande un site fixe ; ce qui est changé à la main ne reste pas."},
		nobody: text{"la porte « {door} » a été modifiée hors des enregistrements", "Quelqu’un a modifié la porte « {door} ». Cela a été constaté le {found}, et la porte rétablie exactement selon les enregistrements. Le journal d’audit ne nomme personne.",
			"Vérifiez qui peut modifier cette porte, et si le journal d’audit de son service parvient à Ostiary."},
		wider: text{"d’autres règles laissent entrer plus que la porte « {door} »", "Depuis le {found}, ces règles s’appliquent à côté de la porte « {door} » ; les adresses enregistrées ne sont donc pas seules à compter :{rules}",
			"Restreignez-les, supprimez-les ou donnez-leur une priorité plus basse. Ostiary ne modifie pas les règles qui ne sont pas les siennes."},
		frame: text{"ce que garde la porte « {door} » a été modifié", "Le {found}, la porte « {door} » a été vue faite autrement qu’avant : autres ports, protocoles, machines ou règle par défaut. Le journal d’audit ne nomme personne.",
			"Comparez avec Terraform et appliquez-le de nouveau si cela ne doit pas être. Ostiary n’écrit que des adresses et ne rétablit pas ceci."},
		framed: text{"ce que garde la porte « {door} » a été modifié", "{who} a modifié ce dont la porte « {door} » est faite le {at} (appel : {method}) : ports, protocoles, machines ou règle par défaut. Constaté le {found}.",
			"Comparez avec Terraform et appliquez-le de nouveau si cela ne doit pas être. Ostiary n’écrit que des adresses et ne rétablit pas ceci."},
		late: text{"la porte « {door} » laissait encore entrer ce qui avait pris fin", "Le {found}, la porte « {door} » laissait encore entrer des adresses dont l’enregistrement avait pris fin depuis plusieurs minutes : {late}. Le chien de garde les retire.",
			"La fonction qui tient les portes ne fait pas son travail. Regardez d’abord ses alertes et ses journaux ; d’ici là, personne de nouveau ne peut entrer."},
		you: "Vous-même", service: "Le service", signature: "Vous recevez ce message parce que vous veillez à la sécurité de votre entreprise. Il ne contient volontairement aucun lien.",
	},
	"de": {
		touched: text{"die Tür „{door}“ wurde an den Registrierungen vorbei geändert", "{who}: Änderung der Tür „{door}“ am {at} (Aufruf: {method}). Bemerkt am {found}; die Tür lässt wieder genau das ein, was registriert ist.",
			"Fragen Sie nach dem Grund. Wer hinein muss, registriert die Adresse oder bittet um einen festen Standort; von Hand Geändertes bleibt nicht."},
		nobody: text{"die Tür „{door}“ wurde an den Registrierungen vorbei geändert", "Jemand hat die Tür „{door}“ geändert. Bemerkt am {found}; die Tür lässt wieder genau das ein, was registriert ist. Das Audit-Log nennt niemanden.",
			"Prüfen Sie, wer diese Tür ändern darf und ob das Audit-Log ihres Dienstes Ostiary erreicht."},
		wider: text{"andere Regeln lassen mehr ein als die Tür „{door}“", "Seit {found} gelten neben der Tür „{door}“ diese Regeln, sodass nicht nur registrierte Adressen zählen:{rules}",
			"Schränken Sie sie ein, entfernen Sie sie oder geben Sie ihnen eine niedrigere Priorität. Ostiary ändert keine Regeln, die nicht die eigenen sind."},
		frame: text{"was die Tür „{door}“ schützt, wurde geändert", "Am {found} wurde bemerkt, dass die Tür „{door}“ anders beschaffen ist als zuvor: andere Ports, Protokolle, Maschinen oder eine andere Vorgabe. Das Audit-Log nennt niemanden.",
			"Vergleichen Sie mit Terraform, und wenden Sie es erneut an, wenn es nicht so sein soll. Ostiary schreibt nur Adressen und stellt dies nicht wieder her."},
		framed: text{"was die Tür „{door}“ schützt, wurde geändert", "{who}: Änderung der Beschaffenheit der Tür „{door}“ am {at} (Aufruf: {method}): Ports, Protokolle, Maschinen oder eine Vorgabe. Bemerkt am {found}.",
			"Vergleichen Sie mit Terraform, und wenden Sie es erneut an, wenn es nicht so sein soll. Ostiary schreibt nur Adressen und stellt dies nicht wieder her."},
		late: text{"die Tür „{door}“ ließ noch ein, was abgelaufen war", "Am {found} ließ die Tür „{door}“ noch Adressen ein, deren Registrierung seit Minuten abgelaufen war: {late}. Der Wächter nimmt sie weg.",
			"Die Funktion, die die Türen führt, tut ihre Arbeit nicht. Sehen Sie zuerst in ihre Alarme und Logs; bis dahin kommt niemand neu hinein."},
		you: "Sie selbst", service: "Der Dienst", signature: "Sie erhalten diese Nachricht, weil Sie für die Sicherheit Ihres Unternehmens sorgen. Sie enthält absichtlich keinen Link.",
	},
}
