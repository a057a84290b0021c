package firestore

import (
	"slices"
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// anywhere stands in a place for any path: what follows is the name of a group.
const anywhere = "**"

// place is a collection or a group.
type place struct {
	parent     string // path of the document above it, "" for the root
	collection string
	group      bool
}

// placeOf reads a query's place. Where the tenant is bound by the path, his id is a segment of what stands before the
// collection's own name, or is that name: the query cannot leave it.
func placeOf(q erasure.Query) (place, error) {
	segments := strings.Split(q.Place, "/")
	last := len(segments) - 1
	p := place{collection: segments[last]}
	above := segments[:last]
	if last > 0 && segments[last-1] == anywhere {
		p.group, above = true, segments[:last-1]
	}
	p.parent = strings.Join(above, "/")
	if len(above)%2 != 0 || !proper(append(slices.Clone(above), p.collection)) {
		return place{}, fault.New(fault.Invalid, "searching for entry %q: its place is no collection and no group of a Firestore database", q.Entry)
	}
	if q.Tenant.Binding == erasure.BindPath && !slices.Contains(above, q.Tenant.ID) && (p.group || p.collection != q.Tenant.ID) {
		return place{}, fault.New(fault.Invalid, "searching for entry %q: its place does not name the tenant", q.Entry)
	}
	return p, nil
}

// proper reports whether each segment can be the id of a document or collection (https://cloud.google.com/firestore/quotas):
// an id of dots or between double underscores is Firestore's own.
func proper(segments []string) bool {
	for _, s := range segments {
		if s == "" || s == "." || s == ".." || s == anywhere || len(s) > 1500 || !utf8.ValidString(s) || strings.HasPrefix(s, "__") && strings.HasSuffix(s, "__") {
			return false
		}
	}
	return true
}

// holds reports whether a document's path lies in the place.
func (p place) holds(path string) bool {
	segments := strings.Split(path, "/")
	if len(segments)%2 != 0 || !proper(segments) || segments[len(segments)-2] != p.collection {
		return false
	}
	above := strings.Join(segments[:len(segments)-2], "/")
	return above == p.parent || p.group && (p.parent == "" || strings.HasPrefix(above, p.parent+"/"))
}

// within reports whether a document's path lies in the collection or below one of its documents.
func (p place) within(path string) bool {
	segments := strings.Split(path, "/")
	return len(segments)%2 == 0 && proper(segments) && !p.group && strings.HasPrefix(path, strings.TrimPrefix(p.parent+"/"+p.collection+"/", "/"))
}

// excepted reports whether a document of a whole tenant's place lies in or below a collection that is other entries'.
func excepted(q erasure.Query, p place, path string) bool {
	if len(q.Except) == 0 || !whole(q, p) {
		return false
	}
	below := strings.Split(strings.TrimPrefix(path, strings.TrimPrefix(p.parent+"/"+p.collection+"/", "/")), "/")
	for i := 1; i < len(below); i += 2 { // id, collection, id, ...
		if slices.Contains(q.Except, below[i]) {
			return true
		}
	}
	return false
}

// document spells a value of MatchDocument as a path.
func (p place) document(q erasure.Query, value string) (string, error) {
	path := value
	if !strings.Contains(value, "/") && !p.group {
		path = strings.TrimPrefix(p.parent+"/"+p.collection+"/"+value, "/")
	}
	if !p.holds(path) {
		return "", fault.New(fault.Invalid, "searching for entry %q: a value is no document of its place", q.Entry)
	}
	return path, nil
}

// above is the document a search begins below.
func (p place) above() string {
	if p.group {
		return ""
	}
	return p.parent
}

// name is a document's full name, or the root's.
func (r *Reader) name(path string) string {
	if path == "" {
		return r.documents
	}
	return r.documents + "/" + path
}

// path is the reverse of name.
func (r *Reader) path(name string) string { return strings.TrimPrefix(name, r.documents+"/") }

// split takes a path apart at its last segment.
func split(path string) (above, id string) {
	if i := strings.LastIndex(path, "/"); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}
