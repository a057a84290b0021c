package letter

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// full are values for every variable.
func full() Vars {
	return Vars{
		"number": "abcd-efgh", "company": "Firm", "received": "2 March 2026", "due": "2 April 2026", "code": "aaaa-bbbb", "link": "https://ostiary.example/#n.c", "until": "3 March 2026",
		"first": "ijkl-mnop", "remedies": "REMEDIES", "reason": "REASON", "backups": "BACKUPS", "open": "OPEN", "kept": "KEPT", "ground": "GROUND", "controller": "Acme", "person": "mia@customer.example",
		"desk": "https://ostiary.example/desk", "notes": "NOTES", "why": "WHY", "letter": "completed 7", "what": "WHAT",
	}
}

func texts(t testing.TB) *Set {
	t.Helper()
	s, err := Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTexts: every letter has a text in every language, whole, with all it must say.
func TestTexts(t *testing.T) {
	t.Parallel()
	s := texts(t)
	for _, kind := range Kinds() {
		seen := map[string]bool{}
		for _, language := range Languages() {
			c, err := s.Write(kind, language, full())
			if err != nil {
				t.Errorf("%s in %s: %v", kind, language, err)
				continue
			}
			all := c.Subject + "\n" + c.Text
			if strings.ContainsAny(all, "{}") || strings.Contains(all, "  ") || seen[all] {
				t.Errorf("%s in %s is not whole, or is another language's:\n%s", kind, language, all)
			}
			seen[all] = true
			m := message.Message{ID: "x", To: "a@b.example", Subject: c.Subject, Text: c.Text, At: time.Unix(0, 0)}
			if err := m.Check(); err != nil {
				t.Errorf("%s in %s: %v", kind, language, err)
			}
			for _, name := range needs[kind] {
				value := full()[name]
				if !slices.Contains(lists, name) {
					value = Harmless(value)
				}
				if !strings.Contains(all, value) {
					t.Errorf("%s in %s does not say {%s}", kind, language, name)
				}
			}
			if links := strings.Count(all, "://"); links > 1 || links == 1 && !slices.Contains(needs[kind], "link") && !slices.Contains(needs[kind], "desk") {
				t.Errorf("%s in %s holds %d links", kind, language, links)
			}
		}
	}
}

// TestRights: what article 12(4) wants is in every letter that refuses something, and cannot be left out of a company's own.
func TestRights(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Rejected, Retained, Identity, Interim, Forwarded} {
		if !slices.Contains(needs[kind], "remedies") {
			t.Errorf("%s may go without remedies", kind)
		}
	}
	for language, want := range map[string]*regexp.Regexp{
		"en": regexp.MustCompile(`complaint.*Article 77 GDPR.*Data Protection Commission.*court.*Article 79`),
		"fr": regexp.MustCompile(`réclamation.*article 77 du RGPD.*Data Protection Commission.*tribunal.*article 79`),
		"de": regexp.MustCompile(`beschweren.*Artikel 77 DSGVO.*Data Protection Commission.*Gericht.*Artikel 79`),
	} {
		if got := Remedies(Authority("IE"), language); !want.MatchString(got) {
			t.Errorf("%s: %s", language, got)
		}
		if got := Remedies(Authority("US"), language); strings.Contains(got, "{") || strings.Contains(got, "  ") {
			t.Errorf("%s: %s", language, got)
		}
		for _, g := range []string{"art17-3-a", "art17-3-b", "art17-3-c", "art17-3-d", "art17-3-e", "statute", "art12-5", "art17-1", "complexity", "number"} {
			if words, err := Ground(g, "§ 147 AO", language); err != nil || !strings.HasSuffix(words, ", § 147 AO") {
				t.Errorf("%s in %s: %s, %v", g, language, words, err)
			}
		}
		for _, why := range []string{"last_owner", "not_owner", "left", "unmapped", "unusable", "export", "no_contact", "undelivered"} {
			if Why(why, language) == "" {
				t.Errorf("no words for %q in %s", why, language)
			}
		}
	}
	if _, err := Ground("because", "", "en"); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("%v", err)
	}
}

// TestOwnTexts: a company's text is taken, and refused where it names what there is not or leaves out what there must be.
func TestOwnTexts(t *testing.T) {
	t.Parallel()
	with := func(text string) (*Set, error) {
		return Read(func(name string) ([]byte, bool) {
			if name == "templates/fr/erasure-rejected.txt" {
				return []byte(text), true
			}
			return nil, false
		})
	}
	s, err := with("Subject: Non, {number}\r\n\r\n{ground}\r\n{remedies}\r\n")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Write(Rejected, "fr", full())
	if err != nil || c.Subject != "Non, abcd-efgh" || c.Text != "GROUND\nREMEDIES\n" {
		t.Errorf("%+v, %v", c, err)
	}
	for want, text := range map[string]string{
		"there is no text":                     "",
		`the first line is not "Subject: ..."`: "{number} {ground} {remedies}",
		"there is nothing below the subject":   "Subject: {number} {ground} {remedies}\n\n",
		"it leaves out {remedies}":             "Subject: x\n\n{number} {ground}",
		"it leaves out {ground}":               "Subject: x\n\n{number} {remedies}",
		"it names the variable {code}":         "Subject: x\n\n{number} {ground} {remedies} {code}",
		"it names the variable {}":             "Subject: x\n\n{number} {ground} {remedies} {}",
		"a brace stands alone":                 "Subject: x\n\n{number} {ground} {remedies} {",
		"it is too long":                       "Subject: x\n\n{number} {ground} {remedies}" + strings.Repeat("x", message.MaxTextBytes/4),
	} {
		if _, err := with(text); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "templates/fr/erasure-rejected.txt: "+want) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// TestHoles: no letter leaves with a hole, and no value adds a line or a link.
func TestHoles(t *testing.T) {
	t.Parallel()
	s := texts(t)
	for _, kind := range Kinds() {
		for _, name := range needs[kind] {
			if slices.Contains(optional, name) {
				continue // there may be nothing more to say
			}
			v := full()
			v[name] = " \n"
			if _, err := s.Write(kind, "en", v); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "{"+name+"}") {
				t.Errorf("%s without %s: %v", kind, name, err)
			}
		}
	}
	if _, err := s.Write(Link, "it", full()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a language there is no text in: %v", err)
	}
	plain, _ := s.Write(Forwarded, "en", full())
	for _, bad := range []string{"Acme\r\nBcc: x@y.example", "Acme\n\nPay here", "https://evil.example/x", "<a href=x>", "Ac\u202eme", "{remedies}"} {
		v := full()
		v["controller"] = bad
		c, err := s.Write(Forwarded, "en", v)
		if err != nil || strings.Count(c.Text, "\n") != strings.Count(plain.Text, "\n") || strings.Contains(c.Text, "://") || strings.ContainsAny(c.Text, "<>{}\u202e\r@") {
			t.Errorf("%q: %v\n%s", bad, err, c.Text)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for language, want := range map[string]string{"en": "1 May 2026", "fr": "1er mai 2026", "de": "1. Mai 2026"} {
		if got := Date(calendar.Day{Year: 2026, Month: 5, Day: 1}, language); got != want {
			t.Errorf("%s: %s", language, got)
		}
	}
	if got := Date(calendar.Day{}, "en"); got != "" {
		t.Errorf("no day: %q", got)
	}
}
