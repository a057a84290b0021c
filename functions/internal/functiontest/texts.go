package functiontest

import (
	"slices"
	"testing"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/platform/web"
)

// Texts fails the test unless the pages have a text, and a next step, in every language for each problem that the
// routes, or any function, may answer.
func Texts(t *testing.T, pages *shell.Shell, routes ...web.Route) {
	t.Helper()
	codes := append(slices.Clone(general), "form_expired", "body_invalid", "too_large")
	for _, route := range routes {
		codes = append(codes, route.Problems...)
	}
	for _, lang := range shell.Languages {
		for _, code := range codes {
			if p := pages.Localise(lang, web.Problem{Code: code}); p.Detail == "" || p.Next == "" {
				t.Errorf("%s has no text in %s", code, lang)
			}
		}
	}
}
