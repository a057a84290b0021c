package breachwalk

import (
	"ostiary.internal/functions/internal/walk"

	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
)

// TestNight: somebody declares a breach on her phone, with no script running; somebody on call opens the
// link of the message and answers with a thumb; two people decide, the notice goes out exactly as it was read, once to
// each, and the case is closed and looked back at.
func TestNight(t *testing.T) {
	t.Parallel()
	s := serve(t)
	id := found(t, s)
	called := s.Mails(walk.Email("omkar.rao"))
	if len(called) != 1 || len(called[0].Links) != 1 {
		t.Fatalf("on call there is %+v", called)
	}
	omkar := s.sit("omkar.rao", browser.Phone, "en")
	omkar.Open(called[0].Links[0])
	omkar.Wait("form[action$='/ack']")
	if !strings.HasSuffix(omkar.URL(), "/declarebreach/case/"+id) {
		t.Errorf("the link leads to %s", omkar.URL())
	}
	if tall := browser.Eval[float64](omkar.Tab, `document.querySelector("form[action$='/ack'] button").getBoundingClientRect().height`); tall < 72 {
		t.Errorf("the button is %v px high", tall)
	}
	omkar.Press("form[action$='/ack'] button")
	omkar.Says(".said.good", "You are on it.")
	omkar.Says(".next", "This is for: Odile Martin")

	decided(t, s, id)
	told(t, s, id)
	closed(t, s, id)
	if noise := omkar.Noise(); len(noise) > 0 {
		t.Errorf("the console says %v", noise)
	}
}

// found is the case that somebody declares without scripts.
func found(t *testing.T, s *server) (id string) {
	t.Helper()
	emma := s.sit("emma.dubois", browser.Narrow, "fr")
	emma.Says("section[aria-labelledby=open]", "Rien n’est en cours.")
	emma.Scripts(false)
	emma.Press("a[href='/declarebreach/declare']")
	emma.Type("#summary", "Une exportation est restée ouverte.")
	emma.Click("#kind-breach")
	emma.Click("input[name=tenant][value=own]")
	emma.Click("input[name=tenant][value=banque-du-port]")
	emma.Type("#affected", "klinikamsee.example")
	emma.Press("button.thumb")
	emma.Scripts(true) // to be read
	emma.Says("[role=status]", "L’astreinte est appelée.")
	emma.Says("section[aria-labelledby=what]", "Une exportation est restée ouverte.")
	s.Settled()
	_, id, _ = strings.Cut(strings.TrimSuffix(emma.URL(), "?done=done.declared"), "/case/")
	return id
}

// decided is what two people decide about a case.
func decided(t *testing.T, s *server, id string) {
	t.Helper()
	page := s.URL + "/declarebreach/case/" + id
	s.as("simone.bernard", http.MethodPost, "/breaches/"+id+"/score", object{"dpc": object{"simple": object{"value": 1}}, "ei": object{"email": 1},
		"cb": object{"confidentiality": 0.25, "integrity": 0, "availability": 0, "malicious": 0}, "people": 40, "unintelligible": false, "key_compromised": false}, nil)
	simone := s.sit("simone.bernard", browser.Desk, "fr")
	simone.Open(page)
	simone.Says(".next li:first-child", "Décider quels clients sont informés (2)")
	simone.Press("section[aria-labelledby=decide-sa] button[value=yes]")
	simone.Says("[role=status]", "une autre personne a été sollicitée")
	if simone.Has("section[aria-labelledby=decide-sa] button") {
		t.Error("she may agree to her own proposal")
	}
	simone.Press("section[aria-labelledby=decide-persons] button[value=no]")
	simone.Says("#reason-persons-wrong", "Il faut un motif.")
	simone.Type("#reason-persons", "Seul le découvreur a ouvert le fichier.")
	simone.Press("section[aria-labelledby=decide-persons] button[value=no]")
	simone.Press("section[aria-labelledby=tenants] button[value=yes]")
	simone.Says("section[aria-labelledby=tenants]", "Vous l’avez proposé")

	dorothea := s.sit("dorothea.klein", browser.Phone, "de")
	dorothea.Open(page)
	dorothea.Says(".next li:first-child", "Simone Bernard schlägt vor, Kunden zu benachrichtigen (2)")
	dorothea.Press("section[aria-labelledby=tenants] button[value=yes]")
	dorothea.Says("[role=status]", "Entschieden, zu zweit.")
	dorothea.Press("section[aria-labelledby=decide-sa] button[value=yes]")
	dorothea.Type("#reason-persons", "Das Protokoll zeigt einen einzigen Abruf.")
	dorothea.Press("section[aria-labelledby=decide-persons] button[value=no]")
	dorothea.Says("section[aria-labelledby=decide-persons]", "nicht benachrichtigen")
	dorothea.Says(".next", "Nachricht schreiben und freigeben; noch zu benachrichtigende Kunden: 2")
}

// told is the notice that one writes and another approves, and what becomes of it.
func told(t *testing.T, s *server, id string) {
	t.Helper()
	simone := s.sit("simone.bernard", browser.Desk, "en")
	simone.Open(s.URL + "/declarebreach/case/" + id)
	simone.Press("a[href$='/notices/new']")
	browser.Eval[int](simone.Tab, `(document.querySelectorAll("textarea[lang]").forEach((f) => { if (!f.name.startsWith("own.")) f.value = f.lang === "fr" ? "inconnu" : "Ein Export lag offen."; }), 0)`)
	browser.Eval[int](simone.Tab, `(document.getElementById("fr.nature").value = "Voir https://intern.example", 0)`)
	simone.Press("form.card button.main")
	simone.Says("[id='fr.nature-wrong']", "link")
	if kept := browser.Eval[string](simone.Tab, `document.getElementById("de.measures").value`); kept != "Ein Export lag offen." {
		t.Errorf("of what was typed there is left %q", kept)
	}
	browser.Eval[int](simone.Tab, `(document.getElementById("fr.nature").value = "Une exportation est restée ouverte.", 0)`)
	simone.Press("form.card button.main")
	simone.Says("[role=status]", "Read it once more as it would be sent")
	simone.Says(".mail", "Une exportation est restée ouverte.")
	simone.Says(".mail", "pas encore connu")
	if simone.Has("form[action$='/approve']") {
		t.Error("she may approve what she wrote")
	}
	stefan := s.sit("stefan.weber", browser.Phone, "de")
	stefan.Open(simone.URL())
	stefan.Unfold()
	stefan.Press("section[aria-labelledby=shown] li:last-child a.item") // another language
	stefan.Says("#shown + p + dl", "Klinik am See")
	stefan.Press("form[action$='/approve'] button")
	stefan.Says("[role=status]", "Freigegeben: Es wird gesendet.")
	s.Settled()
	s.Later(2 * time.Minute)
	stefan.Reload()
	stefan.Says("section[aria-labelledby=deliveries]", "angekommen: 3")
	for _, to := range []string{"dpo@banqueduport.example", "astreinte@banqueduport.example", "datenschutz@klinikamsee.example"} {
		if got := s.Mails(to); len(got) != 1 {
			t.Errorf("%s has %d messages", to, len(got))
		}
	}
}

// closed is the rest: the report to the authority, the close, the look back.
func closed(t *testing.T, s *server, id string) {
	t.Helper()
	simone := s.sit("simone.bernard", browser.Desk, "en")
	simone.Open(s.URL + "/declarebreach/case/" + id)
	simone.Says("#file + p + p", "CNIL")
	simone.Unfold()
	browser.Eval[int](simone.Tab, `(document.getElementById("filed-at").value = document.getElementById("filed-at").max, 0)`)
	simone.Type("#reference", "CNIL-2026-17")
	simone.Press("form[action$='/file'] button")
	simone.Says("section[aria-labelledby=file]", "CNIL-2026-17")
	for { // what other laws want; what was reported can only be put right
		simone.Unfold()
		next := browser.Eval[string](simone.Tab, `[...document.querySelectorAll("#clock option")].filter((o) => !o.text.includes("(on record)")).map((o) => o.value)[0] || ""`)
		if next == "" {
			break
		}
		simone.Choose("#clock", next)
		browser.Eval[int](simone.Tab, `(document.getElementById("filed-at").value = document.getElementById("filed-at").max, 0)`)
		simone.Type("#reference", next+"-17")
		simone.Press("form[action$='/file'] button")
		simone.Says("[role=status]", "The report is noted.")
	}
	simone.Press("form[action$='/close'] button")
	simone.Says("[role=status]", "Closed.")
	simone.Type("#lessons", "Buckets are locked by default now.")
	simone.Press("form[action$='/review'] button")
	simone.Says("section[aria-labelledby=next]", "Nothing is left to be done.")
	simone.Says("section[aria-labelledby=history]", "Told: Banque du Port.")
	simone.Press("main > p:last-of-type a")
	simone.Says("section[aria-labelledby=open]", "Nothing is open.")
}

// TestRefused: what is wrong is said at its field, in the reader's language, and nothing typed is lost.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	emma := s.sit("emma.dubois", browser.Narrow, "de")
	emma.Open(s.URL + "/declarebreach/declare")
	emma.Type("#summary", "Laptop gestohlen")
	emma.Click("input[name=tenant][value=klinik-am-see]")
	browser.Eval[int](emma.Tab, "(document.querySelectorAll('[required]').forEach((f) => { f.required = false; }), 0)")
	emma.Press("form.card button")
	emma.Says("[role=alert]", "Sagen Sie, ob personenbezogene Daten betroffen sind.")
	emma.Says("#kind-wrong", "„Vielleicht“ ist eine Antwort.")
	if kept := browser.Eval[bool](emma.Tab, `document.getElementById("summary").value === "Laptop gestohlen" && document.querySelector("input[value=klinik-am-see]").checked`); !kept {
		t.Error("what was typed is lost")
	}
	id := s.declared("1", nil)
	simone := s.sit("simone.bernard", browser.Desk, "en")
	simone.Open(s.URL + "/declarebreach/case/" + id)
	simone.Unfold()
	simone.Choose("select[name='dpc.simple']", "3")
	simone.Choose("select[name='ei.email']", "1")
	simone.Press("form[action$='/score'] button")
	simone.Says("[id='dpc.simple.reason-wrong']", "a value other than the usual has a reason")
	if chosen := browser.Eval[string](simone.Tab, `document.getElementById("ei.email").value`); chosen != "1" || !browser.Eval[bool](simone.Tab, `document.getElementById("dpc.simple").closest("details").open`) {
		t.Errorf("the form is shut, or what was chosen is lost: %q", chosen)
	}
	simone.Type("[id='dpc.simple.reason']", "They tell who is ill.")
	simone.Press("form[action$='/score'] button")
	simone.Says("section[aria-labelledby=score]", "Score or triggers speak for telling")
}
