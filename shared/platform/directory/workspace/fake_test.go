package workspace_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/shared/platform/directory/directorytest"
)

// server speaks the REST shape of the Admin SDK: users.get with partial responses, aliases, its error documents.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	users    map[string]map[string]any // by primary address
	aliases  map[string]string
	instead  func(w http.ResponseWriter, r *http.Request)
	requests []*http.Request
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{users: map[string]map[string]any{}, aliases: map[string]string{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	s.set(directorytest.Jane, directorytest.State{})
	s.set(directorytest.Joe, directorytest.State{})
	return s
}

func (s *server) set(email string, state directorytest.State) {
	if state.Absent {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.users, email)
		return
	}
	s.write(email, map[string]any{
		"suspended": state.Suspended, "isEnrolledIn2Sv": !state.NoTwoStep, "isEnforcedIn2Sv": !state.NoTwoStep,
	})
}

// write stores an account with every field the real answer has, changed by fields.
func (s *server) write(email string, fields map[string]any) {
	user := map[string]any{
		"kind": "admin#directory#user", "id": "1122334455667788", "etag": `"x"`, "primaryEmail": email,
		"name": map[string]any{"givenName": "Jane", "familyName": "Doe", "fullName": "Jane Doe"}, "isAdmin": false,
		"isDelegatedAdmin": false, "creationTime": "2020-01-01T00:00:00.000Z", "agreedToTerms": true, "archived": false,
		"suspended": false, "changePasswordAtNextLogin": false, "ipWhitelisted": false, "isMailboxSetup": true,
		"isEnrolledIn2Sv": true, "isEnforcedIn2Sv": true, "includeInGlobalAddressList": true, "orgUnitPath": "/",
	}
	for name, value := range fields {
		user[name] = value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[email] = user
}

func (s *server) alias(alias, email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aliases[alias] = email
}

// say replaces every answer; nil restores the truth.
func (s *server) say(instead func(w http.ResponseWriter, r *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = instead
}

func (s *server) asked() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.requests...)
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Clone(r.Context()))
	instead := s.instead
	s.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	key, found := strings.CutPrefix(r.URL.EscapedPath(), "/admin/directory/v1/users/")
	if !found || r.Method != http.MethodGet || strings.Contains(key, "/") {
		problem(w, http.StatusNotFound, "notFound", "Not Found")
		return
	}
	key, err := url.PathUnescape(key)
	if err != nil {
		problem(w, http.StatusBadRequest, "invalid", "Invalid Input: userKey")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if primary, ok := s.aliases[key]; ok {
		key = primary
	}
	user, ok := s.users[key]
	if !ok {
		problem(w, http.StatusNotFound, "notFound", "Resource Not Found: userKey")
		return
	}
	partial := map[string]any{}
	for field := range strings.SplitSeq(r.URL.Query().Get("fields"), ",") {
		if value, ok := user[field]; ok {
			partial[field] = value
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(partial)
}

// problem writes an error document as the API does.
func problem(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":%q,"errors":[{"message":%[2]q,"domain":"global","reason":%q}]}}`, status, message, reason)
}
