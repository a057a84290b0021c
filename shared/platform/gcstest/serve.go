package gcstest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is one request taken apart.
type request struct {
	Call
	token string
	query url.Values
	http  *http.Request
}

// problem is an answer that is an error.
type problem struct {
	status          int
	reason, message string
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, p := parse(r)
	if p == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		p = s.serve(w, q)
	}
	if p != nil {
		p.write(w)
	}
}

const (
	objects = "/storage/v1/b/"
	uploads = "/upload/storage/v1/b/"
)

func parse(r *http.Request) (request, *problem) {
	q := request{token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), query: r.URL.Query(), http: r}
	unknown := &problem{http.StatusNotImplemented, "notImplemented", "gcstest does not serve " + r.Method + " " + r.URL.Path}
	path := r.URL.EscapedPath()
	if path == strings.TrimSuffix(objects, "/") && r.Method == http.MethodGet {
		q.Does, q.Bucket = "buckets", q.query.Get("project")
		return q, nil
	}
	rest, upload := strings.CutPrefix(path, uploads)
	if !upload {
		var ok bool
		if rest, ok = strings.CutPrefix(path, objects); !ok {
			return q, unknown
		}
	}
	parts := strings.Split(rest, "/")
	for i := range parts {
		parts[i], _ = url.PathUnescape(parts[i])
	}
	if len(parts) > 3 || len(parts) > 1 && parts[1] != "o" {
		return q, unknown
	}
	q.Bucket = parts[0]
	switch {
	case !upload && r.Method == http.MethodGet && len(parts) == 1:
		q.Does = "describe"
	case upload && r.Method == http.MethodPost && len(parts) == 2 && q.query.Get("uploadType") == "multipart":
		q.Does, q.Object = "insert", q.query.Get("name")
	case !upload && r.Method == http.MethodGet && len(parts) == 2:
		q.Does = "list"
	case !upload && len(parts) == 3:
		q.Object = parts[2]
		q.Does = map[string]string{http.MethodGet: "get", http.MethodPatch: "patch", http.MethodDelete: "delete"}[r.Method]
	}
	if q.Does == "" {
		return q, unknown
	}
	return q, nil
}

// needs are the permissions of each call; replacing needs the one to delete too.
var needs = map[string]string{"get": "storage.objects.get", "insert": "storage.objects.create", "patch": "storage.objects.update", "delete": "storage.objects.delete", "list": "storage.objects.list", "describe": "storage.buckets.get", "buckets": "storage.buckets.list"}

func (s *Server) serve(w http.ResponseWriter, q request) *problem {
	b := s.buckets[q.Bucket]
	if b == nil && q.Does != "buckets" {
		return &problem{http.StatusNotFound, "notFound", "The specified bucket does not exist."}
	}
	if p := s.may(q, needs[q.Does]); p != nil {
		return p
	}
	if s.Before != nil {
		if status := s.Before(q.Call); status != 0 {
			return &problem{status, "injected", "an injected failure"}
		}
	}
	answer, p := s.do(b, q)
	if s.After != nil {
		if status := s.After(q.Call); status != 0 {
			return &problem{status, "injected", "an injected failure"}
		}
	}
	if p == nil {
		answer(w)
	}
	return p
}

func (s *Server) may(q request, permission string) *problem {
	grants, known := s.grants[q.token]
	if !known {
		return &problem{http.StatusUnauthorized, "required", "Anonymous caller."}
	}
	if slices.Contains(grants, Everything) || slices.Contains(grants, permission+" "+q.Bucket) {
		return nil
	}
	return &problem{http.StatusForbidden, "forbidden", "test@example.iam.gserviceaccount.com does not have " + permission +
		" access to the Google Cloud Storage object. Permission '" + permission + "' denied on resource (or it may not exist)."}
}

func (s *Server) do(b *bucket, q request) (func(http.ResponseWriter), *problem) {
	switch q.Does {
	case "buckets":
		return s.listBuckets(), nil
	case "list":
		return s.list(b, q)
	case "insert":
		return s.insert(b, q)
	case "describe":
		return b.describeBucket(), nil
	}
	o := b.version(q.Object, q.query.Get("generation"))
	missing := &problem{http.StatusNotFound, "notFound", "No such object: " + q.Bucket + "/" + q.Object}
	if o == nil && q.Does == "get" && s.may(q, "storage.objects.list") != nil {
		return nil, s.may(q, "storage.objects.list") // who may not list does not learn that it is missing
	}
	if o == nil && s.MissingFirst {
		return nil, missing
	}
	if p := q.preconditions(o); p != nil {
		return nil, p
	}
	if o == nil {
		return nil, missing
	}
	switch q.Does {
	case "patch":
		return s.patch(b, q, o)
	case "delete":
		named := q.query.Has("generation")
		if reason := s.kept(b, o); reason != "" && (named || !b.Versioning) {
			return nil, keptBy(q, reason)
		}
		b.remove(q.Object, o, named)
		return func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }, nil
	}
	return get(b, q, o)
}

// listBuckets answers with every bucket, whatever the project: the server is one.
func (s *Server) listBuckets() func(http.ResponseWriter) {
	items := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		items = append(items, map[string]any{"kind": "storage#bucket", "name": name})
	}
	return writeJSON(map[string]any{"kind": "storage#buckets", "items": items})
}

func keptBy(q request, reason string) *problem {
	return &problem{http.StatusForbidden, reason, "Object '" + q.Bucket + "/" + q.Object + "' is under active hold or subject to bucket's retention policy and cannot be deleted or overwritten."}
}

// preconditions returns the first that does not hold; 304 where a reader asked for something else than it has.
func (q request) preconditions(o *object) *problem {
	generation, metageneration := int64(0), int64(0)
	if o != nil {
		generation, metageneration = o.generation, o.metageneration
	}
	for _, c := range []struct {
		name    string
		have    int64
		differs bool
	}{{"ifGenerationMatch", generation, false}, {"ifGenerationNotMatch", generation, true}, {"ifMetagenerationMatch", metageneration, false}, {"ifMetagenerationNotMatch", metageneration, true}} {
		if !q.query.Has(c.name) {
			continue
		}
		want, err := strconv.ParseInt(q.query.Get(c.name), 10, 64)
		if err != nil {
			return &problem{http.StatusBadRequest, "invalid", "Invalid value for " + c.name}
		}
		if (want == c.have) != c.differs {
			continue
		}
		if c.differs && q.Does == "get" {
			return &problem{http.StatusNotModified, "notModified", ""}
		}
		return &problem{http.StatusPreconditionFailed, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}
	}
	return nil
}

func (p problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if p.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	w.WriteHeader(p.status)
	if p.status == http.StatusNotModified {
		return
	}
	one := map[string]any{"domain": "global", "reason": p.reason, "message": p.message}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": p.status, "message": p.message, "errors": []any{one}}})
}

func writeJSON(value any) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(value)
	}
}
