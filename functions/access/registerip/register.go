package registerip

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
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

func (f *registerip) registerRoutes() []web.Route {
	refusals := append(slices.Clone(signedIn), "role_missing", "dates_invalid")
	days := []web.Param{{Name: "from", In: "query", Required: true, Doc: "YYYY-MM-DD, in each person's own zone"}, {Name: "to", In: "query", Doc: "YYYY-MM-DD, included; at most 31 days; from by default"}}
	optional := slices.Clone(days)
	optional[0].Required = false
	return []web.Route{
		{Method: "GET", Path: "/v1/register", Summary: "Who could come in from where, on which proof, and until when. Reading it is put on record.", Params: days,
			Answers: map[int]any{200: Days{}}, Problems: refusals, Handle: f.Staff(f.registerJSON)},
		{Method: "GET", Path: "/v1/register.csv", Summary: "The same as a table; no cell is a formula.", Params: days,
			Answers: map[int]any{200: web.Media("text/csv")}, Problems: refusals, Handle: f.Staff(f.registerCSV)},
		{Method: "GET", Path: "/register", Summary: "The same as a page.", Params: optional, Page: true,
			Answers: map[int]any{200: web.Media("text/html")}, Problems: append(slices.Clone(signedIn), "role_missing"), Handle: f.Staff(f.registerPage)},
	}
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

// days returns the register of the days a request names, once it is on record that it was read.
func (f *registerip) days(r *http.Request, who caller.Staff, format string) (Days, error) {
	role, err := reader(who)
	if err != nil {
		return Days{}, err
	}
	days, err := dayregister.Days(r.URL.Query().Get("from"), r.URL.Query().Get("to"))
	if err != nil {
		return Days{}, err
	}
	rows, err := dayregister.Read(r.Context(), days, f.leases.OfDate, f.nameOf)
	if err != nil {
		return Days{}, err
	}
	read := Days{From: days[0].String(), To: days[len(days)-1].String(), Rows: rows}
	return read, f.leases.Read(r.Context(), lease.Reading{Person: who.ID, Role: string(role), From: read.From, To: read.To, Rows: len(rows),
		Format: format, Request: web.RequestID(r.Context())}, f.Clock.Now())
}

// nameOf is what a person is called; "" for one who is not in the policy any more.
func (f *registerip) nameOf(id string) string {
	p, _ := f.Policy.PersonByID(id)
	return p.Name
}

func (f *registerip) registerJSON(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	read, err := f.days(r, who, "json")
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, read)
}

func (f *registerip) registerCSV(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	read, err := f.days(r, who, "csv")
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := dayregister.CSV(&out, read.Rows); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="access-`+read.From+"-"+read.To+`.csv"`)
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(http.StatusOK)
	_, _ = out.WriteTo(w) // nobody is left to read about an error of the connection
	return nil
}

// registerPage shows the form, and once somebody chose days also their register.
func (f *registerip) registerPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	if _, err := reader(who); err != nil {
		return err
	}
	// It is tomorrow somewhere before it is here.
	here, latest := calendar.Date(f.Clock.Now(), who.Location()), calendar.AddDays(calendar.Date(f.Clock.Now(), time.UTC), 1)
	data := page.Register{From: here.String(), To: here.String(), Latest: latest.String()}
	status := http.StatusOK
	if query := r.URL.Query(); query.Has("from") || query.Has("to") {
		data.Asked = true
		read, err := f.days(r, who, "html")
		switch {
		case fault.CodeOf(err) == "dates_invalid":
			p := f.Pages.Localise(web.Language(r, shell.Languages...), web.ProblemOf(err))
			data.Problem, status = page.NewTrouble(p, ""), p.Status
		case err != nil:
			return err
		default:
			data.From, data.To = read.From, read.To
			for _, row := range read.Rows {
				data.Rows = append(data.Rows, shownRow(row))
			}
		}
	}
	return f.Pages.Render(w, r, status, "register", shell.View{Path: "/registerip/register", Title: "register.title", Name: who.Name, Data: data})
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
		Failed: row.State == string(lease.Failed), Applied: at(row.Applied), Working: at(row.Working), ByDevice: row.SeenBy == dayregister.ByDevice,
		Ended: at(row.Ended), Removed: at(row.Removed), Commitment: row.Commitment}
	if row.Why != "" {
		e.Why = "why." + row.Why
	}
	return e
}
