package enrolotp

import (
	"testing"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/platform/web"
)

// general are the problems every function may answer, which no table lists.
var general = []string{"form_expired", "cross_origin", "method_not_allowed", "not_found", "too_many_requests", "internal", "body_invalid", "too_large"}

// Whatever this function may answer, a person reads in her language what is the matter and what to do now.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	e := &enrolotp{pages: page.New("enrolotp")}
	codes := general
	for _, route := range append(e.api(), e.html()...) {
		codes = append(codes, route.Problems...)
	}
	for _, lang := range shell.Languages {
		for _, code := range codes {
			if p := e.pages.Localise(lang, web.Problem{Code: code}); p.Detail == "" || p.Next == "" {
				t.Errorf("%s has no text in %s", code, lang)
			}
		}
	}
}
