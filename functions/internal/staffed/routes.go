package staffed

import (
	"net/http"
	"slices"

	"ostiary.internal/shared/platform/web"
)

// SignedIn are the problems that every route for signed-in people may answer.
var SignedIn = []string{"unauthenticated", "not_approved", "suspended", "two_step_missing", "unavailable"}

// Routes makes the routes of a function for signed-in people.
type Routes struct {
	Guard    func(Handler) func(http.ResponseWriter, *http.Request) error // lets in whom the function is for
	Problems []string                                                     // that every one of them may answer beside SignedIn
}

// Program is a route of the JSON interface, with its own problems; with a body, it may also answer those of reading one.
func (t Routes) Program(method, path, summary string, body any, answers map[int]any, more []string, handle Handler) web.Route {
	problems := slices.Concat(SignedIn, t.Problems, more)
	if body != nil {
		problems = append(problems, "body_invalid", "too_large")
	}
	return web.Route{Method: method, Path: path, Summary: summary, Body: body, Answers: answers, Problems: problems, Browser: true, Handle: t.Guard(handle)}
}

// Page is a page that somebody reads.
func (t Routes) Page(path, summary string, handle Handler) web.Route {
	return t.page(http.MethodGet, path, summary, map[int]any{http.StatusOK: web.Media("text/html")}, handle)
}

// Form is where a form of a page goes. Done, it leads to a page; refused, it is shown again.
func (t Routes) Form(path, summary string, handle Handler) web.Route {
	return t.page(http.MethodPost, path, summary, map[int]any{http.StatusOK: web.Media("text/html"), http.StatusSeeOther: nil}, handle)
}

func (t Routes) page(method, path, summary string, answers map[int]any, handle Handler) web.Route {
	return web.Route{Method: method, Path: path, Summary: summary, Page: true, Answers: answers, Problems: slices.Concat(SignedIn, t.Problems), Handle: t.Guard(handle)}
}
