package recipient_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
)

func (w *world) rows() string {
	w.T.Helper()
	rows, err := recipient.Rows(w.T.Context(), w.Raw, "r1")
	if err != nil {
		w.T.Fatal(err)
	}
	var parts []string
	for _, r := range rows {
		parts = append(parts, r.Recipient+" "+string(r.Outcome))
	}
	return strings.Join(parts, ", ")
}

// private: nothing that left in clear, and nothing stored of who has it, holds an identifier.
func (w *world) private() {
	w.T.Helper()
	found, err := store.Find[recipient.Notice](w.Raw.Query(w.T.Context(), store.Query{Collection: recipient.Notices, Limit: 100}))
	if err != nil {
		w.T.Fatal(err)
	}
	for _, n := range found {
		if kept := n.Private != nil; kept != (n.State == receipt.Pending && !n.Task) {
			w.T.Errorf("of a notice that is %s what was told is kept: %v", n.State, kept)
		}
	}
	text := w.Leaked.String() + fmt.Sprint(found)
	for _, word := range []string{"jo@", "user-77", "cust-9", "customer.example"} {
		if strings.Contains(text, word) {
			w.T.Errorf("%q was written down", word)
		}
	}
}

// TestTold: who was given erased data is told of it once, by the identifiers he knows people by; nobody else is.
func TestTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		if _, err := w.Tell(t.Context(), about("users"), w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.rows(); got != "mailer pending, payments pending" {
		t.Fatal(got)
	}
	for range 3 {
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.rows(); got != "mailer acknowledged, payments asked" || len(w.sent["mailer"]) != 1 || len(w.sent) != 1 {
		t.Fatal(got, w.sent)
	}
	if m := w.sent["mailer"][0]; !slices.Equal(m.Identities, []recipient.Identity{{Kind: "email", Value: "jo@customer.example", Type: opendsr.Email}}) || m.Tenant != "" || !m.Executed.Equal(now) || len(m.ID) != 36 {
		t.Errorf("told was %+v", m)
	}
	if len(w.Mail) != 1 {
		t.Fatalf("%d mails", len(w.Mail))
	}
	for _, c := range w.Mail {
		if c.To != "privacy@schranke.example" || !strings.Contains(c.Text, "email: jo@customer.example\n- customer_id: cust-9\n") || strings.Contains(c.Text, "user-77") ||
			!strings.Contains(c.Subject, "Artikel 19") || strings.Contains(c.Text, "%!") {
			t.Errorf("the mail says %q: %s", c.Subject, c.Text)
		}
	}
	// What is erased later goes to whoever was given that.
	if n, err := w.Tell(t.Context(), about("users", "orders"), w.Clock.Now()); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	told, err := recipient.List(t.Context(), w.Raw, w.Map, "r1")
	if err != nil || len(told) != 3 || told[1].Name != "Paketdienst" || told[1].Outcome != receipt.Acknowledged {
		t.Errorf("the person is told %+v, %v", told, err)
	}
	w.private()
}

// TestFoundLater: by what a later round found the recipients are told once more, of that alone; a receipt has one row each,
// as far as the least of his notices came.
func TestFoundLater(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), about("users", "orders")
	all := c.Identifiers
	c.Identifiers = all[:1] // the address alone: payments knows people by a number too, parcels by nothing else
	tell := func(want int) {
		t.Helper()
		if n, err := w.Tell(t.Context(), c, w.Clock.Now()); err != nil || n != want {
			t.Fatalf("%d notices, want %d: %v", n, want, err)
		}
	}
	tell(3)
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	first := w.rows()
	w.Pass(time.Hour)
	c.Identifiers = all
	tell(2)
	tell(0)
	if got := w.rows(); first != "mailer acknowledged, parcels pending, payments asked" || got != "mailer acknowledged, parcels pending, payments pending" {
		t.Errorf("first %s, then %s", first, got)
	}
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	later := 0
	for _, m := range w.Mail {
		if m.To == "privacy@schranke.example" && strings.Contains(m.Text, "cust-9") {
			later++
			if strings.Contains(m.Text, "jo@") {
				t.Errorf("told again: %s", m.Text)
			}
		}
	}
	if sent := w.sent["parcels"]; later != 1 || len(sent) != 1 || len(sent[0].Identities) != 1 || sent[0].Identities[0].Type != opendsr.ControllerCustomerID || len(w.sent["mailer"]) != 1 {
		t.Errorf("%d mails with the number, parcels had %+v, the mailer %d", later, sent, len(w.sent["mailer"]))
	}
	w.private()
	for range 2 {
		if err := w.Forget(t.Context(), "r1"); err != nil {
			t.Fatal(err)
		}
	}
	notices, err := w.Of(t.Context(), "r1")
	if err != nil || len(notices) != 5 {
		t.Fatal(len(notices), err)
	}
	for _, n := range notices {
		if len(n.Covers) > 0 {
			t.Error("what recognises the identifiers is kept of a request that is forgotten")
		}
	}
}

// TestAccount: of an account that closes the tenant's id is told, and nobody's.
func TestAccount(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), about("users", "orders")
	c.Account = true
	if _, err := w.Tell(t.Context(), c, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	for to, all := range w.sent {
		if len(all) != 1 || all[0].Tenant != "north" || len(all[0].Identities) != 0 {
			t.Errorf("%s was told %+v", to, all)
		}
	}
	w.private()
}

// TestNobodyKnown: a recipient who knows people by what nobody knows of her is a person's task.
func TestNobodyKnown(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), about("orders")
	c.Identifiers = c.Identifiers[:2]
	if _, err := w.Tell(t.Context(), c, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	notices, err := w.Of(t.Context(), "r1")
	if err != nil || len(notices) != 1 || !notices[0].Task || notices[0].Why != "no_identifier" || len(w.sent) != 0 || len(w.Mail) != 1 {
		t.Errorf("%+v, %v, %d mails", notices, err, len(w.Mail))
	}
}

// TestUnreachable: who cannot be reached is tried ever more rarely; then a person decides, and her word closes it.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer = recipient.Answer{Result: recipient.Later, Why: "busy"}
	if _, err := w.Tell(t.Context(), about("orders"), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	for range 16 * 24 {
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Hour)
	}
	if n := len(w.sent["parcels"]); n < 10 || n > 30 || w.rows() != "parcels pending" || len(w.Mail) != 1 {
		t.Errorf("%d attempts, %s, %d mails", n, w.rows(), len(w.Mail))
	}
	w.private()
	for _, c := range w.Mail {
		if !strings.Contains(c.Text, "customer_id: cust-9") || strings.Contains(c.Text, "jo@") || strings.Contains(c.Text, "%!") {
			t.Errorf("the task says %s", c.Text)
		}
	}
	w.Pass(recipient.TaskTime)
	if err := w.work(); err != nil || len(w.Mail) != 2 {
		t.Errorf("%v, %d mails", err, len(w.Mail))
	}
	id := func() string {
		notices, err := w.Of(t.Context(), "r1")
		if err != nil {
			t.Fatal(err)
		}
		return notices[0].ID
	}()
	dan, _ := w.Policy.PersonByID("dan")
	ada, _ := w.Policy.PersonByID("ada")
	if _, err := w.Settle(t.Context(), ada, id, receipt.Impossible, w.Clock.Now()); fault.CodeOf(err) != "role_missing" {
		t.Error(err)
	}
	for _, outcome := range []receipt.Told{receipt.Pending, receipt.Asked, "x"} {
		if _, err := w.Settle(t.Context(), dan, id, outcome, w.Clock.Now()); fault.CodeOf(err) != "state_conflict" {
			t.Error(outcome, err)
		}
	}
	for range 2 {
		if n, err := w.Settle(t.Context(), dan, id, receipt.Impossible, w.Clock.Now()); err != nil || n.State != receipt.Impossible {
			t.Error(n, err)
		}
	}
	kinds := map[record.Kind]int{}
	for _, r := range w.Order {
		kinds[r.Kind]++
	}
	if kinds[record.Finding] != 1 || kinds[record.Remediation] != 1 || kinds[record.DSR] != 1 {
		t.Errorf("records: %v", kinds)
	}
}

// TestMail: a mail that did not arrive for certain, or that nobody answers, is a person's task.
func TestMail(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(w *world, key string){
		"lost": func(w *world, key string) {
			for range 2 {
				if err := w.Answered(w.T.Context(), message.Answer{Key: key, State: message.StateUnknown}, w.Clock.Now()); err != nil {
					w.T.Error(err)
				}
			}
		},
		"no answer": func(w *world, key string) {
			if err := w.Answered(w.T.Context(), message.Answer{Key: key, State: message.StateAccepted}, w.Clock.Now()); err != nil {
				w.T.Error(err)
			}
			w.Pass(recipient.AnswerTime)
			if err := w.work(); err != nil {
				w.T.Error(err)
			}
		},
	} {
		w, c := newWorld(t), about("users")
		if _, err := w.Tell(t.Context(), c, w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		if err := w.work(); err != nil {
			t.Fatal(err)
		}
		for _, key := range slices.Collect(maps.Keys(w.Mail)) {
			after(w, key)
		}
		notices, err := w.Of(t.Context(), "r1")
		if err != nil || !notices[1].Task || notices[1].State != receipt.Asked || len(w.Mail) != 2 {
			t.Errorf("%s: %+v, %v, %d mails", name, notices, err, len(w.Mail))
		}
		for _, key := range []string{"dsr/x", "notice/none/1", "notice/../x", ""} {
			if err := w.Answered(t.Context(), message.Answer{Key: key, State: message.StateFailed}, w.Clock.Now()); err != nil {
				t.Errorf("%s, %q: %v", name, key, err)
			}
		}
	}
}

// TestDeaths: killed at every call, or at random ones again and again, each recipient is told, and nothing is left behind.
func TestDeaths(t *testing.T) {
	t.Parallel()
	life := func(w *world) error {
		_, err := w.Tell(t.Context(), about("users", "orders"), w.Clock.Now())
		return errors.Join(err, w.work())
	}
	finish := func(w *world, name string) {
		w.Left = -1
		for range 10 {
			if err := life(w); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := w.Box.Sweep(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			w.Pass(time.Hour)
		}
		if got := w.rows(); got != "mailer acknowledged, parcels acknowledged, payments asked" || len(w.Mail) != 1 {
			t.Errorf("%s: %s, %d mails", name, got, len(w.Mail))
		}
		for to, all := range w.sent {
			for _, m := range all {
				if m.ID != all[0].ID {
					t.Errorf("%s: %s was told of two requests", name, to)
				}
			}
		}
		w.private()
	}
	whole := newWorld(t)
	if err := life(whole); err != nil {
		t.Fatal(err)
	}
	every := max(1, 3/require.Seeds(1))
	for dies := 0; dies < whole.Calls; dies += every {
		w := newWorld(t)
		w.Left = dies
		_ = life(w)
		w.Pass(2 * time.Minute)
		finish(w, fmt.Sprint("dead at ", dies))
	}
	for seed := range require.Seeds(25) {
		w, r := newWorld(t), rand.New(rand.NewPCG(uint64(seed), 10))
		for range 5 {
			w.Left = r.IntN(whole.Calls)
			_ = life(w)
			w.Pass(time.Duration(r.IntN(3600)) * time.Second)
		}
		finish(w, fmt.Sprint("seed ", seed))
	}
}
