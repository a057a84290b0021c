package request

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/desk"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/policy"
)

// effects puts into the batch what follows from an event. What happens several times at once, such as two holds that end
// on one day, is told once and recorded each time.
func (t *turn) effects(before Request, after *Request, e Event, all []Effect) error {
	done := map[string]bool{}
	for i, f := range all {
		if f.do != doRecord && f.do != doFinding && done[f.Name()] {
			continue
		}
		done[f.Name()] = true
		if err := t.effect(before, after, e, f, strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) effect(before Request, after *Request, e Event, f Effect, nth string) error {
	switch f.do {
	case doRecord:
		return t.record(before, *after, e, f.step, nth)
	case doFinding:
		return t.finding(after, f.step)
	case doPublish:
		return t.batch.Message(f.topic, f.topic+"/"+after.ID+"/"+rev(*after), Notice{V: version, Request: after.ID, Tenant: after.Tenant, Frozen: after.Frozen && f.topic == TopicFreeze})
	case doLetter:
		return t.letter(before, *after, f.letter)
	case doForward:
		return t.forward(*after)
	case doStaff:
		return t.staff(before, *after, e, f.letter)
	case doSplit:
		return t.divide(after)
	}
	return nil
}

func rev(r Request) string { return strconv.FormatInt(r.Rev, 10) }

// letterKey is the key of a letter. It says which request and which letter, for answers about its delivery.
func letterKey(r Request, kind letter.Kind) string {
	return "dsr/" + r.ID + "/" + string(kind) + "/" + rev(r)
}

// letterOf reads a key that letterKey made.
func letterOf(key string) (id, kind string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 || parts[0] != "dsr" || !isID(parts[1]) {
		return "", "", false
	}
	return parts[1], parts[2] + "/" + parts[3], true
}

// letter writes to the person, or whoever asked; to nobody where no address is known that may be written to.
func (t *turn) letter(before, r Request, kind letter.Kind) error {
	to := t.private.address()
	if slices.Contains([]letter.Kind{letter.Link, letter.Close, letter.Elsewhere, letter.Asked}, kind) {
		to = t.private.OnFile // never the one that was given, nor whoever gave it
	}
	if kind == letter.Forwarded && r.Proof == "" && to == "" {
		to = t.private.value(email) // a person decided to pass it on: that is one letter, and says nothing of any data
	}
	if to == "" || kind == letter.Identity && !t.mayTell(before) {
		return nil
	}
	vars, err := t.vars(r, r.Language)
	if err != nil {
		return err
	}
	if kind == letter.Linked && t.other != nil {
		vars["first"] = spoken(t.other.Number)
	}
	content, err := t.s.Letters.Write(kind, r.Language, vars)
	if err != nil {
		return err
	}
	content.To = to
	return t.send(message.Request{Key: letterKey(r, kind), Kind: message.Customer, Channel: message.Mail, Language: r.Language}, content)
}

// mayTell reports whether a person may be told of a request that nobody proved. Of those that anybody typed into the page
// she hears once a day at most.
func (t *turn) mayTell(r Request) bool {
	if r.Address == "" || r.EnteredBy != "" {
		return true
	}
	told := &t.mail.ever
	if !told.Told.IsZero() && t.now.Before(told.Told.Add(24*time.Hour)) {
		return false
	}
	told.Told, told.Expires = t.now, t.now.Add(24*time.Hour)
	t.later(asks, t.mail.all, *told)
	return true
}

func (t *turn) send(m message.Request, c message.Content) error {
	return m.Put(t.batch, t.key, t.s.Random, c)
}

// forward writes to the tenant.
func (t *turn) forward(r Request) error {
	contact, known := t.s.contact(r.recipient())
	if !known {
		return fault.New(fault.Misconfigured, "passing a request on: its tenant has no contact")
	}
	vars, err := t.vars(r, contact.Language)
	if err != nil {
		return err
	}
	vars["person"] = t.person(r, contact.Language)
	content, err := t.s.Letters.Write(letter.Instruct, contact.Language, vars)
	if err != nil {
		return err
	}
	content.To = contact.Email
	return t.send(message.Request{Key: letterKey(r, letter.Instruct), Kind: message.Customer, Channel: message.Mail, Language: contact.Language}, content)
}

// person is what the tenant finds her by: what she proved, or all she gave and wrote where nobody proved anything.
func (t *turn) person(r Request, language string) string {
	p, all := t.private, []string{}
	for _, one := range p.verified(r.Proof) {
		all = append(all, one.Value)
	}
	if r.Proof == "" {
		all = []string{letter.Phrase("unproved", language)}
		for _, one := range p.Identifiers {
			all = append(all, one.Value)
		}
		all = append(all, p.Reply, p.Mandate)
		for line := range strings.Lines(cut(p.Text, mostWritten)) {
			all = append(all, "> "+strings.TrimSpace(line))
		}
	}
	all = slices.DeleteFunc(all, func(line string) bool { return line == "" || line == "> " })
	return strings.ReplaceAll(strings.Join(slices.Compact(all), "\n"), "://", " ") // nobody puts a link of hers into a letter of ours
}

// mostWritten is how many bytes of what a person wrote a tenant is sent.
const mostWritten = 8 << 10

// contact is who of a tenant is told: the privacy contact, or legal, or the first there is.
func (s *Service) contact(tenant string) (policy.Contact, bool) {
	found, known := s.Policy.Tenant(tenant)
	if !known {
		return policy.Contact{}, false
	}
	for _, role := range []policy.ContactRole{policy.Privacy, policy.Legal, policy.SecurityContact, policy.AroundTheClock} {
		for _, c := range found.Contacts {
			if c.Role == role {
				return c, true
			}
		}
	}
	return policy.Contact{}, false
}

// staff writes to the people who look after requests, but for who has just decided.
func (t *turn) staff(before, r Request, e Event, kind letter.Kind) error {
	why := cmp.Or(stuck(r), stuck(before)) // what time brings about at once may have moved it on since
	for _, p := range desk.People(t.s.Policy, t.now, e.By) {
		vars, err := t.vars(r, p.Language)
		if err != nil {
			return err
		}
		vars["why"], vars["letter"] = letter.Why(why, p.Language), strings.ReplaceAll(e.Letter, "/", " ")
		content, err := t.s.Letters.Write(kind, p.Language, vars)
		if err != nil {
			return err
		}
		key := "dsr-staff/" + t.s.mark("letter", r.ID, string(kind), rev(r), p.ID)
		if err := t.send(message.Request{Key: key, Kind: message.Staff, Person: p.ID, Channel: message.Mail, Language: p.Language}, content); err != nil {
			return err
		}
	}
	return nil
}

// stuck says what a request waits for.
func stuck(r Request) string {
	switch r.State {
	case Approved:
		return "export"
	}
	return string(r.Why)
}

// vars are the values of a letter about a request.
func (t *turn) vars(r Request, language string) (letter.Vars, error) {
	zone := t.s.Rules.Zone
	number := spoken(r.Number)
	v := letter.Vars{
		"company": t.s.Policy.Company.Name, "number": number, "received": letter.Date(calendar.Date(r.Received, zone), language),
		"due": letter.Date(r.Deadline.Due, language), "desk": t.s.Desk + "#" + r.Number, "controller": letter.Phrase("tenant", language),
		"remedies": letter.Remedies(letter.Authority(t.s.Rules.Country), language),
		"backups":  backups(r.Outcome.Purge, language), "code": spoken(t.token), "link": t.s.Page + "#" + t.number + "." + t.token,
	}
	if tenant, known := t.s.Policy.Tenant(r.recipient()); known {
		v["controller"] = tenant.Name
	}
	switch {
	case !t.until.IsZero():
		v["until"] = letter.Moment(t.until, zone, language)
	case !r.After.IsZero():
		v["until"] = letter.Moment(r.After, zone, language)
	}
	var err error
	if r.Refusal != nil {
		if v["ground"], err = letter.Ground(string(r.Refusal.Ground), r.Refusal.Citation, language); err != nil {
			return nil, err
		}
	}
	if r.Extended != nil {
		if v["reason"], err = letter.Ground(string(r.Extended.Reason), "", language); err != nil {
			return nil, err
		}
	}
	v["open"], v["notes"] = open(r, language), notes(r, language)
	v["kept"], err = kept(r, language)
	return v, err
}

// divide writes the second request: what the tenant decides about goes its own way.
func (t *turn) divide(after *Request) error {
	if t.split == nil {
		return fault.New(fault.Invalid, "dividing a request: nothing was prepared")
	}
	half := *t.split
	half.Linked = []string{after.ID}
	after.Linked = append(after.Linked, half.ID)
	d := &deciding{Request: half, now: t.now, rules: t.s.Rules}
	d.forward()
	d.schedule()
	_, err := t.put(half, d.Request, Event{}, d.effects)
	return err
}
