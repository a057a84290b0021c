package recipient

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/desk"
	"ostiary.internal/shared/platform/message"
)

// keyOf begins the keys of mails to recipients.
const keyOf = "notice/"

// text is one mail in one language.
type text struct{ subject, body string }

// letters go to recipients. They take the company, what is erased line by line, the day and the number.
var letters = map[string]text{
	"en": {"Erasure of personal data (GDPR, article 19)", "%s has erased the following, which was disclosed to you, on %s:\n\n%s\nPlease erase it too, with every copy and link, unless a law obliges you to keep it, and confirm by answering this mail.\n\nNumber: %s\n"},
	"fr": {"Effacement de données personnelles (RGPD, article 19)", "%s a effacé le %s ce qui suit, qui vous avait été communiqué :\n\n%s\nVeuillez l’effacer aussi, avec toute copie et tout lien, sauf si une loi vous oblige à le conserver, et le confirmer en répondant à ce courriel.\n\nNuméro : %s\n"},
	"de": {"Löschung personenbezogener Daten (DSGVO, Artikel 19)", "%s hat am %s Folgendes gelöscht, das Ihnen offengelegt wurde:\n\n%s\nBitte löschen Sie es ebenfalls, mit allen Kopien und Links, sofern kein Gesetz Sie zur Aufbewahrung verpflichtet, und bestätigen Sie das als Antwort auf diese E-Mail.\n\nNummer: %s\n"},
}

// tasks go to staff. They take the recipient's name, why, the number of the notice, of whom it is, and the desk.
var tasks = map[string]text{
	"en": {"A recipient has to be told by hand: %s", "%s could not be told of an erasure, or has not answered (%s). Please see to it.\n\nNumber: %s\n%s\nThen say what became of it, or that it proves impossible or involves disproportionate effort: %s\n"},
	"fr": {"Un destinataire est à informer à la main : %s", "%s n’a pas pu être informé d’un effacement, ou n’a pas répondu (%s). Merci de vous en occuper.\n\nNuméro : %s\n%s\nDites ensuite ce qu’il en est, ou que cela se révèle impossible ou exige des efforts disproportionnés : %s\n"},
	"de": {"Ein Empfänger ist von Hand zu informieren: %s", "%s konnte von einer Löschung nicht informiert werden, oder hat nicht geantwortet (%s). Bitte kümmern Sie sich darum.\n\nNummer: %s\n%s\nDanach bitte eintragen, was daraus wurde, oder dass es unmöglich oder mit unverhältnismäßigem Aufwand verbunden ist: %s\n"},
}

func in(texts map[string]text, language string) text {
	if t, known := texts[language]; known {
		return t
	}
	return texts["en"]
}

// letter writes to a recipient, in the company's first language. It is sent at most once: who cannot be sure that it arrived
// asks a person.
func (s *Service) letter(ctx context.Context, n Notice, to datamap.Recipient, m Message) (desk.Mails, error) {
	l, err := desk.New(ctx, s.Messages, s.Random)
	if err != nil {
		return l, err
	}
	language := "en"
	if languages := s.Policy.Company.Languages; len(languages) > 0 {
		language = languages[0]
	}
	t := in(letters, language)
	day := m.Executed.In(s.Policy.Company.Location()).Format(time.DateOnly)
	l.Add(message.Request{Key: keyOf + n.ID + "/" + strconv.FormatInt(n.Rev, 10), Kind: message.Customer, Language: language},
		message.Content{To: to.To, Subject: t.subject, Text: fmt.Sprintf(t.body, s.Policy.Company.Name, day, m.lines(), m.ID)})
	return l, nil
}

// lines are of whom a message is.
func (m Message) lines() string {
	var b strings.Builder
	if m.Tenant != "" {
		b.WriteString("- tenant: " + desk.Harmless(m.Tenant) + "\n")
	}
	for _, i := range m.Identities {
		b.WriteString("- " + i.Kind + ": " + desk.Harmless(i.Value) + "\n")
	}
	return b.String()
}

// staff writes to those who look after requests. Of whom a notice is stands in it where it is known still: nothing here
// keeps it afterwards.
func (s *Service) staff(ctx context.Context, n Notice, m Message, now time.Time) (desk.Mails, error) {
	l, err := desk.New(ctx, s.Messages, s.Random)
	if err != nil {
		return l, err
	}
	name := n.Recipient
	if to, known := s.Map.Recipient(n.Recipient); known {
		name = to.Name
	}
	for _, p := range desk.People(s.Policy, now) {
		t := in(tasks, p.Language)
		key := "notice-staff/" + s.box().Name("mail", n.ID, strconv.FormatInt(n.Rev, 10), p.ID)
		l.Add(message.Request{Key: key, Kind: message.Staff, Person: p.ID, Language: p.Language},
			message.Content{Subject: fmt.Sprintf(t.subject, name), Text: fmt.Sprintf(t.body, name, n.Why, n.ID, m.lines(), s.Desk)})
	}
	return l, nil
}
