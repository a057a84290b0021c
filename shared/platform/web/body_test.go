package web_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

type request struct {
	Code   string     `json:"code" required:"true"`
	Count  int8       `json:"count"`
	When   *time.Time `json:"when"`
	Scores []struct {
		Value float64 `json:"value"`
	} `json:"scores"`
	Inputs map[string]bool `json:"inputs"`
}

func decode(body, contentType string, ignored ...string) (request, []string, error) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return web.DecodeBody[request](httptest.NewRecorder(), r, ignored...)
}

func TestDecodeBodyAccepts(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 21, 9, 58, 41, 0, time.UTC)
	body := "\n" + `{"ip":{"a":[1]},"code":"123456","count":-128,"when":"2026-11-21T09:58:41Z","scores":[{"value":1e2}],"inputs":{"a":true},"prefix":null}` + "\n"
	got, ignored, err := decode(body, "application/json; charset=UTF-8", "prefix", "ip", "address")
	if err != nil {
		t.Fatal(err)
	}
	want := request{Code: "123456", Count: -128, When: &when, Inputs: map[string]bool{"a": true}}
	want.Scores = append(want.Scores, struct {
		Value float64 `json:"value"`
	}{100})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ip", "prefix"}, ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
}

func TestDecodeBodyRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ body, detail string }{
		"empty":                  {``, "not JSON"},
		"half":                   {`{"code":`, "not JSON"},
		"list":                   {`[]`, "the text is not an object"},
		"null":                   {`null`, "the text is not an object"},
		"two objects":            {`{"code":"1"}{"code":"2"}`, "not JSON"},
		"trailing":               {`{"code":"1"} x`, "not JSON"},
		"unknown":                {`{"code":"1","admin":true}`, "admin is not known here"},
		"unknown deep":           {`{"code":"1","scores":[{"value":1},{"valve":2}]}`, "scores[1].valve is not known here"},
		"other case":             {`{"Code":"1"}`, "Code is not known here"},
		"other case too":         {`{"code":"1","CODE":"2"}`, "CODE is not known here"},
		"a person's name":        {`{"code":"1","Anna Ek":true}`, ": (a member) is not known here"},
		"an address":             {`{"code":"1","scores":[{"anna.ek":1}]}`, ": scores[0].(a member) is not known here"},
		"twice":                  {`{"code":"1","code":"1"}`, "code occurs twice"},
		"twice by escape":        {`{"code":"1","\u0063ode":"2"}`, "code occurs twice"},
		"twice deep":             {`{"code":"1","inputs":{"a":true,"a":false}}`, "inputs.a occurs twice"},
		"twice where ignored":    {`{"code":"1","ip":{"a":1,"a":2}}`, "ip.a occurs twice"},
		"ignored twice":          {`{"code":"1","ip":1,"ip":2}`, "ip occurs twice"},
		"missing":                {`{}`, "code is missing"},
		"text for number":        {`{"code":"1","count":"5"}`, "count is of type string instead of number"},
		"number for text":        {`{"code":123456}`, "code is of type number instead of string"},
		"null for text":          {`{"code":null}`, "code is of type null instead of string"},
		"fraction":               {`{"code":"1","count":1.5}`, "count is not a number of the expected range"},
		"whole with exponent":    {`{"code":"1","count":1e1}`, "count is not a number of the expected range"},
		"too large a number":     {`{"code":"1","count":128}`, "count is not a number of the expected range"},
		"no float is infinite":   {`{"code":"1","scores":[{"value":1e999}]}`, "scores[0].value is not a number"},
		"not a time":             {`{"code":"1","when":"yesterday"}`, "when is not a time in RFC 3339 form"},
		"object for list":        {`{"code":"1","scores":{}}`, "scores is of type object instead of array"},
		"list for object":        {`{"code":"1","inputs":[]}`, "inputs is of type array instead of object"},
		"NUL":                    {"{\"code\":\"1\x00\"}", "holds a NUL"},
		"NUL by escape":          {`{"code":"1\u0000"}`, "code holds a NUL"},
		"NUL in a name":          {`{"co\u0000de":"1"}`, "name that holds a NUL"},
		"not UTF-8":              {"{\"code\":\"\xff\"}", "not UTF-8"},
		"half a pair":            {`{"code":"\ud83d"}`, "code holds half a surrogate pair"},
		"half a pair, low":       {`{"code":"\ude00"}`, "code holds half a surrogate pair"},
		"half a pair, then text": {`{"code":"\ud83d\u0041"}`, "code holds half a surrogate pair"},
		"byte order mark":        {"\ufeff{}", "not JSON"},
		"deep":                   {`{"code":"1","ip":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, "nested deeper than 16"},
		"very deep":              {strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000), "not JSON"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := decode(c.body, "application/json", "ip")
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Code != "body_invalid" || web.ProblemOf(err).Status != 400 {
				t.Fatalf("error %v", err)
			}
			if !strings.Contains(e.Detail, c.detail) {
				t.Errorf("detail %q, want %q", e.Detail, c.detail)
			}
			if len(e.Error()) > len("invalid: body_invalid") {
				t.Errorf("the log would hold the caller's words: %q", e.Error())
			}
		})
	}
}

func TestDecodeBodyLongNames(t *testing.T) {
	t.Parallel()
	_, _, err := decode(`{"`+strings.Repeat("é", 10_000)+`":1}`, "application/json")
	if e, ok := errors.AsType[*fault.Error](err); !ok || len(e.Detail) > 200 {
		t.Errorf("error %v", err)
	}
}

func TestDecodeBodySizeAndType(t *testing.T) {
	t.Parallel()
	fits := `{"code":"` + strings.Repeat("1", web.MaxBodyBytes-len(`{"code":""}`)) + `"}`
	if _, _, err := decode(fits, "application/json"); err != nil {
		t.Errorf("%d bytes: %v", len(fits), err)
	}
	_, _, err := decode(fits+" ", "application/json")
	if p := web.ProblemOf(err); p.Status != 413 || p.Code != "too_large" {
		t.Errorf("one byte more: %+v", p)
	}
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/problem+json", "application/json;;"} {
		if _, _, err := decode(`{"code":"1"}`, contentType); web.ProblemOf(err).Code != "body_invalid" {
			t.Errorf("content type %q: %v", contentType, err)
		}
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"code":"1"}`))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}
	if _, _, err := web.DecodeBody[request](httptest.NewRecorder(), r); web.ProblemOf(err).Code != "body_invalid" {
		t.Errorf("compressed: %v", err)
	}
}

// FuzzDecodeBody holds the strict reader against the standard library: what is accepted, the library reads too,
// and writing what was read and reading it again gives the same.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"code":"1"}`, `{"code":"1","code":"2"}`, `{"code":"\ud83d\ude00"}`, `{"code":"\ud83d"}`, `{"code":"1","when":null}`,
		`{"code":"1","inputs":{"a":true}}`, `{"code":"1","scores":[{"value":-0}]}`, "{\"code\":\"\xff\"}", `[[[]]]`, `{"":{}}`, `{"code":"\u0000"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, _, err := decode(body, "application/json")
		if err != nil {
			if code := fault.CodeOf(err); code != "body_invalid" && code != "too_large" {
				t.Fatalf("error %v", err)
			}
			return
		}
		var library request
		if err := json.Unmarshal([]byte(body), &library); err != nil || !cmp.Equal(got, library) {
			t.Fatalf("the library reads %+v (%v), the strict reader %+v", library, err, got)
		}
		again, err := json.Marshal(map[string]any{"code": got.Code, "count": got.Count, "when": got.When})
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := decode(string(again), "application/json")
		if err != nil && len(again) <= web.MaxBodyBytes || err == nil && (second.Code != got.Code || second.Count != got.Count) {
			t.Fatalf("%s is read as %+v (%v)", again, second, err)
		}
	})
}
