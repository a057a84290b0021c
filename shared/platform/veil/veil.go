// Package veil hides what of a document somebody configured may be a secret: of variables, metadata, annotations and
// whatever is called a password, a token or a key, the name is shown and never the value.
//
// It promises that the same value is hidden alike, so that two can be told apart by somebody who may see neither, and that
// nobody who lacks the salt can try values against what stands for one. It does not find a secret under a name that says
// nothing of it.
package veil

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Hidden stands for a value where there is no salt to tell values apart with.
const Hidden = "***"

// Veil hides values. The zero Veil has no salt: what it hides is [Hidden], whatever it was.
type Veil struct{ Salt []byte }

// Mark stands for a value that is not shown.
func (v Veil) Mark(text string) string {
	if len(v.Salt) == 0 || text == Hidden {
		return Hidden
	}
	mac := hmac.New(sha256.New, v.Salt)
	mac.Write([]byte(text))
	return "hmac:" + hex.EncodeToString(mac.Sum(nil)[:8])
}

// bags are names of members whose own members, or entries, anybody may choose; in them no value is shown.
var bags = []string{"annotations", "userAnnotations", "environmentVariables", "buildEnvironmentVariables", "variables", "args", "command", "userMetadata"}

// hush are the names of members that hold what nobody else may know.
var hush = regexp.MustCompile(`(?i)(password|passwd|passphrase|token|private_?key|credentials?|api_?key|shared_?secret|client_?secret|secret_?data|connection_?string|raw_?key)$`)

// Sensitive reports whether what is called so holds what nobody else may know, whatever its value is.
func Sensitive(name string) bool { return slices.Contains(bags, name) || hush.MatchString(name) }

// Over is a value of JSON as it may be shown; name is what it is called, "" for nothing in particular. What it is given it
// does not change.
func (v Veil) Over(name string, value any) any {
	switch {
	case value == nil:
		return nil
	case slices.Contains(bags, name):
		return v.bag(value)
	case hush.MatchString(name):
		if text, is := value.(string); is && text != "" {
			return v.Mark(text)
		}
	}
	switch value := value.(type) {
	case map[string]any:
		return v.object(value)
	case []any:
		all := make([]any, len(value))
		for i, one := range value {
			all[i] = v.Over("", one)
		}
		return all
	case string:
		return v.address(value)
	}
	return value
}

// object is an object as it may be shown. One that pairs a name with a value is an entry of metadata, or a variable.
func (v Veil) object(o map[string]any) map[string]any {
	_, key := o["key"].(string)
	_, name := o["name"].(string)
	all := map[string]any{}
	for member, value := range o {
		if text, is := value.(string); is && member == "value" && (key || name) {
			all[member] = v.Mark(text)
			continue
		}
		all[member] = v.Over(member, value)
	}
	return all
}

// bag is a bag as it may be shown.
func (v Veil) bag(value any) any {
	switch value := value.(type) {
	case map[string]any:
		all := map[string]any{}
		for member, one := range value {
			all[member] = v.Mark(written(one))
		}
		return all
	case []any:
		if slices.ContainsFunc(value, func(one any) bool { _, is := one.(map[string]any); return is }) {
			return v.Over("", value)
		}
	}
	return v.Mark(written(value))
}

// written is a value as JSON, its members sorted; a hidden one as it is.
func written(value any) string {
	if value == Hidden {
		return Hidden
	}
	text, err := json.Marshal(value)
	if err != nil || string(text) == "null" {
		return ""
	}
	return string(text)
}

// address is a text without what an address says to its server alone: who calls, and the question.
func (v Veil) address(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return v.Mark(text)
	}
	if u.User == nil && u.RawQuery == "" && u.Fragment == "" {
		return text
	}
	rest := v.Mark(text)
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	return u.String() + "?" + rest
}
