package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/statement"
)

// scene is something that somebody does at a time. Doing it again changes nothing: after a kill the last stop is played
// a second time.
type scene struct {
	at   time.Time
	name string
	play func(ctx context.Context, w *World) error
}

// silent is the function whose schedule stands still for two hours of the tenth day: its checks fall silent, and that
// has to show.
const silent = "syncallowlist"

func asleep(from, now time.Time) bool {
	begun := firstDay(from).Add(9*day + 6*time.Hour)
	return !now.Before(begun) && now.Before(begun.Add(2*time.Hour))
}

// firstScene is the hour of the day at which the earliest scene is played.
const firstScene = 5 * time.Hour

// firstDay is the midnight before the first morning of a sample life: the first one of which no scene lies before the
// beginning.
func firstDay(from time.Time) time.Time {
	midnight := from.UTC().Truncate(day)
	if from.Sub(midnight) > firstScene {
		midnight = midnight.Add(day)
	}
	return midnight
}

// script collects the scenes of one policy.
type script struct {
	w     *World
	day   time.Time // the first midnight
	end   time.Time
	rules duty.Rules
	all   []scene
	flaw  string // the promise that a program says is broken, where the policy lets it be excepted
}

// scenes are what happens in a fortnight from a time on, for any policy: whoever may sign signs, whoever may do a duty
// does it, programs send what the policy lets them send. One person is screened late, one never signs, one piece of
// software is never cleared, one statement is not renewed.
func (w *World) scenes(p played) []scene {
	rules, _ := duty.ReadRules(w.policy)
	s := &script{w: w, day: firstDay(p.From), end: p.to(), rules: rules}
	s.all = append(s.all, scene{p.From, "the mark of a sample", func(ctx context.Context, w *World) error { return w.mark(ctx, "begins") }})
	s.statements()
	s.programs()
	s.mistake()
	s.duties()
	s.software()
	s.exception()
	s.all = append(s.all, scene{s.end, "the mark of a sample", func(ctx context.Context, w *World) error { return w.mark(ctx, "ends") }})
	if p.Days < fortnight { // a shorter life is the beginning of a whole one
		s.all = slices.DeleteFunc(s.all, func(one scene) bool { return one.at.After(s.end) })
	}
	return s.all
}

// on adds a scene.
func (s *script) on(day int, hour time.Duration, name string, play func(ctx context.Context, w *World) error) {
	s.all = append(s.all, scene{s.day.AddDate(0, 0, day).Add(hour), name, play})
}

// people are those who are there all the time.
func (s *script) people() []policy.Person {
	return slices.DeleteFunc(slices.Clone(s.w.policy.People), func(p policy.Person) bool {
		return !p.Active(s.day) || !p.Active(s.end)
	})
}

// plain are people without any office: things happen to them.
func (s *script) plain() []policy.Person {
	return slices.DeleteFunc(s.people(), func(p policy.Person) bool { return len(p.Roles) != 1 || p.Roles[0] != policy.Employee })
}

// holders are the people with one of some roles.
func (s *script) holders(roles ...policy.Role) []policy.Person {
	return slices.DeleteFunc(s.people(), func(p policy.Person) bool { return !slices.ContainsFunc(roles, p.Has) })
}

// statements: every sentence that a person signs is signed on the first morning; each third one for ten days only.
func (s *script) statements() {
	count := 0
	for _, p := range s.w.policy.Promises {
		signers := s.holders(statement.Signers(p)...)
		if len(statement.Signers(p)) == 0 || len(signers) == 0 {
			continue
		}
		count++
		days := 60
		if count%3 == 0 {
			days = 10
		}
		body := map[string]string{"promise": p.ID, "text_hash": promise.TextHash(p.Text), "valid_until": s.day.AddDate(0, 0, days).Format(time.DateOnly)}
		s.on(0, 8*time.Hour, "the statement for "+p.ID, func(ctx context.Context, w *World) error {
			_, err := w.asPerson(ctx, signers[0], http.MethodPost, "/attest/v1/statements", body)
			return err
		})
	}
}

// duties: on some days everybody does and reviews what is theirs.
func (s *script) duties() {
	for _, day := range []int{1, 2, 4, 6} {
		s.on(day, 10*time.Hour, "the duties of the day", func(ctx context.Context, w *World) error { return s.work(ctx, false) })
		s.on(day, 15*time.Hour, "the reviews of the day", func(ctx context.Context, w *World) error { return s.work(ctx, true) })
	}
}

// work has everybody look at her list of duties and do what she may.
func (s *script) work(ctx context.Context, review bool) error {
	for _, p := range s.people() {
		list, err := s.w.asPerson(ctx, p, http.MethodGet, "/attest/v1/duties", nil)
		if err != nil {
			return err
		}
		var found struct {
			Duties []struct {
				ID, Duty string
				Missing  []string `json:"missing_evidence"`
				May      bool     `json:"may_do"`
				MayCheck bool     `json:"may_review"`
				Files    bool     `json:"files_document"`
			}
		}
		if err := json.Unmarshal(list, &found); err != nil {
			return err
		}
		for _, d := range found.Duties {
			rule, _ := s.rules.Duty(d.Duty)
			path, body := "", any(nil)
			switch {
			case review && d.MayCheck:
				path = "/review"
			case !review && d.May && rule.ByHand() && !rule.Requested() && len(d.Missing) == 0:
				path = "/done"
				if d.Files {
					body = s.certificate()
				}
			default:
				continue
			}
			if _, err := s.w.asPerson(ctx, p, http.MethodPost, "/attest/v1/duties/"+d.ID+path, body); err != nil {
				return fmt.Errorf("%s of %s: %w", path, d.Duty, err)
			}
		}
	}
	return nil
}

// certificate is a document that is put on file: it outlasts the sample.
func (s *script) certificate() map[string]string {
	return map[string]string{"issuer": "Sample Assurance", "number": "SAMPLE-1", "valid_until": s.day.AddDate(1, 0, 0).Format(time.DateOnly)}
}

// software: of two pieces that people ask for, one is scanned and cleared, the other waits until its time is over.
func (s *script) software() {
	plain := s.plain()
	for _, d := range s.rules.Duties {
		if !d.Requested() || len(plain) < 2 {
			continue
		}
		path := "/attest/v1/duties/" + d.ID + "/ask"
		for i, about := range []string{cleared, "Sample drawing tool 2"} {
			s.on(2+i, 9*time.Hour, "asking for "+d.On, func(ctx context.Context, w *World) error {
				_, err := w.asPerson(ctx, plain[i], http.MethodPost, path, map[string]string{"about": about})
				return err
			})
		}
	}
}

// excepted are the promises for which an exception is agreed: of those that the forgotten software breaks, the last one, so
// that another stays broken.
func (s *script) excepted() (ids []string) {
	for _, d := range s.rules.Duties {
		if d.Requested() && len(d.Promises) > 1 {
			ids = append(ids, d.Promises[len(d.Promises)-1])
		}
	}
	return ids
}

// exception: one person asks for an exception, and another agrees.
func (s *script) exception() {
	deciders := s.holders(policy.Security, policy.DPO, policy.Owner)
	ids := s.excepted()
	if s.flaw != "" {
		ids = append(ids, s.flaw)
	}
	for _, id := range ids {
		if len(deciders) < 2 {
			return
		}
		s.on(11, 10*time.Hour, "an exception for "+id, func(ctx context.Context, w *World) error {
			answer, err := w.asPerson(ctx, deciders[0], http.MethodPost, "/attest/v1/waivers",
				map[string]string{"promise": id, "reason": "accepted-risk", "until": s.day.AddDate(0, 0, 41).Format(time.DateOnly), "note": "Sample: the scanner does not know this format yet."})
			if err != nil {
				return err
			}
			var asked struct{ ID string }
			if err := json.Unmarshal(answer, &asked); err != nil {
				return err
			}
			_, err = w.asPerson(ctx, deciders[1], http.MethodPost, "/attest/v1/waivers/"+asked.ID+"/approve", nil)
			return err
		})
	}
}

// refusal is a function's answer that it does not do something.
type refusal struct {
	status int
	code   string
	detail string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.code) }

// asPerson makes a call as somebody signed in.
func (w *World) asPerson(ctx context.Context, p policy.Person, method, path string, body any) ([]byte, error) {
	token, err := w.staffToken(p.Email, nil)
	if err != nil {
		return nil, err
	}
	return w.call(ctx, method, path, body, http.Header{identity.AssertionHeader: {token}})
}

// call hands a request to the function of its path, and returns what it answered.
func (w *World) call(ctx context.Context, method, path string, body any, header http.Header) ([]byte, error) {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return nil, err
		}
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/json")
		}
	}
	r := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(sent))
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header.Set(ClientHeader, places[0].Address)
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	told := httptest.NewRecorder()
	w.functions[name].handler.ServeHTTP(told, r)
	if told.Code >= 300 {
		var p struct{ Code, Detail string }
		_ = json.Unmarshal(told.Body.Bytes(), &p)
		return nil, &refusal{told.Code, p.Code, p.Detail}
	}
	return told.Body.Bytes(), nil
}
