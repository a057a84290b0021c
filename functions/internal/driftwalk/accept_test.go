package driftwalk

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/evidence/record"
)

// TestAccepted: one proposes, a second agrees on her phone, who may have done it does neither; another value is not accepted
// any more, and the page says so; an acceptance is taken back by one.
func TestAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.out(exposed("settings.ipConfiguration.ipv4Enabled: true"))
	w.blame(database, finding.Actor{Person: "stefan", Kind: "human", Method: "cloudsql.instances.update", At: w.Clock.Now()})
	simone := w.sit("simone.bernard", browser.Desk, "fr")
	simone.Press("section[aria-labelledby=open] a")
	simone.Says("section[aria-labelledby=who]", "Stefan Weber")
	simone.Says("section[aria-labelledby=repair]", "gcloud sql instances patch support")
	simone.Click("summary#accept")
	simone.Type("#reason", "Déménagement jusqu’à vendredi")
	simone.Type("#ticket", "OPS-7")
	simone.Choose("#until", "2026-03-06")
	simone.Press("form[action$='/accept'] button")
	simone.Says("[role=status]", "Une seconde personne")
	simone.Open(simone.url + path)
	simone.Says("section[aria-labelledby=proposed]", "Déménagement")
	if simone.Has("form[action$='/accept']") {
		t.Error("she may agree with herself")
	}

	stefan := w.sit("stefan.weber", browser.Phone, "de")
	stefan.Open(stefan.url + path)
	stefan.Says(".note", "Jemand anderes nimmt sie hin")
	dorothea := w.sit("dorothea.klein", browser.Phone, "de")
	dorothea.Scripts(false)
	dorothea.Open(dorothea.url + "/")
	dorothea.Press("section[aria-labelledby=asked] a")
	dorothea.Says("section[aria-labelledby=proposed]", "Simone Bernard")
	dorothea.Says("section[aria-labelledby=proposed]", "Freitag, 6. März, 24:00")
	dorothea.Press("form[action$='/accept'] button")
	dorothea.Says("[role=status]", "Bis zu diesem Tag hingenommen")
	dorothea.Says("section[aria-labelledby=accepted]", "bis Freitag, 6. März, 24:00")
	dorothea.Press("section[aria-labelledby=accepted] a")
	dorothea.Says("section[aria-labelledby=accepted]", "Simone Bernard, Dorothea Klein")

	w.Advance(t, time.Minute)
	w.out(exposed("settings.ipConfiguration.ipv4Enabled: true\n0.0.0.0/0"))
	dorothea.Open(dorothea.url + path)
	dorothea.Says(".note.bad", "der Wert ist inzwischen ein anderer: Nichts ist mehr hingenommen")
	if dorothea.Has("section[aria-labelledby=accepted]") {
		t.Error("another value is accepted")
	}
	evidence := 0
	for _, r := range w.Records(t) {
		if data, err := r.Canonical(); err != nil || strings.Contains(string(data), "ménagement") || strings.Contains(string(data), "simone") {
			t.Errorf("evidence says too much: %s, %v", data, err)
		}
		if r.Kind == record.Waiver {
			evidence++
		}
	}
	if evidence == 0 {
		t.Error("no evidence of the exception")
	}
}

// TestStaleForm: what is accepted is what the page showed; a page that was left open accepts nothing that came later.
func TestStaleForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.out(exposed("settings.ipConfiguration.ipv4Enabled: true"))
	p := w.sit("simone.bernard", browser.Phone, "en")
	p.Open(p.url + path)
	p.Click("summary#accept")
	p.Type("#reason", "moving")
	w.Advance(t, time.Minute)
	w.out(exposed("settings.ipConfiguration.authorizedNetworks: 0.0.0.0/0"))
	p.Press("form[action$='/accept'] button")
	p.Says("[role=alert]", "The value is another by now.")
	p.Says(".beside", "0.0.0.0/0")
	p.Press("form[action$='/accept'] button") // what she sees now
	p.Says("[role=status]", "A second person has to agree now")
	p.quietly()
}

// TestTurnedDown: a proposal is turned down by whom it waits for; what is not so grave one person accepts, and takes back.
func TestTurnedDown(t *testing.T) {
	t.Parallel()
	w, paths := full(t)
	dorothea := w.sit("dorothea.klein", browser.Phone, "en")
	dorothea.Press("section[aria-labelledby=asked] a")
	dorothea.Press("form[action$='/revoke'] button")
	dorothea.Says("[role=status]", "The proposal is gone")
	if dorothea.Has("section[aria-labelledby=asked]") {
		t.Error("it still waits for her")
	}
	dorothea.Open(dorothea.url + paths["accepted"])
	dorothea.Says("section[aria-labelledby=accepted]", "Simone Bernard")
	dorothea.Press("form[action$='/revoke'] button")
	dorothea.Says("[role=status]", "Taken back")
	dorothea.Open(dorothea.url + paths["accepted"])
	dorothea.Says(".lead", "out of order")
	dorothea.quietly()
}
