package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store"
)

// The canaries: whatever of a person goes in.
var canaries = []string{"canary.person@customer.example", "Canary.Person@customer.example", "canary-uid-7", "canary-words", "canary-mandate", "canary-elsewhere@mail.example", "canary-citation"}

// bare returns the first canary that a text holds, in any case.
func bare(text string) string {
	for _, one := range canaries {
		if strings.Contains(strings.ToLower(text), strings.ToLower(one)) {
			return one
		}
	}
	return ""
}

// leaky is a directory whose error says too much.
type leaky struct{ *world }

func (l leaky) OnFile(ctx context.Context, tenant, email string) (bool, string, error) {
	if l.onFile["down"] != "" {
		return false, "", fmt.Errorf("no row for %s in %s", email, tenant)
	}
	return l.world.OnFile(ctx, tenant, email)
}

// dump is every document of the store as JSON.
func (w *world) dump() string {
	w.T.Helper()
	var b strings.Builder
	for _, c := range Collection() {
		docs, err := w.Raw.Query(context.Background(), store.Query{Collection: c.Name, Limit: store.MaxQueryResults})
		w.must(err)
		for _, d := range docs {
			var raw json.RawMessage
			w.must(d.Decode(&raw))
			fmt.Fprintln(&b, c.Name, d.ID, string(raw))
		}
	}
	return b.String()
}

// Nothing personal stands in records, logs, messages, their keys and attributes, errors or the store, in any path of a
// request; and after the close not even sealed. What staff cites stands in the store and in letters alone.
func TestCanary(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.build(func(c *Config) { c.Directory = leaky{w} })
	var said strings.Builder
	note := func(err error) {
		if err == nil {
			return
		}
		fmt.Fprintln(&said, err)
		if e, is := errors.AsType[*fault.Error](err); is {
			fmt.Fprintln(&said, e.Detail, e.Next, e.Code)
		}
	}
	given, onFile := canaries[0], canaries[1]
	w.known("acme", onFile)

	// On the page, with everything that can go wrong.
	for _, bad := range []Ask{{Tenant: "acme", Email: given + "\n"}, {Tenant: given, Email: given}, {Tenant: "acme", Email: given, UID: "canary-uid-7"},
		{Tenant: "zeta", Email: given, Session: &Session{UID: "canary-uid-7", Email: given, Tenant: "acme", Role: Subject}}, {Tenant: "acme", Email: given + ",x"}, {Tenant: "acme", Email: given, Kind: Kind(given)}} {
		_, err := w.Ask(ctx, bad, w.now())
		note(err)
	}
	r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: given, Mandate: "canary-mandate", Source: "canary-words"}, w.now())
	w.must(err)
	w.onFile["down"] = "yes"
	note(w.Identify(ctx, r.ID, w.now()))
	delete(w.onFile, "down")
	w.must(w.Identify(ctx, r.ID, w.now()))
	_, err = w.Confirm(ctx, given, given, w.now())
	note(err)
	_, err = w.Status(ctx, r.Number, given, w.now())
	note(err)
	_, err = w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	h := Hold{Entry: "invoices", Ground: Statute, Citation: "canary-citation", Until: calendar.Day{Year: 2026, Month: 3, Day: 10}}
	for _, who := range []string{"dan", "dora"} {
		_, err = w.Hold(ctx, r.ID, w.person(who), h, w.now())
		w.must(err)
	}
	_, err = w.Hold(ctx, r.ID, w.person("dan"), Hold{Entry: given}, w.now())
	note(err)
	w.planned(r.ID, Plan{Digest: "d", Items: 3, Own: true, Theirs: true})
	_, err = w.Approve(ctx, r.ID, w.person("dan"), given, w.now())
	note(err)
	w.erased(r.ID, Outcome{Kept: []Kept{{Entry: "invoices", Items: 1, Ground: Statute, Citation: "canary-citation", Until: h.Until}}})
	note(w.Answered(ctx, message.Answer{Key: "dsr/" + given + "/link/1", State: message.StateFailed}, w.now()))

	// At the desk, given up; and a controller's, taken back.
	entered, err := w.Enter(ctx, w.person("dan"), Entry{Tenant: "acme", Raw: []byte("From: <canary-elsewhere@mail.example>\nDate: Mon, 02 Mar 2026 08:00:00 +0000\nSubject: canary-words\n\ncanary-words\n")}, w.now())
	w.must(err)
	_, err = w.Enter(ctx, w.person("dan"), Entry{Tenant: "acme", Channel: Mail, Raw: []byte("canary-words")}, w.now())
	note(err)
	_, err = w.GiveUp(ctx, entered.ID, w.person("dora"), w.now())
	w.must(err)
	in := Instruction{Tenant: "acme", ID: "canary-uid-7", Digest: "canary-words", Submitted: w.now(), Identifiers: []Identifier{{Kind: "uid", Value: "canary-uid-7"}, {Kind: "email", Value: given}}}
	in.ID = "i1"
	instructed, err := w.Instruct(ctx, in, w.now())
	w.must(err)
	in.Digest = "other"
	_, err = w.Instruct(ctx, in, w.now())
	note(err)
	_, err = w.Countermand(ctx, "acme", "i1", w.now())
	w.must(err)
	_, err = w.Instructed(ctx, "acme", given)
	note(err)

	if found := bare(strings.ReplaceAll(w.dump(), "canary-citation", "")); found != "" {
		t.Errorf("the store holds %q in clear", found)
	}
	// To the end of the first request: the hold is over, everything is erased and searched for.
	w.must(w.Clock.Set(h.Until.End(w.Rules.Zone)))
	w.must(w.Tick(ctx, w.now()))
	w.planned(r.ID, plan())
	at := w.now()
	w.erased(r.ID, Outcome{})
	for i, after := range Passes()[1:] {
		w.must(w.Clock.Set(at.Add(after)))
		_, err := w.Verified(ctx, r.ID, w.read(r.ID).Round, i+2, Outcome{}, w.now())
		w.must(err)
	}
	for _, id := range []string{r.ID, entered.ID, instructed.ID} {
		w.owed(id)
	}
	w.to(100 * 24 * time.Hour)
	w.must(w.Tick(ctx, w.now()))
	for _, id := range []string{r.ID, entered.ID, instructed.ID} {
		if got := w.read(id); got.Closed.IsZero() || got.Private != nil || len(got.Marks) > 0 || len(got.Holds) > 0 {
			t.Errorf("%+v", got)
		}
	}
	for _, c := range []string{claims} {
		if docs, err := w.Raw.Query(ctx, store.Query{Collection: c, Limit: 10}); err != nil || len(docs) > 0 {
			t.Errorf("%d documents of %s stay, %v", len(docs), c, err)
		}
	}
	for what, text := range map[string]string{"records, messages or the log": w.Leaked.String(), "errors": said.String(), "the store": w.dump()} {
		if found := bare(text); found != "" {
			t.Errorf("%s hold %q:\n%s", what, found, text)
		}
	}
	if strings.Count(said.String(), "\n") < 20 || len(w.Order) < 20 || len(w.Mail) < 6 {
		t.Errorf("too little happened: %d records, %d letters", len(w.Order), len(w.Mail))
	}
	cited := 0
	for _, m := range w.Mail {
		if strings.Contains(m.Text, "canary-citation") {
			cited++
		}
	}
	if cited != 1 {
		t.Errorf("%d letters cite", cited)
	}
}

// A request that is not written well tells nobody what was in it.
func TestUnknownsLookAlike(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.ask("mia@customer.example")
	for name, call := range map[string]func() error{
		"a wrong secret":          func() error { _, err := w.Status(ctx, r.Number, "wrong", w.now()); return err },
		"no secret":               func() error { _, err := w.Status(ctx, r.Number, "", w.now()); return err },
		"a wrong number":          func() error { _, err := w.Status(ctx, "abcdefghjkmn", r.Secret, w.now()); return err },
		"no number":               func() error { _, err := w.Status(ctx, "", r.Secret, w.now()); return err },
		"an id for a number":      func() error { _, err := w.Status(ctx, r.ID, r.Secret, w.now()); return err },
		"a path for an id":        func() error { _, err := w.Work(ctx, "../x", w.now()); return err },
		"another one's to cancel": func() error { _, err := w.Cancel(ctx, r.Number, "wrong", w.now()); return err },
		"an instruction's secret": func() error {
			in, err := w.Instruct(ctx, Instruction{Tenant: "acme", ID: "i", Digest: "d", Submitted: w.now(), Identifiers: []Identifier{{Kind: "uid", Value: "u1"}}}, w.now())
			w.must(err)
			_, err = w.Status(ctx, in.Number, "", w.now())
			return err
		},
	} {
		if err := call(); code(err) != "request_unknown" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
