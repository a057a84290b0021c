package baseline

import (
	"fmt"
	"strings"
	"testing"

	"cel.dev/cel-go/common/types"
)

// TestInForce: of a policy only what is asked before everything fits counts, by direction and version of addresses.
func TestInForce(t *testing.T) {
	t.Parallel()
	rule := func(priority float64, action, direction string, more ...any) any {
		end := map[string]string{"INGRESS": "srcIpRanges", "EGRESS": "destIpRanges"}[direction]
		match := map[string]any{"layer4Configs": []any{map[string]any{"ipProtocol": "all"}}}
		r := map[string]any{"priority": priority, "action": action, "direction": direction, "match": match}
		for _, one := range more {
			switch v := one.(type) {
			case string:
				old, _ := match[end].([]any)
				match[end] = append(old, v)
			case func(r, match map[string]any):
				v(r, match)
			}
		}
		return r
	}
	port := func(r, match map[string]any) {
		match["layer4Configs"] = []any{map[string]any{"ipProtocol": "tcp", "ports": []any{"443"}}}
	}
	for name, c := range map[string]struct {
		rules []any
		want  string // priority and versions of each that is in force
	}{
		"a denial":                       {[]any{rule(9, "deny", "EGRESS")}, "9:46"},
		"of version 4":                   {[]any{rule(9, "deny", "EGRESS", "0.0.0.0/0")}, "9:4"},
		"of version 6":                   {[]any{rule(9, "deny", "EGRESS", "::/0")}, "9:6"},
		"both in halves":                 {[]any{rule(9, "deny", "EGRESS", "0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1")}, "9:46"},
		"half of version 6":              {[]any{rule(9, "deny", "EGRESS", "8000::/1")}, "9:"},
		"behind what is passed on":       {[]any{rule(9, "deny", "EGRESS"), rule(1, "goto_next", "EGRESS")}, ""},
		"behind what is let out":         {[]any{rule(1, "allow", "EGRESS"), rule(9, "deny", "EGRESS")}, "1:46"},
		"before it":                      {[]any{rule(1, "deny", "EGRESS"), rule(9, "goto_next", "EGRESS")}, "1:46"},
		"version 4 is passed on":         {[]any{rule(1, "goto_next", "EGRESS", "0.0.0.0/0"), rule(9, "deny", "EGRESS")}, "9:6"},
		"version 6 is passed on":         {[]any{rule(1, "goto_next", "EGRESS", "::/0"), rule(9, "deny", "EGRESS")}, "9:4"},
		"each is passed on":              {[]any{rule(1, "goto_next", "EGRESS", "::/0"), rule(2, "goto_next", "EGRESS", "0.0.0.0/0"), rule(9, "deny", "EGRESS")}, ""},
		"some is passed on":              {[]any{rule(1, "goto_next", "EGRESS", "10.0.0.0/8"), rule(9, "deny", "EGRESS")}, "9:46"},
		"one port is passed on":          {[]any{rule(1, "goto_next", "EGRESS", port), rule(9, "deny", "EGRESS")}, "9:46"},
		"the other direction":            {[]any{rule(1, "goto_next", "INGRESS"), rule(9, "deny", "EGRESS")}, "9:46"},
		"passed on, but switched off":    {[]any{rule(1, "goto_next", "EGRESS", func(r, _ map[string]any) { r["disabled"] = true }), rule(9, "deny", "EGRESS")}, "9:46"},
		"for some machines":              {[]any{rule(1, "goto_next", "EGRESS", func(r, _ map[string]any) { r["targetServiceAccounts"] = []any{"a"} }), rule(9, "deny", "EGRESS")}, "9:46"},
		"for some networks":              {[]any{rule(1, "goto_next", "EGRESS", func(r, _ map[string]any) { r["targetResources"] = []any{"n"} }), rule(9, "deny", "EGRESS")}, "9:46"},
		"from some addresses":            {[]any{rule(1, "goto_next", "EGRESS", func(_, m map[string]any) { m["srcIpRanges"] = []any{"10.0.0.0/8"} }), rule(9, "deny", "EGRESS")}, "9:46"},
		"to the internet alone":          {[]any{rule(1, "goto_next", "EGRESS", func(_, m map[string]any) { m["destNetworkScope"] = "INTERNET" }), rule(9, "deny", "EGRESS")}, "9:46"},
		"nobody knows which comes first": {[]any{rule(1, "goto_next", "EGRESS", func(r, _ map[string]any) { delete(r, "priority") }), rule(9, "deny", "EGRESS")}, "9:46"},
		"what matches was not read":      {[]any{rule(1, "goto_next", "EGRESS", func(r, _ map[string]any) { delete(r, "match") }), rule(9, "deny", "EGRESS")}, "9:46"},
		"the shell behind a denial":      {[]any{rule(1, "deny", "INGRESS"), rule(9, "allow", "INGRESS", "0.0.0.0/0", port)}, "1:46"},
		"the shell before a denial":      {[]any{rule(1, "allow", "INGRESS", "0.0.0.0/0", port), rule(9, "deny", "INGRESS")}, "1:4 9:46"},
	} {
		found, _ := rules(types.DefaultTypeAdapter.NativeToValue(map[string]any{"rules": c.rules})).Value().([]any)
		var got []string
		for _, one := range found {
			r := one.(map[string]any)
			text := fmt.Sprintf("%v:", r["priority"])
			if r["everywhere"] == true {
				text += "4"
			}
			if r["everywhere6"] == true {
				text += "6"
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, strings.Join(got, " "), c.want)
		}
	}
	for name, c := range map[string]struct {
		data map[string]any
		want bool
	}{
		"nobody says where to": {map[string]any{"direction": "EGRESS", "denied": []any{}}, false},
		"version 4":            {map[string]any{"direction": "EGRESS", "denied": []any{}, "destinationRanges": []any{"0.0.0.0/0"}}, false},
		"version 6":            {map[string]any{"direction": "EGRESS", "denied": []any{}, "destinationRanges": []any{"::/0"}}, true},
	} {
		found, _ := rules(types.DefaultTypeAdapter.NativeToValue(c.data)).Value().([]any)
		if len(found) != 1 || found[0].(map[string]any)["everywhere6"] != c.want {
			t.Errorf("a firewall, %s: %v", name, found)
		}
	}
}
