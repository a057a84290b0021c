package duty

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/policy"
)

// What says what is owed, in one line: in each language, or once for all.
type What struct {
	policy.Text
	Plain string
}

// In returns the line in a language, in another where that is all there is.
func (w What) In(language string) string {
	text, _ := w.Best(language)
	return text
}

// Best is In with the language of the line, "" where that is not known.
func (w What) Best(language string) (text, of string) {
	if text := w.Text.In(language); text != "" {
		return text, language
	}
	if w.Plain != "" {
		return w.Plain, ""
	}
	for _, other := range []string{"en", "fr", "de"} {
		if text := w.Text.In(other); text != "" {
			return text, other
		}
	}
	return "", ""
}

// UnmarshalYAML reads one line of text, or one for each of en, fr and de.
func (w *What) UnmarshalYAML(n *yaml.Node) error {
	bad := policy.Mistake("does not say what is owed", "one line of text of at most 300 bytes, or {en, fr, de} of such lines")
	if n.Kind == yaml.ScalarNode {
		w.Plain = n.Value
		if !isLine(w.Plain) {
			return bad
		}
		return nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return bad
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		to := map[string]*string{"en": &w.EN, "fr": &w.FR, "de": &w.DE}[n.Content[i].Value]
		if to == nil {
			return policy.Mistake(strconv.Quote(n.Content[i].Value)+" is no language of the pages", "en, fr, de")
		}
		if *to != "" || n.Content[i+1].Kind != yaml.ScalarNode || !isLine(n.Content[i+1].Value) {
			return bad
		}
		*to = n.Content[i+1].Value
	}
	return nil
}

func isLine(s string) bool {
	return s != "" && len(s) <= 300 && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
