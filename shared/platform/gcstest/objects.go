package gcstest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxUpload bounds an upload of a test.
const maxUpload = 64 << 20

// metadata is what an upload or a change says of the object.
type metadata struct {
	Name           string `json:"name"`
	ContentType    string `json:"contentType"`
	CRC32C         string `json:"crc32c"`
	TemporaryHold  *bool  `json:"temporaryHold"`
	EventBasedHold *bool  `json:"eventBasedHold"`
}

// insert stores an object sent in one request of two parts: what it is, and its bytes.
func (s *Server) insert(b *bucket, q request) (func(http.ResponseWriter), *problem) {
	meta, data, p := readUpload(q.http)
	if p != nil {
		return nil, p
	}
	name := q.Object
	if name == "" {
		name = meta.Name
	}
	if name == "" || len(name) > 1024 || strings.ContainsAny(name, "\r\n") || name == "." || name == ".." {
		return nil, &problem{http.StatusBadRequest, "invalid", "Invalid object name"}
	}
	if meta.CRC32C != "" && meta.CRC32C != crc32c(data) {
		return nil, &problem{http.StatusBadRequest, "invalid", "Provided CRC32C does not match calculated CRC32C."}
	}
	old := b.objects[name]
	if old != nil && s.RightsFirst {
		if p := s.may(q, needs["delete"]); p != nil {
			return nil, p
		}
	}
	if p := q.preconditions(old); p != nil {
		return nil, p
	}
	if old != nil {
		if p := s.may(q, needs["delete"]); p != nil {
			return nil, p
		}
		if reason := s.kept(b, old); reason != "" {
			return nil, keptBy(q, reason)
		}
	}
	s.put(b, name, data, meta.ContentType)
	return writeJSON(b.describe(q.Bucket, name)), nil
}

func readUpload(r *http.Request) (meta metadata, data []byte, p *problem) {
	bad := func(what string) *problem {
		return &problem{http.StatusBadRequest, "invalid", "Malformed upload: " + what}
	}
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" {
		return meta, nil, bad("content type")
	}
	parts := multipart.NewReader(io.LimitReader(r.Body, maxUpload), options["boundary"])
	first, err := parts.NextPart()
	if err != nil {
		return meta, nil, bad("no description")
	}
	if err := json.NewDecoder(first).Decode(&meta); err != nil {
		return meta, nil, bad("description")
	}
	second, err := parts.NextPart()
	if err != nil {
		return meta, nil, bad("no bytes")
	}
	if data, err = io.ReadAll(second); err != nil {
		return meta, nil, bad("bytes cut off")
	}
	if _, err := parts.NextPart(); err != io.EOF {
		return meta, nil, bad("not ended")
	}
	return meta, data, nil
}

func get(b *bucket, q request, o *object) (func(http.ResponseWriter), *problem) {
	if q.query.Get("alt") != "media" {
		return writeJSON(b.describe(q.Bucket, q.Object)), nil
	}
	if q.http.Header.Get("Range") != "" {
		return nil, &problem{http.StatusNotImplemented, "notImplemented", "gcstest reads whole objects"}
	}
	data, describe := slices.Clone(o.data), b.describe(q.Bucket, q.Object)
	// Damaged bytes are served under the checksum of what was stored.
	sum := crc32c(data)
	if o.damaged != "" {
		sum = o.damaged
	}
	return func(w http.ResponseWriter) {
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", describe.Size)
		h.Set("X-Goog-Generation", describe.Generation)
		h.Set("X-Goog-Metageneration", describe.Metageneration)
		h.Set("X-Goog-Hash", "crc32c="+sum)
		h.Set("Last-Modified", o.updated.Format(http.TimeFormat))
		_, _ = w.Write(data)
	}, nil
}

// patch changes holds; the data stays.
func (s *Server) patch(b *bucket, q request, o *object) (func(http.ResponseWriter), *problem) {
	var meta metadata
	if err := json.NewDecoder(io.LimitReader(q.http.Body, 1<<20)).Decode(&meta); err != nil {
		return nil, &problem{http.StatusBadRequest, "invalid", "Malformed description"}
	}
	if meta.TemporaryHold != nil {
		o.temporaryHold = *meta.TemporaryHold
	}
	if meta.EventBasedHold != nil {
		o.eventHold = *meta.EventBasedHold
	}
	o.metageneration++
	o.updated = s.clock.Now().UTC()
	return writeJSON(b.describe(q.Bucket, q.Object)), nil
}

// list answers one part of a list, in the order of the names' bytes.
func (s *Server) list(b *bucket, q request) (func(http.ResponseWriter), *problem) {
	if q.query.Get("delimiter") != "" || q.query.Get("matchGlob") != "" || q.query.Get("filter") != "" {
		return nil, &problem{http.StatusNotImplemented, "notImplemented", "gcstest lists without delimiter, glob and filter"}
	}
	if q.query.Get("projection") == "full" {
		if p := s.may(q, "storage.objects.getIamPolicy"); p != nil {
			return nil, p
		}
	}
	limit := 1000
	if n, err := strconv.Atoi(q.query.Get("maxResults")); err == nil && n > 0 {
		limit = min(limit, n)
	}
	if s.Page > 0 {
		limit = min(limit, s.Page)
	}
	token, err := base64.URLEncoding.DecodeString(q.query.Get("pageToken"))
	if err != nil {
		return nil, &problem{http.StatusBadRequest, "invalid", "Invalid page token"}
	}
	answer := struct {
		Kind  string     `json:"kind"`
		Next  string     `json:"nextPageToken,omitempty"`
		Items []resource `json:"items,omitempty"`
	}{Kind: "storage#objects"}
	for _, name := range slices.Sorted(maps.Keys(b.objects)) {
		end := q.query.Get("endOffset")
		if !strings.HasPrefix(name, q.query.Get("prefix")) || name < q.query.Get("startOffset") || end != "" && name >= end || len(token) > 0 && name <= string(token) {
			continue
		}
		if len(answer.Items) == limit {
			answer.Next = base64.URLEncoding.EncodeToString([]byte(answer.Items[limit-1].Name))
			break
		}
		answer.Items = append(answer.Items, b.describe(q.Bucket, name))
	}
	return writeJSON(answer), nil
}
