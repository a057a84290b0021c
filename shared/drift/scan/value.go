package scan

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
)

// maxValue is how much of a value is kept, in bytes; of what is longer, a digest of all of it says when it is another.
const maxValue = 2000

// facts are the places of an asset that an expression names.
var facts = regexp.MustCompile(`\bdata(\.[A-Za-z_][A-Za-z0-9_]*)+(\(|)|\b(iam|audit|location)\b`)

// value is what an expression that is not true saw of an asset, a fact a line: what somebody accepts is this value and no
// other.
func (s *Service) value(live *baseline.Live, a *asset.Asset, j baseline.Judgement, expression string) string {
	var lines []string
	for _, name := range facts.FindAllString(expression, -1) {
		line := ""
		switch {
		case name == "iam" && a.IAM != nil:
			line = strings.Join(s.members(live, a, j), "\n")
		case name == "audit" && a.IAM != nil:
			line = "audit: " + written(a.IAM.Audit)
		case name == "location":
			line = "location: " + a.Location
		case strings.HasPrefix(name, "data."):
			line = field(a.Data, strings.TrimPrefix(name, "data."))
		}
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return clip(strings.Join(lines, "\n"))
}

// field is a fact of a resource by its path. A path that ends in a call is one of what is called.
func field(data asset.Object, path string) string {
	if strings.HasSuffix(path, "(") {
		at := strings.LastIndexByte(path, '.')
		if at < 0 {
			return ""
		}
		path = path[:at]
	}
	var v any = data
	for name := range strings.SplitSeq(path, ".") {
		m, is := v.(map[string]any)
		if !is {
			v = nil
			break
		}
		v = m[name]
	}
	return path + ": " + written(v)
}

// written is a value as JSON, its members sorted.
func written(v any) string {
	text, err := json.Marshal(v)
	if v == nil || err != nil {
		return "nothing"
	}
	return string(text)
}

// members are who, alone, makes the assertion not true: a role that others have beside is no other value. Where nobody does
// alone, all are.
func (s *Service) members(live *baseline.Live, a *asset.Asset, j baseline.Judgement) []string {
	var guilty, all []string
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			line := b.Role + " " + m
			if b.Condition != "" {
				line += " if " + b.Condition
			}
			all = append(all, line)
			alone := *a
			alone.IAM = &asset.Policy{Bindings: []asset.Binding{{Role: b.Role, Condition: b.Condition, Members: []string{m}}}, Audit: a.IAM.Audit, Read: a.IAM.Read}
			if slices.ContainsFunc(s.Set.Judge(&alone, live), func(o baseline.Judgement) bool {
				return o.Assertion == j.Assertion && o.Promise == j.Promise && o.Verdict == baseline.OutOfOrder && o.Which == j.Which
			}) {
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
