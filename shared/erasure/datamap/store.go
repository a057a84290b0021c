package datamap

import (
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/shared/policy"
)

// Place is a part of one store, as the store's Places names it; "*" is all of a bucket.
type Place struct{ Store, Place string }

// String returns the form of no_personal_data and of Unmapped: the URL without its query, a slash, the place.
func (p Place) String() string { return bare(p.Store) + "/" + p.Place }

// driver is what the map knows about the stores of one scheme.
type driver struct {
	ways     []string // of a Selector
	folds    []string // of ways: those searched whatever the case of letters, where that is asked for
	separate string   // between the segments of a place
	own      bool     // keeps itself when an item was made
	fields   bool     // items have fields that can be changed
	descends bool
	totals   bool   // an item and a total are changed in one step
	form     string // of a URL, for people
}

// ofDocuments are the ways of stores whose items are documents.
var ofDocuments = []string{"document", "equals", "contains", "map_key"}

var ofValues = []string{"equals", "contains"}

var drivers = map[string]driver{
	"firestore":   {ways: ofDocuments, separate: "/", own: true, fields: true, descends: true, totals: true, form: "firestore://{project}/DATABASE"},
	"gcs":         {ways: []string{"document", "prefix", "metadata"}, folds: []string{"metadata"}, separate: "/", own: true, form: "gcs://BUCKET"},
	"mongodb":     {ways: ofDocuments, folds: ofValues, separate: ".", fields: true, form: "mongodb://USER@HOST:PORT/?secret=NAME"},
	"mongodb+srv": {ways: ofDocuments, folds: ofValues, separate: ".", fields: true, form: "mongodb+srv://USER@HOST/?secret=NAME"},
	"postgres":    {ways: []string{"document", "column", "contains", "map_key"}, folds: []string{"column", "contains", "map_key"}, separate: ".", fields: true, totals: true, form: "postgres://USER@HOST/DATABASE?secret=NAME"},
	"https":       {ways: []string{"hook"}, folds: []string{"hook"}, separate: "/", fields: true, form: "https://HOST/PATH?secret=NAME"},
}

const allowedStores = "firestore://{project}/DATABASE, gcs://BUCKET, mongodb://HOST:PORT, postgres://USER@HOST/DATABASE, https://HOST/PATH of a hook"

func schemeOf(store string) string {
	scheme, _, _ := strings.Cut(store, "://")
	return scheme
}

// bare is a store's URL without account, query and trailing slash.
func bare(store string) string {
	store, _, _ = strings.Cut(store, "?")
	scheme, rest, _ := strings.Cut(store, "://")
	if host := strings.SplitN(rest, "/", 2)[0]; strings.Contains(host, "@") {
		rest = rest[strings.LastIndexByte(host, '@')+1:]
	}
	return scheme + "://" + strings.TrimRight(rest, "/")
}

// store checks an entry's URL and puts the project in.
func (r *reader) store(key string, e *Entry) {
	t, err := parse(e.Store)
	if err != nil || slices.ContainsFunc(t.names(), func(n string) bool { return !slices.Contains(storeNames, n) }) {
		r.wrong(key+".store", "holds braces that mean nothing", "{project}, {region}, {account}")
		return
	}
	store, ok := r.projected(key+".store", e.Store)
	if !ok {
		return
	}
	d, known := drivers[schemeOf(store)]
	u, err := url.Parse(expand(store, map[string]string{regionName: "region", accountName: readAccount}))
	if !known || err != nil {
		r.wrong(key+".store", "is no store that can be searched", allowedStores)
		return
	}
	if _, password := u.User.Password(); password || u.Fragment != "" {
		r.wrong(key+".store", "holds a password or a fragment", "the name of a secret: ?secret=NAME")
		return
	}
	path := strings.Trim(u.Path, "/")
	fine := u.Host != ""
	switch u.Scheme {
	case "firestore":
		fine = fine && path != "" && !strings.Contains(path, "/") && u.RawQuery == "" && u.User == nil
	case "gcs":
		fine = fine && path == "" && u.RawQuery == "" && u.User == nil
	case "https":
		fine = fine && u.Query().Has("secret") && u.User == nil
	case "mongodb", "mongodb+srv":
		fine = fine && path == "" && (u.User.Username() != "") == u.Query().Has("secret")
	case "postgres":
		fine = path != "" && !strings.Contains(path, "/") && u.User.Username() != ""
	}
	if !fine {
		r.wrong(key+".store", "is no URL of its kind of store", d.form)
		return
	}
	e.Store = store
}

// projected puts the one live project in the place of {project}.
func (r *reader) projected(key, text string) (string, bool) {
	if !strings.Contains(text, "{"+projectName+"}") {
		return text, true
	}
	var live []string
	for _, env := range r.policy.Company.Environments {
		if env.Kind == policy.Live {
			live = append(live, env.Project)
		}
	}
	if len(live) != 1 {
		r.wrong(key, "{project} could be any of several projects, or none", "one live environment in company.yaml, or the name of a project here")
		return "", false
	}
	return strings.ReplaceAll(text, "{"+projectName+"}", live[0]), true
}

// free reads the places without personal data. A place of a store that no entry is in names its store as well as it can
// be told: of Firestore and Cloud Storage.
func (r *reader) free(listed []string) {
	for i, text := range listed {
		key := at("no_personal_data", i)
		text, ok := r.projected(key, text)
		if !ok {
			continue
		}
		for _, one := range r.m.spread(text) {
			r.freeOne(key, one)
		}
	}
}

func (r *reader) freeOne(key, text string) {
	p, found := r.m.placeOf(text)
	switch {
	case !found || p.Place == "" || strings.TrimSpace(p.Place) != p.Place || strings.ContainsFunc(p.Place, isControl):
		r.wrong(key, "is no place of a store", "the URL of an entry's store, a slash and a place: firestore://{project}/DATABASE/COLLECTION, gcs://BUCKET/PREFIX/")
	case p.Place == "*" && schemeOf(p.Store) != "gcs":
		r.wrong(key, "would take in whatever is added later", "one line for each place; \"*\" for a bucket alone")
	case r.m.knows(p):
		r.wrong(key, "is in an entry, or listed already", "each place once")
	default:
		r.m.Free = append(r.m.Free, p)
	}
}

// spread returns text once for each region of the store it names.
func (m *Map) spread(text string) []string {
	if !strings.Contains(text, "{"+regionName+"}") {
		return []string{text}
	}
	var all []string
	for _, e := range m.Entries {
		if place, found := strings.CutPrefix(text, bare(e.Store)+"/"); found {
			for _, store := range e.stores(m.everywhere) {
				all = append(all, bare(store)+"/"+place)
			}
		}
	}
	if all == nil {
		return []string{text} // and freeOne says what is wrong
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// placeOf splits STORE/PLACE at the store.
func (m *Map) placeOf(text string) (Place, bool) {
	for _, store := range m.known() {
		if place, found := strings.CutPrefix(text, bare(store)+"/"); found {
			return Place{store, place}, true
		}
	}
	scheme, rest, _ := strings.Cut(text, "://")
	parts := map[string]int{"firestore": 2, "gcs": 1}[scheme]
	split := strings.SplitN(rest, "/", parts+1)
	if parts == 0 || len(split) != parts+1 || slices.Contains(split[:parts], "") {
		return Place{}, false
	}
	return Place{scheme + "://" + strings.Join(split[:parts], "/"), split[parts]}, true
}

// Stores returns the URL, for erasure.Readers, of every store the map knows in the regions of this deployment, those of every
// such region tenants chose; sorted.
func (m *Map) Stores() []string {
	return slices.DeleteFunc(m.known(), m.Elsewhere)
}

// known are the stores of the map in all regions.
func (m *Map) known() []string {
	var all []string
	for _, e := range m.Entries {
		all = append(all, e.stores(m.everywhere)...)
	}
	for _, p := range m.Free {
		all = append(all, p.Store)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stores are the entry's store in each region its data may be in.
func (e *Entry) stores(regions []string) []string {
	var all []string
	for _, region := range e.regions(regions) {
		all = append(all, e.url(region, readAccount))
	}
	return all
}

// regional reports whether each region has a store of its own.
func (e *Entry) regional() bool { return strings.Contains(e.Store, "{"+regionName+"}") }

func (e *Entry) url(region, account string) string {
	return expand(e.Store, map[string]string{regionName: region, accountName: account})
}

// region is where a tenant's data of the entry is.
func (m *Map) region(e *Entry, tenant string) string {
	if chosen, known := m.regions[tenant]; known && e.regional() {
		return chosen
	}
	return e.Region
}
