package request

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Entry is a request that came by letter or mail, as somebody of the desk enters it.
type Entry struct {
	Channel  Channel   // Mail or Paper
	Received time.Time // when it arrived, not when it is entered: it starts the clock
	Tenant   string
	Kind     Kind
	Email    string // of the person, as she gave it; "" when she gave none
	Reply    string // where she wrote from; "" for nowhere. Of a mail, its sender
	Text     string // what she wrote; at most 64 KiB
	Raw      []byte // the mail itself (.eml); fills in what is left empty
	Language string
	Export   bool
	Mandate  string
}

// oldest is how long ago a letter may have arrived.
const oldest = 366 * 24 * time.Hour

// Enter takes a request from the desk. It is confirmed by the link to the address on file like any other; who entered it
// decides nothing about it. Codes: role_missing, body_invalid, identifier_invalid, mail_invalid.
func (s *Service) Enter(ctx context.Context, who policy.Person, e Entry, now time.Time) (Receipt, error) {
	if err := s.may(who, now); err != nil {
		return Receipt{}, err
	}
	if err := e.fill(); err != nil {
		return Receipt{}, err
	}
	if err := e.check(s, now); err != nil {
		return Receipt{}, err
	}
	requester := Subject
	switch {
	case e.Mandate != "":
		requester = Agent
	case e.Kind == Account:
		requester = TenantOwner
	}
	d, err := s.draft(Request{
		Kind: e.Kind, Channel: e.Channel, Requester: requester, Tenant: e.Tenant, Language: s.language(e.Language),
		Received: e.Received, Entered: now, EnteredBy: who.ID, Export: e.Export,
	})
	if err != nil {
		return Receipt{}, err
	}
	d.private = Private{Reply: e.Reply, Text: e.Text, Mandate: e.Mandate}
	if e.Email != "" {
		d.private.Identifiers = []Identifier{{Kind: email, Value: e.Email}}
	}
	return s.create(ctx, d, "", asking{}, now)
}

// fill takes from the mail what was not given.
func (e *Entry) fill() error {
	if e.Kind == "" {
		e.Kind = Person
	}
	e.Email, e.Reply = strings.TrimSpace(e.Email), strings.TrimSpace(e.Reply)
	if len(e.Raw) == 0 {
		return nil
	}
	m, err := ParseMail(e.Raw)
	if err != nil {
		return err
	}
	if e.Received.IsZero() {
		e.Received = m.Received
	}
	if e.Reply == "" {
		e.Reply = m.From
	}
	if e.Email == "" {
		e.Email = m.From
	}
	if e.Text == "" {
		e.Text = cut(m.Subject+"\n\n"+m.Text, MaxText)
	}
	if e.Channel == "" {
		e.Channel = Mail
	}
	return nil
}

func (e Entry) check(s *Service, now time.Time) error {
	bad := func(what string) error {
		return fault.Refuse(fault.Invalid, "body_invalid", what, "Correct it and send it again.")
	}
	switch {
	case e.Channel != Mail && e.Channel != Paper:
		return bad("The channel is neither mail nor letter.")
	case e.Kind != Person && e.Kind != Account:
		return bad("There is no such kind of request; it is erasure or account.")
	case !tenantForm.MatchString(e.Tenant):
		return bad("The tenant is missing, or not the name of one.")
	case e.Received.IsZero() || e.Received.After(now.Add(Fresh)) || e.Received.Before(now.Add(-oldest)):
		return bad("The time of arrival is missing, lies ahead, or is more than a year ago.")
	case len(e.Text) > MaxText || !utf8.ValidString(e.Text) || !isLine(e.Mandate, 200):
		return bad("The text is larger than 64 KiB or no text, or the mandate is not one line.")
	}
	for _, address := range []string{e.Email, e.Reply} {
		if err := s.identifier(email, address); err != nil {
			return err
		}
	}
	return nil
}
