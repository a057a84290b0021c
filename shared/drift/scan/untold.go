package scan

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
)

// Untold is something an assertion could not tell about. It is stored; a value somebody configured is never in it.
type Untold struct {
	Assertion string `json:"assertion"`
	Promise   string `json:"promise,omitempty"` // where that sets parameters of its own
	Asset     string `json:"asset,omitempty"`   // "" for the company
	Why       string `json:"why"`
	About     string `json:"about,omitempty"` // what was not read: a field, types, a place, an asset
}

// Why an assertion could not tell.
const (
	NoField   = "field"   // the service did not say it
	NoType    = "type"    // nothing of it was read
	NoAsset   = "asset"   // it was not read
	NoPlace   = "place"   // not all of it could be listed
	NoMembers = "members" // who is in a group was not read
	Behind    = "behind"  // a list may be older than what was told of it since
	Unread    = "unread"  // it changed, and could not be read since
	Old       = "old"     // it was read too long ago
	NoReason  = "other"
)

// rights finds what lies above projects, of which it was not read who has rights there: it is told with the permissions it takes.
var rights = regexp.MustCompile(`^who has rights in ((folders|organizations)/[0-9]{1,30}) was not read`)

// untoldEach is how many are kept of each assertion.
const untoldEach = 5

// reasons find in what an evaluation says what was not read. Values stay out of it.
var reasons = []struct {
	form *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`^no such key: ([A-Za-z0-9_.-]{1,100})`), NoField},
	{regexp.MustCompile(`^no such attribute\(s\): ([A-Za-z0-9_.-]{1,100})`), NoField},
	{regexp.MustCompile(`^nothing of the type ([A-Za-z0-9_./-]{1,100}) was read`), NoType},
	{regexp.MustCompile(`^not all of the type ([A-Za-z0-9_./-]{1,100}) was read`), NoPlace},
	{regexp.MustCompile(`^nothing of this was read: ([A-Za-z0-9_./, -]{1,300})`), NoType},
	{regexp.MustCompile(`^who is in `), NoMembers},
	{regexp.MustCompile(`^(//[^\s"]{1,300}) was not read`), NoAsset},
}

// untell notes that an assertion could not tell, and why.
func (s *Service) untell(v *verdicts, k *known, j baseline.Judgement) {
	if len(v.untold[j.Assertion]) >= untoldEach {
		return
	}
	u := Untold{Assertion: j.Assertion, Promise: j.Promise, Asset: j.Key}
	u.Why, u.About = s.why(k, j)
	v.untold[j.Assertion] = append(v.untold[j.Assertion], u)
}

func (s *Service) why(k *known, j baseline.Judgement) (why, about string) {
	if j.Key != "" {
		switch place, is := k.unseen(kindIn(k, j.Key), j.Key); {
		case is && place == "behind":
			return Behind, ""
		case is && place == "stale":
			return Old, ""
		case is && !strings.Contains(place, ": "):
			return Unread, ""
		case is:
			return NoPlace, place
		}
	}
	if past(k, j) {
		return Old, ""
	}
	if found := rights.FindStringSubmatch(j.Why); found != nil {
		may := "resourcemanager." + found[2]
		return NoAsset, found[1] + ": " + may + ".get, " + may + ".getIamPolicy"
	}
	for _, r := range reasons {
		if found := r.form.FindStringSubmatch(j.Why); found != nil {
			return r.why, strings.Join(found[1:], "")
		}
	}
	if j.Verdict != baseline.Undetermined || j.Key == "" && s.unseen(k, j) {
		kinds := slices.DeleteFunc(slices.Concat(s.Set.Needs(j.Assertion), s.Set.Looks(j.Assertion)), func(kind string) bool { return k.read(kind, s.listed) })
		slices.Sort(kinds)
		return NoPlace, strings.Join(slices.Compact(kinds), ", ")
	}
	return NoReason, ""
}

// untolds are what is kept of what could not be told, by assertion. What was not listed at all is told too.
func (s *Service) untolds(v *verdicts, k *known) (all []Untold) {
	for _, name := range slices.Sorted(maps.Keys(v.counts)) {
		some := v.untold[name]
		if len(some) == 0 && v.counts[name].Undetermined > 0 {
			one := Untold{Assertion: name}
			one.Why, one.About = s.why(k, baseline.Judgement{Assertion: name})
			some = append(some, one)
		}
		all = append(all, some...)
	}
	return all
}

// kindIn is the type of an asset; "" where nobody knows it.
func kindIn(k *known, key string) string {
	if a, there := k.live.Get("", key); there {
		return a.Type
	}
	return ""
}

// Short is what people call the asset; "" for the company.
func (u Untold) Short() string { return asset.Base(u.Asset) }
