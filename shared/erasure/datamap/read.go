package datamap

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/policy"
)

// file is datamap.yaml as written. A pointer tells a value left out from one that says 0.
type file struct {
	Identifiers []Kind      `yaml:"identifiers"`
	Entries     []Entry     `yaml:"entries"`
	Free        []string    `yaml:"no_personal_data"`
	Outside     []Outside   `yaml:"outside"`
	Ignored     []Ignored   `yaml:"ignored"`
	Backups     []Backup    `yaml:"backups"`
	Recipients  []Recipient `yaml:"recipients"`
	Providers   []Provider  `yaml:"providers"`
	Retention   []Rule      `yaml:"retention"`
	Owners      *Owners     `yaml:"owners"`
	Limits      struct {
		AutoApproveItems *int `yaml:"auto_approve_items"`
		GrowthPercent    *int `yaml:"growth_percent"`
		TenantPercent    *int `yaml:"tenant_percent"`
		GraceDays        *int `yaml:"account_grace_days"`
		LeaverDays       *int `yaml:"leaver_days"`
		InternalDays     *int `yaml:"internal_target_days"`
		ReviewDays       *int `yaml:"review_days"`
		ForwardDays      *int `yaml:"forward_working_days"`
		RatePerSecond    *int `yaml:"rate_per_second"`
	} `yaml:"limits"`
	Regions []string `yaml:"regions"`
	Strict  *bool    `yaml:"strict"`
}

// Sizes of a map.
const (
	maxKinds   = 50
	maxEntries = 500
	maxListed  = 2000 // places without personal data, and outside
	maxFields  = 200  // of one entry
)

// Read returns the map of a policy: nil without datamap.yaml. With problems the map compiles nothing and is fit for
// further checking alone.
func Read(p *policy.Policy) (*Map, []policy.Problem) {
	type answer struct {
		m        *Map
		problems []policy.Problem
	}
	a := policy.Once(p, File, func() answer {
		m, problems := read(p)
		return answer{m, problems}
	})
	return a.m, slices.Clip(a.problems)
}

func read(p *policy.Policy) (*Map, []policy.Problem) {
	var f file
	found, problems := p.Decode(File, &f)
	if !found {
		return nil, nil
	}
	r := reader{policy: p, problems: problems, m: &Map{
		Kinds: f.Identifiers, Outside: f.Outside, Backups: f.Backups, Recipients: f.Recipients, Providers: f.Providers, Retention: f.Retention, Owner: f.Owners, Here: f.Regions,
		Limits: Limits{AutoApproveItems: 500, GrowthPercent: 10, TenantPercent: 20, GraceDays: 14, LeaverDays: 30, InternalDays: 7, ReviewDays: 10, ForwardDays: 2, RatePerSecond: 500},
		Strict: f.Strict == nil || *f.Strict, zone: p.Company.Location(), regions: map[string]string{},
		kinds: map[string]int{}, entries: map[string]int{},
	}}
	for i := range f.Entries {
		r.m.Entries = append(r.m.Entries, &f.Entries[i])
	}
	for _, t := range p.Tenants {
		if t.Region != "" {
			r.m.regions[t.ID] = t.Region
		}
	}
	for _, env := range p.Company.Environments {
		if env.Kind == policy.Live {
			r.m.live = append(r.m.live, env.Project)
		}
	}
	r.m.everywhere = slices.Compact(slices.Sorted(maps.Values(r.m.regions)))
	r.sizes(f)
	if !slices.ContainsFunc(r.problems, isWhole) {
		r.here()
		r.kinds()
		r.lists()
		r.entries()
		r.providers()
		r.free(f.Free)
		r.ignored(f.Ignored)
		r.into()
		r.retention()
		r.owners()
		r.limits(f)
		r.graphs()
	}
	r.m.faulty = len(r.problems) > 0
	r.m.digest = r.m.sum()
	return r.m, policy.Sort(r.problems)
}

// isWhole holds for a problem with a list as a whole, where looking at its parts helps nobody.
func isWhole(p policy.Problem) bool { return !strings.ContainsAny(p.Key, "[.") }

// sum is the digest of what the map says.
func (m *Map) sum() string {
	said := *m
	said.Limits = Limits{}
	data, err := json.Marshal(struct {
		Map
		Regions map[string]string
	}{said, m.regions})
	if err != nil {
		panic(err) // text, numbers and lists of them always encode
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// reader is a map on its way in.
type reader struct {
	policy   *policy.Policy
	m        *Map
	problems []policy.Problem
}

// maxProblems are told of one map: to find the place of each the file is read once more.
const maxProblems = 100

// wrong reports a problem of a key, unless it, what is in it or what it is in is wrong already.
func (r *reader) wrong(key, what, allowed string) {
	if len(r.problems) >= maxProblems {
		return
	}
	for _, p := range r.problems {
		if p.Key == key || strings.HasPrefix(p.Key, key+".") || strings.HasPrefix(p.Key, key+"[") || strings.HasPrefix(key, p.Key+".") || strings.HasPrefix(key, p.Key+"[") {
			return
		}
	}
	r.problems = append(r.problems, r.policy.Problem(File, key, what, allowed))
}

func at(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

func (r *reader) sizes(f file) {
	for _, list := range []struct {
		key            string
		n, least, most int
	}{
		{"identifiers", len(f.Identifiers), 1, maxKinds}, {"entries", len(f.Entries), 1, maxEntries}, {"no_personal_data", len(f.Free), 0, maxListed},
		{"outside", len(f.Outside), 0, maxListed}, {"ignored", len(f.Ignored), 0, maxListed}, {"backups", len(f.Backups), 0, maxKinds}, {"recipients", len(f.Recipients), 0, maxEntries},
		{"retention", len(f.Retention), 0, maxEntries}, {"providers", len(f.Providers), 0, maxKinds}, {"regions", len(f.Regions), 0, maxKinds},
	} {
		if list.n < list.least || list.n > list.most {
			r.wrong(list.key, fmt.Sprintf("holds %d", list.n), fmt.Sprintf("%d to %d", list.least, list.most))
		}
	}
}

var (
	idForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	kindForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	regionForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	// fieldForm is a dotted path of names that no store reads as anything else.
	fieldForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$`)
)

const (
	allowedID     = "lower-case letters, digits and hyphens, at most 63"
	allowedKind   = "lower-case letters, digits and underscores, at most 32"
	allowedField  = "a dotted path such as owner.id: letters, digits, underscores and hyphens"
	allowedRegion = "a name such as europe-west1"
)

func isField(s string) bool { return len(s) <= 500 && fieldForm.MatchString(s) }

// id checks that an id is well formed and the first of its name.
func (r *reader) id(key, id string, form *regexp.Regexp, allowed string, taken map[string]int, i int) {
	switch {
	case !form.MatchString(id):
		r.wrong(key, "is not an id", allowed)
	case has(taken, id):
		r.wrong(key, "is the id of another", "each once")
	default:
		taken[id] = i
	}
}

func has(index map[string]int, id string) bool {
	_, known := index[id]
	return known
}

func (r *reader) kinds() {
	for i, k := range r.m.Kinds {
		key := at("identifiers", i)
		r.id(key+".id", k.ID, kindForm, allowedKind, r.m.kinds, i)
		if k.ID == tenantName || slices.Contains(storeNames, k.ID) {
			r.wrong(key+".id", "stands for something else in templates", "another name")
		}
		if k.Normalise != "" && k.Normalise != AsEmail {
			r.wrong(key+".normalise", "is unknown", string(AsEmail))
		}
		if k.OpenDSR == "" && k.Normalise == AsEmail && !slices.ContainsFunc(r.m.Kinds[:i], func(o Kind) bool { return o.OpenDSR == opendsr.Email }) {
			r.m.Kinds[i].OpenDSR = opendsr.Email
		}
		switch at := r.m.Kinds[i].OpenDSR; {
		case at == "":
		case !slices.Contains(opendsr.IdentityTypes, at):
			r.wrong(key+".opendsr", "is no identity type of OpenDSR", "such as controller_customer_id")
		case slices.ContainsFunc(r.m.Kinds[:i], func(o Kind) bool { return o.OpenDSR == at }):
			r.wrong(key+".opendsr", "is the identity type of another kind", "each once")
		}
	}
}

// oneLine reports whether text says something, on one line.
func oneLine(text string, most int) bool {
	return strings.TrimSpace(text) == text && text != "" && len(text) <= most && !strings.ContainsFunc(text, isControl)
}

// number sets *to when the file says something within bounds.
func (r *reader) number(key string, says *int, to *int, low, high int) {
	switch {
	case says == nil:
	case *says < low || *says > high:
		r.wrong(key, "is out of bounds", fmt.Sprintf("%d to %d", low, high))
	default:
		*to = *says
	}
}

func (r *reader) limits(f file) {
	l, says := &r.m.Limits, f.Limits
	r.number("limits.auto_approve_items", says.AutoApproveItems, &l.AutoApproveItems, 0, 100_000)
	r.number("limits.growth_percent", says.GrowthPercent, &l.GrowthPercent, 0, 100)
	r.number("limits.tenant_percent", says.TenantPercent, &l.TenantPercent, 1, 100)
	r.number("limits.account_grace_days", says.GraceDays, &l.GraceDays, 0, 30)
	r.number("limits.leaver_days", says.LeaverDays, &l.LeaverDays, 0, 400)
	r.number("limits.internal_target_days", says.InternalDays, &l.InternalDays, 1, 28)
	r.number("limits.forward_working_days", says.ForwardDays, &l.ForwardDays, 1, 10)
	r.number("limits.review_days", says.ReviewDays, &l.ReviewDays, 1, 25)
	r.number("limits.rate_per_second", says.RatePerSecond, &l.RatePerSecond, 1, 10_000)
}
