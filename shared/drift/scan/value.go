package scan

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/platform/veil"
)

// maxValue is how much of a value is kept, in bytes; of what is longer, a digest of all of it says when it is another.
const maxValue = 2000

// mostOthers is of how many assets beside the one that is judged facts are shown; of more there is a digest.
const mostOthers = 5

// Teller writes the values of what assertions found. Salt is of the marks of what is not shown, and Secret what of an asset Terraform
// calls sensitive, as paths; nil: of none.
type Teller struct {
	Set    *baseline.Set
	Salt   []byte
	Secret func(key string) []string
}

// veil hides what of an asset may be a secret.
func (s Teller) veil(a *asset.Asset) veil.Veil {
	v := veil.Veil{Salt: s.Salt}
	if s.Secret != nil && a != nil {
		v.Secret = s.Secret(a.Key)
	}
	return v
}

// Told is what an assertion wants of what it found out of order, and what there is, a line each, as findings and everybody who
// tells of them write it. What may be a secret is a mark. Each is bounded by some thousand bytes.
func (s Teller) Told(live *baseline.Live, j baseline.Judgement) (want, got string) {
	said, _ := s.Set.Get(j.Assertion)
	if len(j.Failing) == 0 {
		return ">= " + strconv.Itoa(said.Least), strconv.Itoa(j.Count)
	}
	var wanted []string
	for _, which := range j.Failing {
		wanted = append(wanted, said.Assert[which-1])
	}
	var a *asset.Asset
	if one, there := live.Inventory.Get("", j.Key); there && j.Key != "" {
		a = one
	}
	return strings.Join(wanted, "\n"), s.value(live, a, j)
}

// value is what the expressions that are not true saw of an asset, nil for the company, a fact a line: what somebody accepts is
// this value and no other, so all of them say theirs.
func (s Teller) value(live *baseline.Live, a *asset.Asset, j baseline.Judgement) string {
	var lines []string
	said, _ := s.Set.Get(j.Assertion)
	shown := s.veil(a)
	add := func(line string) {
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	var around []place
	for _, which := range j.Failing {
		own, others := places(said.Assert[which-1])
		around = append(around, others...)
		for _, p := range own {
			switch {
			case a == nil:
			case p.name == "iam" && a.IAM != nil:
				for _, line := range s.members(live, a, j, which) {
					add(line)
				}
			default:
				add(p.of(s.guilty(live, a, j, which, p), shown))
			}
		}
	}
	for _, line := range s.beside(j.Others, around) {
		add(line)
	}
	if len(lines) == 0 && a != nil {
		add(digest(place{name: "data"}.of(a, shown), written(a.IAM), place{name: "location"}.of(a, shown)))
	}
	return clip(strings.Join(lines, "\n"))
}

// place is where an expression finds a fact of an asset.
type place struct {
	name string   // data, iam, audit or location
	path []string // of data; none: all of it
	// called is one that a function looks at, and the expression does not name: what is not there is not shown.
	called bool
}

// mentioned finds places in an expression, and step what leads on in the data. One of another asset than the one that is judged has a
// point before it.
var (
	mentioned = regexp.MustCompile(`\.?\b(?:data\b((?:\.\??[A-Za-z_][A-Za-z0-9_]*|\[\??"[^"\]]*"\]|\[\??'[^'\]]*'\])*)(\(?)|iam\b|audit\b|location\b)`)
	step      = regexp.MustCompile(`\.\??([A-Za-z_][A-Za-z0-9_]*)|\[\??["']([^"'\]]*)["']\]`)
)

// places are the facts an expression names, of the asset that is judged and of others.
func places(expression string) (own, others []place) {
	expression, mine, theirs := baseline.Reads(expression)
	for _, m := range mentioned.FindAllStringSubmatch(expression, -1) {
		name, other := strings.CutPrefix(m[0], ".")
		p := place{name: name}
		if strings.HasPrefix(name, "data") {
			p.name = "data"
			for _, one := range step.FindAllStringSubmatch(m[1], -1) {
				p.path = append(p.path, one[1]+one[2])
			}
		}
		if m[2] != "" && len(p.path) > 0 { // what is called is no fact, but what it is called on
			p.path = p.path[:len(p.path)-1]
		}
		if other {
			others = append(others, p)
		} else {
			own = append(own, p)
		}
	}
	called := func(fields []string) (all []place) {
		for _, field := range fields {
			all = append(all, place{name: "data", path: []string{field}, called: true})
		}
		return all
	}
	return append(own, called(mine)...), append(others, called(theirs)...)
}

// passing are fields that change though nothing else does.
var passing = []string{"etag", "fingerprint", "labelFingerprint", "updateTime", "updated", "lastModifiedTime", "metageneration", "generation", "lastRefreshTime"}

// of is a fact of an asset, as it is shown. All of its data together is a digest. A member of what anybody may name that the
// expression asks for by its name is shown.
func (p place) of(a *asset.Asset, shown veil.Veil) string {
	switch p.name {
	case "iam", "audit":
		if a.IAM == nil {
			return ""
		}
		if p.name == "audit" {
			return "audit: " + written(a.IAM.Audit)
		}
		return "iam: " + written(a.IAM.Bindings)
	case "location":
		for _, field := range []string{"location", "region"} {
			if at, is := a.Data[field].(string); is && a.Location == "" {
				return "location: " + at
			}
		}
		return "location: " + a.Location
	}
	if p.called && p.in(a) == nil {
		return ""
	}
	if len(p.path) == 0 {
		return "data: " + shown.Mark(written(bare(a.Data)))
	}
	return strings.TrimSpace(strings.Join(p.path, ".") + ": " + written(shown.Over(strings.Join(p.path, "."), bare(p.in(a)))))
}

// beside is what was looked at of other assets: that they are there, and the facts that are named.
func (s Teller) beside(all []*asset.Asset, named []place) (lines []string) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *asset.Asset) int { return strings.Compare(a.Key, b.Key) })
	all = slices.CompactFunc(all, func(a, b *asset.Asset) bool { return a.Key == b.Key })
	for _, a := range all {
		line := asset.Base(a.Key)
		if len(all) > mostOthers {
			line = a.Key
		}
		for i, p := range named {
			if fact := p.of(a, s.veil(a)); fact != "" && !slices.ContainsFunc(named[:i], func(o place) bool { return o.name == p.name && slices.Equal(o.path, p.path) }) {
				line += " " + fact
			}
		}
		lines = append(lines, line)
	}
	if len(all) > mostOthers {
		return []string{strconv.Itoa(len(all)) + " × " + all[0].Type + " " + digest(lines...)}
	}
	return lines
}

// written is a value as JSON, its members sorted; "" for none.
func written(v any) string {
	text, err := json.Marshal(v)
	if err != nil || string(text) == "null" {
		return ""
	}
	return string(text)
}

// members are who, alone, makes an expression not true: a role that others have beside is no other value. Where nobody does
// alone, all are.
func (s Teller) members(live *baseline.Live, a *asset.Asset, j baseline.Judgement, which int) []string {
	var guilty, all []string
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			line := b.Role + " " + m
			if b.Condition != "" {
				line += " {" + b.Condition + "}"
			}
			all = append(all, line)
			alone := *a
			alone.IAM = &asset.Policy{Bindings: []asset.Binding{{Role: b.Role, Condition: b.Condition, Members: []string{m}}}, Audit: a.IAM.Audit, Read: a.IAM.Read}
			if s.Set.Fails(j, which, &alone, live) {
				guilty = append(guilty, line)
			}
		}
	}
	if len(guilty) == 0 {
		guilty = all
	}
	slices.Sort(guilty)
	return guilty
}

// clip shortens a value.
func clip(s string) string {
	if len(s) <= maxValue {
		return s
	}
	at := maxValue
	for !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + " ... " + digest(s)
}
