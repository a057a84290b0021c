package scan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// veil hides what of a resource may be a secret, or somebody's address: of variables, metadata and annotations the names are shown,
// and of each value a digest that is the same for the same value, and that nobody who lacks the salt can try values against.
type veil struct{ salt []byte }

// mark stands for a value that is not shown.
func (v veil) mark(text string) string {
	mac := hmac.New(sha256.New, v.salt)
	mac.Write([]byte(text))
	return "hmac:" + hex.EncodeToString(mac.Sum(nil)[:8])
}

// bags are names of members whose own members, or entries, anybody may choose; in them no value is shown.
var bags = []string{"annotations", "userAnnotations", "environmentVariables", "buildEnvironmentVariables", "variables", "args", "command", "userMetadata"}

// hush are the names of members that hold what nobody else may know.
var hush = regexp.MustCompile(`(?i)(password|passwd|passphrase|token|private_?key|credentials?|api_?key|shared_?secret|raw_?key)$`)

// over is a value as it may be shown; name is what it is called.
func (v veil) over(name string, value any) any {
	switch {
	case value == nil:
		return nil
	case slices.Contains(bags, name):
		return v.bag(value)
	case hush.MatchString(name):
		if text, is := value.(string); is && text != "" {
			return v.mark(text)
		}
	}
	switch value := value.(type) {
	case asset.Object:
		return v.object(value)
	case []any:
		all := make([]any, len(value))
		for i, one := range value {
			all[i] = v.over("", one)
		}
		return all
	case string:
		return v.address(value)
	}
	return value
}

// object is an object as it may be shown. One that pairs a name with a value is an entry of metadata, or a variable.
func (v veil) object(o asset.Object) asset.Object {
	_, key := o["key"].(string)
	_, name := o["name"].(string)
	all := asset.Object{}
	for member, value := range o {
		if text, is := value.(string); is && member == "value" && (key || name) {
			all[member] = v.mark(text)
			continue
		}
		all[member] = v.over(member, value)
	}
	return all
}

// bag is a bag as it may be shown.
func (v veil) bag(value any) any {
	switch value := value.(type) {
	case asset.Object:
		all := asset.Object{}
		for member, one := range value {
			all[member] = v.mark(written(one))
		}
		return all
	case []any:
		if slices.ContainsFunc(value, func(one any) bool { _, is := one.(asset.Object); return is }) {
			return v.over("", value)
		}
	}
	return v.mark(written(value))
}

// address is a text without what an address says to its server alone: who calls, and the question.
func (v veil) address(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return v.mark(text)
	}
	if u.User == nil && u.RawQuery == "" && u.Fragment == "" {
		return text
	}
	rest := v.mark(text)
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	return u.String() + "?" + rest
}
