package web

import (
	"net/http"

	"golang.org/x/text/language"
)

// LanguageCookie is the name of the cookie that keeps a chosen language. It holds nothing else.
const LanguageCookie = "lang"

// maxAcceptLanguage is the longest Accept-Language that is read, in bytes.
const maxAcceptLanguage = 512

// Language returns the supported language that suits r best: by ?lang=, the cookie "lang", Accept-Language (RFC
// 9110, section 12.5.4), in this order; the first supported one when nothing matches. supported are BCP 47 tags
// such as "en", "fr", "de", and are returned as given. A page that is cached must vary by what was read.
func Language(r *http.Request, supported ...string) string {
	tags := make([]language.Tag, len(supported))
	for i, s := range supported {
		tags[i] = language.Make(s)
	}
	matcher := language.NewMatcher(tags)
	choose := func(wanted ...language.Tag) (string, bool) {
		_, i, confidence := matcher.Match(wanted...)
		return supported[i], confidence != language.No
	}
	named := []string{r.URL.Query().Get("lang")}
	if cookie, err := r.Cookie(LanguageCookie); err == nil {
		named = append(named, cookie.Value)
	}
	for _, name := range named {
		if tag, err := language.Parse(name); err == nil {
			if chosen, ok := choose(tag); ok {
				return chosen
			}
		}
	}
	if accept := r.Header.Get("Accept-Language"); len(accept) <= maxAcceptLanguage {
		if wanted, _, err := language.ParseAcceptLanguage(accept); err == nil && len(wanted) > 0 {
			if chosen, ok := choose(wanted...); ok {
				return chosen
			}
		}
	}
	return supported[0]
}
