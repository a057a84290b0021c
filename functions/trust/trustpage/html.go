package trustpage

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/shared/evidence/witness"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/page"
)

//go:embed assets texts page
var content embed.FS

// paper is what a page is printed on: one file that needs no other, so that it can be saved and read anywhere.
type paper struct {
	template *template.Template
	style    template.CSS
	icon     template.URL
	policy   string // Content-Security-Policy: nothing is loaded, and no style but the page's own holds
}

// newPaper panics when a file of the build does not parse.
func newPaper() *paper {
	own, err := content.ReadFile("assets/trust.css")
	if err != nil {
		panic("trustpage: " + err.Error())
	}
	style := append(append([]byte("\n"), shell.StyleSheet()...), own...)
	sum := sha256.Sum256(style)
	return &paper{
		template: template.Must(template.ParseFS(content, "page/trust.html")), style: template.CSS(style),
		icon: template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(shell.Icon())),
		policy: "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src data:; style-src 'sha256-" +
			base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
}

// sheet is what the template is given.
type sheet struct {
	page.View
	Here  string // path of this page, for the links to other languages
	Exact string // path of the bytes it was made from
	Style template.CSS
	Icon  template.URL
}

// now answers the page as it stands.
func (t *trustpage) now(w http.ResponseWriter, r *http.Request) error {
	s, err := t.newest(r.Context())
	if err != nil {
		return err
	}
	c := page.Circumstances{Now: t.Clock.Now(), Checked: s.Checked}
	if c.Log, err = t.signed(r); err != nil {
		t.Log.WarnContext(r.Context(), "the page is shown without a checkpoint", "error", err)
	}
	return t.print(w, r, s, c, t.home())
}

// past answers a page as it looked when it was shown.
func (t *trustpage) past(w http.ResponseWriter, r *http.Request) error {
	s, err := t.asked(r)
	if err != nil {
		return err
	}
	c := page.Circumstances{Past: true}
	c.Log.Known = false
	return t.print(w, r, s, c, t.home()+"pages/"+s.Digest)
}

// problem shows a problem in the frame. The frame would remember a chosen language in a cookie, and this page sets none.
func (t *trustpage) problem(w http.ResponseWriter, r *http.Request, p web.Problem) {
	lang := web.Language(r, page.Languages...)
	r = r.Clone(r.Context())
	r.URL.RawQuery = ""
	r.Header.Del("Cookie")
	r.Header.Set("Accept-Language", lang)
	t.pages.Problem(w, r, p)
}

// last leads to the last page of a day.
func (t *trustpage) last(w http.ResponseWriter, r *http.Request) error {
	day, err := time.Parse(time.DateOnly, r.URL.Query().Get("day"))
	if err != nil {
		return notADay()
	}
	var last string
	for after := (time.Time{}); ; {
		found, err := t.shelf.Of(r.Context(), day, after)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			last, after = found[len(found)-1].Digest, found[len(found)-1].At
		}
		if len(found) < store.MaxQueryResults {
			break
		}
	}
	if last == "" {
		return fault.Refuse(fault.NotFound, "nothing_shown", "Nothing was shown on that day, or it is more than 400 days ago.", "Choose another day.")
	}
	return web.SeeOther(w, t.home()+"pages/"+last+"?lang="+web.Language(r, page.Languages...))
}

func (t *trustpage) home() string { return "/" + t.Manifest.Name + "/" }

// signed is what the page tells of the newest checkpoint.
func (t *trustpage) signed(r *http.Request) (page.Checkpoint, error) {
	newest, err := t.log.Newest(r.Context())
	if err != nil {
		return page.Checkpoint{}, err
	}
	c := page.Checkpoint{Known: true, Size: newest.Size, Root: evidence.Root(newest.Checkpoint), Signed: newest.Sealed}
	confirmed, err := witness.Confirmations(r.Context(), t.log.Head, t.log.Trust)
	if err != nil {
		return page.Checkpoint{}, err
	}
	for _, by := range confirmed {
		c.Witnesses = append(c.Witnesses, page.Witness{Name: by.Name, Size: by.Size, At: by.At})
	}
	return c, nil
}

// printed is a page as it was answered, and what it was printed from.
type printed struct {
	from string
	body []byte
}

// window is how long a printed page is given out again: no longer than the ages on it may be wrong.
const window = 15 * time.Second

func (t *trustpage) print(w http.ResponseWriter, r *http.Request, s shown, c page.Circumstances, here string) error {
	lang := web.Language(r, page.Languages...)
	c.Digest, c.Home = s.Digest, t.home()
	from := fmt.Sprint(here, c.Digest, c.Checked, c.Log, c.Now.Truncate(window), page.Behind(c.Checked, c.Now))
	t.mu.Lock()
	out := t.printed[lang]
	t.mu.Unlock()
	if out.from != from {
		body, err := t.paper.print(sheet{View: page.Build(s.snapshot, c, lang), Here: here, Exact: t.home() + "v1/pages/" + s.Digest})
		if err != nil {
			return err
		}
		out = printed{from, body}
		t.mu.Lock()
		t.printed[lang] = out
		t.mu.Unlock()
	}
	h := w.Header()
	h.Set("Content-Security-Policy", t.paper.policy)
	h.Set("Content-Language", lang)
	h.Set("Vary", perTongue)
	return answer(w, r, "text/html; charset=utf-8", forNow, out.body)
}

func (p *paper) print(s sheet) ([]byte, error) {
	s.Style, s.Icon = p.style, p.icon
	var out bytes.Buffer
	if err := p.template.ExecuteTemplate(&out, "trust.html", s); err != nil {
		return nil, fmt.Errorf("printing the trust page: %w", err)
	}
	return out.Bytes(), nil
}
