package attribution

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/veil"
)

// Request is what a call asked for, as the watch tells it: a body, or a change of who may use the asset, a line each. What may
// be a secret is not in it.
type Request struct {
	Body    json.RawMessage `json:"body,omitempty"`
	Added   []string        `json:"added,omitempty"`
	Removed []string        `json:"removed,omitempty"`
	Whole   bool            `json:"whole,omitempty"` // Added is everybody who may use it from now on
	Cut     bool            `json:"cut,omitempty"`   // there was more than is told
}

// Reasons for which nothing, or not all, of what was asked for is told. They are stored, as finding.Actor.Unasked.
const (
	NotLogged = "not_logged" // the entry holds no request
	TooLong   = "too_long"   // there was more than is told
	Same      = "same"       // all that was asked for was so before
)

// MostAsked is how many fields of one request are told, MostText how many bytes of a value.
const (
	MostAsked = 12
	MostText  = 300
)

// Asked says what a call asked for that was not so before it. was is the asset as it was known before the call, with only what
// is known to be older than it; nil where nothing is. Fields that say nothing of the asset, and what a mask of the request
// leaves out, are passed over. secret are the paths of attributes that Terraform calls sensitive, as it writes them.
func Asked(r *Request, was *asset.Asset, shown veil.Veil, secret ...string) (all []finding.Change, unasked string) {
	if r == nil {
		return nil, NotLogged
	}
	var body asset.Object
	switch {
	case len(r.Added)+len(r.Removed) > 0 || r.Whole:
		all = r.access(was)
	case json.Unmarshal(r.Body, &body) == nil && body != nil:
		all = fields(body, was, shown, secret)
	case !r.Cut:
		return nil, NotLogged
	}
	switch {
	case r.Cut || len(all) > MostAsked:
		unasked = TooLong
	case len(all) == 0:
		unasked = Same
	}
	return all[:min(len(all), MostAsked)], unasked
}

// access is a change of who may use the asset, each member beside nothing.
func (r *Request) access(was *asset.Asset) (all []finding.Change) {
	added, removed, unsure := r.Added, r.Removed, false
	if r.Whole {
		before := lines(was)
		unsure = was == nil || was.IAM == nil
		removed = without(before, r.Added)
		added = without(r.Added, before)
	}
	for _, line := range added {
		all = append(all, finding.Change{Field: "iam", Now: short(line), Unsure: unsure})
	}
	for _, line := range removed {
		all = append(all, finding.Change{Field: "iam", Was: short(line)})
	}
	return all
}

// lines is who may use an asset, as the watch writes it.
func lines(a *asset.Asset) (all []string) {
	if a == nil || a.IAM == nil {
		return nil
	}
	for _, b := range a.IAM.Bindings {
		for _, m := range b.Members {
			line := b.Role + " " + m
			if b.Condition != "" {
				line += " {" + b.Condition + "}"
			}
			all = append(all, line)
		}
	}
	return all
}

func without(all, but []string) (left []string) {
	for _, one := range all {
		if !slices.ContainsFunc(but, func(o string) bool { return strings.EqualFold(o, one) }) && !slices.Contains(left, one) {
			left = append(left, one)
		}
	}
	return left
}

// fields are the fields of a request that are otherwise than before.
func fields(request asset.Object, was *asset.Asset, shown veil.Veil, secret []string) []finding.Change {
	var before asset.Object
	if was != nil {
		before = was.Data
	}
	c := &comparing{shown: shown, mask: masked(request), unsure: before == nil}
	for _, path := range secret {
		c.secret = append(c.secret, camel(path))
	}
	c.object("", body(request, before), before)
	return c.all
}

// addressing are members of a request that say what it is about, and nothing of how it should be.
var addressing = []string{"@type", "name", "project", "zone", "region", "instance", "parent", "kind", "etag", "fingerprint", "labelFingerprint", "selfLink", "id", "updateMask", "requestId", "validateOnly"}

// body is the part of a request that is shaped as the asset is: itself, or one of its members.
func body(request, was asset.Object) asset.Object {
	best, most := request, fits(request, was)
	if was == nil {
		for _, name := range []string{"body", "resource"} {
			if inner, is := request[name].(asset.Object); is {
				return inner
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(request)) {
		if inner, is := request[name].(asset.Object); is && fits(inner, was) > most {
			best, most = inner, fits(inner, was)
		}
	}
	return best
}

func fits(o, was asset.Object) (n int) {
	for name := range o {
		if _, there := was[called(name, was)]; there && !slices.Contains(addressing, name) {
			n++
		}
	}
	return n
}

// called is what a field of a request is called in the asset: logs of Compute Engine write a few lists in the plural.
func called(name string, was asset.Object) string {
	if _, there := was[name]; there {
		return name
	}
	if singular := strings.TrimSuffix(name, "s"); singular == "allowed" || singular == "denied" {
		return singular
	}
	return name
}

// masked are the fields a request is about, where it says so; nil: all of it.
func masked(request asset.Object) (paths []string) {
	var given []string
	switch mask := request["updateMask"].(type) {
	case string:
		given = strings.Split(mask, ",")
	case asset.Object:
		list, _ := mask["paths"].([]any)
		for _, one := range list {
			text, _ := one.(string)
			given = append(given, text)
		}
	}
	for _, path := range given {
		if path = camel(strings.TrimSpace(path)); path != "" && path != "*" {
			paths = append(paths, path)
		}
	}
	return paths
}

// camel writes snake_case as the data of assets is written.
func camel(path string) string {
	words := strings.Split(path, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// comparing compares a request with what was before.
type comparing struct {
	shown  veil.Veil
	mask   []string
	secret []string
	unsure bool
	all    []finding.Change
}

// deepest is how deep a request is looked into field by field; what lies deeper is one value.
const deepest = 8

func (c *comparing) object(path string, asked, was asset.Object) {
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if path == "" && slices.Contains(addressing, name) {
			continue
		}
		known := called(name, was)
		at := strings.TrimPrefix(path+"."+known, ".")
		inner, is := asked[name].(asset.Object)
		if is && !veil.Sensitive(name) && strings.Count(at, ".") < deepest {
			before, _ := was[known].(asset.Object)
			c.object(at, inner, before)
			continue
		}
		if len(c.all) <= MostAsked && c.means(at) {
			c.value(at, name, asked[name], was[known])
		}
	}
}

// means reports whether a field is one the request is about.
func (c *comparing) means(path string) bool { return len(c.mask) == 0 || touches(c.mask, path) }

// touches reports whether a path is one of some, lies in one, or holds one.
func touches(paths []string, path string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return p == path || strings.HasPrefix(path, p+".") || strings.HasPrefix(p, path+".")
	})
}

func (c *comparing) value(path, name string, asked, was any) {
	// The veil covers both again: what the watch passed on is no reason to show it.
	now, before := text(c.shown.Over(name, asked)), text(c.shown.Over(name, was))
	if touches(c.secret, path) {
		now, before = c.marked(now), c.marked(before)
	}
	if now == before {
		return
	}
	c.all = append(c.all, finding.Change{Field: short(path), Was: short(before), Now: short(now), Unsure: c.unsure})
}

func (c *comparing) marked(value string) string {
	if value == "" {
		return ""
	}
	return c.shown.Mark(value)
}

// text is a value on one line: lists without an order that means anything, and nothing for what services leave out to say no.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if !v {
			return ""
		}
		return "true"
	case float64:
		if v == 0 {
			return ""
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		all := make([]string, len(v))
		for i, one := range v {
			all[i] = text(one)
		}
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	raw, err := json.Marshal(v)
	if err != nil || string(raw) == "{}" {
		return ""
	}
	return string(raw)
}

// short bounds a value.
func short(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= MostText {
		return s
	}
	at := MostText
	for !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + "…"
}
