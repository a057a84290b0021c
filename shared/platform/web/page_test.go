package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

func TestLanguage(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ query, cookie, accept, want string }{
		"nothing":                   {"", "", "", "en"},
		"accepted":                  {"", "", "de-CH,de;q=0.9,fr;q=0.8", "de"},
		"by weight":                 {"", "", "en;q=0.1, fr;q=0.9", "fr"},
		"none supported":            {"", "", "ja, zh", "en"},
		"cookie before accepted":    {"", "fr", "de", "fr"},
		"query before cookie":       {"de", "fr", "en", "de"},
		"query with region":         {"fr-CA", "", "", "fr"},
		"query in capitals":         {"DE", "", "", "de"},
		"unsupported query":         {"ja", "de", "fr", "de"},
		"junk query":                {"../../etc", "", "fr", "fr"},
		"junk everywhere":           {"%00", "@@", ";;;q=x", "en"},
		"refused by weight zero":    {"", "", "de;q=0, fr", "fr"},
		"endless header is ignored": {"", "", strings.Repeat("de,", 300), "en"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.RawQuery = "lang=" + c.query
			if c.cookie != "" {
				r.AddCookie(&http.Cookie{Name: web.LanguageCookie, Value: c.cookie})
			}
			r.Header.Set("Accept-Language", c.accept)
			if got := web.Language(r, "en", "fr", "de"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"page.css": {Data: []byte("body{}")}, "icons/app.svg": {Data: []byte("<svg/>")}}
	assets, err := web.NewAssets("sample", files)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := sample(t)
	f.Routes = append(f.Routes, assets.Route())
	s := serve(t, f)

	for name, mediaType := range map[string]string{"page.css": "text/css; charset=utf-8", "icons/app.svg": "image/svg+xml"} {
		url, err := assets.URL(name)
		if err != nil || !strings.HasPrefix(url, "/sample/assets/") {
			t.Fatalf("URL %q, %v", url, err)
		}
		r, body := ask(t, s, "GET", url, "")
		if r.StatusCode != 200 || body != string(files[name].Data) || r.Header.Get("Content-Type") != mediaType ||
			r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: status %d, %v, %q", url, r.StatusCode, r.Header, body)
		}
		if again, _ := ask(t, s, "GET", url, "", "If-None-Match", r.Header.Get("Etag")); again.StatusCode != 304 {
			t.Errorf("%s again: status %d", url, again.StatusCode)
		}
	}
	for _, path := range []string{"page.css", "page.0000.css", "../serve.go", "", "icons/"} {
		if r, _ := ask(t, s, "GET", "/sample/assets/"+path, ""); r.StatusCode != 404 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: status %d, %s", path, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
	if _, err := assets.URL("none.css"); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("unknown name: %v", err)
	}
}

func TestAssetURLFollowsContent(t *testing.T) {
	t.Parallel()
	url := func(content string) string {
		assets, err := web.NewAssets("x", fstest.MapFS{"a.js": {Data: []byte(content)}})
		if err != nil {
			t.Fatal(err)
		}
		url, err := assets.URL("a.js")
		if err != nil {
			t.Fatal(err)
		}
		return url
	}
	if url("one") != url("one") || url("one") == url("two") {
		t.Errorf("%s, %s", url("one"), url("two"))
	}
}

func TestAssetsLayers(t *testing.T) {
	t.Parallel()
	both, err := web.NewAssets("x", fstest.MapFS{"a.js": {Data: []byte("one")}, "b.js": {}}, fstest.MapFS{"a.js": {Data: []byte("two")}})
	if err != nil {
		t.Fatal(err)
	}
	upper, err := web.NewAssets("x", fstest.MapFS{"a.js": {Data: []byte("two")}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := both.URL("a.js")
	want, wantErr := upper.URL("a.js")
	if err != nil || wantErr != nil || got != want {
		t.Errorf("the later layer does not win: %s, %s", got, want)
	}
	if _, err := both.URL("b.js"); err != nil {
		t.Errorf("the earlier layer is lost: %v", err)
	}
}

func TestAssetsRefuse(t *testing.T) {
	t.Parallel()
	if _, err := web.NewAssets("x", fstest.MapFS{"page.html": {}}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a page among the assets: %v", err)
	}
	if _, err := web.NewAssets("x", os.DirFS("does-not-exist")); err == nil {
		t.Error("a folder that is not there")
	}
}
