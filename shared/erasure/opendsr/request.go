package opendsr

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/web/strictjson"
)

// Request is a controller's request that somebody be erased.
type Request struct {
	ID         string    // subject_request_id
	Regulation string    // gdpr or ccpa
	Submitted  time.Time // when the person asked the controller: the deadline counts from it
	Identities []Identity
	Unused     []string // identity types that are not served here, sorted
	Callbacks  []string // to be checked against the controller's list by CheckCallback
	Digest     string   // of the bytes; tells a repetition from a conflict
	Encoded    string   // encoded_request: base64 of the bytes. It holds identities: neither logged nor stored
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// ValidID reports whether id has the form of a subject_request_id.
func ValidID(id string) bool { return uuid4.MatchString(id) }

// ParseRequest reads the body of POST /requests. Members it does not know are left alone, as the specification asks;
// a name that occurs twice is not, for two readers would see two requests. types are those that Discover lists. Every
// error is an *Error of status 400 (413 for a body too large) that holds nothing of the body.
func ParseRequest(body []byte, v Version, now time.Time, types []IdentityType) (Request, error) {
	if len(body) > MaxBytes {
		return Request{}, refuse(413, "BodyTooLarge", "the body is larger than 65536 bytes; send fewer identities")
	}
	root, err := strictjson.Parse(body, maxDepth)
	if err != nil || root.Kind != strictjson.Object {
		return Request{}, refuse(400, "Malformed", "the body is not one JSON object that can be read in one way only")
	}
	r := reader{members: members(root)}
	q := Request{ID: r.text("subject_request_id"), Digest: record.Digest(body), Encoded: base64.StdEncoding.EncodeToString(body)}
	if !ValidID(q.ID) {
		r.fail("subject_request_id", "InvalidId", "is not a UUID of version 4 in small letters")
	}
	q.Regulation = r.regulation(v)
	if r.text("subject_request_type") != "erasure" {
		r.fail("subject_request_type", "UnsupportedRequestType", "is not erasure, the only type served here; see /discovery")
	}
	q.Submitted = r.submitted(now)
	q.Identities, q.Unused = r.identities(types)
	q.Callbacks = r.callbacks()
	if r.err != nil {
		return Request{}, r.err
	}
	return q, nil
}

// reader takes members out of an object and gathers what is wrong with them.
type reader struct {
	members map[string]strictjson.Value
	err     *Error
}

func members(v strictjson.Value) map[string]strictjson.Value {
	m := make(map[string]strictjson.Value, len(v.Members))
	for _, member := range v.Members {
		m[member.Name] = member.Value
	}
	return m
}

func (r *reader) fail(member, reason, what string) {
	if r.err == nil {
		r.err = &Error{Status: 400, Message: "the request cannot be accepted as it stands; mend what is listed and send it again"}
	}
	r.err.Details = append(r.err.Details, Detail{Domain: member, Reason: reason, Message: member + " " + what})
}

// text is "" for what is absent or no text: no member read by it may be empty.
func (r *reader) text(member string) string {
	v, ok := r.members[member]
	if !ok || v.Kind != strictjson.String {
		return ""
	}
	return v.Text
}

// regulation: version 1.0 knows none, and was written for the GDPR.
func (r *reader) regulation(v Version) string {
	if _, stands := r.members["regulation"]; v == V1 && !stands {
		return "gdpr"
	}
	given := r.text("regulation")
	if given != "gdpr" && given != "ccpa" {
		r.fail("regulation", "UnsupportedRegulation", "is neither gdpr nor ccpa")
	}
	return given
}

func (r *reader) submitted(now time.Time) time.Time {
	at, err := time.Parse(time.RFC3339, r.text("submitted_time"))
	switch {
	case err != nil || at.Year() < 2018:
		r.fail("submitted_time", "InvalidTime", "is no time of RFC 3339 since the Regulation applies")
	case at.After(now.Add(ahead)):
		r.fail("submitted_time", "InvalidTime", "is more than five minutes ahead of our clock")
	}
	return at.UTC()
}

func (r *reader) identities(types []IdentityType) (known []Identity, unused []string) {
	list := r.list("subject_identities", MaxIdentities)
	for i, item := range list {
		at := "subject_identities[" + strconv.Itoa(i) + "]"
		inner := reader{members: members(item)}
		id := Identity{IdentityType(inner.text("identity_type")), Format(inner.text("identity_format")), inner.text("identity_value")}
		switch {
		case item.Kind != strictjson.Object || id.Type == "":
			r.fail(at, "InvalidIdentity", "is no object with identity_type, identity_format and identity_value")
		case !slices.Contains(IdentityTypes, id.Type):
			unused = append(unused, "unknown type") // not its text: anybody may write anything there
		case !slices.Contains(types, id.Type):
			unused = append(unused, string(id.Type))
		case !slices.Contains(Formats, id.Format):
			r.fail(at, "UnsupportedIdentityFormat", "is not raw, sha1, md5 or sha256; see /discovery")
		case id.wrong() != "":
			r.fail(at, "InvalidIdentity", id.wrong())
		case !slices.Contains(known, id):
			known = append(known, id)
		}
	}
	if len(known) == 0 && r.err == nil {
		r.fail("subject_identities", "NoUsableIdentity", "has no identity of a type that /discovery lists")
	}
	slices.Sort(unused)
	return known, slices.Compact(unused)
}

func (r *reader) callbacks() (urls []string) {
	if _, given := r.members["status_callback_urls"]; !given {
		return nil
	}
	for i, item := range r.list("status_callback_urls", MaxCallbacks) {
		if item.Kind != strictjson.String || item.Text == "" || len(item.Text) > 2_000 {
			r.fail("status_callback_urls["+strconv.Itoa(i)+"]", "InvalidCallback", "is no URL")
		} else if !slices.Contains(urls, item.Text) {
			urls = append(urls, item.Text)
		}
	}
	return urls
}

func (r *reader) list(member string, most int) []strictjson.Value {
	v, ok := r.members[member]
	if !ok || v.Kind != strictjson.Array || len(v.Items) > most {
		r.fail(member, "Malformed", "is no list of at most "+strconv.Itoa(most))
		return nil
	}
	return v.Items
}
