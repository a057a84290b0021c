package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Problem is a problem document (RFC 9457). Code is stable: programs branch on it. The texts are English; pages
// choose their own by Code.
type Problem struct {
	Type   string // a URI that names the code and leads nowhere: the domain .invalid is reserved (RFC 6761)
	Title  string // the same for every problem of a kind
	Status int
	Detail string // what is the matter
	Next   string // what to do now
	Code   string
	Extra  map[string]any // further members; the ones above win

	RetryAfter time.Duration // 0 when unknown; also the member retry_after_s and the header Retry-After
	allow      string
}

// typePrefix and the code make a problem's type.
const typePrefix = "https://ostiary.invalid/problems/"

// MarshalJSON writes the document with the further members beside the others.
func (p Problem) MarshalJSON() ([]byte, error) {
	members := map[string]any{}
	if p.RetryAfter > 0 {
		members["retry_after_s"] = p.seconds()
	}
	maps.Copy(members, p.Extra)
	maps.Copy(members, map[string]any{"type": p.Type, "title": p.Title, "status": p.Status, "detail": p.Detail, "next": p.Next, "code": p.Code})
	return json.Marshal(members)
}

// seconds rounds up: coming back earlier is refused again.
func (p Problem) seconds() int { return int(math.Ceil(p.RetryAfter.Seconds())) }

// extended is an error with further members for its problem document.
type extended struct {
	err     error
	members map[string]any
	allow   string // of a 405 (RFC 9110, section 15.5.6)
}

// Extend returns err with further members for its problem document, such as "outcome". What they hold is shown to
// the caller.
func Extend(err error, members map[string]any) error { return &extended{err: err, members: members} }

// Error returns the text of the error without the members.
func (e *extended) Error() string { return e.err.Error() }

// Unwrap returns the error without the members.
func (e *extended) Unwrap() error { return e.err }

// general is what the caller reads where the error itself says nothing.
var general = map[fault.Kind]Problem{
	fault.Invalid:       {Status: http.StatusBadRequest, Title: "Not understood", Code: "invalid", Detail: "The request is not what is expected here.", Next: "Correct it and send it again."},
	fault.Denied:        {Status: http.StatusForbidden, Title: "Not allowed", Code: "denied", Detail: "You are not allowed to do this.", Next: "Ask the security lead if you should be."},
	fault.NotFound:      {Status: http.StatusNotFound, Title: "Not found", Code: "not_found", Detail: "It does not exist, or no longer.", Next: "Check the address."},
	fault.Conflict:      {Status: http.StatusConflict, Title: "Changed meanwhile", Code: "conflict", Detail: "The state is not the one you saw.", Next: "Read it again, then decide anew."},
	fault.Exhausted:     {Status: http.StatusTooManyRequests, Title: "Limit reached", Code: "too_many_requests", Detail: "A limit is reached.", Next: "Wait, then try again."},
	fault.Transient:     {Status: http.StatusServiceUnavailable, Title: "Not available now", Code: "unavailable", Detail: "Something this depends on does not answer.", Next: "Try again in a minute."},
	fault.Misconfigured: {Status: http.StatusServiceUnavailable, Title: "Not available", Code: "unavailable", Detail: "This is not set up correctly.", Next: "Tell the security lead; trying again does not help."},
	"":                  {Status: http.StatusInternalServerError, Title: "Our fault", Code: "internal", Detail: "Something went wrong here.", Next: "Try again later, and report the header X-Request-Id if it stays."},
}

// titles of statuses that an error has instead of its kind's own, where the kind's title would say another thing.
var titles = map[int]string{http.StatusUnauthorized: "Not signed in", http.StatusServiceUnavailable: "Not available now"}

// ProblemOf returns what the caller reads about an error. The internal error never shows.
func ProblemOf(err error) Problem {
	p, known := general[fault.KindOf(err)]
	if !known {
		p = general[""]
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && known {
		if e.Code != "" {
			p.Code = e.Code
		}
		if p.Code == "unauthenticated" {
			p.Status, p.Title = http.StatusUnauthorized, "Not signed in"
		}
		p.Detail, p.Next = cmp.Or(e.Detail, p.Detail), cmp.Or(e.Next, p.Next)
		if e.Status >= 400 && e.Status <= 599 {
			p.Status, p.Title = e.Status, cmp.Or(titles[e.Status], p.Title)
		}
		p.RetryAfter = max(e.RetryAfter, 0)
	}
	if x, ok := errors.AsType[*extended](err); ok {
		p.Extra, p.allow = x.members, x.allow
	}
	p.Type = typePrefix + p.Code
	return p
}

// WriteProblem answers an error as a problem document where no Function stands around the handler. Within one,
// return the error instead.
func WriteProblem(w http.ResponseWriter, err error) {
	p := ProblemOf(err)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	p.headers(w.Header())
	p.write(w)
}

// refuse answers a problem: as a page where a person reads it, as a document otherwise.
func (s *server) refuse(out *recorder, r *http.Request, route *Route, p Problem) {
	p.headers(out.Header())
	if s.ErrorPage != nil && (route != nil && route.Page || route == nil && strings.Contains(r.Header.Get("Accept"), "text/html")) {
		out.implicit = p.Status
		broken := s.guard(func() error { s.ErrorPage(out, r, p); return nil })
		if broken == nil {
			if out.status == 0 {
				out.WriteHeader(p.Status)
			}
			return
		}
		s.Log.LogAttrs(r.Context(), slog.LevelError, "writing the error page", slog.Any("error", broken))
	}
	p.write(out)
}

// headers sets what goes with the problem and drops what belonged to the answer that is not given.
func (p Problem) headers(h http.Header) {
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Etag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.seconds()))
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.Status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110, section 15.5.2: there must be one
	}
}

// write answers the document.
func (p Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil { // a member that cannot be encoded must not cost the rest
		p.Extra = nil
		body, _ = json.Marshal(p)
	}
	_ = writeBytes(w, p.Status, "application/problem+json", body)
}
