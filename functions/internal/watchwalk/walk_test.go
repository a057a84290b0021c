package watchwalk

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// TestExplained: the actor gets one mail for one episode, opens its link on her phone and explains; she cannot review that;
// her manager accepts it; the promise is broken while it is open, and kept again afterwards.
func TestExplained(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.Later(40 * time.Minute)
	if got := s.state("D20"); got != "kept" {
		t.Fatalf("before anything happened D20 is %s", got)
	}
	one := grant("emma.dubois", "mallory@example.net", 40*time.Minute)
	s.log(one, grant("emma.dubois", "mallory@example.net", 40*time.Minute+1*time.Second), one)
	asked := s.Mails("emma.dubois")
	if len(asked) != 1 || len(asked[0].Links) != 1 {
		t.Fatalf("%d mails to the actor: %+v", len(asked), asked)
	}
	s.Later(2 * time.Minute)
	if got := s.state("D20"); got != "broken" {
		t.Errorf("while nobody has explained it D20 is %s", got)
	}
	emma := s.sit("emma.dubois", browser.Phone, "en")
	emma.Open(asked[0].Links[0])
	emma.Says("h1", "approved accounts")
	emma.Says("section[aria-labelledby=seen]", "+ roles/editor user:mallory@example.net")
	emma.Choose("#reason", "mistake")
	emma.Type("#ticket", "SUP-17")
	emma.Type("#words", "Added the wrong account, taken out again")
	emma.Press("form[action$='/answer'] button")
	emma.Says("[role=status]", "Somebody else reviews it now")
	emma.Open(asked[0].Links[0])
	emma.Says(".note", "your own matter")
	if emma.Has("form[action$='/review']") {
		t.Error("she is asked to review her own matter")
	}

	simone := s.sit("simone.bernard", browser.Desk, "fr")
	simone.Press("section[aria-labelledby=review] a")
	simone.Says("dl", "SUP-17")
	simone.Says("dl", "Une erreur, corrigée")
	simone.Press("button[value=accepted]")
	simone.Says("[role=status]", "c’est expliqué")
	s.Later(2 * time.Minute)
	if got := s.state("D20"); got != "kept" {
		t.Errorf("after it was explained D20 is %s", got)
	}
	if again := s.Mails("emma.dubois"); len(again) != 1 {
		t.Errorf("%d mails to the actor in the end", len(again))
	}
}

// TestSilence: nobody answers, and it becomes a suspicion that goes to the people on call; the link opens nothing for
// somebody else.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.log(grant("emma.dubois", "mallory@example.net", 0))
	link := s.Mails("emma.dubois")[0].Links[0]
	other := s.sit("asha.iyer", browser.Phone, "de")
	other.Open(link)
	other.Says("main", "betrifft Sie nicht")
	s.Later(61 * time.Minute)
	called := s.Mails("omkar.rao")
	if !slices.ContainsFunc(called, func(m walk.Mail) bool {
		return strings.Contains(m.Text, link) && strings.Contains(strings.ToLower(m.Subject), "suspicion")
	}) {
		t.Errorf("on-call has %+v", called)
	}
	emma := s.sit("emma.dubois", browser.Phone, "de")
	emma.Open(link)
	emma.Says("#state", "Verdacht")
	emma.Click("details summary")
	emma.Click("input[name=sure]")
	emma.Press("details form button")
	emma.Says("[role=status]", "Sicherheit ist gerufen")
}

// TestDeclared: from the page of an alarm about a customer's users, security declares a breach; the customer is ticked, and
// concerned once she has sent it.
func TestDeclared(t *testing.T) {
	t.Parallel()
	s := serve(t)
	now, err := s.Now()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := s.Log(walk.ActAs(i, now.Add(time.Duration(i-3)*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	stefan := s.sit("stefan.weber", browser.Phone, "en")
	stefan.Open(s.Mails(walk.Email("stefan.weber"))[0].Links[0])
	stefan.Says("section[aria-labelledby=seen]", "cabinetnord.example")
	stefan.Press("a[href^='/declarebreach/declare']")
	stefan.Says("#tenants", "The alarm names Cabinet Nord")
	if ticked := browser.Eval[[]string](stefan.Tab, "[...document.querySelectorAll('#tenants input:checked')].map((e) => e.value)"); !slices.Equal(ticked, []string{"cabinet-nord"}) {
		t.Errorf("ticked are %q", ticked)
	}
	stefan.Type("#summary", "Somebody else used her session.")
	stefan.Click("#kind-breach")
	stefan.Press("button.thumb")
	stefan.Says("section[aria-labelledby=tracks]", "Cabinet Nord")
	stefan.Quietly(s.URL)
}
