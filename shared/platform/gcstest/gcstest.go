// Package gcstest is Cloud Storage in a test: a server that speaks the JSON API to the real client, with the rules a log
// rests on.
//
// It promises that every precondition on generation and metageneration is kept, on reading, writing, changing and
// deleting; that generations grow and are never given twice; that a hold or the bucket's retention keeps an object from
// being deleted or replaced; that each client has the permissions it was given and no other, replacing needing the one to
// delete too; and that names are listed in order. Uploads in one request, reads, metadata changes, deletions and lists are
// served; versions, resumable uploads, composing, copying, the XML API and everything else is answered 501. It is for
// tests; nothing deployed links it.
package gcstest

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
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

	clock  clock.Clock
	server *httptest.Server

	mu         sync.Mutex
	buckets    map[string]*bucket
	generation int64
	grants     map[string][]string // by token: what the client may do; nil for everything
}

// Call is one request in short: what it does (get, insert, patch, delete, list) to which object.
type Call struct{ Does, Bucket, Object string }

// Bucket is a bucket to begin with.
type Bucket struct {
	Name      string
	Retention time.Duration // how long an object is kept from its creation
}

type bucket struct {
	retention time.Duration
	objects   map[string]*object
}

// object is the live version of an object.
type object struct {
	data                       []byte
	generation, metageneration int64
	created, updated           time.Time
	contentType                string
	temporaryHold, eventHold   bool
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
		s.buckets[b.Name] = &bucket{b.Retention, map[string]*object{}}
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

// Names returns the names of all objects of a bucket in order.
func (s *Server) Names(bucket string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.buckets[bucket].objects {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
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
func (s *Server) put(b *bucket, name string, data []byte, contentType string) *object {
	s.generation++
	now := s.clock.Now().UTC()
	o := &object{data: data, generation: s.generation, metageneration: 1, created: now, updated: now, contentType: contentType}
	b.objects[name] = o
	return o
}

// kept says why an object may be neither deleted nor replaced, or "".
func (s *Server) kept(b *bucket, o *object) (reason string) {
	switch {
	case o.temporaryHold || o.eventHold:
		return "objectUnderActiveHold"
	case s.clock.Now().Before(o.created.Add(b.retention)):
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
	CRC32C          string `json:"crc32c"`
	ContentType     string `json:"contentType,omitempty"`
	Created         string `json:"timeCreated"`
	Updated         string `json:"updated"`
	TemporaryHold   bool   `json:"temporaryHold,omitempty"`
	EventBasedHold  bool   `json:"eventBasedHold,omitempty"`
	RetentionExpiry string `json:"retentionExpirationTime,omitempty"`
}

func (b *bucket) describe(bucketName, name string) resource {
	o := b.objects[name]
	r := resource{
		Kind: "storage#object", Bucket: bucketName, Name: name, ContentType: o.contentType,
		Generation: strconv.FormatInt(o.generation, 10), Metageneration: strconv.FormatInt(o.metageneration, 10),
		Size: strconv.Itoa(len(o.data)), CRC32C: crc32c(o.data), Created: o.created.Format(time.RFC3339Nano), Updated: o.updated.Format(time.RFC3339Nano),
		TemporaryHold: o.temporaryHold, EventBasedHold: o.eventHold,
	}
	if b.retention > 0 {
		r.RetentionExpiry = o.created.Add(b.retention).Format(time.RFC3339Nano)
	}
	return r
}
