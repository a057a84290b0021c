package datamap

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Around returns the URLs, for erasure.Listers, of where there may be stores that nobody has mapped: the live projects, for
// databases and buckets, and the servers of PostgreSQL the map knows. A server of MongoDB is one store.
func (m *Map) Around() []string {
	var all []string
	for _, project := range m.live {
		all = append(all, "firestore://"+project, "gcs://"+project)
	}
	for _, store := range m.Stores() {
		if schemeOf(store) == "postgres" {
			all = append(all, store)
		}
	}
	return all
}

// Strange returns which of the stores that there are the map does not know at a time, sorted. In strict mode no request is
// completed before somebody has said what lies there. A store is known that an entry is in, in whatever region, that has a place without personal
// data, that lies outside, as a whole or with a place, or that is ignored as long as that counts.
func (m *Map) Strange(stores []string, now time.Time) []string {
	known := map[string]bool{}
	for _, store := range m.known() { // those of other regions too: another deployment looks into them
		known[bare(store)] = true
	}
	for _, i := range m.Ignored {
		known[i.Store] = known[i.Store] || i.counts(now, m.zone)
	}
	var strange []string
	for _, store := range stores {
		outside := slices.ContainsFunc(m.Outside, func(o Outside) bool { return o.Place == store || strings.HasPrefix(o.Place, store+"/") })
		if !known[store] && !outside {
			strange = append(strange, store)
		}
	}
	slices.Sort(strange)
	return slices.Compact(strange)
}

// counts reports whether what somebody has seen in an ignored store still counts.
func (i Ignored) counts(now time.Time, zone *time.Location) bool {
	end := i.Review.End(zone)
	return now.Before(end) && end.Before(now.AddDate(0, 0, LongestIgnored+1))
}

// ignored checks that each store that is left out is one, for a reason and a time.
func (r *reader) ignored(listed []Ignored) {
	for n, i := range listed {
		key := at("ignored", n)
		store, ok := r.projected(key+".store", i.Store)
		if !ok {
			continue
		}
		for _, region := range r.regions() {
			i.Store = strings.ReplaceAll(store, "{"+regionName+"}", region)
			r.ignoredOne(key, i)
		}
	}
}

// regions are those there is data in, or may be.
func (r *reader) regions() []string {
	all := slices.Clone(r.m.everywhere)
	for _, e := range r.m.Entries {
		all = append(all, e.Region)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *reader) ignoredOne(key string, i Ignored) {
	if slices.Contains(r.m.Ignored, i) {
		return // one line for all regions
	}
	switch scheme, rest, found := strings.Cut(i.Store, "://"); {
	case !found || rest == "" || drivers[scheme].form == "" || bare(i.Store) != i.Store:
		r.wrong(key+".store", "is no store as a look around names it", "a URL without account and parameters: firestore://{project}/DATABASE, gcs://BUCKET, postgres://HOST/DATABASE")
	case slices.ContainsFunc(r.m.Ignored, func(o Ignored) bool { return o.Store == i.Store }),
		slices.ContainsFunc(r.m.known(), func(known string) bool { return bare(known) == i.Store }):
		r.wrong(key+".store", "is in the map already", "stores that nothing else is said about")
	}
	if !oneLine(i.Why, 500) || len(i.Why) < 20 {
		r.wrong(key+".why", "does not say why, and who has looked", "one line of at least 20 bytes")
	}
	if i.Review.IsZero() {
		r.wrong(key+".review", "is missing: nobody would look again", fmt.Sprintf("a day, at most %d ahead: 2027-01-31", LongestIgnored))
	}
	r.m.Ignored = append(r.m.Ignored, i)
}
