package attribution

import (
	"encoding/json"
	"slices"
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
	LeftOut   = "left_out"   // all that was named was so before; what was not named may have been set back, or left as it was
)

// MostAsked is how many fields of one request are told, MostText how many bytes of a value.
const (
	MostAsked = 12
	MostText  = 300
)

// Asked says what a call asked for that was not so before it. was is the asset as it was known before the call, with only what
// is known to be older than it; nil where nothing is. Fields that say nothing of the asset, and what a mask of the request
// leaves out, are passed over; what a mask names and the request does not hold is set to nothing. What is hidden on either side
// may be as it was: nobody can tell, and that is said.
func Asked(r *Request, was *asset.Asset, shown veil.Veil) (all []finding.Change, unasked string) {
	if r == nil {
		return nil, NotLogged
	}
	var body asset.Object
	left := false
	switch {
	case len(r.Added)+len(r.Removed) > 0 || r.Whole:
		all = r.access(was, shown)
	case json.Unmarshal(r.Body, &body) == nil && body != nil:
		all, left = fields(body, was, shown)
	case !r.Cut:
		return nil, NotLogged
	}
	switch {
	case r.Cut || len(all) > MostAsked:
		unasked = TooLong
	case len(all) == 0 && left:
		unasked = LeftOut
	case len(all) == 0:
		unasked = Same
	}
	return all[:min(len(all), MostAsked)], unasked
}

// access is a change of who may use the asset, each member beside nothing.
func (r *Request) access(was *asset.Asset, shown veil.Veil) (all []finding.Change) {
	added, removed, unsure := r.Added, r.Removed, false
	if r.Whole {
		before := lines(was)
		unsure = was == nil || was.IAM == nil
		removed = without(before, r.Added)
		added = without(r.Added, before)
	}
	for _, line := range added {
		all = append(all, finding.Change{Field: "iam", Now: short(line, shown), Unsure: unsure})
	}
	for _, line := range removed {
		all = append(all, finding.Change{Field: "iam", Was: short(line, shown)})
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

// short bounds a value. Of one that is longer the end is a mark of all of it, so that another one stays another one.
func short(s string, shown veil.Veil) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= MostText {
		return s
	}
	at := MostText
	for !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + "… " + shown.Mark(s)
}
