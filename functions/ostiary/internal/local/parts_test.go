package local

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/fault"
)

func TestManualClockIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := openClock(dir, begin)
	if err != nil {
		t.Fatal(err)
	}
	later := begin.Add(time.Hour + time.Microsecond)
	if err := c.Set(later); err != nil {
		t.Fatal(err)
	}
	if err := c.Set(begin); !fault.Is(err, fault.Conflict) || !c.Now().Equal(later) {
		t.Errorf("set back: %v, and it stands at %s", err, c.Now())
	}
	for _, first := range []time.Time{begin, begin.Add(48 * time.Hour)} {
		if again, err := openClock(dir, first); err != nil || !again.Now().Equal(later) {
			t.Errorf("opened again with %s: %v, %v", first, again, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ClockFile), []byte("noon\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openClock(dir, begin); err == nil {
		t.Error("a time that cannot be read was taken for none")
	}
}

func TestOnlyLoopback(t *testing.T) {
	t.Parallel()
	handler := onlyLoopback(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) }))
	for host, want := range map[string]int{
		"localhost": 204, "localhost:8080": 204, "127.0.0.1": 204, "127.0.0.1:1": 204, "[::1]": 204, "[::1]:8080": 204,
		"": 403, "example.com": 403, "localhost.example.com:80": 403, "127.0.0.1.nip.io": 403, "127.0.0.2": 403, "0.0.0.0:8080": 403,
		"[::1%25lo]:80": 403, "[::]": 403, "localhost:80:80": 403, "2130706433": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Host = host
		answered := httptest.NewRecorder()
		handler.ServeHTTP(answered, r)
		if answered.Code != want {
			t.Errorf("Host %q: %d, want %d", host, answered.Code, want)
		}
	}
}

func TestReadEvents(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		``: 0, `{"a":1}`: 1, `[{"a":1},{"b":2}]`: 2, `[]`: 0, "{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}": 3, `[{"a":1}]{"b":2}`: 2, `"text"`: 1,
		`{"a":`: -1, `{"a":1} x`: -1, `]`: -1, `{"a":1}]`: -1,
	} {
		found, err := readEvents(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		if got := len(found); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q holds %d events, %v; want %d", body, got, err, want)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		change change
		want   []people.Change
	}{
		{change{}, nil},
		{change{Suspended: &yes}, []people.Change{people.Suspend}},
		{change{Suspended: &no, TwoStep: &no, Removed: &yes}, []people.Change{people.Unsuspend, people.TwoStepOff, people.Remove}},
		{change{Action: people.Restore, TwoStep: &yes, Removed: &no}, []people.Change{people.Restore, people.TwoStepOn, people.Restore}},
	} {
		if got := c.change.changes(); !slices.Equal(got, c.want) {
			t.Errorf("%+v means %v, want %v", c.change, got, c.want)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	s := sessions{byID: map[string]session{}}
	id := s.add(session{email: "ann@company.example", address: "81.2.69.142"})
	with := func(value string) *session {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		if value != "" {
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
		}
		return s.of(r)
	}
	if found := with(id); found == nil || found.email != "ann@company.example" {
		t.Errorf("found %+v", found)
	}
	if with("") != nil || with(id+"x") != nil {
		t.Error("a session without its id")
	}
}
