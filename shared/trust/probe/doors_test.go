package probe_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ostiary.internal/shared/trust/probe"
)

// door answers by path, and by token after a blank: a status, perhaps with a place to go to, and a body.
type door map[string]struct {
	code int
	to   string
	body string
}

func (d door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Path
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), "Bearer "); ok {
		key += " " + token
	}
	said, ok := d[key]
	if !ok {
		said = d["else"]
	}
	for name, value := range map[string]string{"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Last-Modified": start.Format(http.TimeFormat)} {
		if said.body != "without headers" {
			w.Header().Set(name, value)
		}
	}
	if said.to != "" {
		w.Header().Set("Location", said.to)
	}
	w.WriteHeader(said.code)
	fmt.Fprint(w, said.body)
}

const (
	document = `{"openapi":"3.1.0","security":[{"oauth":[]}],"paths":{"/v1/a":{"get":{}},"/v1/b":{"get":{}}}}`
	tenant   = "/t/{canary|other}/x"
)

// TestDoors: what every probe that asks for pages makes of answers that say little.
func TestDoors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		probe  probe.Name
		target string // path
		door   door
		want   string
	}{
		"headers of a page":                {probe.SecurityHeaders, "", door{"/": {200, "", "hello"}}, "kept"},
		"headers of a page behind another": {probe.SecurityHeaders, "", door{"/": {302, "/en", ""}, "/en": {200, "", "hello"}}, "kept"},
		"headers of that page alone":       {probe.SecurityHeaders, "", door{"/": {302, "/en", ""}, "/en": {200, "", "without headers"}}, "broken"},
		"headers of a way elsewhere":       {probe.SecurityHeaders, "", door{"/": {302, "https://elsewhere.example/", ""}}, "unknown"},
		"headers of a way in clear":        {probe.SecurityHeaders, "", door{"/": {302, "http://localhost/", ""}}, "unknown"},
		"headers of a way in circles":      {probe.SecurityHeaders, "", door{"/": {302, "/", ""}}, "unknown"},
		"headers of no page":               {probe.SecurityHeaders, "", door{"/": {404, "", "not here"}}, "unknown"},
		"headers of a shut door":           {probe.SecurityHeaders, "", door{"/": {403, "", "no"}}, "unknown"},
		"headers of nothing":               {probe.SecurityHeaders, "", door{"/": {200, "", ""}}, "unknown"},
		"age of nothing":                   {probe.StatusPageAge, "/status", door{"/status": {200, "", ""}}, "unknown"},
		"age of a page":                    {probe.StatusPageAge, "/status", door{"/status": {200, "", "all is well"}}, "kept"},
		"age of a way elsewhere":           {probe.StatusPageAge, "/status", door{"/status": {302, "https://elsewhere.example/", "all is well"}}, "unknown"},
		"age of a page too long to read":   {probe.StatusPageAge, "/status", door{"/status": {200, "", strings.Repeat("x", 300<<10)}}, "unknown"},
		"text elsewhere":                   {probe.PolicyPageText, "/policy", door{"/policy": {302, "https://elsewhere.example/", "We promise it."}}, "unknown"},
		"text in a comment without end":    {probe.PolicyPageText, "/policy", door{"/policy": {200, "", "<p>Hello</p><!-- We promise it."}}, "unknown"},
		"text on the page":                 {probe.PolicyPageText, "/policy", door{"/policy": {200, "", "<p>We promise it.</p>"}}, "kept"},

		"a token is missing":              {probe.RefusesAnonymous, "/v1/a", door{"else": {401, "", ""}}, "kept"},
		"forbidden beside an open page":   {probe.RefusesAnonymous, "/v1/a", door{"/v1/a": {403, "", ""}, "/": {200, "", "hello"}}, "kept"},
		"all is forbidden":                {probe.RefusesAnonymous, "/v1/a", door{"else": {403, "", "no"}}, "unknown"},
		"there is nothing":                {probe.RefusesAnonymous, "/v1/a", door{"else": {404, "", "no"}}, "unknown"},
		"it leads to a sign-in elsewhere": {probe.RefusesAnonymous, "/v1/a", door{"else": {302, "https://id.example/", ""}}, "unknown"},
		"too many requests":               {probe.RefusesAnonymous, "/v1/a", door{"else": {429, "", ""}}, "unknown"},
		"it answers":                      {probe.RefusesAnonymous, "/v1/a", door{"else": {200, "", "all of it"}}, "broken"},
		"an interface that refuses":       {probe.RefusesAnonymous, "/openapi.json", door{"/openapi.json": {200, "", document}, "else": {403, "", ""}}, "kept"},
		"an interface that is not there":  {probe.RefusesAnonymous, "/openapi.json", door{"/openapi.json": {200, "", document}, "else": {404, "", ""}}, "unknown"},
		"one operation answers":           {probe.RefusesAnonymous, "/openapi.json", door{"/openapi.json": {200, "", document}, "/v1/b": {200, "", "all"}, "else": {401, "", ""}}, "broken"},
		"a description too long to read":  {probe.RefusesAnonymous, "/openapi.json", door{"/openapi.json": {200, "", document + strings.Repeat(" ", 300<<10)}, "else": {401, "", ""}}, "unknown"},
		"a description of nothing":        {probe.RefusesAnonymous, "/openapi.json", door{"/openapi.json": {200, "", `{"openapi":"3.1.0"}`}}, "unknown"},

		"another tenant is hidden":          {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", "mine"}, "else": {404, "", ""}}, "kept"},
		"another tenant is refused":         {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", "mine"}, "else": {403, "", ""}}, "kept"},
		"another tenant is shown":           {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", "mine"}, "/t/other/x canary": {200, "", "theirs"}, "else": {401, "", ""}}, "broken"},
		"the token is good nowhere":         {probe.RefusesForeign, tenant, door{"else": {401, "", ""}}, "unknown"},
		"there is no such interface":        {probe.RefusesForeign, tenant, door{"else": {404, "", ""}}, "unknown"},
		"its own tenant answers nothing":    {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", ""}, "else": {404, "", ""}}, "unknown"},
		"its own tenant answers to anybody": {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", "mine"}, "/t/canary/x": {200, "", "mine"}, "else": {404, "", ""}}, "unknown"},
		"another tenant is elsewhere":       {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", "mine"}, "else": {302, "https://elsewhere.example/", ""}}, "unknown"},
		"another tenant is too many":        {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", "mine"}, "else": {429, "", ""}}, "unknown"},
		"another tenant fails":              {probe.RefusesForeign, tenant, door{"/t/canary/x canary": {200, "", "mine"}, "else": {500, "", ""}}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, pool := certificate(t)
			target := "localhost:" + port(t, served(t, cert, test.door.ServeHTTP, nil).Listener.Addr())
			if test.target != "" {
				target = "https://" + target + test.target
			}
			w := newWorld(t, test.probe, target, "", pool)
			expect(t, w.ran(t), test.want, w)
			if text := fmt.Sprintf("%+v", w.record); strings.Contains(text, "Bearer") || strings.Contains(text, "mine") {
				t.Errorf("on record: %s", text)
			}
			portal := newWorld(t, test.probe, target, "", x509.NewCertPool())
			expect(t, portal.ran(t), "unknown", portal)
		})
	}
}

// TestNoCanary: without the token nothing is known of other tenants, and nothing is asked.
func TestNoCanary(t *testing.T) {
	t.Parallel()
	for name, canary := range map[string]func(context.Context) ([]byte, error){
		"none": nil, "empty": func(context.Context) ([]byte, error) { return []byte(" \n"), nil },
		"out of reach": func(context.Context) ([]byte, error) { return []byte("canary"), errors.New("no answer") },
	} {
		cert, pool := certificate(t)
		server := served(t, cert, func(http.ResponseWriter, *http.Request) { t.Error("asked without a token") }, nil)
		w := newWorld(t, probe.RefusesForeign, "https://localhost:"+port(t, server.Listener.Addr())+tenant, "", pool)
		w.Canary = canary
		expect(t, w.ran(t), "unknown", w)
		if r := w.record[0]; r.Facts["detail"] != "no-canary-token" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
