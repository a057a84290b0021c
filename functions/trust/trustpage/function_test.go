package trustpage_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/evidencetest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/page/pagetest"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"
)

const name = "trustpage"

func get(path string) functiontest.Request {
	return functiontest.Request{Method: "GET", Path: "/trustpage" + path}
}

// shown puts up a page of n promises that was computed now.
func shown(t *testing.T, n int) (*evidencetest.Site, shelf.Page) {
	t.Helper()
	s := evidencetest.New(t, trustpage.Function, nil)
	return s, s.Show(t, pagetest.Snapshot(n, s.Clock.Now()))
}

// The JSON is, byte for byte, what was put on the shelf and what the record in the log has the digest of.
func TestPromises(t *testing.T) {
	t.Parallel()
	s, put := shown(t, 60)
	got := s.Call(t, get("/v1/promises.json")).Want(t, 200, "")
	if record.Digest(got.Body) != put.Digest {
		t.Errorf("the page served is another than %s", put.Digest)
	}
	for header, want := range map[string]string{
		"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "public, max-age=30",
	} {
		if got.Header.Get(header) != want {
			t.Errorf("%s: %q", header, got.Header.Get(header))
		}
	}
	tag, again := got.Header.Get("Etag"), get("/v1/promises.json")
	for named, status := range map[string]int{tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, strings.Trim(tag, `"`): 200} {
		again.Header = http.Header{"If-None-Match": {named}}
		if a := s.Call(t, again); a.Status != status || (len(a.Body) == 0) != (status == 304) {
			t.Errorf("to whoever has %s: %d with %d bytes", named, a.Status, len(a.Body))
		}
	}
	for _, ranges := range []string{"bytes=0-9", "bytes=5-1", "bytes=99999999-", "bytes=" + strings.Repeat("0-1,", 1000) + "0-1"} {
		again.Header = http.Header{"Range": {ranges}}
		if a := s.Call(t, again).Want(t, 200, ""); record.Digest(a.Body) != put.Digest || a.Header.Get("Accept-Ranges") != "" {
			t.Errorf("asked for a part: %d bytes", len(a.Body))
		}
	}
}

// Whatever is asked of a page nobody updates any more, no state is kept.
func TestSilence(t *testing.T) {
	t.Parallel()
	s, put := shown(t, 60)
	s.Advance(t, 10*time.Minute)
	if got := s.Call(t, get("/v1/promises.json")); record.Digest(got.Body) != put.Digest {
		t.Error("ten minutes are silence already")
	}
	s.Advance(t, time.Second)
	var page promise.Snapshot
	s.Call(t, get("/v1/promises.json")).Want(t, 200, "").Decode(t, &page)
	if len(page.Promises) != 60 || page.Counts[record.Unknown] != 60 {
		t.Errorf("%d promises, counts %v", len(page.Promises), page.Counts)
	}
	for _, path := range []string{"/", "/?lang=de", "/v1/promises.json", "/v1/promises/L30", "/v1/feed.atom"} {
		body := string(s.Call(t, get(path)).Want(t, 200, "").Body)
		for _, kept := range []string{`"state":"kept"`, `class="row kept"`, "Kept</title>", `id="kept"`} {
			if strings.Contains(body, kept) {
				t.Errorf("%s still says %s", path, kept)
			}
		}
	}
	// Found to hold once more, the same page counts again.
	err := s.Raw("trust").Tx(t.Context(), func(tx store.Tx) error { return shelf.Affirm(tx, put.Digest, s.Clock.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Call(t, get("/v1/promises.json")); record.Digest(got.Body) != put.Digest {
		t.Error("a page that was checked again is not believed")
	}
}

func TestOnePromise(t *testing.T) {
	t.Parallel()
	s, put := shown(t, 60)
	var one trustpage.One
	s.Call(t, get("/v1/promises/F01")).Want(t, 200, "").Decode(t, &one)
	if one.Promise.ID != "F01" || one.Page != put.Digest || one.Company != "Shared Contacts" || !strings.HasPrefix(one.Proof, "/trustpage/v1/proofs/1") {
		t.Errorf("%+v", one)
	}
}

// Large answers are compressed for those who take it, and are the same then.
func TestCompression(t *testing.T) {
	t.Parallel()
	s, put := shown(t, 300)
	for coding, packed := range map[string]bool{"gzip, deflate, br": true, "GZIP;q=0.5": true, "br;q=1.0, gzip;q=0": false, "": false, "identity": false} {
		r := get("/v1/promises.json")
		r.Header = http.Header{"Accept-Encoding": {coding}}
		got := s.Call(t, r).Want(t, 200, "")
		body := got.Body
		if packed {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if (got.Header.Get("Content-Encoding") == "gzip") != packed || record.Digest(body) != put.Digest || got.Header.Get("Vary") == "" {
			t.Errorf("%q: %v", coding, got.Header)
		}
	}
	page := get("/")
	page.Header = http.Header{"Accept-Encoding": {"gzip"}}
	if n := len(s.Call(t, page).Body); n > 100_000 {
		t.Errorf("the page of 300 promises takes %d bytes on the way", n)
	}
}

// The page speaks the reader's language, carries its style, lets nothing else in, and sets no cookie.
func TestPage(t *testing.T) {
	t.Parallel()
	s, _ := shown(t, 60)
	accept := get("/")
	accept.Header = http.Header{"Accept-Language": {"fr-CH, fr;q=0.9, en;q=0.5"}}
	for want, r := range map[string]functiontest.Request{"en": get("/"), "de": get("/?lang=de"), "fr": accept} {
		got := s.Call(t, r).Want(t, 200, "")
		body := string(got.Body)
		if !strings.Contains(body, `<html lang="`+want+`"`) || got.Header.Get("Content-Language") != want || got.Header.Get("Set-Cookie") != "" || got.Header.Get("Vary") == "" {
			t.Errorf("%s: %v", want, got.Header)
		}
		_, style, _ := strings.Cut(body, "<style>")
		style, _, _ = strings.Cut(style, "</style>")
		sum := sha256.Sum256([]byte(style))
		policy := got.Header.Get("Content-Security-Policy")
		if len(style) < 5000 || !strings.Contains(policy, "style-src 'sha256-") || !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: a style of %d bytes (%s) under %s", want, len(style), hex.EncodeToString(sum[:4]), policy)
		}
		for _, link := range []string{`hreflang="en" href="/trustpage/?lang=en"`, `hreflang="x-default" href="/trustpage/"`, "application/atom+xml"} {
			if !strings.Contains(body, link) {
				t.Errorf("%s: %s is missing", want, link)
			}
		}
	}
}

// What was shown on a day is listed, and can be read and looked at as it was.
func TestPastDays(t *testing.T) {
	t.Parallel()
	s, first := shown(t, 10)
	s.Advance(t, 20*time.Minute)
	s.Show(t, pagetest.Snapshot(12, s.Clock.Now()))
	s.Advance(t, 30*24*time.Hour)
	s.Show(t, pagetest.Snapshot(14, s.Clock.Now()))
	var day trustpage.Day
	s.Call(t, get("/v1/days/2026-03-03")).Want(t, 200, "").Decode(t, &day)
	if len(day.Pages) != 2 || day.Pages[0].Digest != first.Digest || day.After != "" {
		t.Fatalf("%+v", day)
	}
	exact := s.Call(t, functiontest.Request{Method: "GET", Path: day.Pages[0].Exact}).Want(t, 200, "")
	if record.Digest(exact.Body) != first.Digest || !strings.Contains(exact.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("the page of the past is another, or not for ever: %v", exact.Header)
	}
	looked := string(s.Call(t, functiontest.Request{Method: "GET", Path: day.Pages[0].Page}).Want(t, 200, "").Body)
	if !strings.Contains(looked, "This is a page of the past") || strings.Contains(looked, "has not been updated") || strings.Count(looked, `<li class="row`) != 10 {
		t.Error("the page of the past does not look as it did")
	}
	if to := s.Call(t, get("/days?day=2026-03-03&lang=de")); to.Status != 303 || to.Header.Get("Location") != day.Pages[1].Page+"?lang=de" {
		t.Errorf("the day leads to %d %s", to.Status, to.Header.Get("Location"))
	}
	if nothing := s.Call(t, get("/days?day=2025-01-01&lang=de")); nothing.Header.Get("Set-Cookie") != "" || !strings.Contains(string(nothing.Body), "An diesem Tag wurde nichts gezeigt") {
		t.Errorf("a day without a page: %v\n%.300s", nothing.Header, nothing.Body)
	}
	for query, status := range map[string]int{"day=2025-01-01": 404, "day=someday": 400, "": 400} {
		if got := s.Call(t, get("/days?"+query)); got.Status != status {
			t.Errorf("%q: %d", query, got.Status)
		}
	}
	s.Call(t, get("/v1/days/2026-03-03?after="+day.Pages[1].At.Format(time.RFC3339Nano))).Want(t, 200, "").Decode(t, &day)
	if len(day.Pages) != 0 {
		t.Errorf("behind the last: %+v", day.Pages)
	}
	s.Call(t, get("/v1/days/2025-01-01")).Want(t, 200, "").Decode(t, &day)
	if len(day.Pages) != 0 {
		t.Errorf("a day without a page: %+v", day.Pages)
	}
}

func TestFeed(t *testing.T) {
	t.Parallel()
	s, _ := shown(t, 120)
	var feed struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Entries []struct {
			ID, Title, Updated, Summary string
		} `xml:"entry"`
	}
	got := s.Call(t, get("/v1/feed.atom?lang=fr")).Want(t, 200, "")
	if err := xml.Unmarshal(got.Body, &feed); err != nil {
		t.Fatal(err)
	}
	if len(feed.Entries) != 50 || feed.ID == "" || !strings.Contains(feed.Title, "promesses") || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/atom+xml") {
		t.Errorf("%d entries, %s, %s", len(feed.Entries), feed.ID, feed.Title)
	}
	for i, e := range feed.Entries[1:] {
		if e.Updated > feed.Entries[i].Updated {
			t.Errorf("entry %d is newer than the one before", i+1)
		}
	}
}

// Who may ask is everybody; what may be wrong is answered by its code, in words where a person reads.
func TestProblems(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	s := evidencetest.New(t, trustpage.Function, nil)
	none := "sha256:" + strings.Repeat("0", 64)
	seen.Saw(s.Call(t, get("/v1/receipts-trust.json"))).Want(t, 404, "receipts_none")
	const keys = `{"v":1,"origin":"sharedcontacts.example/ostiary/receipts","keys":[{"key":"sharedcontacts.example/ostiary/receipts+ceeefa1d+ARYKS9ic7dC6e0gpik64DvliVm42tE0u3SRt/k53AuSG","from":0}]}`
	with := evidencetest.New(t, trustpage.Function, map[string]string{trustpage.EnvReceipts: keys})
	if got := seen.Saw(with.Call(t, get("/v1/receipts-trust.json"))).Want(t, 200, ""); string(got.Body) != keys {
		t.Errorf("the keys of receipts are shown as %s", got.Body)
	}
	for _, path := range []string{"/v1/promises.json", "/v1/promises/F01", "/v1/register.json", "/v1/feed.atom", "/v1/freshness"} {
		seen.Saw(s.Call(t, get(path))).Want(t, 503, "page_missing")
	}
	for _, path := range []string{"/v1/checkpoint", "/v1/tile/0/000", "/v1/tile/0/../../head", "/v1/tile/entries", "/v1/tile/64/000", "/v1/tile/0/000.p/256", "/v1/records/0",
		"/v1/proofs/0", "/v1/proofs/-1", "/v1/proofs/01", "/v1/records/99999999999999999999", "/v1/records/x"} {
		if got := seen.Saw(s.Call(t, get(path))); got.Status != 404 && got.Status != 307 && got.Status != 301 {
			t.Errorf("%s: %d %s", path, got.Status, got.Code)
		}
	}
	page := s.Show(t, pagetest.Snapshot(3, s.Clock.Now()))
	seen.Saw(s.Call(t, get("/v1/freshness"))).Want(t, 503, "stale")
	s.Record(t, record.Run)
	s.Seal(t)
	seen.Saw(s.Call(t, get("/v1/freshness"))).Want(t, 200, "")
	seen.Saw(s.Call(t, get("/v1/promises/NONE"))).Want(t, 404, "promise_unknown")
	seen.Saw(s.Call(t, get("/v1/register.json"))).Want(t, 200, "")
	for _, digest := range []string{none, "0", strings.ToUpper(none), "..%2f..%2fnewest"} {
		seen.Saw(s.Call(t, get("/v1/pages/"+digest))).Want(t, 404, "page_unknown")
		if got := s.Call(t, get("/pages/"+digest)); got.Status != 404 || !strings.Contains(string(got.Body), "No page of this name") {
			t.Errorf("the page %s: %d", digest, got.Status)
		}
	}
	for _, digest := range []string{none, "0", strings.ToUpper(none), "..%2f..%2fnewest", page.Digest} { // a page is no register
		seen.Saw(s.Call(t, get("/v1/registers/"+digest))).Want(t, 404, "register_unknown")
	}
	for _, day := range []string{"today", "2026-02-30", "2026-03-03?after=noon"} {
		seen.Saw(s.Call(t, get("/v1/days/"+day))).Want(t, 400, "day_malformed")
	}
	seen.Saw(s.Call(t, get("/v1/tile/entries/000.p/2"))).Want(t, 403, "entries_private")
	seen.Saw(s.Call(t, get("/v1/records/0"))).Want(t, 403, "record_private")
	s.Restart()
	s.Store.Down()
	for _, path := range []string{"/v1/promises.json", "/v1/promises/F01", "/v1/register.json", "/v1/feed.atom", "/v1/pages/" + none, "/v1/registers/" + none, "/v1/days/2026-03-03"} {
		seen.Saw(s.Call(t, get(path))).Want(t, 503, "unavailable")
	}
	s.Store.Up()
	// A log that its own signature does not cover is not answered from, and the page does without.
	forge(t, s)
	for _, path := range []string{"/v1/checkpoint", "/v1/records/0", "/v1/proofs/0", "/v1/freshness"} {
		seen.Saw(s.Call(t, get(path))).Want(t, 503, "unavailable")
	}
	if body := string(s.Call(t, get("/")).Want(t, 200, "").Body); !strings.Contains(body, "not readable right now") || strings.Contains(body, "confirmed by") {
		t.Error("the page tells of a checkpoint nobody signed")
	}
	broken := evidencetest.New(t, trustpage.Function, map[string]string{evidence.EnvTiles: "broken:"})
	seen.Saw(broken.Call(t, get("/v1/tile/0/000"))).Want(t, 503, "unavailable")
	seen.Complete(t, name, s.Routes(name))
}

// The register of a page that was shown some time is there byte for byte, by the digest in the page, and never changes.
func TestOldRegister(t *testing.T) {
	t.Parallel()
	s, _ := shown(t, 3)
	newest := s.Call(t, get("/v1/register.json")).Want(t, 200, "").Body
	old := []byte(strings.Replace(string(newest), `"policy":"`, `"policy":"0`, 1))
	if err := s.Raw("trust").Tx(t.Context(), func(tx store.Tx) error {
		_, err := shelf.PutRegister(tx, old)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{newest, old} {
		digest := record.Digest(want)
		for _, name := range []string{digest, strings.TrimPrefix(digest, "sha256:")} {
			got := s.Call(t, get("/v1/registers/"+name)).Want(t, 200, "")
			if string(got.Body) != string(want) || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") || got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %d bytes, %v", name, len(got.Body), got.Header)
			}
		}
	}
}

// A shelf that holds other bytes than its digest says is not shown.
func TestForgedPage(t *testing.T) {
	t.Parallel()
	s, put := shown(t, 3)
	err := s.Raw("trust").Tx(t.Context(), func(tx store.Tx) error {
		return tx.Put("pageparts", strings.TrimPrefix(put.Digest, "sha256:")+"-0", map[string]any{"v": 1, "parts": 1, "data": []byte("x")})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Call(t, get("/v1/promises.json")).Want(t, 503, "unavailable")
	if got := s.Call(t, get("/")); got.Status != 503 {
		t.Errorf("the page answers %d", got.Status)
	}
}

// What the operator got wrong is refused when the function is built.
func TestMisconfigured(t *testing.T) {
	t.Parallel()
	s := evidencetest.New(t, trustpage.Function, nil)
	for variable, value := range map[string]string{
		trustpage.EnvEntries: "perhaps", evidence.EnvTiles: "", evidence.EnvHead: "carrier-pigeon:", evidence.EnvTrust: "{}",
	} {
		d := *s.Deps(name)
		usual := d.Env
		d.Env = func(asked string) (string, bool) {
			if asked == variable {
				return value, value != ""
			}
			return usual(asked)
		}
		if _, err := trustpage.Function.Build(t.Context(), &d); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), variable) {
			t.Errorf("%s=%q: %v", variable, value, err)
		}
	}
}

// The page of three hundred promises is quick to make and small enough for a phone.
func BenchmarkPage(b *testing.B) {
	s := evidencetest.New(b, trustpage.Function, nil)
	s.Record(b, record.Policy)
	s.Seal(b)
	s.Show(b, pagetest.Snapshot(300, s.Clock.Now()))
	for b.Loop() {
		b.ReportMetric(float64(len(s.Call(b, get("/")).Want(b, 200, "").Body)), "bytes/page")
	}
}
