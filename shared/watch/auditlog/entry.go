package auditlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const auditLogID = "/cloudaudit.googleapis.com"

// entry makes an Entry of what was read.
func (f *fields) entry(m []Mapping, came arrival) (Entry, error) {
	e := f.e
	e.LogName = plainLogName(f.logName)
	e.Labels, e.ResourceLabels, e.Type = f.labels, f.resourceLabels, f.resourceType
	e.Payload = f.payload
	e.Severity = severity(e.Severity)
	f.kind(&e)
	f.container(&e)
	f.times(&e, came)
	e.ID = f.id(&e)
	if e.Location = first(f.located, e.ResourceLabels["location"], e.ResourceLabels["zone"], e.ResourceLabels["region"]); e.Location == "" {
		e.Location = namedLocation(&e)
	}
	if e.Kind == Application {
		if err := mapped(m, &e, f); err != nil {
			return Entry{}, err
		}
		return e, nil
	}
	if err := f.audit(&e); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// audit completes an entry of an audit stream.
func (f *fields) audit(e *Entry) error {
	if e.Stream == AccessTransparency {
		transparency(e)
	}
	if e.Method == "" {
		e.Gaps = append(e.Gaps, "methodName")
		e.Method = first(e.ResourceLabels["method"], methodOf(e))
	}
	if e.Service == "" {
		e.Gaps = append(e.Gaps, "serviceName")
		e.Service = first(e.ResourceLabels["service"], serviceOf(e.Method))
	}
	if e.Service == "" && e.Method == "" && !e.Part() { // another part may say it
		return errors.New("neither protoPayload.serviceName nor protoPayload.methodName says what was called")
	}
	e.Verb = Verb(e.Method)
	e.Outcome = f.outcome(e)
	f.actor(e)
	e.Asset = assetOf(e)
	return nil
}

// kind tells an audit log by its name, and by the payload's type where the name is missing.
func (f *fields) kind(e *Entry) {
	_, stream, ok := strings.Cut(e.LogName, auditLogID)
	switch {
	case ok:
		e.Kind, e.Stream = Audit, streamOf(stream)
	case f.proto && (strings.HasSuffix(f.typeURL, ".AuditLog") || f.typeURL == ""):
		e.Kind = Audit // exported under another name, or none
		e.Gaps = append(e.Gaps, "logName")
	default:
		e.Kind, e.Stream = Application, ApplicationLog
	}
}

// streamOf names the stream by how the log's name ends: some exporters write something else for the slash before it.
func streamOf(rest string) Stream {
	for _, s := range []Stream{Activity, DataAccess, SystemEvent, PolicyDenied, AccessTransparency} {
		if strings.HasSuffix(rest, string(s)) {
			return s
		}
	}
	return Stream(strings.TrimPrefix(rest, "/"))
}

// plainLogName undoes the percent-encoding of the log's id: both spellings are in use.
func plainLogName(name string) string {
	if strings.Contains(name, "%") {
		if plain, err := url.PathUnescape(name); err == nil {
			return plain
		}
	}
	return name
}

// container reads the project, folder or organization off the log name; a project's id is better than its number.
func (f *fields) container(e *Entry) {
	kind, rest, _ := strings.Cut(e.LogName, "/")
	id, _, _ := strings.Cut(rest, "/")
	switch kind {
	case "projects":
		e.Project = id
	case "folders":
		e.Folder = id
	case "organizations":
		e.Organization = id
	}
	if label := e.ResourceLabels["project_id"]; e.Project == "" || isNumber(e.Project) && label != "" {
		e.Project = label
	}
	if rest, ok := strings.CutPrefix(e.Resource, "projects/"); ok && e.LogName == "" && e.Project == "" {
		if id, _, _ := strings.Cut(rest, "/"); id != "_" && id != "-" {
			e.Project = id
		}
	}
}

// namedLocation reads the location off what was acted on, where nothing else says it; of what is made the name is that of
// the parent, and the request may say where.
func namedLocation(e *Entry) string {
	_, rest, _ := strings.Cut(e.Resource, "/locations/")
	if at, _, _ := strings.Cut(rest, "/"); at != "" && at != "-" {
		return at
	}
	if !bytes.Contains(e.Request, []byte(`"locationId"`)) {
		return ""
	}
	var request struct {
		Location string `json:"locationId"`
	}
	if json.Unmarshal(e.Request, &request) != nil {
		return ""
	}
	return request.Location
}

// times reads when it happened and when it came. What cannot be read is a gap: the entry may matter all the same.
func (f *fields) times(e *Entry, came arrival) {
	e.Received, _ = instant(f.received)
	if e.Received.IsZero() {
		e.Received, _ = instant(came.time)
	}
	t, ok := instant(f.timestamp)
	if !ok {
		e.Gaps = append(e.Gaps, "timestamp")
		t = e.Received
	}
	e.Time = t
}

// instant reads a time into UTC: of RFC 3339, or as tables export it, with a space and in UTC. Years outside those that nanoseconds since 1970 reach in 64 bits are
// refused: they are nobody's log time, and arithmetic on them overflows.
func instant(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil && strings.IndexByte(s, ' ') == len(time.DateOnly) {
		t, err = time.Parse(time.DateTime, strings.TrimSuffix(s, " UTC"))
	}
	if err != nil || t.Year() < 1971 || t.Year() > 2260 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// id hashes the three that make an entry unique, each with its length before it. A missing insertId is made up for
// by the payload: the same bytes delivered again have the same ID.
func (f *fields) id(e *Entry) string {
	when := f.timestamp
	if t, ok := instant(when); ok {
		when = t.Format(time.RFC3339Nano)
	}
	h := sha256.New()
	for _, part := range []string{e.LogName, when, f.insertID} {
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part)
	}
	if f.insertID == "" {
		e.Gaps = append(e.Gaps, "insertId")
		h.Write(f.payload)
	}
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0])[:20])
}

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
