package oauth

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/desk"
	"ostiary.internal/shared/platform/message"
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

// mail writes to those who look after requests: it names the account, which nothing here keeps afterwards.
func (s *Service) mail(ctx context.Context, g *Grant, p private, now time.Time) (desk.Mails, error) {
	m, err := desk.New(ctx, s.Messages, s.Random)
	if err != nil {
		return m, err
	}
	name, where := g.Provider, "-"
	if provider, known := s.Map.Provider(g.Provider); known {
		name = provider.Name
		if provider.Page != "" {
			where = provider.Page
		}
	}
	for _, person := range desk.People(s.Policy, now) {
		w, known := words[person.Language]
		if !known {
			w = words["en"]
		}
		account := ""
		if p.Account != "" {
			account = fmt.Sprintf(w.account, first(desk.Harmless(p.Account), 200))
		}
		text := fmt.Sprintf(w.text, name, g.Why, g.ID, account, where, g.Due.In(person.Location()).Format(time.DateOnly), s.Desk)
		if !now.Before(g.Due) {
			text = w.reminder + text
		}
		key := "grant/" + s.box().Name("mail", g.ID, strconv.FormatInt(g.Rev, 10), person.ID)
		m.Add(message.Request{Key: key, Kind: message.Staff, Person: person.ID, Language: person.Language}, message.Content{Subject: fmt.Sprintf(w.subject, name), Text: text})
	}
	return m, nil
}

// first is a text of at most so many bytes.
func first(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
