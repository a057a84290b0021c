package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/functions/internal/lived"
)

// signIn says who makes the next calls: a person's id or address, or "service|gateway|customer ID"; then claims as
// name=text or name:=JSON. "as nobody" signs out.
func (s *session) signIn(args []string) error {
	if len(args) == 0 {
		return errors.New("as whom?")
	}
	if args[0] == "nobody" {
		s.who = nil
		return nil
	}
	s.who = map[string]any{}
	rest := args[1:]
	switch args[0] {
	case "service", "gateway", "customer":
		s.who[args[0]], rest = args[1], args[2:]
	default:
		email := args[0]
		if known := people[email]; known != "" {
			email = known
			s.touched[email] = true
		}
		s.who["email"] = email
	}
	claims := map[string]any{}
	for _, arg := range rest {
		found := argument.FindStringSubmatch(arg)
		if found == nil || found[1] == "" {
			return fmt.Errorf("%q is no claim", arg)
		}
		claims[found[1]] = json.RawMessage(found[4])
		if found[2] == "=" {
			claims[found[1]] = found[4]
		}
	}
	if len(claims) > 0 {
		s.who["claims"] = claims
	}
	return nil
}

// sit says from which address the next calls come, by the header of local mode; "from nowhere" leaves it out.
func (s *session) sit(args []string) error {
	s.header.Del("X-Ostiary-Client")
	if len(args) == 1 && args[0] != "nowhere" {
		s.header.Set("X-Ostiary-Client", args[0])
	}
	return nil
}

// scan makes a device of the otpauth URI given, or of the one in the last answer.
func (s *session) scan(args []string) error {
	uri := s.answer.text("otpauth_uri")
	if len(args) == 2 {
		uri = args[1]
	}
	d, err := scan(uri)
	if err == nil {
		s.devices[args[0]] = d
	}
	return err
}

// enrol walks a person through her first authenticator, and on to the next time step, for the code that confirmed is
// burned.
func (s *session) enrol(args []string) error {
	was := s.who
	defer func() { s.who = was }()
	if err := s.signIn(args[:1]); err != nil {
		return err
	}
	ask := func(path string, body map[string]any) error {
		header, err := s.server.as(s.who)
		if err != nil {
			return err
		}
		if s.answer, err = s.server.send(call{method: http.MethodPost, path: "/enrolotp/v1/authenticators" + path, header: header, body: body}); err != nil {
			return err
		}
		if s.answer.status >= 300 {
			return fmt.Errorf("enrolling: %s", s.answer)
		}
		return nil
	}
	if err := ask("", map[string]any{"name": args[1]}); err != nil {
		return err
	}
	if err := s.scan(args[1:]); err != nil {
		return err
	}
	now, err := s.server.now()
	if err != nil {
		return err
	}
	code, err := s.devices[args[1]].code(now)
	if err != nil {
		return err
	}
	if err := ask("/"+s.answer.text("id")+"/confirm", map[string]any{"code": code}); err != nil {
		return err
	}
	return s.jump([]string{"+30s"})
}

// advance moves the clock with everything that is due on the way; no schedule may fail.
func (s *session) advance(args []string) error {
	a, err := s.server.local("POST", "clock", map[string]any{"advance": args[0]})
	if err != nil {
		return err
	}
	var moved struct {
		Ran []struct {
			Function string
			At       time.Time
			Status   int
		}
	}
	if err := json.Unmarshal(a.body, &moved); err != nil {
		return err
	}
	for _, ran := range moved.Ran {
		if ran.Status != http.StatusNoContent {
			return fmt.Errorf("the run of %s at %s answered %d", ran.Function, ran.At, ran.Status)
		}
	}
	return nil
}

// jump sets the clock, to a time or by "+" a duration; nothing runs.
func (s *session) jump(args []string) error {
	to := args[0]
	if length, isLength := strings.CutPrefix(to, "+"); isLength {
		by, err := time.ParseDuration(length)
		if err != nil {
			return err
		}
		now, err := s.server.now()
		if err != nil {
			return err
		}
		to = now.Add(by).Format(time.RFC3339Nano)
	}
	_, err := s.server.local("POST", "clock", map[string]any{"now": to})
	return err
}

// life waits until so many days of sample life are played: "life 5".
func (s *session) life(args []string) error {
	wanted, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for until := time.Now().Add(4 * time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		a, err := s.server.local("GET", "life", nil)
		if err != nil {
			return err
		}
		var told struct {
			State string
			Day   int
		}
		if err := json.Unmarshal(a.body, &told); err != nil {
			return err
		}
		if told.Day >= wanted {
			return nil
		}
		if told.State != "playing" {
			return fmt.Errorf("sample life: %s", a)
		}
	}
	return errors.New("sample life takes too long")
}

// lived puts what a whole sample life has left into the folder of the file, and hears what was said meanwhile.
func (s *session) lived(folder string) error {
	if s.server != nil {
		return errors.New("a server is running")
	}
	if err := os.RemoveAll(filepath.Join(folder, lived.Data)); err != nil {
		return err
	}
	if err := lived.Folder(binary, "../..", folder); err != nil {
		return err
	}
	said, err := os.ReadFile(filepath.Join(folder, lived.Log))
	s.logged += string(said)
	return err
}

// records counts the evidence: "records N fact=value ..." after everything has settled.
func (s *session) records(args []string) error {
	if _, err := s.server.local("POST", "settle", nil); err != nil {
		return err
	}
	kind := "" // a fortnight has thousands of the others
	for _, arg := range args[1:] {
		if name, value, _ := strings.Cut(arg, "="); name == "kind" {
			kind = value
		}
	}
	all, err := s.server.records(kind)
	if err != nil {
		return err
	}
	count := 0
	for _, r := range all {
		if !slices.ContainsFunc(args[1:], func(arg string) bool { name, value, _ := strings.Cut(arg, "="); return r.fact(name) != value }) {
			count++
		}
	}
	if fmt.Sprint(count) != args[0] {
		var facts []string
		for _, r := range all {
			facts = append(facts, fmt.Sprintf("%s %s %v", r.Kind, r.Control, r.Facts))
		}
		return fmt.Errorf("%d records of %d have %v, want %s; all:\n%s", count, len(all), args[1:], args[0], strings.Join(facts, "\n"))
	}
	return nil
}

// evidence is one record as far as these tests look.
type evidence struct {
	Kind    string            `json:"kind"`
	Control string            `json:"control"`
	Facts   map[string]string `json:"facts"`
}

func (e evidence) fact(name string) string {
	switch name {
	case "kind":
		return e.Kind
	case "control":
		return e.Control
	}
	return e.Facts[name]
}

// records lists the evidence of a kind, all of it where that is "".
func (s *server) records(kind string) ([]evidence, error) {
	a, err := s.raw(call{method: "GET", path: "/_local/records?kind=" + kind, unread: true})
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("the records: %s", a)
	}
	if err != nil {
		return nil, err
	}
	var listed struct{ Records []evidence }
	return listed.Records, json.Unmarshal(a.body, &listed)
}

// seen is everything about the people of this file that anybody can see.
func (s *session) seen() (map[string]string, error) {
	if _, err := s.server.local("POST", "settle", nil); err != nil {
		return nil, err
	}
	seen := map[string]string{}
	for _, path := range []string{"allowlist", "people", "clock"} {
		a, err := s.server.raw(call{method: "GET", path: "/_local/" + path})
		if err != nil {
			return nil, err
		}
		seen[path] = string(a.body)
	}
	for email := range s.touched {
		header, err := s.server.as(map[string]any{"email": email})
		if err != nil {
			return nil, err
		}
		for _, path := range []string{"/registerip/v1/leases", "/enrolotp/v1/authenticators", "/enrolotp/v1/resets"} {
			a, err := s.server.send(call{method: "GET", path: path, header: header})
			if err != nil {
				return nil, err
			}
			seen[email+" "+path] = string(a.body)
		}
	}
	return seen, nil
}

// discreet looks for secrets and personal data where there must be none.
func (s *session) discreet() error {
	a, err := s.server.raw(call{method: "GET", path: "/_local/records", unread: true})
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("the records: %s", a)
	}
	if err != nil {
		return err
	}
	forbidden := []string{"@sharedcontacts.example", "81.2.69.142", "92.40.1.7"}
	for _, d := range s.devices {
		forbidden = append(forbidden, d.secret)
	}
	for _, word := range forbidden {
		if bytes.Contains(a.body, []byte(word)) {
			return fmt.Errorf("the evidence holds %q", word)
		}
		if strings.Contains(s.log(), word) {
			return fmt.Errorf("the log holds %q:\n%s", word, s.log())
		}
	}
	return nil
}
