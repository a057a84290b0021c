package notice_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

var update = flag.Bool("update", false, "write the golden files")

func texts(t testing.TB) *letters.Set {
	t.Helper()
	set, err := notice.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func facts(t testing.TB) notice.Facts {
	t.Helper()
	paris, err := calendar.Zone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC)
	return notice.Facts{Number: "abcd-efgh", Company: "Shared Contacts", Zone: paris, FirstSign: at, Aware: at.Add(2 * time.Hour), Next: at.Add(72 * time.Hour)}
}

// tenants are three, each with people of another language.
func tenants() []policy.Tenant {
	return []policy.Tenant{
		{ID: "nord", Name: "Cabinet Nord", Language: "fr", Contacts: []policy.Contact{{Role: policy.Privacy, Email: "privacy@nord.example"}, {Role: policy.AroundTheClock, Email: "nuit@nord.example", Phone: "+33100000000", Channels: []string{"sms", "mail"}}, {Role: policy.Legal, Email: "Privacy@nord.example"}}},
		{ID: "sud", Name: "Werke Süd", Language: "de", Contacts: []policy.Contact{{Role: policy.SecurityContact, Email: "sicherheit@sued.example"}}},
		{ID: "ost", Name: "Eastern Ltd", Language: "xx", Contacts: []policy.Contact{{Role: policy.Privacy, Email: "dpo@east.example"}}},
	}
}

func names() *notice.Names { return notice.NamesOf(tenants()) }

func recipients(t testing.TB) (all []notice.Recipient) {
	t.Helper()
	for _, tenant := range tenants() {
		some, err := notice.Recipients(tenant, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// draft writes something for every variable of a kind, in every language.
func draft(k notice.Kind) notice.Draft {
	d := notice.Draft{Kind: k, Version: 1, Texts: map[string]map[string]string{}, Tenants: map[string]map[string]map[string]string{}}
	for _, language := range letters.Languages() {
		d.Texts[language] = map[string]string{}
		for _, name := range notice.Written(k) {
			d.Texts[language][name] = strings.ToUpper(name) + " " + language + "."
		}
		d.Texts[language]["contact"] = "+33 1 00 00 00 00, security@sharedcontacts.example"
		if _, asked := d.Texts[language]["subprocessors"]; asked {
			d.Texts[language]["subprocessors"] = notice.NotKnown
		}
	}
	return d
}

// TestGolden: every notice in every language, whole, byte by byte.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, k := range notice.Kinds() {
		to := recipients(t)
		if k == notice.Persons {
			to = []notice.Recipient{{Language: "fr"}, {Language: "de"}, {Language: "en"}}
		}
		f := facts(t)
		f.Exercise = k == notice.Update
		all, err := notice.Compose(texts(t), draft(k), f, to, names())
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		var b strings.Builder
		for _, m := range all {
			fmt.Fprintf(&b, "To: %s %v\nShort: %s\nSubject: %s\n\n%s\n----\n", m.To, m.Ways, m.Short, m.Subject, m.Text)
			checked := message.Message{ID: "x", To: "a@b.example", Subject: m.Subject, Text: m.Text, At: time.Unix(0, 0)}
			if err := checked.Check(); err != nil {
				t.Errorf("%s to %s: %v", k, m.To, err)
			}
			if strings.ContainsAny(m.Subject+m.Text+m.Short, "{}") {
				t.Errorf("%s to %s has a hole", k, m.To)
			}
		}
		golden(t, string(k)+".txt", b.String())
	}
}

// TestChained: a tenant that is a processor itself is told to tell its controllers, who are named by nothing but their role; what
// people wrote is the same.
func TestChained(t *testing.T) {
	t.Parallel()
	all := tenants()
	for i := range all {
		all[i].Processor = true
	}
	var b strings.Builder
	for _, k := range []notice.Kind{notice.Initial, notice.Update, notice.Final, notice.Correction, notice.Withdrawal} {
		for _, tenant := range all {
			to, err := notice.Recipients(tenant, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := notice.Compose(texts(t), draft(k), facts(t), to[:1], names())
			if err != nil {
				t.Fatalf("%s: %v", k, err)
			}
			if !strings.Contains(m[0].Text, map[string]string{"en": "controllers", "fr": "responsables du traitement", "de": "Verantwortlichen"}[m[0].Language]) {
				t.Errorf("%s in %s names no controllers", k, m[0].Language)
			}
			fmt.Fprintf(&b, "%s\nSubject: %s\n\n%s\n----\n", k, m[0].Subject, m[0].Text)
		}
	}
	golden(t, "processor.txt", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s differs (%v); look at it, then run with -update:\n%s", path, err, got)
	}
}

// TestRecipients: everybody once whatever her roles, who can act at night first, and nobody is an error.
func TestRecipients(t *testing.T) {
	t.Parallel()
	got, err := notice.Recipients(tenants()[0], time.Time{})
	if err != nil || len(got) != 2 || got[0].Address != "nuit@nord.example" || got[0].Ways[0].Channel != "sms" || got[1].Language != "fr" || got[1].Ways[0].Channel != "mail" {
		t.Errorf("%+v, %v", got, err)
	}
	one := policy.Tenant{ID: "staff", Name: "Staff Ltd", Contacts: []policy.Contact{{Role: policy.Privacy, Email: "a@one.example", Channels: []string{"chat", "webhook"}, Webhook: "https://one.example"},
		{Role: policy.Legal, Email: "b@one.example", Channels: []string{"webhook", "webhook"}, Webhook: "https://one.example"}, {Role: policy.SecurityContact, Email: "c@one.example", Channels: []string{"mail"}, Until: calendar.Day{Year: 2026, Month: 1, Day: 1}}}}
	for _, room := range []string{"staff", "one"} { // the company's own room is no tenant's, and two contacts share a hook
		one.ID = room
		want := []string{"[{webhook https://one.example}]", "[{mail b@one.example}]"}
		if room == "one" {
			want[0] = "[{chat one} {webhook https://one.example}]"
		}
		if got, err := notice.Recipients(one, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)); err != nil || len(got) != 2 || fmt.Sprint(got[0].Ways) != want[0] || fmt.Sprint(got[1].Ways) != want[1] {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := notice.Recipients(tenants()[2], time.Time{}); err != nil || got[0].Language != "en" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := notice.Recipients(policy.Tenant{ID: "west"}, time.Time{}); fault.CodeOf(err) != "contact_missing" {
		t.Errorf("%v", err)
	}
}

// TestTenantsApart: what is one tenant's own stands in its notice alone, and no notice names another.
func TestTenantsApart(t *testing.T) {
	t.Parallel()
	d := draft(notice.Initial)
	d.Tenants["nord"] = map[string]map[string]string{"fr": {"subjects": "12 de vos clients"}}
	all, err := notice.Compose(texts(t), d, facts(t), recipients(t), names())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if strings.Contains(m.Text, "12 de vos") != (m.Tenant == "nord") {
			t.Errorf("the count of another tenant, or none: %s", m.Tenant)
		}
		for _, tenant := range tenants() {
			if strings.Contains(m.Subject+m.Text, tenant.Name) != (tenant.ID == m.Tenant) {
				t.Errorf("%s reads of %s", m.Tenant, tenant.Name)
			}
		}
	}
	d.Texts["fr"]["nature"] = "Comme chez werke süd, des fichiers ont été lus."
	if _, err := notice.Compose(texts(t), d, facts(t), recipients(t), names()); fault.CodeOf(err) != "texts_invalid" {
		t.Errorf("another tenant's name: %v", err)
	}
}

// TestMissing names the language and what nobody wrote.
func TestMissing(t *testing.T) {
	t.Parallel()
	d := draft(notice.Initial)
	delete(d.Texts["de"], "nature")
	d.Texts["de"]["measures"] = "  "
	_, err := notice.Compose(texts(t), d, facts(t), recipients(t), names())
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok || refused.Code != "texts_missing" || !strings.Contains(refused.Detail, "In de nobody wrote: nature, measures") {
		t.Errorf("%v", err)
	}
}

// TestLint: what may not stand in a notice, and what may.
func TestLint(t *testing.T) {
	t.Parallel()
	contact := "security@sharedcontacts.example"
	for text, want := range map[string]string{
		"Somebody read files of your account between 9 and 10 o'clock.": "",
		"Call +33 1 00 00 00 00.":                       "",
		"Version 1.2.3.4.5 of the program, at 10:30:15": "",
		"Write to security@sharedcontacts.example":      "",
		"See https://example.com/x":                     "link",
		"www.example.com":                               "link",
		"see track.example?id=4711":                     "link",
		"see a.track.example/x?u=mia":                   "link",
		"EXAMPLE.COM/x":                                 "link",
		"track.example:8443/x":                          "link",
		"Was it example.com? And/or example.org.":       "",
		"on 12.03.2026/13.03.2026, z. B. Namen/Orte":    "",
		"<a href=x>":                                    "link",
		"mia@customer.example was read":                 "person",
		"on db-3.prod.internal":                         "machine",
		"from 203.0.113.9, twice":                       "machine",
		"from 2001:db8::7":                              "machine",
		"from 203.0.113.9:8443":                         "machine",
		"from [2001:db8::7]:8443":                       "machine",
		"There is no risk for you.":                     "judges",
		"Es besteht kein Risiko.":                       "judges",
		"un risque élevé est exclu":                     "judges",
		"hidden\u200btext":                              "nobody sees",
		"bell\aring":                                    "nobody sees",
		"two\nlines":                                    "",
	} {
		got := notice.Lint(notice.Initial, "nature", text, contact)
		if want == "" && got != "" || want != "" && !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := notice.Lint(notice.Persons, "consequences", "There is a high risk that somebody passes for you.", contact); got != "" {
		t.Errorf("persons are told of their risk: %s", got)
	}
}

// TestNames: a name counts as words of its own, whatever the case of letters; short ones and domains as well as names.
func TestNames(t *testing.T) {
	t.Parallel()
	n := notice.NamesOf([]policy.Tenant{
		{ID: "nord", Name: "Cabinet Nord", Domains: []string{"nord.example"}}, {ID: "sud", Name: "Werke Süd & Söhne"}, {ID: "q", Name: "«Q» Partners"}, {ID: "ab", Name: "AB"}, {ID: "o2", Name: "O2"}, {ID: "it", Name: "IT GmbH"}, {ID: "east", Name: "Eastern Ltd"}, {ID: "dupont", Name: "SARL Dupont & Fils"}, {ID: "data", Name: "Data AG"}, {ID: "mint", Name: "Minze GmbH & Co. KG"}, {ID: "lune", Name: "Lune S.A."}, {ID: "hp", Name: "HP Inc."}, {ID: "twin", Name: "cabinet nord"},
		{ID: "bnp", Name: "BNP"}, {ID: "est", Name: "EST"}, {ID: "sun", Name: "Sun"}, {ID: "bb", Name: "B&B"}, {ID: "amp", Name: "&&&&"},
	})
	for text, want := range map[string]string{
		"Cabinet Nord as well": "nord twin", "the cabinet nordique": "", "CABINET NORD.": "nord twin", "Kabinet cabinet nord": "nord twin", "at nord.example": "nord", "subnord.example": "", "nord.example.org": "nord",
		"bei werke süd & söhne, seit gestern": "sud", "Werke Süd": "", "«q» partners": "q", "q partners": "q", "AB": "ab", "ab": "", "O2": "o2", "o2": "", "the o2": "", "": "", "cabinet cabinet nord": "nord twin", "\xff cabinet nord": "nord twin",
		// A line, a tab or a space that does not break is a space.
		"Cabinet\nNord": "nord twin", "le Cabinet\u00a0Nord.": "nord twin", "CABINET \u202f\t Nord": "nord twin", "Werke Süd &\nSöhne": "sud",
		// Without its legal form a name counts as it is written, or in capitals; several words of it in any case of letters.
		"for Eastern.": "east", "at EASTERN": "east", "eastern countries": "", "eastern ltd": "east", "chez dupont et fils": "", "chez dupont & fils": "dupont", "personal data, Data": "", "Data AG": "data",
		"von Minze": "mint", "die minze": "", "Lune a été informée": "lune", "la lune": "", "HP knows": "hp", "hp": "", "our IT": "", "IT GmbH": "it",
		// A short name counts in capitals alone, as it is written: in small letters it may be a word of any language.
		"chez BNP,": "bnp", "BNPs": "", "cela est dit": "", "EST et BNP": "bnp est", "Werke Su\u0308d & So\u0308hne": "sud", "\uff22\uff2e\uff30": "bnp", "the Sun": "", "at B&B": "bb",
	} {
		if got := strings.Join(slices.Sorted(slices.Values(n.In(text))), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestPeople: who works here is named in no notice, but as whom to ask.
func TestPeople(t *testing.T) {
	t.Parallel()
	known := notice.NamesOf(tenants()).AndPeople([]policy.Person{{Name: "Emma Dubois"}, {Name: "Vera"}})
	for text, want := range map[string]string{"Emma  Dubois sent a file": "texts_invalid", "emma dubois": "texts_invalid", "Emma sent a file, and vera": ""} {
		d := draft(notice.Initial)
		d.Texts["fr"]["nature"] = text
		if _, err := notice.Compose(texts(t), d, facts(t), recipients(t), known); code(err) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	d := draft(notice.Initial)
	d.Texts["fr"]["contact"] = "Emma Dubois, +33 1 00 00 00 00"
	if _, err := notice.Compose(texts(t), d, facts(t), recipients(t), known); err != nil {
		t.Errorf("whom to ask: %v", err)
	}
}

// TestHash: another when anything that is sent changes, or to whom; the same otherwise.
func TestHash(t *testing.T) {
	t.Parallel()
	hash := func(change func(*notice.Draft, *notice.Facts, *[]notice.Recipient)) string {
		d, f, to := draft(notice.Initial), facts(t), recipients(t)
		change(&d, &f, &to)
		all, err := notice.Compose(texts(t), d, f, to, names())
		if err != nil {
			t.Fatal(err)
		}
		return notice.Hash("case", d, all)
	}
	none := func(*notice.Draft, *notice.Facts, *[]notice.Recipient) {}
	first := hash(none)
	if first != hash(none) || len(first) != 64 {
		t.Fatal("not the same twice")
	}
	for name, change := range map[string]func(*notice.Draft, *notice.Facts, *[]notice.Recipient){
		"a text":    func(d *notice.Draft, _ *notice.Facts, _ *[]notice.Recipient) { d.Texts["de"]["nature"] += " " + "x" },
		"a version": func(d *notice.Draft, _ *notice.Facts, _ *[]notice.Recipient) { d.Version++ },
		"a promise": func(_ *notice.Draft, f *notice.Facts, _ *[]notice.Recipient) { f.Next = f.Next.Add(time.Minute) },
		"an address": func(_ *notice.Draft, _ *notice.Facts, to *[]notice.Recipient) {
			(*to)[1].Address = "other@nord.example"
		},
		"a channel": func(_ *notice.Draft, _ *notice.Facts, to *[]notice.Recipient) {
			(*to)[1].Ways = []notice.Way{{Channel: "webhook", To: "https://nord.example"}}
		},
		"one fewer": func(_ *notice.Draft, _ *notice.Facts, to *[]notice.Recipient) { *to = (*to)[1:] },
		"an order": func(_ *notice.Draft, _ *notice.Facts, to *[]notice.Recipient) {
			(*to)[0], (*to)[1] = (*to)[1], (*to)[0]
		},
		"exercise": func(_ *notice.Draft, f *notice.Facts, _ *[]notice.Recipient) { f.Exercise = true },
	} {
		if hash(change) == first {
			t.Errorf("%s changes nothing", name)
		}
	}
}

// TestOwnTexts: a company's own text is taken, and refused where it leaves out what the law wants said.
func TestOwnTexts(t *testing.T) {
	t.Parallel()
	with := func(text string) error {
		_, err := notice.Read(func(name string) ([]byte, bool) { return []byte(text), name == "templates/de/breach-persons.txt" })
		return err
	}
	if err := with("Subject: {exercise}Vorfall {number}\n{company}: {nature} {consequences} {measures} {advice} {contact}"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"Subject: Vorfall {number}\n{company}: {nature} {consequences} {measures} {contact}", "{nature}", "Subject: x\n{secret}"} {
		if err := with(text); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "templates/de/breach-persons.txt") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestStaff: everything staff are told of notices can be written in every language.
func TestStaff(t *testing.T) {
	t.Parallel()
	set, err := notice.LettersStaff(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range letters.Languages() {
		for _, kind := range []string{"ask", "expired", "alone", "late", "void", "stalled", "unknown", "failed"} {
			c, err := set.Write(kind, language, letters.Vars{"number": "abcd", "n": "3", "desk": "https://desk.example/#x"})
			if err != nil || !strings.Contains(c.Subject, "abcd") || !strings.Contains(c.Text, "https://desk.example/#x") || strings.ContainsAny(c.Subject+c.Text, "{}") {
				t.Errorf("%s in %s: %+v, %v", kind, language, c, err)
			}
		}
	}
	if _, err := notice.LettersStaff(func(name string) ([]byte, bool) {
		return []byte("Subject: x\n{number}"), name == "templates/fr/notice-void.txt"
	}); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "notice-void.txt") {
		t.Error(err)
	}
}

// FuzzLint: no text brings it down, and none that it lets pass holds a link.
func FuzzLint(f *testing.F) {
	for _, seed := range []string{"", "https://x", "a@b", "1.2.3.4", "::", "Cabinet Nord", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if notice.Lint(notice.Initial, "nature", text, "") == "" && strings.Contains(text, "://") {
			t.Errorf("%q passes", text)
		}
	})
}
