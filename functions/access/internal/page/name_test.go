package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/shell"
)

// TestNameOfAnApp: the form to add an app has a name in it that none of those that stay bears, in every language.
func TestNameOfAnApp(t *testing.T) {
	t.Parallel()
	s := New("enrolotp")
	for _, lang := range shell.Languages {
		usual := s.Text(lang, "enrol.example")
		for what, c := range map[string]struct {
			e    Enrolment
			want string
		}{
			"the first":                  {Enrolment{}, usual},
			"a second":                   {Enrolment{Authenticators: called(usual)}, usual + " 2"},
			"beside one of another name": {Enrolment{Authenticators: called("Tablet")}, usual},
			"in other letters":           {Enrolment{Authenticators: called(strings.ToUpper(usual))}, usual + " 2"},
			"a third":                    {Enrolment{Authenticators: called(usual, usual+" 2")}, usual + " 3"},
			"between two":                {Enrolment{Authenticators: called(usual, usual+" 3")}, usual + " 2"},
			"in place of the only one":   {Enrolment{Authenticators: called(usual), Token: "t"}, usual},
			"in place of one of two":     {Enrolment{Authenticators: called(usual, usual+" 2"), Renew: usual}, usual},
			"after one of two was lost":  {Enrolment{Authenticators: called(usual, usual+" 2"), Token: "t"}, usual + " 3"},
		} {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/enrolotp/", nil)
			if err := s.Render(w, r, http.StatusOK, "enrol", shell.View{Lang: lang, Title: "enrol.title", Data: c.e}); err != nil {
				t.Fatal(err)
			}
			if body := w.Body.String(); !strings.Contains(body, `name="name" maxlength="40" required value="`+c.want+`"`) {
				t.Errorf("%s in %s is not called %q:\n%s", what, lang, c.want, body)
			}
		}
	}
}

// called are authenticators with these names, which are their ids as well.
func called(names ...string) (all []Authenticator) {
	for _, name := range names {
		all = append(all, Authenticator{ID: name, Name: name})
	}
	return all
}
