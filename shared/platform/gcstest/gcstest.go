// Package gcstest is Cloud Storage in a test: a server that speaks the JSON API to the real client, with the rules a log
// rests on.
//
// It promises that every precondition on generation and metageneration is kept, on reading, writing, changing and
// deleting; that generations grow and are never given twice; that a hold or the bucket's retention keeps an object from
// being deleted or replaced; that a versioned bucket keeps what is replaced, and deletes for good only what is named with its
// generation; that each client has the permissions it was given and no other, replacing needing the one to delete too;
// that an upload may set holds, and a key without which nobody reads the object but everybody lists and deletes it; that what
// is stored as gzip is unpacked for who does not accept that; and that names are listed in order, with the fields that were asked for. Uploads in one request, reads, metadata changes, deletions, lists and the description of
// a bucket are served, and the list of buckets; resumable uploads, composing, copying, restoring, the XML API and everything else is answered 501.
// It is for tests; nothing deployed links it.
package gcstest

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
)

// Server is a Cloud Storage. Its fields may be set before the first request.
type Server struct {
	// MissingFirst answers 404 where a precondition is set on an object that does not exist. The reference leaves open
	// whether such a request is answered 412; without the field it is.
	MissingFirst bool
	// RightsFirst answers 403 before preconditions are looked at where somebody without the permission to delete would
	// replace an object; otherwise a precondition that fails comes first. The reference leaves that open too.
	RightsFirst bool
	// Page is the most names in one part of a list; 1000 when 0.
	Page int
	// Before is called for every request whose client may make it, one at a time, and must not call the server: a status
	// other than 0 is answered and nothing done.
	Before func(Call) (status int)
	// After is the same once a request was done: a status other than 0 is answered in place of the outcome.
	After func(Call) (status int)

	// Wrap is put around the transport of every client that is made while it is set: it may call the server.
	Wrap func(http.RoundTripper) http.RoundTripper

	clock  clock.Clock
	server *httptest.Server

	mu         sync.Mutex
	buckets    map[string]*bucket
	generation int64
	grants     map[string][]string // by token: what the client may do; nil for everything
}

// Call is one request in short: what it does (get, insert, patch, delete, list, describe) to which object; or buckets, of the
// project that stands in the bucket's place.
type Call struct{ Does, Bucket, Object string }

// Bucket is a bucket to begin with.
type Bucket struct {
	Name       string
	Retention  time.Duration // how long an object is kept from its creation
	Versioning bool
	SoftDelete time.Duration // how long what is deleted for good can be restored
}

type bucket struct {
	Bucket
	objects map[string]*object
	old     map[string][]*object // noncurrent versions, oldest first
	soft    []string             // names of what was deleted for good and can be restored
}

// object is one version of an object.
type object struct {
	data                       []byte
	generation, metageneration int64
	created, updated           time.Time
	contentType                string
	custom                     map[string]string
	encoding                   string // contentEncoding
	temporaryHold, eventHold   bool
	sealed                     seal
	damaged                    string // checksum of the bytes before they were damaged
}

// New starts a server with empty buckets, which ends with the test. A nil clock is the system's.
func New(t testing.TB, c clock.Clock, buckets ...Bucket) *Server {
	t.Helper()
	if c == nil {
		c = clock.System{}
	}
	s := &Server{clock: c, buckets: map[string]*bucket{}, generation: c.Now().UnixMicro(), grants: map[string][]string{}}
	for _, b := range buckets {
		s.buckets[b.Name] = &bucket{Bucket: b, objects: map[string]*object{}, old: map[string][]*object{}}
	}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// Data returns what an object holds; false when there is none.
func (s *Server) Data(bucket, name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.buckets[bucket].objects[name]; o != nil {
		return string(o.data), true
	}
	return "", false
}

// Names returns the names of all live objects of a bucket in order.
func (s *Server) Names(bucket string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.buckets[bucket].objects))
}

// SoftDeleted returns the names of what was deleted for good from a bucket with soft deletion, in order of deletion.
func (s *Server) SoftDeleted(bucket string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.buckets[bucket].soft)
}

// Damage changes the bytes of an object without anything else, as a fault of the storage would.
func (s *Server) Damage(bucket, name string, change func(data []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.buckets[bucket].objects[name]
	o.damaged = crc32c(o.data)
	change(o.data)
}

// put stores data as a new generation. The caller holds the lock.
func (s *Server) put(b *bucket, name string, data []byte, meta metadata, sealed seal) {
	s.generation++
	now := s.clock.Now().UTC()
	if old := b.objects[name]; old != nil && b.Versioning {
		b.old[name] = append(b.old[name], old)
	}
	b.objects[name] = &object{data: data, generation: s.generation, metageneration: 1, created: now, updated: now, contentType: meta.ContentType, custom: meta.Metadata,
		encoding: meta.ContentEncoding, temporaryHold: meta.TemporaryHold != nil && *meta.TemporaryHold, eventHold: meta.EventBasedHold != nil && *meta.EventBasedHold, sealed: sealed}
}

// version returns one version of an object, the live one for "".
func (b *bucket) version(name, generation string) *object {
	for _, o := range b.versions(name) {
		if generation == strconv.FormatInt(o.generation, 10) || generation == "" && o == b.objects[name] {
			return o
		}
	}
	return nil
}

// versions are all versions of an object, oldest first.
func (b *bucket) versions(name string) []*object {
	all := slices.Clone(b.old[name])
	if live := b.objects[name]; live != nil {
		all = append(all, live)
	}
	return all
}

// remove deletes a version for good; without its generation the live one of a versioned bucket is only no longer live.
func (b *bucket) remove(name string, o *object, named bool) {
	if o == b.objects[name] {
		delete(b.objects, name)
	}
	b.old[name] = slices.DeleteFunc(b.old[name], func(v *object) bool { return v == o })
	switch {
	case b.Versioning && !named:
		b.old[name] = append(b.old[name], o)
	case b.SoftDelete > 0:
		b.soft = append(b.soft, name)
	}
	if len(b.old[name]) == 0 {
		delete(b.old, name)
	}
}

// kept says why an object may be neither deleted nor replaced, or "".
func (s *Server) kept(b *bucket, o *object) (reason string) {
	switch {
	case o.temporaryHold || o.eventHold:
		return "objectUnderActiveHold"
	case s.clock.Now().Before(o.created.Add(b.Retention)):
		return "retentionPolicyNotMet"
	}
	return ""
}

func crc32c(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

// resource is an object as the API describes it.
type resource struct {
	Kind            string `json:"kind"`
	Bucket          string `json:"bucket"`
	Name            string `json:"name"`
	Generation      string `json:"generation"`
	Metageneration  string `json:"metageneration"`
	Size            string `json:"size"`
	CRC32C          string `json:"crc32c,omitempty"`
	ContentType     string `json:"contentType,omitempty"`
	ContentEncoding string `json:"contentEncoding,omitempty"`
	Created         string `json:"timeCreated"`
	Updated         string `json:"updated"`
	TemporaryHold   bool   `json:"temporaryHold,omitempty"`
	EventBasedHold  bool   `json:"eventBasedHold,omitempty"`
	RetentionExpiry string `json:"retentionExpirationTime,omitempty"`

	Metadata   map[string]string   `json:"metadata,omitempty"`
	KMSKey     string              `json:"kmsKeyName,omitempty"`
	Encryption *customerEncryption `json:"customerEncryption,omitempty"`
}

func (b *bucket) describe(name string, o *object) resource {
	r := resource{
		Kind: "storage#object", Bucket: b.Name, Metadata: o.custom, Name: name, ContentType: o.contentType,
		Generation: strconv.FormatInt(o.generation, 10), Metageneration: strconv.FormatInt(o.metageneration, 10),
		Size: strconv.Itoa(len(o.data)), CRC32C: crc32c(o.data), Created: o.created.Format(time.RFC3339Nano), Updated: o.updated.Format(time.RFC3339Nano),
		TemporaryHold: o.temporaryHold, EventBasedHold: o.eventHold, ContentEncoding: o.encoding, KMSKey: o.sealed.kms,
	}
	if o.sealed.sum != "" { // the checksum is sealed with the bytes
		r.CRC32C, r.Encryption = "", &customerEncryption{"AES256", o.sealed.sum}
	}
	if b.Retention > 0 {
		r.RetentionExpiry = o.created.Add(b.Retention).Format(time.RFC3339Nano)
	}
	return r
}
