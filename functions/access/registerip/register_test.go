package registerip

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/dayregister"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

const (
	register1 = "/registerip/v1/register"
	relayed   = "172.224.226.1"
	hosted    = "88.198.0.1"
)

// shownCode finds the code that a page shows.
var shownCode = regexp.MustCompile(`<p class="big">([2-9A-Z]{4}-[2-9A-Z]{4})</p>`)

// office finds somebody whose role lets her read.
func office(t *testing.T, w *functiontest.World, role string) string {
	t.Helper()
	for _, p := range w.Policy.People {
		if p.Has(policy.Role(role)) && p.Active(w.Clock.Now()) {
			return p.Email
		}
	}
	t.Fatalf("nobody is %s", role)
	return ""
}

func read(w *functiontest.World, email, path string) functiontest.Request {
	return functiontest.Request{Method: "GET", Path: path, Token: w.Staff(email), Header: http.Header{"Accept-Language": {"en"}}}
}

// chosen posts the form of the register, as the page shows it to the person.
func chosen(t *testing.T, w *functiontest.World, email, path, from, to string) functiontest.Answer {
	t.Helper()
	shown := string(w.Call(t, read(w, email, "/registerip/register")).Want(t, 200, "").Body)
	token := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(shown)[1]
	r := functiontest.Request{Method: "POST", Path: "/registerip" + path, Token: w.Staff(email), Body: url.Values{"csrf": {token}, "from": {from}, "to": {to}}.Encode(), Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Language": {"en"}, "Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"navigate"}, "Accept": {"text/html"}}}
	return w.Call(t, r)
}

// TestRegisterOfADay: a day with renewals, ends and failures, for each office; what was read is on record.
func TestRegisterOfADay(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone, other := w.Phone(t, emma), w.Phone(t, asha)
	var first, again Lease
	w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "first")).Want(t, 201, "").Decode(t, &first)
	w.Call(t, functiontest.Request{Method: "DELETE", Path: leases + "/" + first.ID, Token: w.Staff(emma)}).Want(t, 200, "")
	w.Advance(t, time.Minute)
	w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "again")).Want(t, 201, "").Decode(t, &again)
	w.Advance(t, time.Minute)
	r := register(w, asha, other.Code(w.Clock.Now()), "asha")
	r.From = mobile
	var failed Lease
	w.Call(t, r).Want(t, 201, "").Decode(t, &failed)
	l := stored(t, w, failed.ID)
	l, err := l.To(lease.Failed, lease.NoRoom, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	l.Person = "left" // the policy no longer knows
	if err := w.Raw("access").Tx(t.Context(), func(tx store.Tx) error { return tx.Put("leases", l.ID, l) }); err != nil {
		t.Fatal(err)
	}
	before := len(w.Records(t))
	for n, role := range []string{"auditor", "security", "dpo", "owner"} {
		var found Days
		w.Call(t, read(w, office(t, w, role), register1+"?from=2026-03-03")).Want(t, 200, "").Decode(t, &found)
		if len(found.Rows) != 3 || found.From != "2026-03-03" || found.To != "2026-03-03" {
			t.Fatalf("%s reads %+v", role, found)
		}
		one, two, three := found.Rows[0], found.Rows[1], found.Rows[2]
		if one.Person != "emma" || one.Name != "Emma Dubois" || one.Why != "done" || one.Ended.IsZero() || one.Device != dayregister.Own || one.Commitment != stored(t, w, first.ID).Marks.Lease ||
			!strings.Contains(one.Factors, "2-step verification was enforced on the account (whether") {
			t.Errorf("first %+v", one)
		}
		if two.Address != functiontest.Home+"/32" || two.State != "received" || two.Commitment == one.Commitment || three.State != "failed" || three.Why != "capacity_full" || three.Name != "" || three.Person != "left" || three.Network != "mobile" {
			t.Errorf("second %+v, third %+v", two, three)
		}
		if got := len(w.Records(t)); got != before+n+1 {
			t.Errorf("%s: %d records, want one more than %d", role, got, before+n)
		}
	}
	roles := map[string]bool{}
	for _, record := range w.Records(t) {
		if record.Facts["event"] == "register-read" {
			roles[record.Facts["role"]] = record.Facts["from"] == "2026-03-03" && record.Facts["to"] == "2026-03-03" && len(record.Subjects) == 1
		}
	}
	if !roles["auditor"] {
		t.Errorf("on record: %v", roles)
	}
	csv := w.Call(t, read(w, office(t, w, "auditor"), register1+".csv?from=2026-03-01&to=2026-03-31")).Want(t, 200, "")
	if csv.Header.Get("Content-Disposition") != `attachment; filename="access-2026-03-01-2026-03-31.csv"` || strings.Count(string(csv.Body), "\r\n") != 4 || !strings.Contains(string(csv.Body), `"Emma Dubois"`) {
		t.Errorf("%v\n%s", csv.Header, csv.Body)
	}
	none := w.Call(t, read(w, office(t, w, "auditor"), register1+"?from=2026-03-02")).Want(t, 200, "")
	if !strings.Contains(string(none.Body), `"rows":[]`) {
		t.Errorf("a day without anybody: %s", none.Body)
	}
}

func stored(t *testing.T, w *functiontest.World, id string) lease.Lease {
	t.Helper()
	var l lease.Lease
	if err := w.Raw("access").Get(t.Context(), "leases", id, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestRegisterPage: a form first, which is no reading; then the rows, with the way to the files.
func TestRegisterPage(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "first")).Want(t, 201, "")
	auditor := office(t, w, "auditor")
	before := w.State(t)
	form := string(w.Call(t, read(w, auditor, "/registerip/register")).Want(t, 200, "").Body)
	if !strings.Contains(form, `value="2026-03-03"`) || strings.Contains(form, "Emma") {
		t.Errorf("the form:\n%s", form)
	}
	w.Unchanged(t, before)
	records := len(w.Records(t))
	page := string(chosen(t, w, auditor, "/register", "2026-03-03", "2026-03-03").Want(t, 200, "").Body)
	for _, want := range []string{"Emma Dubois", functiontest.Home + "/32", "until 24:00", "Europe/Paris", "enforced on the account", `action="/registerip/register/csv"`, "Not ended",
		`href="/registerip/register?from=2026-03-03&amp;to=2026-03-03&amp;lang=de"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if len(w.Records(t)) != records+1 {
		t.Error("that the page was read is not on record")
	}
	for kind, begins := range map[string]string{"json": `{"from":"2026-03-03"`, "csv": "\xEF\xBB\xBF\"date\""} {
		got := chosen(t, w, auditor, "/register/"+kind, "2026-03-03", "2026-03-03").Want(t, 200, "")
		if name := `attachment; filename="access-2026-03-03-2026-03-03.` + kind + `"`; got.Header.Get("Content-Disposition") != name || !strings.HasPrefix(string(got.Body), begins) || !strings.Contains(string(got.Body), "Emma") {
			t.Errorf("%v\n%s", got.Header, got.Body)
		}
	}
	if records += 2; len(w.Records(t)) != records+1 {
		t.Error("that the files were read is not on record")
	}
	for _, days := range [][2]string{{"x", ""}, {"", "2026-03-03"}, {"2026-03-03", "2026-05-03"}} {
		for _, path := range []string{"/register", "/register/csv", "/register/json"} {
			got := chosen(t, w, auditor, path, days[0], days[1])
			if got.Status != 400 || !strings.Contains(string(got.Body), "These are no days that can be shown.") || got.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s, %v: %d", path, days, got.Status)
			}
			if !strings.Contains(string(got.Body), `name="from" type="date" value="`+days[0]+`"`) {
				t.Errorf("%v: what was typed is gone:\n%s", days, got.Body)
			}
		}
	}
	gone := chosen(t, w, auditor, "/register", "2026-01-01", "")
	if text := string(gone.Body); gone.Status != 410 || !strings.Contains(text, "kept no longer") || strings.Contains(text, "Nobody registered") || !strings.Contains(text, `min="2026-01-31"`) || len(w.Records(t)) != records+1 {
		t.Errorf("days that are gone: %d\n%s", gone.Status, text)
	}
	for _, path := range []string{"/register", "/register/csv", "/register/json"} {
		got := w.Call(t, functiontest.Request{Method: "POST", Path: "/registerip" + path, Token: w.Staff(auditor), Body: "from=2026-03-03", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
		if got.Status != 403 || strings.Contains(string(got.Body), "Emma") || !strings.Contains(string(got.Body), `action="/registerip/register`) {
			t.Errorf("%s without the token of the form: %d\n%s", path, got.Status, got.Body)
		}
	}
	if len(w.Records(t)) != records+1 {
		t.Error("a form without its token is a reading")
	}
	if got := w.Call(t, read(w, emma, "/registerip/register?from=2026-03-03")); got.Status != 403 || strings.Contains(string(got.Body), functiontest.Home) {
		t.Errorf("to somebody without office: %d", got.Status)
	}
	for email, linked := range map[string]bool{auditor: true, office(t, w, "dpo"): true, emma: false} {
		if got := strings.Contains(string(w.Call(t, read(w, email, "/registerip/")).Want(t, 200, "").Body), `href="/registerip/register"`); got != linked {
			t.Errorf("%s: linked %t", email, got)
		}
	}
}

// registerRefusals reaches what the register refuses; none of it is a reading.
func registerRefusals(t *testing.T, seen *functiontest.Coverage) {
	t.Helper()
	w := functiontest.New(t, setup)
	before := w.State(t)
	for _, path := range []string{register1, register1 + ".csv"} {
		seen.Saw(w.Call(t, read(w, emma, path+"?from=2026-03-03"))).Want(t, 403, "role_missing")
	}
	auditor := office(t, w, "auditor")
	for _, path := range []string{register1, register1 + ".csv"} {
		for _, query := range []string{"", "?from=", "?from=2026-03-32", "?from=2026-03-03&to=2026-03-02", "?from=2026-03-03&to=2026-04-03", "?from=%00", "?from=" + strings.Repeat("9", 4000)} {
			seen.Saw(w.Call(t, read(w, auditor, path+query))).Want(t, 400, "dates_invalid")
		}
	}
	for _, path := range []string{register1, register1 + ".csv"} {
		for _, query := range []string{"?from=2026-01-30", "?from=2026-01-30&to=2026-02-02", "?from=2025-03-03"} {
			seen.Saw(w.Call(t, read(w, auditor, path+query))).Want(t, 410, "days_gone")
		}
		// A link puts nothing on record, nor does a picture in a mail, wherever they were opened: a mail or chat program says of no site.
		for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Sec-Fetch-Site": {"none"}, "Sec-Fetch-Mode": {"navigate"}},
			{"Sec-Fetch-Mode": {"navigate"}}, {"Accept": {"text/html,*/*;q=0.8"}}} {
			r := read(w, auditor, path+"?from=2026-03-03")
			maps.Copy(r.Header, header)
			seen.Saw(w.Call(t, r)).Want(t, 403, "cross_origin")
		}
	}
	w.Unchanged(t, before)
	if len(w.Records(t)) != 0 {
		t.Error("a refusal is on record as a reading")
	}
	functiontest.StaffGate(t, setup, seen, auditor, functiontest.Request{Method: "GET", Path: register1 + "?from=2026-03-03"},
		functiontest.Request{Method: "GET", Path: register1 + ".csv?from=2026-03-03"}, functiontest.Request{Method: "GET", Path: "/registerip/register"})
}

// TestRegisterOutages: without what keeps the leases there is no register, and nobody is told of an empty day.
func TestRegisterOutages(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	r := read(w, office(t, w, "auditor"), register1+"?from=2026-03-03")
	w.Outages(t, &seen, r, 200, &w.Directory)
	r.Token = w.Staff(office(t, w, "auditor"))
	w.Store.Down()
	w.Call(t, r).Want(t, 503, "unavailable")
}

// networkRefusals: a relay, and a host of servers where the policy says so, before a code is looked at.
func networkRefusals(t *testing.T, seen *functiontest.Coverage) {
	t.Helper()
	s := setup
	s.Policy = map[string]string{"access.yaml": "lease: {hosting: refuse}\ntargets: [{name: edge}]"}
	w := functiontest.New(t, s)
	phone := w.Phone(t, emma)
	code := phone.Code(w.Clock.Now())
	before := w.State(t)
	for from, want := range map[string]string{relayed: "relay_refused", hosted: "hosting_refused"} {
		r := register(w, emma, code, want)
		r.From = from
		seen.Saw(w.Call(t, r)).Want(t, 422, want)
		r = functiontest.Request{Method: "POST", Path: devices, Token: w.Staff(emma), From: from}
		seen.Saw(w.Call(t, r)).Want(t, 422, want)
	}
	w.Unchanged(t, before)
	w.Call(t, register(w, emma, code, "home")).Want(t, 201, "")
}

// TestNetworkOnThePage: the page names the network, thanks who made the list, and says plainly what to do about a relay.
func TestNetworkOnThePage(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	key := w.Phone(t, emma)
	at := func(from string) *person { return &person{t: t, w: w, email: emma, from: from} }
	for from, want := range map[string]string{mobile: "Mobile network: Three UK", relayed: "Relay: iCloud Private Relay", hosted: "Servers, or a VPN: Hetzner", functiontest.Home: ""} {
		shown := at(from).open()
		thanks := strings.Contains(shown, `<a href="https://db-ip.com" rel="noreferrer" lang="en">IP Geolocation by DB-IP</a>`)
		form := strings.Contains(shown, `id="code"`)
		if !strings.Contains(shown, want) || thanks != (want != "") || form == (from == relayed) || strings.Contains(shown, "Show IP Address") != (from == relayed) {
			t.Errorf("from %s (thanks %t, form %t):\n%s", from, thanks, form, shown)
		}
	}
	// A form that was open before the relay came on.
	laptop := at("")
	shown := laptop.open()
	laptop.from = relayed
	got := laptop.send(shown, "/registerip/", map[string][]string{"code": {key.Code(w.Clock.Now())}})
	if got.Status != 422 || strings.Count(string(got.Body), `id="network"`) != 1 || strings.Contains(string(got.Body), `id="trouble"`) {
		t.Errorf("a form sent over a relay: %d\n%s", got.Status, got.Body)
	}
	laptop.from = ""
	if got = laptop.send(laptop.open(), "/registerip/", map[string][]string{"code": {key.Code(w.Clock.Now())}}); got.Status != 303 {
		t.Errorf("the code is not good any more: %d", got.Status)
	}
	// The other device is named with its network, and the registered one among the others.
	phone := at(mobile)
	if got = phone.send(phone.open(), "/registerip/device", map[string][]string{}); got.Status != 303 {
		t.Fatal(got.Status)
	}
	code := shownCode.FindStringSubmatch(phone.open())
	if code == nil {
		t.Fatal("the phone shows no code")
	}
	seen := laptop.send(laptop.open(), "/registerip/look", map[string][]string{"device": {code[1]}})
	if !strings.Contains(string(seen.Body), "Mobile network: Three UK") || !strings.Contains(string(seen.Body), "db-ip.com") {
		t.Errorf("the laptop sees:\n%s", seen.Body)
	}
}

// TestMobileHoursOnThePage: what the page promises is what the registration keeps.
func TestMobileHoursOnThePage(t *testing.T) {
	t.Parallel()
	s := setup
	s.Policy = map[string]string{"access.yaml": "lease: {mobile_hours: 4}\ntargets: [{name: edge}]"}
	w := functiontest.New(t, s)
	key := w.Phone(t, emma)
	phone := &person{t: t, w: w, email: emma, from: mobile}
	now := w.Clock.Now()
	ends := now.Add(4 * time.Hour)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	if shown := phone.open(); !strings.Contains(shown, "until "+ends.In(paris).Format("15:04")+" (") {
		t.Errorf("the page promises something else than %s:\n%s", ends, shown)
	}
	r := register(w, emma, key.Code(now), "k")
	r.From = mobile
	var made Lease
	w.Call(t, r).Want(t, 201, "").Decode(t, &made)
	if !made.Ends.Equal(ends) {
		t.Errorf("until %s, want %s", made.Ends, ends)
	}
	for _, record := range w.Records(t) {
		if text, _ := json.Marshal(record); strings.Contains(string(text), mobile) || strings.Contains(string(text), "Three") {
			t.Errorf("the evidence says more than the kind of network: %s", text)
		}
	}
}
