package declarebreach

import (
	"encoding/base32"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/functions/breach/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/register"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// notes are the texts a page may show after a form was done; anything else in the query is ignored.
var notes = []string{"done.declared", "done.ack", "done.triage", "done.times", "done.aware", "done.aware_proposed", "done.tracks", "done.score", "done.decide", "done.proposed",
	"done.file", "done.promise", "done.keep", "done.compromised", "done.close", "done.reopen", "done.review", "done.written", "done.approve", "done.break", "done.reviewed", "done.settle", "done.note", "done.confirmed", "done.action", "done.hold", "done.withdraw", "done.details"}

// pages is the table of the pages.
func pages(k *desk) []web.Route {
	get := k.routes().Page
	post := func(path, summary string, handle staffed.Filled) web.Route {
		return k.routes().Form(path, summary, k.kept(handle))
	}
	routes := []web.Route{
		k.Pages.Assets(),
		get("/", "Cases, those whose time ends soonest in front.", k.listPage),
		get("/case", "The same; a link of a mail names a case in its fragment.", k.listPage),
		get("/declare", "Declare a breach or a suspicion.", k.declarePage),
		post("/declare", "Declare a breach or a suspicion.", k.declareForm),
		get("/runbook", "What to do in an incident.", k.runbookPage),
		get("/drills", "Exercises, and tests whether calls arrive.", k.looking(k.drillsPage)),
		post("/drills/{id}/confirm", "Say that you read the message of a test.", k.confirmForm),
		get("/case/{id}", "One case, and what to do next.", k.casePage),
		get("/case/{id}/notices/new", "Write a notice.", k.draftPage),
		post("/case/{id}/notices", "Write a notice, or another version of one.", k.writeForm),
		get("/case/{id}/notices/{n}", "One notice, exactly as it is sent.", k.noticePage),
		post("/case/{id}/notices/{n}/settle", "Say what became of one nobody knew about.", k.settleForm),
	}
	for _, d := range k.deedForms() {
		routes = append(routes, post("/case/{id}/"+d.path, d.summary, k.deedForm(d)))
	}
	for _, a := range agreements() {
		routes = append(routes, post("/case/{id}/notices/{n}/"+a.path, a.summary, k.agreementForm(a)))
	}
	return routes
}

// kept is a handler of a form that is given what was typed even where the page was open too long: nobody types it twice.
func (k *desk) kept(handle staffed.Filled) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		return handle(w, r, who, form, k.Forms.Check(form.Get(web.TokenField), who.Subject, k.Manifest.Name, k.Clock.Now()))
	}
}

// reader is who reads a page.
func (k *desk) reader(r *http.Request, who caller.Staff) page.Reader {
	return page.Reader{Lang: staffed.Language(r), Now: k.Clock.Now(), Me: who.Person, Rules: k.Breach.Rules, Policy: k.Policy, Sentence: k.Pages.Text}
}

// mostListed is how many cases one page lists.
const mostListed = 200

func (k *desk) listPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	looks, closed := k.looks(who), 0
	var all []cases.Case
	err := k.Every(r.Context(), func(c cases.Case) error {
		if !k.knows(c, who) {
			return nil
		}
		// What is over and looked back at is in the register; only the newest are listed here.
		if c.State == cases.Closed && !c.Reviewed.IsZero() {
			if closed++; closed > mostListed {
				return nil
			}
		}
		all = append(all, c)
		return nil
	})
	if err != nil {
		return err
	}
	data := k.reader(r, who).NewList(all, func(c cases.Case) bool { return k.sees(c, who) })
	data.MayLook, data.Done = looks, staffed.Note(r, notes)
	return k.Render(w, r, who, http.StatusOK, "list", "list.title", page.Home, data)
}

func (k *desk) declarePage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	id := make([]byte, 15)
	if _, err := io.ReadFull(k.Random, id); err != nil {
		return fault.New(fault.Transient, "making the id of a form: %w", err)
	}
	client := "page-" + strings.ToLower(base32.StdEncoding.EncodeToString(id))
	return k.showDeclare(w, r, who, k.reader(r, who).NewDeclare(client, r.URL.Query()["tenant"]...), http.StatusOK)
}

func (k *desk) showDeclare(w http.ResponseWriter, r *http.Request, who caller.Staff, data page.Declare, status int) error {
	var drill []string
	for _, id := range k.Breach.Drill {
		drill = append(drill, k.NameOf(id))
	}
	data.Drill = strings.Join(drill, ", ")
	return k.Render(w, r, who, status, "declare", "declare.title", page.Home+"declare", data)
}

// declareForm declares what a form says, by the way of the interface. Sent twice it is one case: the form has its own id.
func (k *desk) declareForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
	if refused == nil {
		var made cases.Case
		if made, refused = k.declared(r, who, form); refused == nil {
			return web.SeeOther(w, page.CasePath(made.ID)+"?done=done.declared")
		}
	}
	f, status, err := k.refusal(r, "declare", form, refused)
	if err != nil {
		return err
	}
	if len(form.Get("client_id")) < 8 {
		return k.declarePage(w, r, who) // not a form of ours
	}
	data := k.reader(r, who).NewDeclare(form.Get("client_id"))
	data.Form = f
	return k.showDeclare(w, r, who, data, status)
}

func (k *desk) declared(r *http.Request, who caller.Staff, form url.Values) (c cases.Case, err error) {
	body := Declaration{
		Client: form.Get("client_id"), Kind: form.Get("kind"), Summary: unix(form.Get("summary")), Tenants: slices.Clone(form["tenant"]), Exercise: form.Get("exercise") == "yes",
		Affected: lines(form.Get("affected")),
	}
	switch {
	case body.Summary == "":
		return c, about("summary", fault.Refuse(fault.Invalid, "summary_missing", "It is not said what happened.", "One sentence is enough."))
	case body.Kind == "":
		return c, about("kind", fault.Refuse(fault.Invalid, "kind_missing", "It is not said whether personal data was compromised.", "Perhaps is an answer."))
	}
	if body.From, err = k.instant(form, "from"); err != nil {
		return c, err
	}
	if body.Detected, err = k.instant(form, "detected"); err != nil {
		return c, err
	}
	if form.Get("all") == "yes" {
		for _, t := range k.Policy.Tenants {
			if !slices.Contains(body.Tenants, t.ID) {
				body.Tenants = append(body.Tenants, t.ID)
			}
		}
	}
	d, _, err := k.declaration(body)
	if err == nil {
		said, words := detailsOf(form), cases.Words{}
		d.Details, words, err = k.details(r, who, &said)
		d.Texts, d.Not = words.Details, words.Not
	}
	if err == nil {
		c, _, err = k.Cases.Declare(r.Context(), who.Person, d, k.Clock.Now())
	}
	return c, located(err, map[string]string{"times_invalid": "from", "aware_invalid": "detected", "text_invalid": "summary", "body_invalid": "summary", "kind_invalid": "kind", "tenant_unknown": "tenants"})
}

// runbookPage is for everybody: whoever finds a breach has to know what to do. Whom the company calls outside is for those
// who may look at cases.
func (k *desk) runbookPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	var document strings.Builder
	if err := register.Runbook(&document, k.Breach, k.Policy, k.looks(who), register.AsHTML, staffed.Language(r), k.Clock.Now()); err != nil {
		return err
	}
	return k.Render(w, r, who, http.StatusOK, "runbook", "runbook.title", page.Home+"runbook", page.NewRunbook(document.String()))
}

func (k *desk) casePage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return k.showCase(w, r, who, page.Form{}, http.StatusOK)
}

// showCase shows one case, with a refusal and what was filled in where there was one.
func (k *desk) showCase(w http.ResponseWriter, r *http.Request, who caller.Staff, form page.Form, status int) error {
	id, _, err := k.known(r, who)
	if err != nil {
		return err
	}
	c, err := k.Cases.Get(r.Context(), id)
	if err != nil {
		return err
	}
	reader := k.reader(r, who)
	if !k.sees(c.Case, who) {
		data := reader.NewBrief(c)
		if data.Form = form; form.Problem == nil {
			data.Done = staffed.Note(r, notes)
		}
		return k.Render(w, r, who, status, "case", "list.title", data.Path, data)
	}
	written, err := k.Notices.List(r.Context(), id)
	if err != nil {
		return err
	}
	if reader.Pending, _, err = k.Notices.Pending(r.Context(), id); err != nil {
		return err
	}
	data := reader.NewCase(c)
	data.Lookers = k.lookers(c.Case)
	data.Form, data.MayNotice = form, data.May && len(c.Tracks) > 0 && (data.Open || data.Closed && !c.Exercise && data.Told)
	for _, n := range written {
		data.Notices = append(data.Notices, reader.NewNoticeItem(n))
	}
	slices.SortFunc(data.Notices, func(a, b page.NoticeItem) int { return b.N - a.N })
	data.Next = append(append(reader.OfNotices(written), reader.TakeBack(c.Case, written)...), data.Next...)
	for _, a := range k.Breach.Authorities {
		data.Portals = append(data.Portals, page.Portal{Name: a.Name, Address: a.Portal})
	}
	if form.Problem == nil {
		data.Done = staffed.Note(r, notes)
	}
	return k.Render(w, r, who, status, "case", "list.title", data.Path, data)
}

// misplaced is a refusal that is about one field of a form.
type misplaced struct {
	field string
	error
}

func (m misplaced) Unwrap() error { return m.error }

// about says which field an error is about; nil stays nil.
func about(field string, err error) error {
	if err == nil {
		return nil
	}
	return misplaced{field, err}
}

// located is about for what a service refuses: by the code of the refusal.
func located(err error, fields map[string]string) error {
	if field := fields[fault.CodeOf(err)]; field != "" {
		return about(field, err)
	}
	return err
}

// refusal is a form as it is shown again, with the status of why it was refused; other errors go on.
func (k *desk) refusal(r *http.Request, deed string, form url.Values, refused error) (page.Form, int, error) {
	trouble, status, err := k.Trouble(r, refused)
	if err != nil {
		return page.Form{}, 0, err
	}
	f := page.Form{Deed: deed, Problem: trouble, Values: form}
	if m, is := errors.AsType[misplaced](refused); is {
		f.Field = m.field
	}
	return f, status, nil
}

// unix is a text without the line ends browsers send.
func unix(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }
