// Package veil hides what of a document somebody configured may be a secret: of variables, metadata, headers, annotations and
// whatever is called a password, a token or a key, the name is shown and never the value; of addresses on the web, the host.
//
// It promises that the same value is hidden alike, so that two can be told apart by somebody who may see neither, and that
// nobody who lacks the salt can try values against what stands for one. What is called like a secret is hidden with all below
// it, but for true and false, and for names of resources that hold secrets. It does not find a secret under a name that says
// nothing of it.
package veil

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Hidden stands for a value where there is no salt to tell values apart with.
const Hidden = "***"

// Veil hides values. The zero Veil has no salt: what it hides is [Hidden], whatever it was.
type Veil struct {
	Salt []byte
	// Secret are paths, with dots and through lists without a number, of what is hidden beside, with all below it, such as what
	// Terraform calls sensitive. Capitals and underscores mean nothing in them.
	Secret []string
}

// Mark stands for a text that is not shown; "" for none.
func (v Veil) Mark(text string) string {
	if text == "" || text == Hidden {
		return text
	}
	if len(v.Salt) == 0 {
		return Hidden
	}
	mac := hmac.New(sha256.New, v.Salt)
	mac.Write([]byte(text))
	return "hmac:" + hex.EncodeToString(mac.Sum(nil)[:8])
}

// Over is a value of JSON as it may be shown; at is the path to it, with dots, "" for nothing in particular. What it is given it
// does not change.
func (v Veil) Over(at string, value any) any {
	if text, is := value.(string); is && inMetadata(at) {
		return v.Mark(text)
	}
	switch {
	case value == nil:
		return nil
	case v.covered(at), hushed(at, value):
		return v.whole(value)
	case isBag(at):
		return v.bag(at, value)
	}
	switch value := value.(type) {
	case map[string]any:
		return v.object(at, value)
	case []any:
		all := make([]any, len(value))
		for i, one := range value {
			all[i] = v.Over(at, one)
		}
		return all
	case string:
		return v.Address(value)
	}
	return value
}

// Closed reports whether a value at a path is hidden as a whole, or but for the names in it, for what it is called: it means nothing to look
// at what lies in it one by one.
func Closed(at string, value any) bool { return isBag(at) || hushed(at, value) }

// covered reports whether somebody said that what lies at a path is secret.
func (v Veil) covered(at string) bool {
	path := fold(at)
	return slices.ContainsFunc(v.Secret, func(p string) bool {
		p = fold(p)
		return path == p || strings.HasPrefix(path, p+".")
	})
}

// object is an object as it may be shown. Below some names, one that pairs a name with a value is a variable.
func (v Veil) object(at string, o map[string]any) map[string]any {
	_, key := o["key"].(string)
	_, name := o["name"].(string)
	pair := (key || name) && paired(at)
	all := map[string]any{}
	for member, value := range o {
		if member == "value" && pair {
			all[member] = v.whole(value)
			continue
		}
		all[member] = v.Over(strings.TrimPrefix(at+"."+member, "."), value)
	}
	return all
}

// bag is a bag as it may be shown.
func (v Veil) bag(at string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		all := map[string]any{}
		for member, one := range value {
			all[member] = v.Mark(written(one))
		}
		return all
	case []any:
		object := slices.ContainsFunc(value, func(one any) bool { _, is := one.(map[string]any); return is })
		if !object && !isNamed(at) {
			break
		}
		all := make([]any, len(value))
		for i, one := range value {
			switch one := one.(type) {
			case map[string]any:
				all[i] = v.object(at, one)
			case string:
				all[i] = v.Line(at, one)
			default:
				all[i] = v.whole(one)
			}
		}
		return all
	}
	return v.whole(value)
}

// Line is an entry of what lies at a path that is [Sensitive], written as NAME=VALUE or NAME: VALUE: of it the name is shown, where there
// is one.
func (v Veil) Line(at, line string) string {
	end := strings.IndexAny(line, "=:")
	if end < 0 || !isNamed(at) || !nameOnly.MatchString(line[:end]) {
		return v.Mark(line)
	}
	return strings.TrimSpace(line[:end] + " " + v.Mark(strings.TrimSpace(line[end+1:])))
}

// whole hides all of a value; that there is nothing is shown.
func (v Veil) whole(value any) any {
	switch value := value.(type) {
	case nil:
		return nil
	case string:
		return v.Mark(value)
	case []any:
		if len(value) == 0 {
			return value
		}
	case map[string]any:
		if len(value) == 0 {
			return value
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

// Address is a text without what an address in it says to its server alone: who calls, the question, and the path, which in a hook is
// the secret. The path of a resource of Google's, and of an object in a bucket, is its name, and shown. A text that is no
// address is shown as it is.
func (v Veil) Address(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return v.Mark(text)
	}
	shown := u.Scheme + "://" + u.Host
	switch named := u.Scheme == "gs" || strings.HasSuffix(u.Host, ".googleapis.com"); {
	case named, u.Path == "/":
		shown += u.EscapedPath()
	case text == shown:
	default:
		shown += "/"
	}
	if shown == text || text == shown+"?"+Hidden {
		return text
	}
	return shown + "?" + v.Mark(text)
}
