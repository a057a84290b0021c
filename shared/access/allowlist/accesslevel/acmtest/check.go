package acmtest

import (
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	acm "google.golang.org/api/accesscontextmanager/v1"
)

var levelForm = regexp.MustCompile(`^accessPolicies/4711/accessLevels/[A-Za-z][A-Za-z0-9_]{0,49}$`)

// changed is a level after a write, nil when it is deleted, or why the service refuses.
func (f *ACM) changed(s Sent) (*acm.AccessLevel, string) {
	old, there := f.Levels[s.Name]
	level := s.Level
	switch s.Method {
	case http.MethodPost:
		f.Used["accesscontextmanager.accessLevels.create"] = true
		switch {
		case there:
			return nil, "exists"
		case len(f.Levels) >= 500, !levelForm.MatchString(s.Name), level.Title == "":
			return nil, "too many levels, or not a name and a title"
		}
	case http.MethodDelete:
		f.Used["accesscontextmanager.accessLevels.delete"] = true
		if !there || f.required(s.Name) {
			return nil, "no such level, or it is required by another"
		}
		return nil, ""
	case http.MethodPatch:
		f.Used["accesscontextmanager.accessLevels.update"] = true
		if !there || s.Mask == "" {
			return nil, "no such level, or no mask"
		}
		one := *old
		for field := range strings.SplitSeq(s.Mask, ",") {
			switch field {
			case "basic":
				one.Basic, one.Custom = level.Basic, nil
			case "custom":
				one.Custom, one.Basic = level.Custom, nil
			case "description":
				one.Description = level.Description
			default:
				return nil, "no such field"
			}
		}
		level = one
	}
	return &level, f.Wrong(level)
}

func (f *ACM) required(name string) bool {
	for _, level := range f.Levels {
		if level.Basic != nil && slices.ContainsFunc(level.Basic.Conditions, func(c *acm.Condition) bool { return slices.Contains(c.RequiredAccessLevels, name) }) {
			return true
		}
	}
	return false
}

// Wrong is why the service would not take a level. An empty list of addresses it takes: it means all of them.
func (f *ACM) Wrong(level acm.AccessLevel) string {
	if level.Custom != nil {
		if level.Custom.Expr == nil || !compiles(level.Custom.Expr.Expression) {
			return "not an expression"
		}
		return ""
	}
	if level.Basic == nil || len(level.Basic.Conditions) == 0 || len(level.Basic.Conditions) > 40 {
		return "conditions are none or too many"
	}
	for _, c := range level.Basic.Conditions {
		if c == nil {
			return "a condition is null"
		}
		if max(len(c.IpSubnetworks), len(c.Members), len(c.RequiredAccessLevels)) > 200 {
			return "a list is too long"
		}
		for _, text := range c.IpSubnetworks {
			if p, err := netip.ParsePrefix(text); err != nil || p != p.Masked() {
				return "malformed address"
			}
		}
		for _, m := range c.Members {
			if !strings.HasPrefix(m, "user:") && !strings.HasPrefix(m, "serviceAccount:") {
				return "malformed member"
			}
		}
		for _, name := range c.RequiredAccessLevels {
			if f.Levels[name] == nil {
				return "a level that does not exist is required"
			}
		}
	}
	return ""
}
