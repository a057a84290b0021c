package datamap

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
)

// addressForm is an address in lower-case ASCII; policies hold no other.
var addressForm = regexp.MustCompile(`^[a-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)

// maxDays of a backup, or of data that goes by itself.
const maxDays = 36600

// lists checks backups, recipients and what lies outside.
func (r *reader) lists() {
	classes := map[string]int{}
	for i, b := range r.m.Backups {
		key := at("backups", i)
		r.id(key+".class", b.Class, idForm, allowedID, classes, i)
		if b.Class == NoBackup {
			r.wrong(key+".class", "stands for what is in no backup", "another name")
		}
		r.days(key+".days", b.Days, 1)
		r.window(key, b)
	}
	ids := map[string]int{}
	for i, to := range r.m.Recipients {
		key := at("recipients", i)
		r.id(key+".id", to.ID, idForm, allowedID, ids, i)
		r.recipient(key, to)
	}
	for i, o := range r.m.Outside {
		key := at("outside", i)
		if place, ok := r.projected(key+".place", o.Place); ok {
			r.m.Outside[i].Place = place
			if !oneLine(place, 500) {
				r.wrong(key+".place", "names no place", "the URL of a store, a slash and a place, or any other name")
			}
		}
		if !oneLine(o.What, 500) {
			r.wrong(key+".what", "does not say what it is", "one sentence for the receipt")
		}
		r.days(key+".days", o.Days, 0)
	}
}

func (r *reader) days(key string, days, least int) {
	if days < least || days > maxDays {
		r.wrong(key, "is out of bounds", fmt.Sprintf("%d to %d", least, maxDays))
	}
}

func (r *reader) recipient(key string, to Recipient) {
	if !oneLine(to.Name, maxText) {
		r.wrong(key+".name", "is no name", "one line")
	}
	u, err := url.Parse(to.To)
	switch to.By {
	case ByMail:
		if !addressForm.MatchString(to.To) {
			r.wrong(key+".to", "is no address", "an ASCII address such as privacy@recipient.example")
		}
	case ByOpenDSR, ByWebhook:
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			r.wrong(key+".to", "is no address of a program", "https://HOST/PATH")
		}
	default:
		r.wrong(key+".by", "is no way of telling", "opendsr, webhook, mail")
	}
	r.gives(key, to)
	if !slices.ContainsFunc(r.m.Entries, func(e *Entry) bool { return slices.Contains(e.Recipients, to.ID) }) {
		r.wrong(key, "is given nothing, and would never be told", "a recipient that an entry names")
	}
}

// retention checks what is erased by age.
func (r *reader) retention() {
	ids := map[string]int{}
	for i := range r.m.Retention {
		rule, key := &r.m.Retention[i], at("retention", i)
		r.id(key+".id", rule.ID, idForm, allowedID, ids, i)
		r.period(key+".older_than", rule.OlderThan)
		if rule.Action == "" {
			rule.Action = Delete
		}
		e, known := r.m.Entry(rule.Entry)
		if !known {
			r.wrong(key+".entry", "is no entry", "the id of an entry")
			continue
		}
		if rule.Field == "" || rule.Field == fromCreated {
			rule.Field = e.Created
		}
		d := drivers[schemeOf(e.Store)]
		switch {
		case rule.Field == "" && !d.own:
			r.wrong(key+".field", "is missing: nothing tells how old an item is", "a field, or created: in the entry")
		case rule.Field != "" && !isField(rule.Field):
			r.wrong(key+".field", "is no field", allowedField)
		}
		if e.Tenant.Global != "" {
			r.wrong(key+".entry", "is of no tenant, and whatever is swept is", "an entry bound by path or field")
		}
		if e.Retain == nil && r.m.retains(e) {
			r.wrong(key+".entry", "shares its place with what has to be kept, and a sweep takes the whole place", "the entry that keeps")
		}
		switch {
		case rule.Action != Delete && rule.Action != Anonymise:
			r.wrong(key+".action", "is no action of a sweep", "delete, anonymise")
		case rule.Action == Anonymise && e.Action != Anonymise:
			r.wrong(key+".action", "needs to know what becomes of each field", "an entry with action: anonymise, or delete")
		case e.Retain != nil && (rule.Field != e.retainField() || length(rule.OlderThan) < length(e.Retain.Period)):
			r.wrong(key+".older_than", "would erase what the entry has to keep", "at least "+e.Retain.Period.String()+", from the same field")
		}
	}
}

// retainField is the field from which a retained item's period counts, "" for the store's own record.
func (e *Entry) retainField() string {
	if e.Retain.From == fromCreated {
		return e.Created
	}
	return e.Retain.From
}
