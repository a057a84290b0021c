package requesterasure

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// home is where the pages begin.
const home = "/requesterasure/"

// html is the table of the pages. A page that shows a request is the answer to a form: no secret stands in an address.
func (a *asking) html() []web.Route {
	page, led := map[int]any{200: web.Media("text/html")}, map[int]any{200: web.Media("text/html"), 303: nil}
	get := func(path, summary string, handle func(http.ResponseWriter, *http.Request) error) web.Route {
		return web.Route{Method: "GET", Path: path, Summary: summary, Page: true, Answers: page, Handle: open(handle)}
	}
	post := func(path, summary string, handle filled) web.Route {
		return web.Route{Method: "POST", Path: path, Summary: summary, Page: true, Answers: page, Problems: []string{"body_invalid", "too_large", "unavailable"}, Handle: open(form(handle))}
	}
	routes := []web.Route{
		a.pages.Assets(),
		get("/", "Ask to be forgotten.", a.askPage),
		post("/ask", "Ask.", a.askForm),
		get("/sent", "A mail is on its way.", a.sentPage),
		get("/confirm", "Where the link of the mail leads.", a.proofPage(true)),
		post("/confirm", "Confirm with the code from the mail.", a.confirmForm),
		get("/follow", "Ask for a request by its number and code.", a.proofPage(false)),
		post("/follow", "How far a request has come.", a.followForm),
		post("/cancel", "Take it back.", a.sureForm("done.cancelled", (*request.Service).Cancel)),
		post("/close", "As the last owner, have the account closed.", a.sureForm("done.closing", (*request.Service).CloseAccount)),
		post("/renew", "Send another mail.", a.renewForm),
		post("/receipt", "The signed receipt.", a.receiptForm),
	}
	for i := range routes {
		switch r := &routes[i]; r.Method + r.Path {
		case "POST/ask", "POST/renew":
			r.Answers = led
		case "POST/receipt":
			r.Answers = map[int]any{200: web.Media("application/json")}
		}
	}
	return routes
}

// filled answers a form.
type filled = func(w http.ResponseWriter, r *http.Request, form url.Values) error

func form(handle filled) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		values, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		return handle(w, r, values)
	}
}

// trouble is a refusal as a page shows it, with the status it has.
func (a *asking) trouble(r *http.Request, err error) (*staffed.Trouble, int, error) {
	return staffed.TroubleOn(a.pages, r, err)
}

func (a *asking) render(w http.ResponseWriter, r *http.Request, status int, name, title, path string, data any) error {
	return a.pages.Render(w, r, status, name, shell.View{Title: title, Path: home + path, Data: data})
}

func (a *asking) askPage(w http.ResponseWriter, r *http.Request) error {
	return a.showAsk(w, r, url.Values{"language": {staffed.Language(r)}, "tenant": {r.URL.Query().Get("tenant")}}, nil)
}

// languages are those of the letters, each as its speakers call it.
var languages = []page.Choice{{Value: "en", Label: "English"}, {Value: "fr", Label: "Français"}, {Value: "de", Label: "Deutsch"}}

func (a *asking) showAsk(w http.ResponseWriter, r *http.Request, form url.Values, refused error) error {
	trouble, status, err := a.trouble(r, refused)
	if err != nil {
		return err
	}
	return a.render(w, r, status, "ask", "ask.title", "", page.Ask{
		Company: a.Policy.Company.Name, Problem: trouble, Email: form.Get("email"), Tenant: form.Get("tenant"), Kind: form.Get("kind"), Language: form.Get("language"),
		Export: form.Get("export") == "yes", Languages: languages,
	})
}

func (a *asking) askForm(w http.ResponseWriter, r *http.Request, form url.Values) error {
	own, around := a.network(r)
	made, err := a.ask(r.Context(), request.Ask{
		Source: own, Around: around, Tenant: a.tenant(form.Get("tenant")), Kind: request.Kind(form.Get("kind")), Email: form.Get("email"),
		Export: form.Get("export") == "yes", Language: form.Get("language"),
	})
	if err != nil {
		return a.showAsk(w, r, form, err)
	}
	return a.sent(w, made.Number, made.Secret, "")
}

// sent leads to the page that says a mail is on its way. What it needs to ask for another one goes in the fragment, which
// no server sees.
func (a *asking) sent(w http.ResponseWriter, number, secret, again string) error {
	return web.SeeOther(w, home+"sent?number="+spoken(number)+again+"#"+spoken(number)+"."+url.QueryEscape(secret))
}

var numberForm = regexp.MustCompile(`^[a-z2-9-]{8,40}$`)

// spoken writes a number as people read it; "" for what is none.
func spoken(number string) string {
	if number = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(number)), "-", ""); !numberForm.MatchString(number) {
		return ""
	}
	return page.Group(number)
}

func (a *asking) sentPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return a.render(w, r, http.StatusOK, "sent", "sent.title", "sent", page.Sent{Number: spoken(q.Get("number")), Again: q.Has("again")})
}

func (a *asking) proofPage(confirming bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		return a.showProof(w, r, url.Values{"number": {spoken(r.URL.Query().Get("number"))}}, confirming, nil)
	}
}

func (a *asking) showProof(w http.ResponseWriter, r *http.Request, form url.Values, confirming bool, refused error) error {
	trouble, status, err := a.trouble(r, refused)
	if err != nil {
		return err
	}
	title, path := "follow.title", "follow"
	if confirming {
		title, path = "confirm.title", "confirm"
	}
	return a.render(w, r, status, "proof", title, path, page.Proof{
		Company: a.Policy.Company.Name, Problem: trouble, Number: form.Get("number"), Code: form.Get("code"), Confirming: confirming,
	})
}

// act does something to the request a form names.
func (a *asking) act(r *http.Request, form url.Values, deed deed) (request.View, error) {
	requests, err := a.Requests(r.Context())
	if err != nil {
		return request.View{}, err
	}
	return deed(requests, form.Get("number"), form.Get("code"), a.Clock.Now())
}

func (a *asking) confirmForm(w http.ResponseWriter, r *http.Request, form url.Values) error {
	v, err := a.act(r, form, func(s *request.Service, number, code string, now time.Time) (request.View, error) {
		return s.Confirm(r.Context(), number, code, now)
	})
	done := "done.confirmed"
	if fault.CodeOf(err) == "token_used" { // the page was loaded again: she sees where it stands
		v, err = a.act(r, form, look(r.Context()))
		done = ""
	}
	if err != nil {
		return a.showProof(w, r, form, true, err)
	}
	return a.showState(w, r, form, v, done, nil)
}

func (a *asking) followForm(w http.ResponseWriter, r *http.Request, form url.Values) error {
	v, err := a.act(r, form, look(r.Context()))
	if err != nil {
		return a.showProof(w, r, form, false, err)
	}
	return a.showState(w, r, form, v, "", nil)
}

// sureForm answers a form that does something to a request once whoever sends it has said that she is sure.
func (a *asking) sureForm(done string, act func(s *request.Service, ctx context.Context, number, code string, now time.Time) (request.View, error)) filled {
	return func(w http.ResponseWriter, r *http.Request, form url.Values) error {
		if form.Get("sure") != "yes" {
			return a.followForm(w, r, form)
		}
		v, err := a.act(r, form, func(s *request.Service, number, code string, now time.Time) (request.View, error) {
			return act(s, r.Context(), number, code, now)
		})
		if err == nil {
			return a.showState(w, r, form, v, done, nil)
		}
		v, lost := a.act(r, form, look(r.Context()))
		if lost != nil {
			return a.showProof(w, r, form, false, err)
		}
		return a.showState(w, r, form, v, "", err)
	}
}

func (a *asking) renewForm(w http.ResponseWriter, r *http.Request, form url.Values) error {
	_, err := a.act(r, form, func(s *request.Service, number, code string, now time.Time) (request.View, error) {
		return request.View{}, s.Renew(r.Context(), number, code, now)
	})
	if err != nil {
		return a.showProof(w, r, form, false, err)
	}
	return a.sent(w, form.Get("number"), form.Get("code"), "&again=1")
}

func (a *asking) receiptForm(w http.ResponseWriter, r *http.Request, form url.Values) error {
	v, err := a.act(r, form, look(r.Context()))
	if err != nil {
		return a.showProof(w, r, form, false, err)
	}
	if err := a.download(w, r, v); err != nil {
		return a.showState(w, r, form, v, "", err)
	}
	return nil
}
