package scan

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
)

// maxValue is how much of a value is kept, in bytes; of what is longer, a digest of all of it says when it is another.
const maxValue = 2000

// mostOthers is of how many assets beside the one that is judged facts are shown; of more there is a digest.
const mostOthers = 5

// value is what the expressions that are not true saw, a fact a line: what somebody accepts is this value and no other, so
// all of them say theirs.
func (s *Service) value(live *baseline.Live, a *asset.Asset, j baseline.Judgement, said baseline.Assertion) string {
	var lines []string
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
				add(p.of(a))
			}
		}
	}
	for _, line := range beside(j.Others, around) {
		add(line)
	}
	if len(lines) == 0 && a != nil {
		add(digest(place{name: "data"}.of(a), written(a.IAM), place{name: "location"}.of(a)))
	}
	return clip(strings.Join(lines, "\n"))
}

// place is where an expression finds a fact of an asset.
type place struct {
	name string   // data, iam, audit or location
	path []string // of data; none: all of it
}

// mentioned finds places in an expression. One of another asset than the one that is judged has a point before it.
var mentioned = regexp.MustCompile(`\.?\b(?:data\b((?:\.\??[A-Za-z_][A-Za-z0-9_]*)*)(\(?)|iam\b|audit\b|location\b)`)

// places are the facts an expression names, of the asset that is judged and of others.
func places(expression string) (own, others []place) {
	for _, m := range mentioned.FindAllStringSubmatch(expression, -1) {
		name, other := strings.CutPrefix(m[0], ".")
		p := place{name: name}
		if strings.HasPrefix(name, "data") {
			p.name = "data"
			p.path = strings.FieldsFunc(m[1], func(r rune) bool { return r == '.' || r == '?' })
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
	if strings.Contains(expression, "covered(") {
		for _, field := range []string{"filter", "exclusions", "disabled", "destination", "includeChildren", "interceptChildren"} {
			others = append(others, place{name: "data", path: []string{field}})
		}
	}
	return own, others
}

// passing are fields that change though nothing else does.
var passing = []string{"etag", "fingerprint", "labelFingerprint", "updateTime", "updated", "lastModifiedTime", "metageneration", "generation", "lastRefreshTime"}

// of is a fact of an asset, as it is shown. All of its data together is a digest.
func (p place) of(a *asset.Asset) string {
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
	if len(p.path) == 0 {
		all := maps.Clone(a.Data)
		for _, field := range passing {
			delete(all, field)
		}
		return "data: " + digest(written(all))
	}
	var v any = a.Data
	for _, name := range p.path {
		m, is := v.(map[string]any)
		if !is {
			v = nil
			break
		}
		v = m[name]
	}
	return strings.TrimSpace(strings.Join(p.path, ".") + ": " + written(v))
}

// beside is what was looked at of other assets: that they are there, and the facts that are named.
func beside(all []*asset.Asset, named []place) (lines []string) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *asset.Asset) int { return strings.Compare(a.Key, b.Key) })
	all = slices.CompactFunc(all, func(a, b *asset.Asset) bool { return a.Key == b.Key })
	for _, a := range all {
		line := asset.Base(a.Key)
		if len(all) > mostOthers {
			line = a.Key
		}
		for i, p := range named {
			if fact := p.of(a); fact != "" && !slices.ContainsFunc(named[:i], func(o place) bool { return o.name == p.name && slices.Equal(o.path, p.path) }) {
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
func (s *Service) members(live *baseline.Live, a *asset.Asset, j baseline.Judgement, which int) []string {
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
