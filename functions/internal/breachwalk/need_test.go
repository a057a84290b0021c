package breachwalk

import (
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"

	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/shared/platform/message/mailbox"
)

// losing is a server of the sample company in which the letters to one customer get lost on the way.
func losing(t *testing.T) *server {
	t.Helper()
	top := t.TempDir()
	copied := filepath.Join(top, "testdata", "policies")
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(walktest.Root, "testdata", "policies"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(copied, "sharedcontacts", "tenants.yaml")
	tenants, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(tenants), "datenschutz@klinikamsee.example", "datenschutz@"+mailbox.Lost, 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &server{stage.ServeFrom(t, top)}
}

// look puts pictures of a page, narrow and wide, into the folder of OSTIARY_PICTURES, for people to look at.
func (p *person) look(name string) {
	p.T.Helper()
	folder := os.Getenv("OSTIARY_PICTURES")
	if folder == "" {
		return
	}
	for wide, size := range map[string]browser.Size{"320": browser.Narrow, "1280": browser.Desk} {
		p.Resize(size)
		if err := os.WriteFile(filepath.Join(folder, name+"-"+wide+".png"), p.Picture(true), 0o600); err != nil {
			p.T.Fatal(err)
		}
	}
	p.Resize(browser.Phone)
}

// holds fails where a page runs over the edge, hides what has the focus, or has a button too small for a thumb.
func (p *person) holds(name string) {
	p.T.Helper()
	for _, size := range []browser.Size{browser.Desk, browser.Narrow} {
		p.Resize(size)
		for _, fault := range p.Faults("en", false) {
			p.T.Errorf("%s, %v: %s", name, size, fault)
		}
	}
	p.Resize(browser.Phone)
	p.look(name)
}

// TestAnsweredWithoutScripts: whoever is on call answers on a telephone that runs no script, from the link of the message; it
// says so, and whoever comes later reads who is on it.
func TestAnsweredWithoutScripts(t *testing.T) {
	t.Parallel()
	s := serve(t)
	id := s.declared("1", nil)
	called := s.Mails(walk.Email("omkar.rao"))
	if len(called) != 1 || len(called[0].Links) != 1 {
		t.Fatalf("on call there is %+v", called)
	}
	omkar := s.sit("omkar.rao", browser.Narrow, "en")
	omkar.Scripts(false)
	omkar.Open(called[0].Links[0])
	omkar.Press("section[aria-labelledby=open] a[href='/declarebreach/case/" + id + "']") // without scripts the link leads to the list
	omkar.Press("form[action$='/ack'] button")
	omkar.Scripts(true) // to be read
	omkar.Says("[role=status]", "you are on it")
	omkar.Says(".said.good", "You are on it.")
	omkar.holds("answered")
	stefan := s.sit("stefan.weber", browser.Phone, "en")
	stefan.Open(s.URL + "/declarebreach/case/" + id)
	stefan.Says("main", "Omkar Rao")
	if stefan.Has("form[action$='/ack'] button.thumb") {
		t.Error("she is called although somebody is on it")
	}
}

// written is a case with a notice that waits for its approval; both are made by Simone and decided by two.
func written(t *testing.T, s *server) (id string) {
	t.Helper()
	id = s.declared("1", object{"tenants": []string{"banque-du-port", "klinik-am-see"}})
	at := "/breaches/" + id
	for _, who := range []string{"simone.bernard", "stefan.weber"} {
		s.as(who, http.MethodPost, at+"/decide", object{"subject": "tenants", "answer": "yes"}, nil)
	}
	texts := object{}
	for _, language := range []string{"fr", "de"} {
		fields := object{}
		for _, name := range []string{"nature", "subjects", "records", "excluded", "subprocessors", "measures", "open"} {
			fields[name] = "unknown"
		}
		texts[language] = fields
	}
	s.as("simone.bernard", http.MethodPost, at+"/notices", object{"kind": "initial", "texts": texts}, nil)
	return id
}

// TestAloneInNeed: one person approves alone, without scripts, and with a reason; everybody who decides hears of it at once, and
// somebody else looks at it. One letter got lost: nobody sends it again, a person calls and says what she heard.
func TestAloneInNeed(t *testing.T) {
	t.Parallel()
	s := losing(t)
	id := written(t, s)
	simone := s.sit("simone.bernard", browser.Narrow, "en")
	simone.Scripts(false)
	simone.Open(s.URL + "/declarebreach/case/" + id + "/notices/1")
	simone.Scripts(true)
	simone.Unfold()
	simone.holds("alone-before")
	browser.Eval[int](simone.Tab, "(document.getElementById('reason').required = false, 0)")
	simone.Press("form[action$='/break'] button")
	simone.Says("#reason-wrong", "reason")
	simone.Type("#reason", "Everybody else is in the air until the morning.")
	simone.Press("form[action$='/break'] button")
	simone.Says("[role=status]", "Approved alone: it is being sent")
	simone.Says("#state ~ .note.bad", "Simone Bernard approved this alone.")
	simone.holds("alone-after")
	if simone.Has("form[action$='/review'] button") {
		t.Error("she may look at her own approval")
	}
	s.Settled()
	for who, said := range map[string]string{"stefan.weber": "allein freigegeben", "dorothea.klein": "allein freigegeben", "odile.martin": "approuvé par une seule personne"} {
		hers := s.Mails(walk.Email(who))
		if len(hers) == 0 || !strings.Contains(hers[len(hers)-1].Subject, said) {
			t.Errorf("%s was told %+v", who, hers)
		}
	}
	s.Later(2 * time.Minute)
	dorothea := s.sit("dorothea.klein", browser.Phone, "en")
	dorothea.Open(s.URL + "/declarebreach/case/" + id)
	dorothea.holds("alone-case")
	dorothea.Open(s.URL + "/declarebreach/case/" + id + "/notices/1")
	dorothea.Press("form[action$='/review'] button")
	dorothea.Says("[role=status]", "Noted that you looked.")
	dorothea.Says("section[aria-labelledby=state]", "Looked at by Dorothea Klein.")

	dorothea.Says("section[aria-labelledby=deliveries]", "nobody knows: 1")
	dorothea.Says("section[aria-labelledby=deliveries]", "Nothing is sent again. Call them and ask")
	dorothea.holds("doubtful")
	s.Later(3 * time.Hour)
	dorothea.Reload()
	dorothea.Says("section[aria-labelledby=deliveries]", "nobody knows: 1")
	dorothea.Press("form[action$='/settle'] button[value=yes]")
	dorothea.Says("[role=status]", "Noted.")
	dorothea.Says("section[aria-labelledby=deliveries]", "found out by Dorothea Klein")
	dorothea.holds("settled")
	if dorothea.Has("form[action$='/settle'] button[value=yes]") || !dorothea.Has("form[action$='/settle'] button[value=no]") {
		t.Error("what was found out may be said again, or not taken back")
	}
	if got := s.Mails("dpo@banqueduport.example"); len(got) != 1 {
		t.Errorf("the other customer has %d letters", len(got))
	}
}

// TestDrillsAreSeen: after a quarter an exercise and a test of the calls run; whoever reads the call says so with a thumb, and the
// page shows how far both are.
func TestDrillsAreSeen(t *testing.T) {
	t.Parallel()
	s := serve(t)
	now, err := s.Now()
	if err != nil {
		t.Fatal(err)
	}
	s.Later(2 * time.Minute)
	s.Call(http.MethodPost, "/_local/clock", "", object{"now": now.AddDate(0, 3, 1).Format(time.RFC3339)}, nil)
	s.Later(time.Minute)
	stefan := s.sit("stefan.weber", browser.Narrow, "en")
	stefan.Open(s.URL + "/declarebreach/drills")
	stefan.Says("section[aria-labelledby=drills]", "Exercise")
	stefan.Says("section[aria-labelledby=drills]", "Somebody answers")
	stefan.Says("section[aria-labelledby=drills]", "not yet; due by")
	stefan.holds("drills")
	stefan.Press("#channels-2026-06 form button")
	stefan.Says("[role=status]", "Thank you: the call arrives.")
	stefan.Says("#channels-2026-06", "read")
	s.Later(7 * time.Hour)
	stefan.Reload()
	stefan.Says("#exercise-1", "failed")
	stefan.holds("drills-failed")
}
