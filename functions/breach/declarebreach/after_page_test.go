package declarebreach

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/platform/message"
)

// Evidence is asked for where a decision would rest on a tick alone, and stands in the form again when it is scored anew.
func TestEvidenceOnPage(t *testing.T) {
	t.Parallel()
	w, path := onPage(t)
	scored := []string{"dpc.simple", "1", "ei.full_name", "1", "cb.confidentiality", "0.5", "cb.integrity", "0", "cb.availability", "0", "cb.malicious", "0.5", "people", "1200", "unintelligible", "yes"}
	page := done(t, w, simone, look(t, w, simone, path+"?lang=en"), path+"/score", scored...)
	says(t, page, "That the data is protected was ticked without evidence.", "Without what was only ticked, the score speaks for telling the supervisory authority and the persons.",
		"The score speaks against telling only by what was ticked without evidence.")
	refused := send(t, w, simone, page, path+"/decide", "subject", "persons", "answer", "no", "reason", "Nobody can read it.")
	says(t, string(refused.Want(t, 409, "").Body), "nothing shows it", "attach what shows it")
	bad := send(t, w, simone, page, path+"/score", append(scored, "evidence.unintelligible.note", "AES")...)
	says(t, string(bad.Want(t, 400, "").Body), `id="evidence.unintelligible.reference-wrong"`)
	page = done(t, w, simone, page, path+"/score", append(scored, "evidence.unintelligible.reference", "D-7", "evidence.unintelligible.note", "AES-256")...)
	says(t, page, "D-7", `name="evidence.unintelligible.reference" type="text" autocomplete="off" aria-describedby="evidence.unintelligible.reference-how" value="D-7"`)
	if strings.Contains(page, "ticked without evidence") {
		t.Error("evidence is attached, and the page says there is none")
	}
	done(t, w, simone, page, path+"/decide", "subject", "persons", "answer", "no", "reason", "Nobody can read it.")
}

// What comes after the end on pages: a correction, a review with an owner and a day, a hold by two, and taking back what
// was said.
func TestAfterTheEndOnPages(t *testing.T) {
	t.Parallel()
	w, path := onPage(t)
	desk := look(t, w, simone, path+"?lang=en")
	says(t, desk, "Answer by the code of a text message")
	desk = done(t, w, simone, desk, path+"/file", "clock", "gdpr_33_1", "at", "2026-03-03T09:55", "reference", "CNIL-1")
	bad := send(t, w, simone, desk, path+"/file", "clock", "gdpr_33_1", "at", "2026-03-03T09:50")
	says(t, string(bad.Want(t, 409, "").Body), `id="wrong-wrong"`)
	desk = done(t, w, simone, desk, path+"/file", "clock", "gdpr_33_1", "at", "2026-03-03T09:50", "wrong", "I mistyped it.")
	says(t, desk, "noted wrongly: ", "I mistyped it.", "CNIL-1")
	told(t, w, path)
	for _, who := range []string{simone, dorothea} {
		desk = done(t, w, who, look(t, w, who, path+"?lang=en"), path+"/decide", "subject", "breach", "answer", "no", "reason", "A test file.")
	}
	says(t, desk, "Take the notice back from customers who were told and are not concerned: 2", "The case is deleted")
	form := look(t, w, simone, path+"/notices/new?lang=en")
	says(t, form, `name="kind" value="withdrawal"`, "Banque du Port")
	page := done(t, w, simone, look(t, w, simone, path+"?lang=en"), path+"/review", "text", "Name test files.", "action1", "A rule for names", "action1.owner", "emma", "action1.by", "2026-03-20")
	says(t, page, "A rule for names", "Emma Dubois, by", "Do what the review came to, by")
	page = done(t, w, emma, look(t, w, emma, path+"?lang=en"), path+"/action")
	says(t, page, "Noted as done.", "Done:")
	page = done(t, w, simone, look(t, w, simone, path+"?lang=en"), path+"/hold", "reason", "A customer sues.", "until", "2026-06-01")
	says(t, page, "A customer sues.", "It waits for a second person")
	page = done(t, w, dorothea, look(t, w, dorothea, path+"?lang=en"), path+"/hold", "keep", "yes")
	if strings.Contains(page, "It waits for a second person") || strings.Contains(page, "The case is deleted") {
		t.Error("two hold it, and the page says otherwise")
	}
	page = done(t, w, simone, look(t, w, simone, path+"?lang=en"), path+"/hold", "reason", "It was settled.")
	says(t, page, "Somebody proposes to lift it:", "It was settled.")
	page = done(t, w, odile, look(t, w, odile, path+"?lang=en"), path+"/hold")
	says(t, page, "Keep the case", "The case is deleted")
}

// told tells the tenants of a case by a notice.
func told(t *testing.T, w *functiontest.World, path string) {
	t.Helper()
	api := "/breaches/" + strings.TrimPrefix(path, "/case/")
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, api+"/decide", Answer{Subject: "tenants", Answer: "yes"})
	}
	var n Notice
	do(t, w, simone, "POST", api+"/notices", initial(nil), 201, "").Decode(t, &n)
	agree(t, w, dorothea, api+"/notices/1/approve", Agreement{n.Hash})
	tick(t, w)
	for _, r := range sent(t, w) {
		hears(t, w, message.TopicAccepted, r, message.StateAccepted).Want(t, 204, "")
	}
	w.Advance(t, time.Minute)
	w.Tick(t, "tickbreach").Want(t, 204, "")
}
