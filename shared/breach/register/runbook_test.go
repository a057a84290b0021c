package register_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/register"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// TestRunbook: it is what the policy says, in every language, and says when it was gone through last.
func TestRunbook(t *testing.T) {
	t.Parallel()
	p, b := firm(t)
	p.Digest = strings.Repeat("ab", 32)
	write := func(format register.Format, language string, now time.Time) string {
		t.Helper()
		var w bytes.Buffer
		if err := register.Runbook(&w, b, p, true, format, language, now); err != nil {
			t.Fatal(err)
		}
		return w.String()
	}
	now := at(t, "2026-04-01T08:00:00Z")
	for _, language := range []string{"en", "fr", "de"} {
		golden(t, "runbook."+language+".md", write(register.AsMarkdown, language, now))
	}
	golden(t, "runbook.fr.html", write(register.AsHTML, "fr", now))
	var open bytes.Buffer
	if err := register.Runbook(&open, b, p, false, register.AsMarkdown, "en", now); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"33639980001", "elsewhere", "nord.example", "Klinik"} {
		if strings.Contains(open.String(), private) {
			t.Errorf("everybody reads %q", private)
		}
	}
	if text := open.String(); !strings.Contains(text, "Vera Safe") || !strings.Contains(text, "ICO") || !strings.Contains(text, "privacy@firm") {
		t.Error("not everybody reads what to do and whom to call")
	}
	const stale = "nobody did for 180 days"
	if whole := write(register.AsMarkdown, "en", now); strings.Count(whole, stale) != 2 { // one was in February
		t.Errorf("%d contacts are to be made sure of", strings.Count(whole, stale))
	}
	const overdue = "The review of this page is overdue."
	if last := "2026-07-09"; strings.Contains(write(register.AsMarkdown, "en", at(t, last+"T20:00:00Z")), overdue) {
		t.Error("overdue on its last day")
	}
	if !strings.Contains(write(register.AsMarkdown, "en", at(t, "2026-07-10T08:00:00Z")), overdue) {
		t.Error("nobody is told that the review is overdue")
	}
	if b.Reviewed = (calendar.Day{}); !strings.Contains(write(register.AsHTML, "de", now), "Niemand hat diese Seite geprüft.") {
		t.Error("nobody reviewed it, and it does not say so")
	}
	if err := register.Runbook(&bytes.Buffer{}, b, p, true, register.AsJSON, "en", now); fault.CodeOf(err) != "format_invalid" {
		t.Error(err)
	}
}

// TestWordsInEveryLanguage: what is said in one language is said in all, with the same holes.
func TestWordsInEveryLanguage(t *testing.T) {
	t.Parallel()
	for key, word := range register.Words() {
		for _, language := range []string{"en", "fr", "de"} {
			if word[language] == "" || strings.Count(word[language], "%d") != strings.Count(word["en"], "%d") {
				t.Errorf("%s in %s: %q", key, language, word[language])
			}
		}
	}
}
