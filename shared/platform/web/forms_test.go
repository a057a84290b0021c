package web_test

import (
	"bytes"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

func forms(t *testing.T, b byte) *web.Forms {
	t.Helper()
	f, err := web.NewForms(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFormToken(t *testing.T) {
	t.Parallel()
	f := forms(t, 1)
	token := f.Token("person-1", "registerip/lease", start)
	cases := map[string]struct {
		token, subject, purpose string
		now                     time.Time
		ok                      bool
	}{
		"at once":         {token, "person-1", "registerip/lease", start, true},
		"at last":         {token, "person-1", "registerip/lease", start.Add(web.FormLife - time.Second), true},
		"too late":        {token, "person-1", "registerip/lease", start.Add(web.FormLife), false},
		"other person":    {token, "person-2", "registerip/lease", start, false},
		"other purpose":   {token, "person-1", "registerip/end", start, false},
		"shifted borders": {token, "person-1r", "egisterip/lease", start, false},
		"other key":       {forms(t, 2).Token("person-1", "registerip/lease", start), "person-1", "registerip/lease", start, false},
		"empty":           {"", "person-1", "registerip/lease", start, false},
		"cut":             {token[:len(token)-4], "person-1", "registerip/lease", start, false},
		"longer":          {token + "AAAA", "person-1", "registerip/lease", start, false},
		"padded":          {token + "=", "person-1", "registerip/lease", start, false},
		"line break":      {token[:10] + "\n" + token[10:], "person-1", "registerip/lease", start, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := f.Check(c.token, c.subject, c.purpose, c.now)
			if (err == nil) != c.ok || err != nil && (!fault.Is(err, fault.Denied) || fault.CodeOf(err) != "form_expired") {
				t.Errorf("error %v", err)
			}
		})
	}
	for i := range token { // every character counts
		for _, c := range "AQgw_" {
			forged := token[:i] + string(c) + token[i+1:]
			if forged != token && f.Check(forged, "person-1", "registerip/lease", start) == nil {
				t.Fatalf("%s passes for %s", forged, token)
			}
		}
	}
}

func TestFormKey(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{1}, 32)
	f, err := web.NewForms(key)
	if err != nil {
		t.Fatal(err)
	}
	token := f.Token("a", "b", start)
	key[0] = 9 // the caller's slice is the caller's
	if err := f.Check(token, "a", "b", start); err != nil {
		t.Error(err)
	}
	if _, err := web.NewForms(key[:31]); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a short key: %v", err)
	}
}

func TestFormRead(t *testing.T) {
	t.Parallel()
	f := forms(t, 1)
	token := f.Token("p", "x", start)
	good := url.Values{"csrf": {token}, "code": {"123 456"}}.Encode()
	cases := map[string]struct{ body, contentType, target, code string }{
		"good":                 {good, "application/x-www-form-urlencoded", "/", ""},
		"token in the query":   {"code=1", "application/x-www-form-urlencoded", "/?csrf=" + token, "form_expired"},
		"no token":             {"code=1", "application/x-www-form-urlencoded", "/", "form_expired"},
		"JSON":                 {good, "application/json", "/", "body_invalid"},
		"multipart":            {good, "multipart/form-data; boundary=x", "/", "body_invalid"},
		"too large":            {good + "&x=" + strings.Repeat("y", web.MaxBodyBytes), "application/x-www-form-urlencoded", "/", "too_large"},
		"bad escape":           {good + "&x=%zz", "application/x-www-form-urlencoded", "/", "body_invalid"},
		"semicolon":            {good + ";x=1", "application/x-www-form-urlencoded", "/", "body_invalid"},
		"NUL":                  {good + "&x=%00", "application/x-www-form-urlencoded", "/", "body_invalid"},
		"not UTF-8":            {good + "&x=%ff", "application/x-www-form-urlencoded", "/", "body_invalid"},
		"not UTF-8 in a name":  {good + "&%ff=x", "application/x-www-form-urlencoded", "/", "body_invalid"},
		"good, with a charset": {good, "application/x-www-form-urlencoded; charset=utf-8", "/", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", c.target, strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.contentType)
			values, err := f.Read(httptest.NewRecorder(), r, "p", "x", start)
			if fault.CodeOf(err) != c.code {
				t.Fatalf("error %v, want code %q", err, c.code)
			}
			if err == nil && values.Get("code") != "123 456" {
				t.Errorf("values %v", values)
			}
		})
	}
}

func TestSeeOther(t *testing.T) {
	t.Parallel()
	for path, ok := range map[string]bool{
		"/registerip/": true, "/justify/e-1?lang=fr": true, "": false, "//evil.example/": false, "https://evil.example/": false,
		`/\evil.example`: false, "/a\r\nSet-Cookie: x": false, "/\t/evil.example": false,
	} {
		w := httptest.NewRecorder()
		err := web.SeeOther(w, path)
		if (err == nil) != ok || ok && (w.Code != 303 || w.Header().Get("Location") != path) || !ok && w.Header().Get("Location") != "" {
			t.Errorf("%q: %v, status %d, location %q", path, err, w.Code, w.Header().Get("Location"))
		}
	}
}
