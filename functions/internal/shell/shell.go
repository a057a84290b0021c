// Package shell is the frame all pages share: layout, style sheet, languages, error page. A page is rendered on
// the server and works without JavaScript; a script of ours may then make it quicker, never possible.
package shell

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/platform/web"
)

//go:embed templates texts assets
var frame embed.FS

// Languages are those every page speaks, the default first.
var Languages = []string{"en", "fr", "de"}

// language is one of them as its speakers call it.
type language struct{ Tag, Name string }

var languages = []language{{"en", "English"}, {"fr", "Français"}, {"de", "Deutsch"}}

// Shell renders one function's pages.
type Shell struct {
	home      string
	texts     map[string]map[string]string
	templates map[string]*template.Template
	assets    *web.Assets
}

// View is what a template is given.
type View struct {
	Lang  string       // en, fr or de
	Title string       // key of the text in the page's title
	Name  string       // of the signed-in person; "" for none
	Path  string       // where this page is read, for the links to other languages; the request's by default
	Home  string       // path of the function's first page; set by Render
	Keep  template.URL // query of this page that those links keep, such as from=2026-03-03; "" for none
	Form  string       // token every form of the page sends back; "" where there is no form
	Data  any

	shell *Shell
}

// In is New of what lies in a folder of a control's files.
func In(function string, files fs.FS, folder string) *Shell {
	control, err := fs.Sub(files, folder)
	if err != nil {
		panic("shell: " + err.Error())
	}
	return New(function, control)
}

// New reads templates/*.html (with what several of them share in templates/parts), texts/{en,fr,de}.json and assets/* of a
// control, over those of the frame. It panics when they do not parse or a text is missing in one language: a fault of the build
// that any test finds.
func New(function string, control fs.FS) *Shell {
	s := &Shell{home: "/" + function + "/", texts: map[string]map[string]string{}, templates: map[string]*template.Template{}}
	var assets []fs.FS
	for _, layer := range []fs.FS{frame, control} {
		if err := s.addTexts(layer); err != nil {
			panic("shell: " + err.Error())
		}
		folder, err := fs.Sub(layer, "assets")
		if err != nil {
			panic("shell: " + err.Error())
		}
		assets = append(assets, folder)
	}
	var err error
	if s.assets, err = web.NewAssets(function, assets...); err != nil {
		panic("shell: " + err.Error())
	}
	if err := s.parse(control); err != nil {
		panic("shell: " + err.Error())
	}
	return s
}

func (s *Shell) addTexts(layer fs.FS) error {
	for _, lang := range Languages {
		data, err := fs.ReadFile(layer, "texts/"+lang+".json")
		if err != nil {
			return fmt.Errorf("reading texts: %w", err)
		}
		texts := map[string]string{}
		if err := json.Unmarshal(data, &texts); err != nil {
			return fmt.Errorf("reading texts/%s.json: %w", lang, err)
		}
		if s.texts[lang] == nil {
			s.texts[lang] = map[string]string{}
		}
		maps.Copy(s.texts[lang], texts)
	}
	for _, lang := range Languages {
		for key := range s.texts[Languages[0]] {
			if s.texts[lang][key] == "" {
				return fmt.Errorf("text %q is missing in %s", key, lang)
			}
		}
		if len(s.texts[lang]) != len(s.texts[Languages[0]]) {
			return fmt.Errorf("%s has texts that %s has not", lang, Languages[0])
		}
	}
	return nil
}

func (s *Shell) parse(control fs.FS) error {
	base, err := template.New("layout.html").Funcs(template.FuncMap{
		"asset":    s.assets.URL,
		"text":     func(v View, key string, args ...any) (string, error) { return v.Text(key, args...) },
		"dict":     dict,
		"initials": initials, "languages": func() []language { return languages },
	}).ParseFS(frame, "templates/*.html")
	if err != nil {
		return fmt.Errorf("parsing the frame: %w", err)
	}
	if parts, _ := fs.Glob(control, "templates/parts/*.html"); len(parts) > 0 { // what several pages show
		if base, err = base.ParseFS(control, parts...); err != nil {
			return fmt.Errorf("parsing parts: %w", err)
		}
	}
	pages := []fs.FS{frame, control}
	for _, layer := range pages {
		names, _ := fs.Glob(layer, "templates/*.html")
		for _, name := range names {
			page, err := template.Must(base.Clone()).ParseFS(layer, name)
			if err != nil {
				return fmt.Errorf("parsing %s: %w", name, err)
			}
			s.templates[strings.TrimSuffix(path.Base(name), ".html")] = page
		}
	}
	return nil
}

// dict makes a map of its arguments, key and value in turn, to hand several values to a template.
func dict(pairs ...any) (map[string]any, error) {
	made := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %v is not text", pairs[i])
		}
		made[key] = pairs[i+1]
	}
	return made, nil
}

// initials are the first letters of the first and the last name.
func initials(name string) string {
	var letters []rune
	for _, part := range strings.Fields(name) {
		first, _ := utf8.DecodeRuneInString(part)
		letters = append(letters, first)
	}
	if len(letters) > 2 {
		letters = []rune{letters[0], letters[len(letters)-1]}
	}
	return string(letters)
}

// Text returns a text in the view's language, args filled in as fmt.Sprintf does. An unknown key is an error: a
// page never shows a key to a person.
func (v View) Text(key string, args ...any) (string, error) {
	text, ok := v.shell.texts[v.Lang][key]
	if !ok {
		return "", fmt.Errorf("no text %q", key)
	}
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	return text, nil
}

// Render writes a page. Nothing is written before the template has run to its end.
func (s *Shell) Render(w http.ResponseWriter, r *http.Request, status int, page string, v View) error {
	t, ok := s.templates[page]
	if !ok {
		return fmt.Errorf("rendering %q: no such page", page)
	}
	v.shell = s
	if v.Lang == "" {
		v.Lang = web.Language(r, Languages...)
	}
	v.Path, v.Home = cmp.Or(v.Path, r.URL.Path), s.home
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "layout.html", v); err != nil {
		return fmt.Errorf("rendering %q: %w", page, err)
	}
	if chosen := r.URL.Query().Get("lang"); chosen == v.Lang {
		deployed := w.Header().Get("Strict-Transport-Security") != "" // nobody comes without HTTPS
		http.SetCookie(w, &http.Cookie{Name: web.LanguageCookie, Value: chosen, Path: "/", MaxAge: 365 * 24 * 3600, Secure: deployed, SameSite: http.SameSiteLaxMode, HttpOnly: true})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Lang)
	w.WriteHeader(status)
	_, err := out.WriteTo(w)
	return err
}

// Text returns a text in a language, "" for one there is none of.
func (s *Shell) Text(lang, key string) string { return s.texts[lang][key] }

// Problem shows a problem document as a page. Codes the control has texts for (problem.CODE, problem.CODE.next)
// are shown in the reader's language; the others as they stand, in English.
func (s *Shell) Problem(w http.ResponseWriter, r *http.Request, p web.Problem) {
	v := View{Lang: web.Language(r, Languages...), Path: s.home, Title: "problem.title", Data: s.Localise(web.Language(r, Languages...), p)}
	if err := s.Render(w, r, p.Status, "problem", v); err != nil {
		http.Error(w, p.Title, p.Status)
	}
}

// Localise returns p with detail and next step in the given language where there is a text for its code.
func (s *Shell) Localise(lang string, p web.Problem) web.Problem {
	if text := s.texts[lang]["problem."+p.Code]; text != "" {
		p.Detail = text
	}
	if text := s.texts[lang]["problem."+p.Code+".next"]; text != "" {
		p.Next = text
	}
	return p
}

// Assets returns the route that serves style sheet, scripts and pictures.
func (s *Shell) Assets() web.Route { return s.assets.Route() }

// StyleSheet is the frame's style sheet, for pages that are not a function's.
func StyleSheet() []byte { return read("assets/style.css") }

// Icon is the frame's picture, an SVG, for pages that are not a function's.
func Icon() []byte { return read("assets/icon.svg") }

func read(name string) []byte {
	data, err := frame.ReadFile(name)
	if err != nil {
		panic("shell: " + err.Error())
	}
	return data
}
