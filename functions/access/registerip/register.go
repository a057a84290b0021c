package registerip

import (
	"bufio"
	"cmp"
	"context"
	"html/template"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/access/dayregister"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// readers may read the register of a day, in the order in which the evidence names the role.
var readers = []policy.Role{policy.Auditor, policy.DPO, policy.Security, policy.Owner}

// Days is the register of some days.
type Days struct {
	From string            `json:"from"`
	To   string            `json:"to"`
	Rows []dayregister.Row `json:"rows" doc:"one for each address that was registered, the oldest first"`
}

// maxShown is how many addresses the page shows: a thousand and more lines are work for a table, and no phone draws them.
const maxShown = 200

func (f *registerip) registerRoutes() []web.Route {
	refusals := append(slices.Clone(signedIn), "role_missing", "dates_invalid", "days_gone", "cross_origin")
	days := []web.Param{{Name: "from", In: "query", Required: true, Doc: "YYYY-MM-DD, in each person's own zone; a day is kept for 30 days after it was over"}, {Name: "to", In: "query", Doc: "YYYY-MM-DD, included; at most 31 days; from by default"}}
	optional := slices.Clone(days)
	optional[0].Required = false
	return []web.Route{
		{Method: "GET", Path: "/v1/register", Summary: "Who could come in from where, on which proof, and until when. Reading it is put on record.", Params: days,
			Answers: map[int]any{200: Days{}}, Problems: refusals, Handle: f.Staff(f.program("json"))},
		{Method: "GET", Path: "/v1/register.csv", Summary: "The same as a table; no cell is a formula.", Params: days,
			Answers: map[int]any{200: web.Media("text/csv")}, Problems: refusals, Handle: f.Staff(f.program("csv"))},
		{Method: "GET", Path: "/register", Summary: "A form for days, which reads none.", Params: optional, Page: true,
			Answers: map[int]any{200: web.Media("text/html")}, Problems: append(slices.Clone(signedIn), "role_missing"), Handle: f.Staff(f.registerPage)},
		f.daysRoute("/register", "The register as a page, of the first 200 addresses.", "text/html", f.daysForm),
		f.daysRoute("/register/json", "The same as a file.", "application/json", f.registerFile("json")),
		f.daysRoute("/register/csv", "The same as a table.", "text/csv", f.registerFile("csv")),
	}
}

// daysRoute is a route of a form of the register.
func (f *registerip) daysRoute(path, summary, kind string, handle filled) web.Route {
	route := f.formOr(path, summary, handle, func(w http.ResponseWriter, r *http.Request, who caller.Staff, expired error) error {
		p := f.Pages.Localise(staffed.Language(r), web.ProblemOf(expired))
		return f.showRegister(w, r, who, page.Register{Problem: page.NewTrouble(p, "")}, p.Status)
	})
	route.Answers = map[int]any{200: web.Media(kind)}
	return route
}

// reader is the role by which a person may read the register. Denied with code role_missing.
func reader(who caller.Staff) (policy.Role, error) {
	for _, role := range readers {
		if who.May(role) {
			return role, nil
		}
	}
	return "", fault.Refuse(fault.Denied, "role_missing", "The register is for auditors, the data protection officer, the security team and the owner.", "Ask one of them.")
}

// browsed reports whether a browser fetched a URL: a link, in a mail or on a page of anybody, must not put on record that a person
// read something. Programs send no Fetch Metadata (W3C, section 2); browsers of before it ask for a page where they follow a link.
func browsed(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "" || r.Header.Get("Sec-Fetch-Site") != "" || strings.Contains(r.Header.Get("Accept"), "text/html")
}

// reading is the register of the days a request names, read as it is written.
type reading struct {
	days []calendar.Day
	rows iter.Seq2[[]dayregister.Row, error]
}

func (r reading) from() calendar.Day { return r.days[0] }
func (r reading) to() calendar.Day   { return r.days[len(r.days)-1] }

// reading opens the register of some days, once it is on record that it is read: before anything of it is shown.
func (f *registerip) reading(r *http.Request, who caller.Staff, from, to, format string) (reading, error) {
	role, err := reader(who)
	if err != nil {
		return reading{}, err
	}
	days, err := dayregister.Days(from, to, lease.Earliest(f.Clock.Now()))
	if err != nil {
		return reading{}, err
	}
	whole, err := f.leases.Whole(r.Context(), days[0])
	if err != nil {
		return reading{}, err
	}
	if days[0].Before(whole) {
		_, err := dayregister.Days(from, to, whole)
		return reading{}, err
	}
	first, err := f.leases.OfDate(r.Context(), days[0].String())
	if err != nil { // nothing will be read
		return reading{}, err
	}
	leases := func(ctx context.Context, date string) ([]lease.Lease, error) {
		if found := first; date == days[0].String() {
			first = nil
			return found, nil
		}
		return f.leases.OfDate(ctx, date)
	}
	read := reading{days, dayregister.Read(r.Context(), days, leases, f.nameOf)}
	return read, f.leases.Read(r.Context(), lease.Reading{Person: who.ID, Role: string(role), From: read.from().String(), To: read.to().String(),
		Format: format, Request: web.RequestID(r.Context())}, f.Clock.Now())
}

// nameOf is what a person is called; "" for one who is not in the policy any more.
func (f *registerip) nameOf(id string) string {
	p, _ := f.Policy.PersonByID(id)
	return p.Name
}

// file is an answer that gets its headers with its first byte: until then it may still become a refusal.
type file struct {
	http.ResponseWriter
	kind, name string
	begun      bool
}

func (o *file) Write(b []byte) (int, error) {
	if !o.begun {
		o.begun = true
		o.Header().Set("Content-Type", o.kind)
		o.Header().Set("Content-Disposition", `attachment; filename="`+o.name+`"`)
	}
	return o.ResponseWriter.Write(b)
}

// send writes the register as a file, a day at a time. An error in its midst breaks the answer off, so that nobody takes a part
// for the whole.
func (f *registerip) send(w http.ResponseWriter, r *http.Request, who caller.Staff, from, to, format string) error {
	read, err := f.reading(r, who, from, to, format)
	if err != nil {
		return err
	}
	kind, write := "application/json", func(w io.Writer) error { return dayregister.JSON(w, read.from(), read.to(), read.rows) }
	if format == "csv" {
		kind, write = "text/csv; charset=utf-8", func(w io.Writer) error { return dayregister.CSV(w, read.rows) }
	}
	out := bufio.NewWriterSize(&file{ResponseWriter: w, kind: kind, name: "access-" + read.from().String() + "-" + read.to().String() + "." + format}, 32<<10)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err != nil && r.Context().Err() != nil {
		return nil // nobody is left to read about an error of the connection
	}
	return err
}

// program answers a program that fetches the register; a browser is led to the form.
func (f *registerip) program(format string) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		if _, err := reader(who); err != nil {
			return err
		}
		if browsed(r) {
			return fault.Refuse(fault.Denied, "cross_origin", "A link reads no register: whoever made it would have put on record that you read it.", "Open /registerip/register, choose the days, and load the file there.")
		}
		return f.send(w, r, who, r.URL.Query().Get("from"), r.URL.Query().Get("to"), format)
	}
}

// registerFile answers a form that asks for a file.
func (f *registerip) registerFile(format string) filled {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
		if err := f.send(w, r, who, form.Get("from"), form.Get("to"), format); fault.CodeOf(err) != "dates_invalid" && fault.CodeOf(err) != "days_gone" {
			return err
		}
		return f.daysForm(w, r, who, form) // with the reason
	}
}

// registerPage shows the form. Days that a link chose stand in it, and are not read: only the form reads.
func (f *registerip) registerPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	query := r.URL.Query()
	return f.showRegister(w, r, who, page.Register{From: query.Get("from"), To: cmp.Or(query.Get("to"), query.Get("from")), Brought: query.Has("from") || query.Has("to")}, http.StatusOK)
}

// daysForm shows the register of the days that somebody chose in the form.
func (f *registerip) daysForm(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values) error {
	data := page.Register{From: form.Get("from"), To: cmp.Or(form.Get("to"), form.Get("from")), Asked: true}
	read, err := f.reading(r, who, data.From, data.To, "html")
	switch {
	case fault.CodeOf(err) == "dates_invalid" || fault.CodeOf(err) == "days_gone":
		p := f.Pages.Localise(staffed.Language(r), web.ProblemOf(err))
		data.Problem, data.Asked = page.NewTrouble(p, ""), false
		return f.showRegister(w, r, who, data, p.Status)
	case err != nil:
		return err
	}
	data.From, data.To = read.from().String(), read.to().String()
	if data.Rows, data.Last, err = shownRows(read); err != nil {
		return err
	}
	return f.showRegister(w, r, who, data, http.StatusOK)
}

func (f *registerip) showRegister(w http.ResponseWriter, r *http.Request, who caller.Staff, data page.Register, status int) error {
	if _, err := reader(who); err != nil {
		return err
	}
	now := f.Clock.Now()
	view := shell.View{Path: "/registerip/register", Title: "register.title", Name: who.Name, Form: f.Forms.Token(who.Subject, f.Manifest.Name, now)}
	if data.Asked {
		view.Keep = template.URL("from=" + data.From + "&to=" + data.To) // dates, and nothing else
	}
	if data.From == "" && data.To == "" {
		data.From = calendar.Date(now, who.Location()).String()
		data.To = data.From
	}
	// It is tomorrow somewhere before it is here.
	data.Earliest, data.Latest = lease.Earliest(now).String(), calendar.AddDays(calendar.Date(now, time.UTC), 1).String()
	view.Data = data
	return f.Pages.Render(w, r, status, "register", view)
}

// shownRows are the first rows of a reading, and the day of the last one where there are more of them.
func shownRows(read reading) (shown []page.Entry, last string, err error) {
	for rows, err := range read.rows {
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			if len(shown) == maxShown {
				return shown, shown[maxShown-1].Date, nil
			}
			shown = append(shown, shownRow(row))
		}
	}
	return shown, "", nil
}

// shownRow is a row in the person's own time.
func shownRow(row dayregister.Row) page.Entry {
	zone, err := time.LoadLocation(row.Zone)
	if err != nil {
		zone = time.UTC
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		if local := t.In(zone); local.Format(time.DateOnly) == row.Date {
			return local.Format(time.TimeOnly)
		}
		return t.In(zone).Format(time.DateTime)
	}
	e := page.Entry{Date: row.Date, Person: row.Person, Name: row.Name, Address: row.Address, Kind: row.Network, Registered: at(row.Registered),
		Ends: shell.Until(row.Ends.In(zone)), Zone: row.Zone, TwoStepUsed: row.TwoStep == dayregister.Used, Device: row.Device, With: row.PairedWith,
		Failed: row.State == string(lease.Failed), Applied: at(row.Applied), Lost: row.Lost, Working: at(row.Working), ByDevice: row.SeenBy == dayregister.ByDevice,
		Ended: at(row.Ended), Removed: at(row.Removed), Commitment: row.Commitment}
	if row.Why != "" {
		e.Why = "why." + row.Why
	}
	return e
}
