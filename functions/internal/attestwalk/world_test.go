package attestwalk

import (
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"

	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/attest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/trust/desk"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/notice"
)

var stage walktest.Stage

func TestMain(m *testing.M) { os.Exit(stage.Run(m, walktest.Alone)) }

const duties = `duties:
  - {id: risk-register-review, owner_role: security, every: P1Y, second: owner, remind: P7D, promises: [F05, D04], what: {
      en: Go through the risk register; each family of risk has an owner and a treatment.,
      fr: "Parcourir le registre des risques : chaque famille de risques a un responsable et un traitement.",
      de: "Das Risikoregister durchgehen: Jede Risikofamilie hat Verantwortliche und eine Behandlung."}}
  - {id: software-clearance, owner_role: security, on: request, evidence: [statement, scan.finished], second: manager, what: {
      en: "Clear new software before it is installed, trojans and spyware included.",
      fr: "Autoriser un nouveau logiciel avant son installation, chevaux de Troie et logiciels espions compris.",
      de: "Neue Software vor der Installation freigeben, Trojaner und Spionageprogramme eingeschlossen."}}
  - {id: google-premium-partner, owner_role: owner, every: P1Y, what: {
      en: File the newest certificate of the partner programme., fr: Déposer le dernier certificat du programme partenaire., de: Die neueste Urkunde des Partnerprogramms ablegen.}}
  - {id: access-review, owner_role: security, every: P1Y, evidence: [statement, {type: review.done, about: access}], what: {
      en: Go through everyone who has access., fr: Passer en revue tous ceux qui ont un accès., de: "Alle durchgehen, die Zugriff haben."}}
  - {id: log-review, owner_role: security, every: P1D, what: {en: Read yesterday’s logs., fr: Relire les journaux de la veille., de: Die Protokolle von gestern lesen.}}
`

// world is a company with duties, and a way in for each of its people.
type world struct {
	*functiontest.World
	t       *testing.T
	handler http.Handler
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, World: functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{attest.Function}, Policy: map[string]string{"duties.yaml": duties}})}
	served, err := attest.Function.Build(t.Context(), w.Deps("attest"))
	if err != nil {
		t.Fatal(err)
	}
	w.handler = served.Handler()
	w.tick()
	return w
}

// tick runs the clockwork of the duties.
func (w *world) tick() {
	w.t.Helper()
	if err := w.duties().Tick(w.t.Context(), w.Clock.Now()); err != nil {
		w.t.Fatal(err)
	}
}

// scanned is the result of a scan of what somebody asked for.
func (w *world) scanned(request string, failed bool) {
	w.t.Helper()
	now := w.Clock.Now()
	a := duty.Arrived{Type: "scan.finished", Event: record.Digest([]byte(request)), Request: request, Failed: failed, At: now}
	if counted, err := w.duties().Evidence(w.t.Context(), a, now); err != nil || len(counted) != 1 {
		w.t.Fatal(counted, err)
	}
}

// duties are those the function keeps. They give no notice: nobody here reads mail.
func (w *world) duties() *duty.Service {
	w.t.Helper()
	d := w.Deps("attest")
	rules, _ := duty.ReadRules(d.Policy)
	service, err := duty.New(desk.Desk{Store: d.Store, Box: d.Box, Policy: d.Policy, Digest: d.PolicyDigest(),
		Commit: func(context.Context, string, time.Time) (record.Subject, error) { return record.Subject{}, nil },
		Notify: func(*outbox.Batch, notice.Notice) error { return nil }}, rules)
	if err != nil {
		w.t.Fatal(err)
	}
	return service
}

// person is somebody signed in, in front of a browser.
type person struct {
	*walktest.Person
	url string
}

// sit puts somebody of the company in front of a fresh browser; the proxy before the function knows who she is.
func (w *world) sit(name string, size browser.Size, lang string) *person {
	w.t.Helper()
	tab := stage.Tab(w.t, size)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set(identity.AssertionHeader, w.Staff(name+"@sharedcontacts.example"))
		r.Header.Set(functiontest.ClientHeader, functiontest.Home)
		w.handler.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(front.Close)
	p := &person{&walktest.Person{Person: &walk.Person{Tab: tab, T: w.t, Lang: lang}, T: w.t}, front.URL + "/attest"}
	p.Open(p.url + "/?lang=" + lang)
	return p
}

// quietly checks that the page complained of nothing and called nobody else.
func (p *person) quietly() {
	p.T.Helper()
	p.Quietly(strings.TrimSuffix(p.url, "/attest"))
}
