package gcstest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxUpload bounds an upload of a test.
const maxUpload = 64 << 20

// metadata is what an upload or a change says of the object.
type metadata struct {
	Name           string            `json:"name"`
	ContentType    string            `json:"contentType"`
	CRC32C         string            `json:"crc32c"`
	Metadata       map[string]string `json:"metadata"`
	TemporaryHold  *bool             `json:"temporaryHold"`
	EventBasedHold *bool             `json:"eventBasedHold"`

	ContentEncoding string `json:"contentEncoding"`
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
	sealed, p := sealOf(q)
	if p != nil {
		return nil, p
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
		if reason := s.kept(b, old); reason != "" && !b.Versioning {
			return nil, keptBy(q, reason)
		}
	}
	s.put(b, name, data, meta, sealed)
	answer := b.describe(name, b.objects[name])
	answer.CRC32C = crc32c(data) // the uploader has the key
	return writeJSON(answer), nil
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
		return writeJSON(b.describe(q.Object, o)), nil
	}
	if q.http.Header.Get("Range") != "" {
		return nil, &problem{http.StatusNotImplemented, "notImplemented", "gcstest reads whole objects"}
	}
	if p := o.sealed.opens(q); p != nil {
		return nil, p
	}
	data, describe := slices.Clone(o.data), b.describe(q.Object, o)
	// Damaged bytes are served under the checksum of what was stored.
	sum := crc32c(data)
	if o.damaged != "" {
		sum = o.damaged
	}
	data, encoding := o.served(q, data)
	return func(w http.ResponseWriter) {
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", strconv.Itoa(len(data)))
		if o.encoding != "" {
			h.Set("X-Goog-Stored-Content-Encoding", o.encoding)
		}
		if encoding != "" {
			h.Set("Content-Encoding", encoding)
		}
		h.Set("X-Goog-Generation", describe.Generation)
		h.Set("X-Goog-Metageneration", describe.Metageneration)
		h.Set("X-Goog-Hash", "crc32c="+sum)
		h.Set("Last-Modified", o.updated.Format(http.TimeFormat))
		_, _ = w.Write(data)
	}, nil
}

// patch changes holds and custom metadata; the data stays.
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
	if meta.Metadata != nil {
		o.custom = meta.Metadata
	}
	o.metageneration++
	o.updated = s.clock.Now().UTC()
	return writeJSON(b.describe(q.Object, o)), nil
}

// list answers one part of a list, in the order of the names' bytes and, of one name, of the generations.
func (s *Server) list(b *bucket, q request) (func(http.ResponseWriter), *problem) {
	if q.query.Get("matchGlob") != "" || q.query.Get("filter") != "" || q.query.Get("softDeleted") == "true" {
		return nil, &problem{http.StatusNotImplemented, "notImplemented", "gcstest lists without glob and filter, and what exists"}
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
		Kind     string   `json:"kind"`
		Next     string   `json:"nextPageToken,omitempty"`
		Items    []any    `json:"items,omitempty"`
		Prefixes []string `json:"prefixes,omitempty"`
	}{Kind: "storage#objects"}
	last := ""
	for _, e := range b.entries(q) {
		if at := e.at(); len(token) > 0 && at <= string(token) {
			continue
		} else if len(answer.Items)+len(answer.Prefixes) == limit {
			answer.Next = base64.URLEncoding.EncodeToString([]byte(last))
			break
		} else {
			last = at
		}
		if e.version == nil {
			answer.Prefixes = append(answer.Prefixes, e.name)
		} else {
			answer.Items = append(answer.Items, q.asked(b.describe(e.name, e.version)))
		}
	}
	return writeJSON(answer), nil
}

// entry is one line of a list: a version of an object, or what names up to a delimiter have in common.
type entry struct {
	name    string
	version *object
}

// at is where the entry stands in the list.
func (e entry) at() string {
	if e.version == nil {
		return e.name
	}
	return fmt.Sprintf("%s\x00%019d", e.name, e.version.generation)
}

func (b *bucket) entries(q request) (entries []entry) {
	names := slices.Sorted(maps.Keys(b.objects))
	every := q.query.Get("versions") == "true"
	if every {
		names = slices.Sorted(maps.Keys(b.old))
		names = append(names, slices.Collect(maps.Keys(b.objects))...)
		slices.Sort(names)
		names = slices.Compact(names)
	}
	prefix, from, end, delimiter := q.query.Get("prefix"), q.query.Get("startOffset"), q.query.Get("endOffset"), q.query.Get("delimiter")
	for _, name := range names {
		rest, begins := strings.CutPrefix(name, prefix)
		if !begins || name < from || end != "" && name >= end {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			common := entry{name: prefix + rest[:i+len(delimiter)]}
			if len(entries) == 0 || entries[len(entries)-1].name != common.name {
				entries = append(entries, common)
			}
			continue
		}
		for _, o := range b.versions(name) {
			if every || o == b.objects[name] {
				entries = append(entries, entry{name, o})
			}
		}
	}
	return entries
}

// describeBucket answers the settings of a bucket.
func (b *bucket) describeBucket() func(http.ResponseWriter) {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	settings := map[string]any{"kind": "storage#bucket", "name": b.Name, "id": b.Name, "versioning": map[string]bool{"enabled": b.Versioning},
		"softDeletePolicy": map[string]string{"retentionDurationSeconds": seconds(b.SoftDelete)}}
	if b.Retention > 0 {
		settings["retentionPolicy"] = map[string]string{"retentionPeriod": seconds(b.Retention)}
	}
	return writeJSON(settings)
}
