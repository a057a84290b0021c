package letters_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message/letters"
)

func spec(body string) letters.Spec {
	files := fstest.MapFS{}
	for _, language := range letters.Languages() {
		files["texts/"+language+"/note.txt"] = &fstest.MapFile{Data: []byte(body)}
	}
	return letters.Spec{Control: "test", Texts: files, Needs: map[string][]string{"note": {"who", "list"}}, Common: []string{"firm", "mark"}, Whole: []string{"list", "mark"}, Optional: []string{"mark"}}
}

// TestRead: a text that cannot be used is refused by name, with what there is.
func TestRead(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"Subject: {mark}To {who}\n{list}":     "",
		"Subject: To {who}\r\n\r\n{list}\r\n": "",
		"":                                    "there is no text",
		"To {who}\n{list}":                    "first line",
		"Subject: \n{who}{list}":              "first line",
		"Subject: x {who}{list}":              "nothing below",
		"Subject: x\n{who}":                   "leaves out {list}",
		"Subject: x\n{who}{list}{secret}":     "{who}, {list}, {firm}, {mark}",
		"Subject: x\n{who}{list} }":           "brace",
		"Subject: " + strings.Repeat("x", 251) + "\n{who}{list}": "too long",
	} {
		_, err := letters.Read(spec(body), nil)
		if want == "" && err != nil || want != "" && (!fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "texts/fr/note.txt")) {
			t.Errorf("%.40q: %v, want %q", body, err, want)
		}
	}
	own := func(name string) ([]byte, bool) {
		return []byte("Subject: ours\n{who}{list}"), name == "templates/de/test-note.txt"
	}
	set, err := letters.Read(spec("Subject: theirs\n{who}{list}"), own)
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string]string{"de": "ours", "en": "theirs"} {
		if c, err := set.Write("note", language, letters.Vars{"who": "a", "list": "b"}); err != nil || c.Subject != want {
			t.Errorf("%s: %q, %v", language, c.Subject, err)
		}
	}
}

// TestWrite: no hole, no line and no link that the text does not have.
func TestWrite(t *testing.T) {
	t.Parallel()
	set, err := letters.Read(spec("Subject: {mark}To {who}\n\n{who}\n{list}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Write("note", "en", letters.Vars{"who": "a\r\nBcc: b https://evil.example \u202e<i>", "list": "- one\n- two", "mark": "TEST: "})
	if err != nil || c.Subject != "TEST: To a Bcc: b https evil.example i" || c.Text != "a Bcc: b https evil.example i\n- one\n- two\n" {
		t.Errorf("%q %q, %v", c.Subject, c.Text, err)
	}
	for _, missing := range []letters.Vars{{"who": "a"}, {"who": " ", "list": "b"}, {}} {
		if _, err := set.Write("note", "en", missing); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%v: %v", missing, err)
		}
	}
	if _, err := set.Write("other", "en", nil); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("%v", err)
	}
}

// FuzzHarmless: whatever the value, no line and no link.
func FuzzHarmless(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "http://x", "h\u200bttp://", "::////"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := letters.Harmless(value)
		if strings.Contains(got, "://") || strings.ContainsAny(got, "\r\n<>@\"") {
			t.Errorf("%q became %q", value, got)
		}
	})
}
