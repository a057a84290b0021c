package oauth

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// words are the texts of a task by language: subject, what to do, what why says, and what is said of the account. They take
// the provider's name; the number of the task; the account; the page; the day; the desk.
var words = map[string]struct{ subject, text, account, reminder string }{
	"en": {
		"A connection has to be ended by hand: %s",
		"A connection with %s could not be ended by a program (%s). Please end it there, or ask whoever holds the account to.\n\nNumber: %s\n%sWhere: %s\nBy: %s\n\nThen say what became of it: %s\n",
		"Account there: %s\n", "Still not done. ",
	},
	"fr": {
		"Une connexion est à couper à la main : %s",
		"Une connexion avec %s n’a pas pu être coupée par un programme (%s). Coupez-la là-bas, ou demandez-le au titulaire du compte.\n\nNuméro : %s\n%sOù : %s\nAu plus tard le : %s\n\nDites ensuite ce qu’il en est : %s\n",
		"Compte là-bas : %s\n", "Ce n’est toujours pas fait. ",
	},
	"de": {
		"Eine Verbindung ist von Hand zu beenden: %s",
		"Eine Verbindung mit %s ließ sich nicht durch ein Programm beenden (%s). Bitte dort beenden, oder den Inhaber des Kontos darum bitten.\n\nNummer: %s\n%sWo: %s\nBis: %s\n\nDanach bitte eintragen, was daraus wurde: %s\n",
		"Konto dort: %s\n", "Noch nicht geschehen. ",
	},
}

// mail is what goes to staff about one task.
type mail struct {
	key    *seal.DataKey
	random io.Reader
	all    []message.Request
	texts  []message.Content
}

func (m mail) send(batch *outbox.Batch) error {
	for i, r := range m.all {
		sealed, err := r.Seal(m.key, m.random, m.texts[i])
		if err != nil {
			return err
		}
		if err := batch.Message(message.TopicRequested, r.Key, sealed); err != nil {
			return err
		}
	}
	return nil
}

// mail writes to those who look after requests: it names the account, which nothing here keeps afterwards.
func (s *Service) mail(ctx context.Context, g *Grant, p private, now time.Time) (m mail, err error) {
	if m.key, err = s.Messages.Key(ctx, message.Bound()); err != nil {
		return m, err
	}
	m.random = s.Random
	name, where := g.Provider, "-"
	if provider, known := s.Map.Provider(g.Provider); known {
		name = provider.Name
		if provider.Page != "" {
			where = provider.Page
		}
	}
	for _, person := range staff(s.Policy, now) {
		w, known := words[person.Language]
		if !known {
			w = words["en"]
		}
		account := ""
		if p.Account != "" {
			account = fmt.Sprintf(w.account, harmless(p.Account))
		}
		text := fmt.Sprintf(w.text, name, g.Why, g.ID, account, where, g.Due.In(person.Location()).Format(time.DateOnly), s.Desk)
		if !now.Before(g.Due) {
			text = w.reminder + text
		}
		key := "grant/" + s.box().Name("mail", g.ID, strconv.FormatInt(g.Rev, 10), person.ID)
		m.all = append(m.all, message.Request{Key: key, Kind: message.Staff, Person: person.ID, Channel: message.Mail, Language: person.Language})
		m.texts = append(m.texts, message.Content{Subject: fmt.Sprintf(w.subject, name), Text: text})
	}
	return m, nil
}

// staff are the people who look after requests: the data protection officer, or who stands in for her.
func staff(p *policy.Policy, now time.Time) (all []policy.Person) {
	for _, role := range []policy.Role{policy.DPO, policy.Security, policy.Owner} {
		for _, person := range p.People {
			if person.Has(role) && person.Active(now) {
				all = append(all, person)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// harmless keeps what somebody wrote from adding a line or a link.
func harmless(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == '\u0085' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "")
	}
	return strings.ReplaceAll(text, "://", " ")
}
