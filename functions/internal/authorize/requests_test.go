package authorize

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/platform/web/strictjson"
)

var variable = regexp.MustCompile(`\{[a-z]+(\.\.\.)?\}`)

// aim fills a route's path: with things there are, or with such of the same form as there are none of. real is false where
// the path names nothing that could be there.
func (w *world) aim(function string, r web.Route, there bool) (path string, real bool) {
	path, rest := "/"+function, r.Path
	one, special := w.things[key(function, r)]
	for {
		at := variable.FindStringIndex(rest)
		if at == nil {
			return path + rest, real
		}
		path += rest[:at[0]]
		before := variable.ReplaceAllString(r.Path[:len(r.Path)-len(rest)+at[0]], "{}")
		id, known := w.things[function+" "+strings.TrimPrefix(before, "/")+"{}"]
		if special {
			id, known = one, true
		}
		switch {
		case !known:
			id = "aaaaaaaaaaaaaaaa"
		case there:
			real = true
		default:
			id = near(id)
		}
		path, rest = path+id, rest[at[1]:]
	}
}

// near is an id of the same form that nobody has.
func near(id string) string {
	last := id[len(id)-1]
	switch {
	case last == 'a' || last == '2':
		last++
	case last >= '0' && last <= '9':
		last = '2'
	default:
		last = 'a'
	}
	return id[:len(id)-1] + string(last)
}

// filled is a value of a body's type in which nothing that has to be there is missing.
func filled(t reflect.Type) any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return functiontest.Start
	case reflect.TypeFor[calendar.Day]():
		return "2026-06-30"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return filled(t.Elem())
	case reflect.Struct:
		object := map[string]any{}
		for _, f := range strictjson.Fields(t) {
			if enum, _, _ := strings.Cut(f.Tag.Get("enum"), ","); enum != "" {
				object[f.Name] = enum
			} else if f.Tag.Get("required") == "true" {
				object[f.Name] = filled(f.Type)
			}
		}
		return object
	case reflect.Slice:
		return []any{filled(t.Elem())}
	case reflect.Map:
		return map[string]any{}
	case reflect.String:
		return "x"
	case reflect.Bool:
		return true
	case reflect.Interface:
		return nil
	}
	return 1
}

// request is what somebody would send who may, without showing who she is. A form carries the token of whoever sends it.
func (w *world) request(t testing.TB, m manifest.Function, r web.Route, path, subject string) functiontest.Request {
	t.Helper()
	q := functiontest.Request{Method: r.Method, Path: path, Header: http.Header{"Idempotency-Key": {"matrix"}, "X-Real-Ip": {functiontest.Home}}}
	body, own := bodies[key(m.Name, r)]
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodDelete:
	case key(m.Name, r) == "decideerasure POST /enter":
		var text bytes.Buffer
		form := multipart.NewWriter(&text)
		for name, value := range map[string]string{web.TokenField: w.formToken(t, m, subject), "channel": "letter", "tenant": "cabinet-nord", "email": "x@mail.example"} {
			must(t, form.WriteField(name, value))
		}
		must(t, form.Close())
		q.Body, q.Header = text.String(), http.Header{"Content-Type": {form.FormDataContentType()}}
	case r.Page || own && body.form:
		form := url.Values{}
		for name, value := range body.members {
			form.Set(name, value.(string))
		}
		if m.Callers == manifest.Staff {
			form.Set(web.TokenField, w.formToken(t, m, subject))
		}
		q.Body, q.Header = form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	case own:
		q.Body = body.members
	case r.Body != nil:
		q.Body = filled(reflect.TypeOf(r.Body))
	}
	if m.Name == "collectevidence" {
		q.Header.Set("Content-Type", "application/cloudevents+json")
	}
	return q
}

// formToken is what the page of a form holds for whoever sends it.
func (w *world) formToken(t testing.TB, m manifest.Function, subject string) string {
	t.Helper()
	forms, err := web.NewForms([]byte(formKey))
	must(t, err)
	return forms.Token(subject, m.Name, w.Clock.Now())
}

// shown adds what a caller shows.
func shown(q functiontest.Request, show http.Header) functiontest.Request {
	header := show.Clone()
	for name, values := range q.Header {
		header[name] = values
	}
	q.Header = header
	return q
}

// subjectOf is the sign-in account in an assertion, in whose name a form's token is made.
func subjectOf(show http.Header) string {
	parts := strings.Split(show.Get(identity.AssertionHeader), ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct{ Sub string }
	if json.Unmarshal(decoded(parts[1]), &claims) != nil {
		return ""
	}
	return claims.Sub
}
