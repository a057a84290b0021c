package register_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/register"
	"ostiary.internal/shared/platform/fault"
)

// TestGolden: the files of one case as they are handed to people, in every form and language.
func TestGolden(t *testing.T) {
	t.Parallel()
	f := whole(t)
	var b bytes.Buffer
	rows := []register.Row{register.RowOf(f)}
	if err := register.JSON(&b, rows); err != nil {
		t.Fatal(err)
	}
	golden(t, "register.json", b.String())
	b.Reset()
	if err := register.CSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	golden(t, "register.csv", b.String())
	for name, one := range map[string]struct {
		file     register.File
		format   register.Format
		language string
	}{
		"dossier.json": {f, register.AsJSON, "en"}, "dossier.en.md": {f, register.AsMarkdown, "en"}, "dossier.fr.md": {f, register.AsMarkdown, "fr"}, "dossier.de.md": {f, register.AsMarkdown, "de"},
		"dossier.de.html": {f, register.AsHTML, "de"}, "extract-nord.fr.md": {register.Extract(f, "nord"), register.AsMarkdown, "fr"}, "extract-nord.json": {register.Extract(f, "nord"), register.AsJSON, "en"},
	} {
		b.Reset()
		if err := register.Dossier(&b, one.file, one.format, one.language); err != nil {
			t.Fatal(name, err)
		}
		golden(t, name, b.String())
	}
	if err := register.Dossier(&b, f, "pdf", "en"); fault.CodeOf(err) != "format_invalid" {
		t.Error(err)
	}
}

// TestEveryPoint: what article 33 wants said is in every dossier, however little is known.
func TestEveryPoint(t *testing.T) {
	t.Parallel()
	f := whole(t)
	empty := register.File{Case: cases.Read{Case: cases.Case{State: cases.Suspected, Number: "ab"}}, Policy: f.Policy, Company: f.Company, Now: f.Now}
	for name, one := range map[string]register.File{"whole": f, "empty": empty, "extract": register.Extract(f, "nord")} {
		var b bytes.Buffer
		if err := register.Dossier(&b, one, register.AsJSON, "en"); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Article33 []register.Point `json:"article_33"`
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, p := range got.Article33 {
			keys = append(keys, p.Key)
			if p.Value == "" || p.Known == (p.Value == "not known yet") {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if !slices.Equal(keys, register.Keys()) {
			t.Errorf("%s has %v", name, keys)
		}
		for _, language := range []string{"en", "fr", "de"} {
			b.Reset()
			if err := register.Dossier(&b, one, register.AsMarkdown, language); err != nil || regexp.MustCompile(`\b(point|status|notice|progress|binding|state|kind|replaced)\\_`).MatchString(b.String()) {
				t.Errorf("%s in %s lacks a word: %v", name, language, err)
			}
		}
	}
}

// hostile are texts of people who mean harm, or paste what they found.
var hostile = []string{
	`=1+1`, `+1`, `-1`, `@SUM(A1)`, "\t=1", "\r=1", " =1", `"=1`, "a;=cmd|' /C calc'!A0", "a,+1", "a\n=1", "a\r\n@x", "＝1", "\u200b=1", "\ufeff=1", "\u202e=1",
	`"`, `a"b"c`, `""`, "a,b", "a;b", "x\r\ny", "\x00=1", "\xff=1", "é\xc3", "=\x1b[0m", "'=1", ";;=1", "\n\n-1", `<script>alert(1)</script>`, "[x](javascript:alert(1))",
	"| a | b |", "# heading", "a\n# heading\n- list\n```\ncode", "![x](http://evil.example/y.png)", "<img src=x onerror=alert(1)>", "{{.Title}}", "javascript:alert(1)", "&lt;b&gt;", "a\\|b", "http://evil.example", "WWW.evil.example", "1. one", "2) two", "=====", "~~a~~", "\u2028# x",
}

// hurt puts hostile texts wherever people write.
func hurt(t *testing.T, text string) register.File {
	t.Helper()
	f := whole(t)
	for i := range f.Case.Texts {
		f.Case.Texts[i] = text
	}
	f.Case.Promises, f.Case.Lessons = map[string]time.Time{text: f.Now}, 1
	for _, texts := range f.Notices[0].Draft.Texts {
		for name := range texts {
			texts[name] = text
		}
	}
	f.Notices[0].Deliveries[0].Tries[0].Why = text
	return f
}

// TestNoCellIsAFormula: neither as it stands, nor where a program divides lines by semicolons or tabs.
func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	begins := regexp.MustCompile(`^["\s]*[=+\-@＝＋－＠]`)
	for _, text := range hostile {
		var b bytes.Buffer
		if err := register.CSV(&b, []register.Row{register.RowOf(hurt(t, text))}); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(b.Bytes()) || bytes.ContainsAny(b.Bytes(), "\x00\x1b") {
			t.Errorf("%q: not clean UTF-8", text)
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b.Bytes(), []byte("\uFEFF")))).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(rows[0]) {
			t.Fatalf("%q: %v, %d rows", text, err, len(rows))
		}
		for i, cell := range rows[1] {
			parts := regexp.MustCompile("[;\t\n,]").Split(cell, -1)
			for _, part := range parts {
				if begins.MatchString(part) {
					t.Errorf("%q: %s is %q", text, rows[0][i], cell)
				}
			}
			if strings.Contains(cell, "\u202e") || strings.Contains(cell, "\u200b") {
				t.Errorf("%q: %s holds what nobody sees", text, rows[0][i])
			}
		}
		if bytes.Contains(bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), nil), []byte("\r")) {
			t.Errorf("%q: a return that ends no line", text)
		}
	}
}

// TestTextStaysText: in HTML there is no tag, attribute or address that is not ours, and in Markdown no line begins anything.
func TestTextStaysText(t *testing.T) {
	t.Parallel()
	shape := func(f register.File) (tags []string) {
		var b bytes.Buffer
		if err := register.Dossier(&b, f, register.AsHTML, "en"); err != nil {
			t.Fatal(err)
		}
		for z := html.NewTokenizer(&b); ; {
			switch z.Next() {
			case html.ErrorToken:
				return tags
			case html.StartTagToken, html.SelfClosingTagToken:
				token := z.Token()
				if token.Data == "script" || token.Data == "img" {
					t.Errorf("there is a %s", token.Data)
				}
				if token.Data != "br" && token.Data != "p" {
					tags = append(tags, token.Data)
				}
			}
		}
	}
	want := shape(hurt(t, "harmless"))
	unescaped := regexp.MustCompile("(^|[^\\\\])([`*_\\[\\]|<~]|://)|(?i)www[.]|^([#+=-]|[0-9]+[.)])")
	for _, text := range hostile {
		f := hurt(t, text)
		if got := shape(f); !slices.Equal(got, want) {
			t.Errorf("%q changes the page", text)
		}
		var b bytes.Buffer
		if err := register.Dossier(&b, f, register.AsMarkdown, "en"); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(strings.ReplaceAll(b.String(), "<br>", "")) {
			line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "## "), "# ")
			for _, cell := range strings.Split(strings.TrimPrefix(strings.TrimSuffix(line, " |"), "| "), " | ") {
				if cell == "---" || cell == "-" {
					continue
				}
				if unescaped.MatchString(cell) {
					t.Errorf("%q: %q means something", text, cell)
				}
			}
		}
		if b.Len() > 0 && strings.Count(b.String(), "\n# ")+1 != 1 {
			t.Errorf("%q makes a heading", text)
		}
	}
}

// TestExercise: it is in no register, and every page says what it is.
func TestExercise(t *testing.T) {
	t.Parallel()
	f := whole(t)
	f.Case.Exercise = true
	var b bytes.Buffer
	if err := register.JSON(&b, []register.Row{register.RowOf(f)}); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("%v: %s", err, b.String())
	}
	b.Reset()
	if err := register.CSV(&b, []register.Row{register.RowOf(f)}); err != nil || strings.Count(b.String(), "\r\n") != 1 {
		t.Errorf("%v: %s", err, b.String())
	}
	for _, format := range register.Formats() {
		for language, word := range map[string]string{"en": "EXERCISE", "fr": "EXERCICE", "de": "ÜBUNG"} {
			b.Reset()
			for _, one := range []register.File{f, register.Extract(f, "nord")} {
				if err := register.Dossier(&b, one, format, language); err != nil || format != register.AsJSON && !strings.Contains(b.String(), word) || format == register.AsJSON && !strings.Contains(b.String(), `"exercise": true`) {
					t.Errorf("%s in %s does not say it: %v", format, language, err)
				}
			}
		}
	}
}

// TestEDPB: the map is marked a draft, and says what is open.
func TestEDPB(t *testing.T) {
	t.Parallel()
	m := register.EDPB(whole(t))
	if m["draft"] != true || m["severity"] != "moderate" || m["notification_type"] != "initial" || m["lead_authority"] != "CNIL" || !slices.Contains(m["open"].([]string), "incident_type") {
		t.Errorf("%+v", m)
	}
	empty := register.EDPB(register.File{Company: whole(t).Company, Case: cases.Read{Case: cases.Case{State: cases.Suspected}}})
	for key := range m {
		if _, has := empty[key]; !has {
			t.Errorf("%s is missing where nothing is known", key)
		}
	}
	if empty["severity"] != nil || empty["completeness"] != "incomplete" {
		t.Errorf("%+v", empty)
	}
}

// TestNoticesInTheRow: what was approved for the persons stands there by its digest.
func TestNoticesInTheRow(t *testing.T) {
	t.Parallel()
	f := whole(t)
	persons := f.Notices[0]
	persons.Kind, persons.N, persons.Hash = notice.Persons, 2, strings.Repeat("d1", 32)
	f.Notices = append(f.Notices, persons)
	if r := register.RowOf(f); r.PersonsText != persons.Hash || len(r.Tenants) != 2 || len(r.Tenants[0].Notices) != 2 || r.Authority.By != "Vera Safe, Dana Prime" {
		t.Errorf("%+v", r)
	}
}

// TestDraftsSpeakForNobody: what only one person wrote, or what two do not stand by any more, is quoted nowhere.
func TestDraftsSpeakForNobody(t *testing.T) {
	t.Parallel()
	for _, state := range notice.States() {
		f := whole(t)
		later := f.Notices[0]
		later.N, later.ID, later.State, later.Deliveries = 2, "0123456789abcdef.2", state, nil
		later.Draft = notice.Draft{Kind: notice.Update, Version: 1, Texts: map[string]map[string]string{"en": {"measures": "We paid the ransom.", "consequences": "None at all."}}}
		f.Notices = append(f.Notices, later)
		var b bytes.Buffer
		if err := register.JSON(&b, []register.Row{register.RowOf(f)}); err != nil {
			t.Fatal(err)
		}
		agreed := state == notice.Approved || state == notice.Sent
		if quoted := strings.Contains(b.String(), "ransom"); quoted != agreed {
			t.Errorf("%s: quoted %v", state, quoted)
		}
	}
}
