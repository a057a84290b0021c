package page

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed texts
var files embed.FS

// texts are all texts by language and key. They are read when the program starts: a fault in them is a fault of the
// build, which any test finds.
var texts = readTexts()

func readTexts() map[string]map[string]string {
	read := map[string]map[string]string{}
	for _, lang := range Languages {
		data, err := files.ReadFile("texts/" + lang + ".json")
		all := map[string]string{}
		if err == nil {
			err = json.Unmarshal(data, &all)
		}
		if err != nil {
			panic("page: reading the texts: " + err.Error())
		}
		read[lang] = all
	}
	return read
}

// words writes in one language.
type words struct{ Lang string }

func wordsOf(lang string) words {
	if _, known := texts[lang]; !known {
		lang = Languages[0]
	}
	return words{lang}
}

// Text returns a text, with what it speaks of filled in. A key without a text, which no test lets pass, is shown as it
// is: better a strange word than no page.
func (w words) Text(key string, args ...any) string {
	text, ok := texts[w.Lang][key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// has reports whether there is a text.
func (w words) has(key string) bool { return texts[w.Lang][key] != "" }

// counted returns the text of a key for a number, which it fills in: key.one or key.many. French counts none as one.
func (w words) counted(key string, n int64) string {
	form := ".many"
	if n == 1 || n == 0 && w.Lang == "fr" {
		form = ".one"
	}
	return w.Text(key+form, w.number(n))
}
