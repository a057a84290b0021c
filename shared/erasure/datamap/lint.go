package datamap

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
)

func (r *reader) entries() {
	for i, e := range r.m.Entries {
		key := at("entries", i)
		r.id(key+".id", e.ID, idForm, allowedID, r.m.entries, i)
		r.store(key, e)
	}
	for i, e := range r.m.Entries {
		key := at("entries", i)
		if !regionForm.MatchString(e.Region) {
			r.wrong(key+".region", "is no region", allowedRegion)
		}
		if e.Role != Controller && e.Role != Processor {
			r.wrong(key+".role", "is no role", "controller (our customers), processor (our customers' customers)")
		}
		d, known := drivers[schemeOf(e.Store)]
		if known {
			r.place(key, e, d)
			r.tenant(key, e)
			r.selector(key+".select", e, &e.Select, d)
			r.driven(key, e, d)
		}
		r.action(key, e, d)
		r.refers(key, e)
	}
	r.directory()
}

// placeForm is what a place may look like, its tenant put in; of a bucket it is part of an object's name.
var placeForm = map[string]*regexp.Regexp{
	"firestore": regexp.MustCompile(`^([A-Za-z0-9_{}.-]+/[A-Za-z0-9_{}.-]+/)*(\*\*/)?[A-Za-z0-9_.-]+$`),
	"gcs":       regexp.MustCompile(`^([A-Za-z0-9_{}.-]+/)*$`),
	"mongodb":   regexp.MustCompile(`^[A-Za-z0-9_{}-]+\.[A-Za-z0-9_{}.-]+$`),
	"postgres":  regexp.MustCompile(`^[A-Za-z0-9_{}]+\.[A-Za-z0-9_{}]+$`),
	"https":     regexp.MustCompile(`^[A-Za-z0-9_{}.-]+(/[A-Za-z0-9_{}.-]+)*$`),
}

var allowedPlaces = map[string]string{
	"firestore": "a collection such as tenants/{tenant}/users, or a group such as **/orders or tenants/{tenant}/**/orders",
	"gcs":       "the beginning of names, up to a slash, such as tenants/{tenant}/; nothing for the whole bucket",
	"mongodb":   "DATABASE.COLLECTION",
	"postgres":  "SCHEMA.TABLE",
	"https":     "a name that the hook knows",
}

func (r *reader) place(key string, e *Entry, d driver) {
	scheme := strings.TrimSuffix(schemeOf(e.Store), "+srv")
	t, err := parse(e.Place)
	switch {
	case err != nil || slices.ContainsFunc(t.names(), func(n string) bool { return n != tenantName }):
		r.wrong(key+".place", "holds braces that mean nothing", "{tenant}")
	case !placeForm[scheme].MatchString(e.Place) || strings.Contains(e.Place, "..") || len(e.Place) > 500:
		r.wrong(key+".place", "is no place of this store", allowedPlaces[scheme])
	case len(t.names()) > 0 && !t.alone(tenantName, d.separate):
		r.wrong(key+".place", "holds the tenant beside other text, so that one tenant's could be another's", "{tenant} between separators")
	case len(t.names()) > 0 && !e.Tenant.Path:
		r.wrong(key+".place", "holds the tenant, and tenant says otherwise", "tenant: {path: true}")
	}
}

// noteForm is a date in a note, without which nobody knows when it was looked at.
var noteForm = regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`)

func (r *reader) tenant(key string, e *Entry) {
	key += ".tenant"
	t := e.Tenant
	const allowed = "exactly one of {path: true}, {field: PATH}, {global: why, reviewed by whom, YYYY-MM-DD}"
	switch set := count(t.Path, t.Field != "", t.Global != ""); {
	case set != 1:
		r.wrong(key, "binds the data to no tenant, or more than once", allowed)
	case t.Field != "" && !isField(t.Field):
		r.wrong(key+".field", "is no field", allowedField)
	case t.Global != "" && (!oneLine(t.Global, 500) || len(t.Global) < 20 || !noteForm.MatchString(t.Global)):
		r.wrong(key+".global", "does not say why, by whom and when", "one line of at least 20 bytes with a date, such as: logins carry no tenant; reviewed by the DPO, 2026-03-02")
	case t.Path && !strings.Contains(e.Place, "{"+tenantName+"}"):
		r.wrong(key, "says that the path tells the tenant, and it does not", "{tenant} between separators in place")
	}
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

func (t Tenant) binding() erasure.Binding {
	switch {
	case t.Path:
		return erasure.BindPath
	case t.Field != "":
		return erasure.BindField
	}
	return erasure.BindGlobal
}

// ways are those a selector uses, with what each says.
func (s *Selector) ways() map[string]string {
	all := map[string]string{"document": s.Document, "equals": s.Equals, "contains": s.Contains, "map_key": s.MapKey, "prefix": s.Prefix, "metadata": s.Metadata, "column": s.Column}
	if s.Hook {
		all["hook"] = "true"
	}
	for way, says := range all {
		if says == "" {
			delete(all, way)
		}
	}
	return all
}

// selector checks one way of recognising, and those behind it.
func (r *reader) selector(key string, e *Entry, s *Selector, d driver) {
	ways := s.ways()
	if len(ways) != 1 {
		r.wrong(key, "recognises items in no way, or in several", "exactly one of "+strings.Join(d.ways, ", "))
		return
	}
	for way, says := range ways {
		switch {
		case !slices.Contains(d.ways, way):
			r.wrong(key+"."+way, "is no way this store can search", strings.Join(d.ways, ", "))
		case way == "document" || way == "prefix":
			r.template(key, way, says, e, s)
		case way != "hook" && !isField(says):
			r.wrong(key+"."+way, "is no field", allowedField)
		case !has(r.m.kinds, s.Of):
			r.wrong(key+".of", "is no kind of identifier", r.allowedKinds())
		}
	}
	r.letters(key, s)
	if s.Or == nil {
		return
	}
	// Two fields that may name somebody are often two people's: what is done to the one is not to be done to the other.
	for _, before := range e.selectors() {
		if before == s.Or {
			break
		}
		if before.of() == s.Or.of() {
			r.wrong(key+".or", "is looked for already: an entry is one relation to one person", "another kind of identifier, or an entry of its own")
		}
	}
	r.selector(key+".or", e, s.Or, d)
}

func (r *reader) allowedKinds() string {
	var ids []string
	for _, k := range r.m.Kinds {
		ids = append(ids, k.ID)
	}
	return "of identifiers: " + strings.Join(ids, ", ")
}

// of is the kind of identifier a selector needs, "" where it names none.
func (s *Selector) of() string {
	if s.Of != "" {
		return s.Of
	}
	if t, _ := parse(s.Document + s.Prefix); len(t.names()) > 0 {
		return t.names()[0]
	}
	return ""
}

func (r *reader) template(key, way, says string, e *Entry, s *Selector) {
	t, err := parse(says)
	if err != nil {
		r.wrong(key+"."+way, "holds braces that mean nothing", "one identifier, such as {uid}")
		return
	}
	names := t.names()
	switch {
	case s.Of != "":
		r.wrong(key+".of", "is said by the template already", "of belongs to fields")
	case slices.Contains(names, tenantName):
		r.wrong(key+"."+way, "holds the tenant, which belongs to the place", "{tenant} in place, and here what comes after it")
	case len(names) != 1 || !has(r.m.kinds, names[0]):
		r.wrong(key+"."+way, "holds no identifier, or several", "exactly one, "+r.allowedKinds())
	case way == "prefix" && (!strings.HasSuffix(says, "/") || strings.HasPrefix(says, "/") || strings.Contains(says, "//")):
		r.wrong(key+"."+way, "would also reach what begins alike: u1 is the beginning of u10", "a slash at the end, as in users/{uid}/")
	case way == "prefix" && !t.alone(names[0], "/"):
		r.wrong(key+"."+way, "holds the identifier beside other text", "{"+names[0]+"} between slashes")
	case way == "document" && strings.Contains(e.Place, anywhere):
		r.wrong(key+"."+way, "does not say where in the group it lies", "equals and the like, or a place that is one collection")
	case way == "document" && schemeOf(e.Store) == "firestore" && strings.Contains(says, "/"):
		r.wrong(key+"."+way, "is more than the name of a document in its collection", "a name such as {uid}; where it lies says place")
	}
}

// driven checks what depends on the store beside places and ways.
func (r *reader) driven(key string, e *Entry, d driver) {
	if e.Created != "" && !isField(e.Created) {
		r.wrong(key+".created", "is no field", allowedField)
	}
	if e.Descend && !d.descends {
		r.wrong(key+".descend", "means nothing in this store: nothing lies below an item", "leave it out")
	}
	r.below(key, e)
	for _, s := range e.selectors() {
		if k, known := r.m.Kind(s.of()); known && k.Reusable && e.Created == "" && !d.own {
			r.wrong(key+".created", "is missing: somebody else may have the same "+k.ID+" later, and nothing tells the two apart", "the field that tells when an item was made")
		}
	}
}

// refers checks what an entry names of other lists.
func (r *reader) refers(key string, e *Entry) {
	for i, id := range e.After {
		switch {
		case id == e.ID:
			r.wrong(at(key+".after", i), "is the entry itself", "the id of another entry")
		case !slices.ContainsFunc(r.m.Entries, func(o *Entry) bool { return o.ID == id }):
			r.wrong(at(key+".after", i), "is no entry", "the id of an entry")
		}
	}
	switch {
	case e.Published == "":
	case !oneLine(e.Published, maxText):
		r.wrong(key+".published", "does not say where", "one line, such as: the directory of suppliers on our site")
	case len(e.Recipients) == 0:
		r.wrong(key+".published", "is public, and nobody who shows it would be told (GDPR article 17(2))", "recipients: such as the search engine that lists it")
	}
	for i, id := range e.Recipients {
		if !slices.ContainsFunc(r.m.Recipients, func(to Recipient) bool { return to.ID == id }) {
			r.wrong(at(key+".recipients", i), "is no recipient", "the id of one of recipients")
		}
	}
	classes := []string{NoBackup}
	for _, b := range r.m.Backups {
		classes = append(classes, b.Class)
	}
	if !slices.Contains(classes, e.Backup) {
		r.wrong(key+".backup_class", "is no class of backups", strings.Join(classes, ", "))
	}
	for i, d := range e.Derives {
		at := at(key+".derives", i)
		if !has(r.m.kinds, d.Kind) {
			r.wrong(at+".identifier", "is no kind of identifier", r.allowedKinds())
		}
		if !isField(d.From) || schemeOf(e.Store) == "gcs" && strings.Contains(d.From, ".") {
			r.wrong(at+".from", "is no field", allowedField)
		}
		if !slices.ContainsFunc(e.selectors(), func(s *Selector) bool { return s.of() != d.Kind }) {
			r.wrong(at, "derives an identifier from itself", "another way of recognising the entry: select: {..., or: {...}}")
		}
	}
}
