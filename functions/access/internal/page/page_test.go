package page

import (
	"encoding/json"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/web"
)

// shown is a page with data that makes it show something.
type shown struct {
	name, page, title string
	data              any
	wants             []string // of the page in every language
}

func at(state lease.State) *Lease {
	return &Lease{ID: "abc", Address: "81.2.69.142", Ends: "24:00", State: state}
}

var trouble = web.Problem{Status: 403, Code: "otp_wrong", Detail: "detail", Next: "next", RetryAfter: 29500 * time.Millisecond}

var pages = []shown{
	{"first morning", "morning", "morning.title", Morning{Today: "T", Until: "24:00", Place: "Paris", Address: "81.2.69.142"}, []string{"/enrolotp/"}},
	{"no app any more", "morning", "morning.title", Morning{Address: "81.2.69.142", Ended: true}, []string{"/enrolotp/"}},
	{"address unknown", "morning", "morning.title", Morning{Enrolled: true}, nil},
	{"form", "morning", "morning.title", Morning{Address: "81.2.69.142", Last: "92.40.1.7", Enrolled: true, Digits: 6, StepLeft: 12, Key: "k", NearEnd: 5, Tries: 2, MayDecide: true}, []string{`data-digits="6"`, `data-left="12"`, "92.40.1.7", "/enrolotp/desk"}},
	{"wrong code", "morning", "morning.title", Morning{Address: "81.2.69.142", Last: "81.2.69.142", Usual: true, Enrolled: true, Problem: NewTrouble(trouble, "code"), Wait: 30}, []string{"0:30", `aria-describedby="code-trouble wait"`, "detail"}},
	{"refused address", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Problem: NewTrouble(trouble, "")}, []string{`id="trouble"`}},
	{"locked", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Locked: true}, []string{"/enrolotp/#lost"}},
	{"working day over", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Closed: "morning.closed.day", DayEnd: "20:00"}, []string{"20:00"}},
	{"weekend", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Closed: "morning.closed.weekend"}, nil},
	{"received", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Here: at(lease.Received), Refresh: 3}, []string{`content="3"`, `data-state="received"`}},
	{"written", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Here: at(lease.Written)}, nil},
	{"working", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Here: at(lease.Working), Others: []Lease{*at(lease.Confirmed)}, Done: "done.ended"}, []string{`class="said good"`}},
	{"tested", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Here: &Lease{ID: "abc", Address: "81.2.69.142", Ends: "24:00", State: lease.Working, Tested: true}}, []string{`class="said good"`}},
	{"both families", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Here: &Lease{ID: "abc", Address: "81.2.69.142", State: lease.Confirmed, Also: []Lease{{ID: "def", Address: "2a02:6b8:0:1::/64", State: lease.Confirmed}}},
		Beacons: []string{"https://a.example/ok", "https://b.example/ok"}, Others: []Lease{{ID: "ghi", Address: "92.40.1.7", State: lease.Received, Also: []Lease{{Address: "2a02:6b8:0:2::/64"}}}}},
		[]string{`data-beacons="https://a.example/ok https://b.example/ok"`, "2a02:6b8:0:1::/64 ✓", `data-lease="def"`, "92.40.1.7, 2a02:6b8:0:2::/64", `<a href="https://b.example/ok">`}},
	{"the other family waits", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Here: at(lease.Received), Pair: &Pair{URL: "https://v6.example/pairaddress/", API: "https://v6.example/pairaddress/v1/addresses", Token: "tok"}},
		[]string{`action="https://v6.example/pairaddress/"`, `data-api="https://v6.example/pairaddress/v1/addresses"`, `value="tok"`}},
	{"moved", "morning", "morning.title", Morning{Address: "92.40.1.8", Enrolled: true, Moved: "92.40.1.7", Replaces: "abc", Changes: 4, Limit: 10}, []string{"92.40.1.7", `name="replaces" value="abc"`}},
	{"shows a code", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Shows: &Device{Code: "ABCD-EFGH", Address: "81.2.69.142/32", Minutes: 5}, Refresh: 5}, []string{"ABCD-EFGH", `data-address="81.2.69.142/32"`}},
	{"a wrong code of a device", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Problem: NewTrouble(trouble, "device")}, []string{"<details class=\"card\" open>", "device-trouble"}},
	{"another device", "device", "device.title", Morning{Address: "92.40.1.7", Enrolled: true, Digits: 6, Key: "k", Approve: &Device{Code: "ABCD-EFGH", Address: "81.2.69.142"}}, []string{"81.2.69.142", "92.40.1.7", `value="ABCD-EFGH"`}},
	{"another device, wrong code", "device", "device.title", Morning{Enrolled: true, Approve: &Device{Address: "81.2.69.142", Usual: true}, Problem: NewTrouble(trouble, "code")}, []string{"code-trouble"}},
	{"another device, locked", "device", "device.title", Morning{Enrolled: true, Locked: true, Approve: &Device{Same: true}, Problem: NewTrouble(trouble, "")}, []string{`id="trouble"`}},
	{"failed", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Here: at(lease.Failed)}, []string{`id="code"`}},
	{"first app", "enrol", "enrol.title", Enrolment{}, []string{`id="name"`}},
	{"QR code", "enrol", "enrol.title", Enrolment{New: &Fresh{ID: "id", QR: template.HTML("<svg></svg>"), URI: "otpauth://totp/x", Key: "AAAA BBBB", Minutes: 10, NeedsOld: true}}, []string{"<svg>", "AAAA BBBB", `href="otpauth://totp/x"`, `id="old"`}},
	{"code again", "enrol", "enrol.title", Enrolment{New: &Fresh{ID: "id", Minutes: 10}, Problem: NewTrouble(trouble, "confirm")}, []string{"code-trouble"}},
	{"recovery codes", "enrol", "enrol.title", Enrolment{Codes: []string{"AAAA-BBBB"}, Done: "done.confirmed"}, []string{"AAAA-BBBB"}},
	{"apps", "enrol", "enrol.title", Enrolment{Authenticators: []Authenticator{{ID: "x", Name: "N", Kind: "TOTP", Since: "S", Drift: 2}}, RecoveryLeft: 9, Changing: "x", Problem: NewTrouble(trouble, "resync"), MayDecide: true}, []string{"resync-trouble", `id="replaces"`}},
	{"no place left", "enrol", "enrol.title", Enrolment{Authenticators: []Authenticator{{ID: "x", Name: "N"}}, Full: true, Problem: NewTrouble(trouble, "recover")}, []string{"recovery-trouble"}},
	{"token", "enrol", "enrol.title", Enrolment{NeedsToken: true, Token: "tok", Done: "done.recovered", Problem: NewTrouble(trouble, "add")}, []string{`value="tok"`, "add-trouble"}},
	{"token needed", "enrol", "enrol.title", Enrolment{NeedsToken: true, Problem: NewTrouble(trouble, "")}, []string{`id="recovery"`}},
	{"empty desk", "desk", "desk.title", Desk{Done: "done.approved"}, nil},
	{"desk", "desk", "desk.title", Desk{
		Resets: []Reset{{ID: "1", Person: "P", Reason: "R", Asker: "A", Since: "S"}, {ID: "2", Mine: true}, {ID: "3", From: "F"}},
		People: []Choice{{"p@x.example", "P"}}, Email: "p@x.example", Reason: "why", Problem: NewTrouble(trouble, "ask"), Link: "/enrolotp/#enrol=t", Code: "t", For: "P", Until: "09:05",
	}, []string{"ask-trouble", "#enrol=t", "09:05", `value="why"`, " selected"}},
	{"mobile", "morning", "morning.title", Morning{Address: "92.40.1.7", Enrolled: true, Network: Network{Kind: "mobile", Name: "Three UK"}, MayRead: true}, []string{"Three UK", `href="https://db-ip.com"`, `id="code"`, "/registerip/register"}},
	{"relay", "morning", "morning.title", Morning{Address: "172.224.226.1", Enrolled: true, Network: Network{Kind: "relay", Name: "iCloud Private Relay", Refused: true}}, []string{"iCloud Private Relay", "WARP", `class="note bad" id="network"`}},
	{"VPN", "morning", "morning.title", Morning{Address: "88.198.0.1", Enrolled: true, Here: at(lease.Received), Network: Network{Kind: "hosting", Name: "Hetzner"}}, []string{"Hetzner"}},
	{"another device behind a relay", "device", "device.title", Morning{Enrolled: true, Approve: &Device{Address: "172.224.226.1", Network: Network{Kind: "relay", Name: "iCloud Private Relay", Refused: true}}}, []string{"iCloud Private Relay", "db-ip.com"}},
	{"a phone beside", "morning", "morning.title", Morning{Address: "81.2.69.142", Enrolled: true, Others: []Lease{{ID: "a", Address: "92.40.1.7", State: lease.Confirmed, Network: Network{Kind: "mobile", Name: "Three UK"}}}}, []string{"Three UK", "db-ip.com"}},
	{"register, no days yet", "register", "register.title", Register{From: "2026-03-03", To: "2026-03-03", Latest: "2026-03-04"}, []string{`value="2026-03-03"`, `max="2026-03-04"`}},
	{"register, nobody", "register", "register.title", Register{From: "2026-03-03", To: "2026-03-03", Asked: true}, []string{`action="/registerip/register/csv"`, `formaction="/registerip/register/json"`, `type="hidden" name="to" value="2026-03-03"`}},
	{"register, days of a link", "register", "register.title", Register{From: "2026-03-02", To: "2026-03-03", Brought: true, Earliest: "2026-01-31"}, []string{`value="2026-03-02"`, `min="2026-01-31"`, `role="status"`}},
	{"register, too many", "register", "register.title", Register{From: "2026-03-02", To: "2026-03-03", Asked: true, Rows: entries(), Last: "2026-03-03"}, []string{`role="status"`, `data-of="`}},
	{"register, wrong days", "register", "register.title", Register{Asked: true, Problem: NewTrouble(trouble, "")}, []string{`id="trouble"`, `aria-invalid="true"`}},
	{"register", "register", "register.title", Register{From: "2026-03-03", To: "2026-03-03", Asked: true, Rows: []Entry{
		{Date: "2026-03-03", Person: "emma", Name: "Emma Dubois", Address: "81.2.69.142/32", Kind: "mobile", Registered: "08:55:09", Ends: "24:00", Zone: "Europe/Paris", TwoStepUsed: true, Device: "own", Applied: "08:55:12", Working: "08:56:00", Ended: "18:00:00", Why: "why.done", Removed: "18:00:05", Commitment: "hmac:1"},
		{Person: "gone", Address: "2a02:6b8:0:1::/64", Kind: "relay", Device: "paired", With: "hmac:1", Working: "09:00:00", ByDevice: true},
		{Person: "asha", Kind: "hosting", Device: "another", Failed: true, Ended: "09:00:00", Why: "why.capacity_full"},
	}}, []string{"Emma Dubois", ">gone</th>", "hmac:1", "18:00:05", "08:56:00"}},
	{"error", "problem", "problem.title", trouble, []string{"otp_wrong", "detail"}},
}

// Every page is whole in every language: no text missing, none left in English, no value that does not fit its text.
func TestPagesInEveryLanguage(t *testing.T) {
	t.Parallel()
	s := New("registerip")
	english := texts(t, "en")
	for _, lang := range shell.Languages {
		for _, p := range pages {
			r := httptest.NewRequest(http.MethodGet, "/registerip/", http.NoBody)
			w := httptest.NewRecorder()
			if err := s.Render(w, r, http.StatusOK, p.page, shell.View{Lang: lang, Title: p.title, Name: "Emma Dubois", Form: "token", Data: p.data}); err != nil {
				t.Errorf("%s in %s: %v", p.name, lang, err)
				continue
			}
			body := w.Body.String()
			for _, want := range append(p.wants, `<html lang="`+lang+`">`, `aria-hidden="true">ED</span>`) {
				if !strings.Contains(body, want) {
					t.Errorf("%s in %s lacks %s", p.name, lang, want)
				}
			}
			for _, never := range []string{"%!", "no value", "ZgotmplZ"} {
				if strings.Contains(body, never) {
					t.Errorf("%s in %s shows %q", p.name, lang, never)
				}
			}
			for key, text := range english {
				plain := template.HTMLEscapeString(text)
				if lang != "en" && len(text) > 12 && !strings.Contains(text, "%") && strings.Contains(body, ">"+plain+"<") {
					t.Errorf("%s in %s shows the English text %s", p.name, lang, key)
				}
			}
		}
	}
}

func texts(t *testing.T, lang string) map[string]string {
	t.Helper()
	data, err := files.ReadFile("texts/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	if err := json.Unmarshal(data, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// The texts of one key take the same values in the same order in every language, and each of them is used.
func TestTexts(t *testing.T) {
	t.Parallel()
	verb := regexp.MustCompile(`%.`)
	var used strings.Builder
	templates, _ := fs.Glob(files, "templates/*.html")
	parts, _ := fs.Glob(files, "templates/parts/*.html")
	for _, name := range append(templates, parts...) {
		data, _ := files.ReadFile(name)
		used.Write(data)
	}
	english := texts(t, "en")
	for _, lang := range shell.Languages[1:] {
		for key, text := range texts(t, lang) {
			if want := verb.FindAllString(english[key], -1); !slices.Equal(verb.FindAllString(text, -1), want) {
				t.Errorf("%s in %s takes other values than %v: %q", key, lang, want, text)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(english)) {
		named := slices.ContainsFunc([]string{"problem.", "done.", "said.", "morning.closed.", "why."}, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if !named && !strings.HasSuffix(key, ".title") && !strings.Contains(used.String(), `"`+key+`"`) {
			t.Errorf("no page shows %s", key)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int]string{0: "0:00", 29: "0:29", 725: "12:05", 3600: "1:00:00"} {
		if got := Clock(seconds); got != want {
			t.Errorf("Clock(%d) = %s, want %s", seconds, got, want)
		}
	}
	if got := Seconds(28*time.Second + 1); got != 29 {
		t.Errorf("a wait of just over 28 s reads %d", got)
	}
}
