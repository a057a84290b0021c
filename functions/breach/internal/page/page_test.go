package page

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/web"
)

const hostile = `<script>alert("1")</script>`

// Everything a case can say of itself has words in every language.
func TestEveryWord(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	keys := []string{"state.suspected", "state.open", "state.handled", "state.not_a_breach", "subject.sa", "subject.persons", "subject.breach"}
	for _, row := range clock.Rows() {
		if !slices.Contains([]string{"gdpr_33_2", "contract", "gdpr_33_1_downstream"}, row.ID) { // named by their tenant
			keys = append(keys, "clock."+row.ID)
		}
		keys = append(keys, "bound."+string(row.Binding))
	}
	for _, step := range cases.Defaults(time.UTC, "FR").Ladder {
		keys = append(keys, "step."+step.ID)
	}
	for _, k := range notice.Kinds() {
		keys = append(keys, "kind."+string(k), "kind."+string(k)+".what")
		for _, name := range notice.Written(k) {
			keys = append(keys, "var."+name, "var."+name+".how")
			if at := law(k, name); at != "" {
				keys = append(keys, at)
			}
		}
	}
	for _, state := range notice.States() {
		keys = append(keys, "notice."+string(state))
	}
	for _, p := range []notice.Progress{notice.Going, notice.Arrived, notice.Lost, notice.Doubtful} {
		keys = append(keys, "delivery."+string(p))
	}
	for _, word := range []string{string(drill.Exercise), string(drill.Channels), string(drill.Running), string(drill.Passed), string(drill.Failed), string(drill.Unread)} {
		keys = append(keys, "drill."+word)
	}
	for _, reached := range []drill.Reached{drill.Sent, drill.Accepted, drill.Confirmed, drill.Lost} {
		keys = append(keys, "drill.reached."+string(reached))
	}
	for _, step := range []string{drill.Ack, drill.Approve, drill.Deliver} {
		keys = append(keys, "drill.step."+step)
	}
	keys = append(keys, scoreKeys()...)
	for _, lang := range shell.Languages {
		for _, key := range keys {
			if s.Text(lang, key) == "" {
				t.Errorf("%q has no text in %s", key, lang)
			}
		}
	}
}

// scoreKeys are the texts of what a score is made of, and of what comes of it.
func scoreKeys() (keys []string) {
	in := inputs()
	for _, parts := range [][]Part{in.Classes, in.Identifiers, in.Circumstances, {{Label: in.Raised.Label}}} {
		for _, p := range parts {
			keys = append(keys, p.Label)
			if p.Holds != "" {
				keys = append(keys, p.Holds)
			}
			for _, v := range p.Values {
				keys = append(keys, v.Label)
			}
		}
	}
	for _, f := range in.Facts {
		keys = append(keys, f.Label, inputKey("facts."+f.Value))
	}
	all, _ := severity.Facts()
	for _, people := range []int64{1, 200, 5000} {
		worst := severity.Input{DPC: map[severity.Class]severity.Rating{severity.Sensitive: {Value: 16}}, EI: map[string]severity.Quarters{"id_number": 4},
			CB: severity.Circumstance{Confidentiality: 2, Integrity: 2, Availability: 2, Malicious: 2}, People: &people,
			Facts: slices.DeleteFunc(slices.Clone(all), func(f string) bool { return f == "trusted_recipient" })}
		for _, score := range []severity.Score{severity.Of(worst), severity.Of(scored)} {
			keys = append(keys, "level."+string(score.Level))
			for _, one := range score.Triggers {
				keys = append(keys, "trigger."+one.ID, "asks."+one.Asks)
			}
			for _, one := range score.Flips {
				keys = append(keys, inputKey(one.Input))
			}
			for _, one := range score.Closest.Differs {
				keys = append(keys, inputKey(one))
			}
			for _, one := range score.Flags {
				keys = append(keys, "flag."+string(one))
			}
		}
	}
	return keys
}

// Each language says what the others say, with the same blanks to fill, in the same order.
func TestBlanks(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	for _, key := range []string{"time.in", "by.two", "next.agree.yes", "next.agree_tenants.no", "picture.says", "picture.soonest", "moving.what", "tenants.so", "then", "score.formula", "notice.far", "ack.called", "clock.more", "file.at"} {
		for _, lang := range shell.Languages {
			if got, want := blanks(s.Text(lang, key)), blanks(s.Text("en", key)); got != want || got == "" {
				t.Errorf("%s in %s fills in %q, in en %q", key, lang, got, want)
			}
		}
	}
}

func blanks(text string) (all string) {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '%' {
			all += text[i : i+2]
		}
	}
	return all
}

// What anybody typed shows as text and nothing else, on every page and in every language; and every page is whole.
func TestHostile(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	for _, lang := range shell.Languages {
		for name, data := range everyPage(t, s, lang) {
			text := rendered(t, s, strings.TrimRight(name, "0123456789"), lang, data)
			if strings.Contains(text, hostile) || !strings.Contains(text, "alert(") {
				t.Errorf("%s in %s: what was typed is not shown as text", name, lang)
			}
			for _, broken := range []string{"%!", "ZgotmplZ", "<no value>", "style=", "onclick"} {
				if at := strings.Index(text, broken); at >= 0 {
					t.Errorf("%s in %s: %s", name, lang, text[max(0, at-80):at+20])
				}
			}
		}
	}
}

// everyPage is every page with as much on it as there can be, all of it typed by somebody who means no good.
func everyPage(t *testing.T, s *shell.Shell, lang string) map[string]any {
	sc := declared(t, s, true, true, "own", "banque-du-port", "klinik-am-see", "cabinet-nord")
	sc.c.Texts[0] = hostile
	sc.does("omkar", 0, cases.Event{What: cases.Ack, Step: "oncall"})
	sc.does("simone", 0, cases.Event{What: cases.Rate, Input: scored, Text: sc.text(hostile)})
	sc.does("simone", 0, cases.Event{What: cases.Answer, Subject: cases.SA, Yes: true, Text: sc.text(hostile)})
	sc.does("stefan", 0, cases.Event{What: cases.Answer, Subject: cases.SA, Yes: true})
	sc.does("stefan", 0, cases.Event{What: cases.Answer, Subject: cases.Persons, Text: sc.text(hostile)})
	sc.does("stefan", 0, cases.Event{What: cases.Answer, Subject: "klinik-am-see", Text: sc.text(hostile)})
	sc.does("simone", 0, cases.Event{What: cases.File, Clock: "gdpr_33_1", At: start, Text: sc.text(hostile), Late: sc.text(hostile)})
	sc.does("simone", 0, cases.Event{What: cases.Promise, Name: hostile, At: start.Add(time.Hour)})
	sc.does("simone", 0, cases.Event{What: cases.MoveAware, At: start, Text: sc.text(hostile)})
	r := reader(t, s, "dorothea", lang, 2*time.Hour)
	sc.r = r
	trouble := &staffed.Trouble{Code: "x", Detail: hostile, Next: hostile}
	full := r.NewCase(sc.c)
	full.Form = Form{Deed: "file", Field: "late", Problem: trouble, Values: url.Values{"reference": {hostile}, "late": {hostile}, "at": {hostile}}}
	full.Portals, full.MayNotice = []Portal{{hostile, "https://x.example"}}, true
	scoring := r.NewCase(sc.c)
	scoring.Form = Form{Deed: "score", Field: "dpc.simple.reason", Problem: trouble, Values: url.Values{"dpc.simple.reason": {hostile}, "people": {hostile}}}
	suspected := declared(t, s, false, false)
	suspected.c.Texts[0] = hostile
	closed := declared(t, s, true, false, "banque-du-port")
	closed.c.Texts[0], closed.c.State, closed.c.Ending, closed.c.Closed = hostile, cases.Closed, cases.Handled, start
	declare := r.NewDeclare(hostile)
	declare.Drill, declare.Named, declare.Form = hostile, hostile, Form{Deed: "declare", Field: "from", Problem: trouble, Values: url.Values{"summary": {hostile}, "from": {hostile}, "affected": {hostile}}}
	list := r.NewList([]cases.Case{sc.c.Case, closed.c.Case, suspected.c.Case}, func(cases.Case) bool { return true })
	list.Open[0].Concerns = hostile
	draft := r.NewDraft(sc.c, notice.Initial, nil, hostile)
	o, all := opened(sc.c.ID, notice.Drafted)
	drafted := r.NewNotice(sc.c, o, all, 0)
	drafted.Form = Form{Deed: "break", Field: "reason", Problem: trouble, Values: url.Values{"reason": {hostile}}}
	o, all = opened(sc.c.ID, notice.Sent)
	o.Glass, o.Approver, o.Agreed, o.Unknown = true, "stefan", start, 1
	sent := r.NewNotice(sc.c, o, all, 1)
	sent.Deliveries = []Delivery{r.NewDelivery(notice.Delivery{ID: hostile, Tenant: hostile, Progress: notice.Doubtful, Settler: hostile, Settled: start, Tries: []notice.Try{{Channel: hostile, State: message.State(hostile), Why: hostile, At: start}}})}
	drills := r.NewDrills([]drill.Drill{{ID: hostile, Kind: drill.Exercise, State: drill.Running, Begun: start, Number: "ex12345678", Steps: []drill.Step{{Name: drill.Ack, Limit: time.Hour}}},
		{ID: "b", Kind: drill.Channels, State: drill.Running, Begun: start, Tries: []drill.Try{{Channel: hostile, Key: "k", Reached: drill.Lost, Why: hostile, At: start}}}})
	return map[string]any{"drills": drills, "case": full, "case2": scoring, "case3": r.NewCase(suspected.c), "case4": r.NewCase(closed.c), "declare": declare, "list": list, "draft": draft, "notice": drafted, "notice2": sent}
}

// opened is a notice in a state, with what goes to two recipients.
func opened(id string, state notice.State) (o notice.Opened, all []notice.Message) {
	texts := map[string]string{}
	for _, name := range notice.Written(notice.Initial) {
		texts[name] = hostile
	}
	texts["open"] = notice.NotKnown
	o.Notice = notice.Notice{Case: id, N: 1, Kind: notice.Initial, State: state, Version: 1, Author: "simone", Authors: []string{"simone"}, Written: start, Hash: "abc", To: 2}
	o.Draft, o.Tenants, o.Now, o.Reason = notice.Draft{Kind: notice.Initial, Texts: map[string]map[string]string{"fr": texts}}, []string{"banque-du-port"}, "def", hostile
	for _, name := range []string{hostile, "Klinik"} {
		all = append(all, notice.Message{Recipient: notice.Recipient{Name: name, Language: "fr"}, Content: message.Content{To: hostile, Subject: hostile, Text: hostile}, Short: hostile})
	}
	return o, all
}

// A score that is sent again begins where the last one ended.
func TestScoreForm(t *testing.T) {
	t.Parallel()
	people := int64(1200)
	in := severity.Input{
		DPC: map[severity.Class]severity.Rating{severity.Simple: {Value: 8, Reason: "whole address books"}, severity.Financial: {Value: 12}}, EI: map[string]severity.Quarters{"full_name": 2, "email": 3},
		Raised: &severity.Rating{Value: 4, Reason: "together: one of one"}, CB: severity.Circumstance{Confidentiality: 1, Malicious: 2}, People: &people, Unintelligible: true, Facts: []string{"bank_data"},
	}
	if err := in.Check(); err != nil {
		t.Fatal(err)
	}
	if got := ReadInputs(was(in, "simple: whole address books\nei: together: one of one\n")); !reflect.DeepEqual(got, in) {
		t.Errorf("read back as %+v", got)
	}
	for text, field := range map[string]string{
		"simple=3": "dpc.simple.reason", "simple=2.5": "dpc.simple", "": "dpc.simple", "people=many": "people", "cb.integrity=9": "cb.integrity",
	} {
		form := was(in, "simple: whole address books\n")
		switch name, value, _ := strings.Cut(text, "="); name {
		case "":
			form.Del("dpc.simple")
			form.Del("dpc.financial")
		case "simple":
			form.Set("dpc.simple", value)
			form.Del("dpc.simple.reason")
		default:
			form.Set(name, value)
		}
		form.Del("ei_raised")
		err := ReadInputs(form).Check()
		if err == nil {
			t.Fatalf("%q is taken", text)
		}
		if got := InputField(web.ProblemOf(err).Detail); got != field {
			t.Errorf("%q: the mistake is shown at %q: %v", text, got, err)
		}
	}
}

// A draft goes through its form unchanged, and what was wrong with it is shown at its field.
func TestDraftForm(t *testing.T) {
	t.Parallel()
	d := notice.Draft{Kind: notice.Initial, Texts: map[string]map[string]string{"fr": {"nature": "Une exportation.", "open": notice.NotKnown}, "de": {"nature": "Ein Export."}},
		Tenants: map[string]map[string]map[string]string{"banque-du-port": {"fr": {"subjects": "environ 200"}}}}
	form := written(d, []string{"banque-du-port", "klinik-am-see"})
	form.Set("kind", string(notice.Initial))
	form.Set("fr.open", " Inconnu ") // as people say it
	form.Set("de.measures", " \r\n")
	got, tenants := ReadDraft(form)
	if !reflect.DeepEqual(got, d) || !slices.Equal(tenants, []string{"banque-du-port", "klinik-am-see"}) {
		t.Errorf("read back as %+v for %v", got, tenants)
	}
	for detail, want := range map[string]string{
		"In fr, nature holds a link.": "fr.nature", "In de nobody wrote: measures, open.": "de.measures", "Something else.": "",
	} {
		if got := DraftField(detail); got != want {
			t.Errorf("%q is shown at %q", detail, got)
		}
	}
}

// What package notice finds wrong with a text is said in the reader's language, each in words of its own.
func TestLint(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	r := reader(t, s, "dorothea", "de", 0)
	for text, want := range map[string]string{
		"a\x00b": "unsichtbares Zeichen", "see https://x.example": "einen Link", "write to a@b.example": "Adresse einer Person", "on db1.internal": "unserer Maschinen", "on 10.1.2.3": "Adresse einer Maschine",
		"there is no risk": "beurteilt das Risiko",
	} {
		why := notice.Lint(notice.Initial, "nature", text, "")
		if got := r.Lint("In fr, nature " + why + "."); !strings.Contains(got, want) || !strings.HasPrefix(got, "Französisch, „Was passiert ist“: ") {
			t.Errorf("%q is said as %q", why, got)
		}
	}
	if got := r.Lint("In de nobody wrote: measures, open."); got != "Deutsch: Niemand schrieb „Was wir getan haben und tun; Was wir noch nicht wissen“." {
		t.Errorf("what is missing is said as %q", got)
	}
	for _, other := range []string{"In fr, nature sings.", "The notice is too long: what is written for single tenants counts with it."} {
		if got := r.Lint(other); got != other {
			t.Errorf("%q becomes %q", other, got)
		}
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"k7wq2m5x": "K7WQ-2M5X", "exk7wq2m5x": "EX-K7WQ-2M5X", "": ""} {
		if got := Group(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}

// What was typed is kept, and a refusal stands at its own form alone.
func TestForm(t *testing.T) {
	t.Parallel()
	f := Form{Deed: "aware", Field: "at", Problem: &staffed.Trouble{Code: TimeTwice}, Values: url.Values{"at": {"x"}, "tenant": {"a", "b"}}}
	for what, ok := range map[string]bool{
		"typed": f.Or("at", "y") == "x" && f.Get("at") == "x", "left empty": f.Or("reason", "y") == "", "ticked": f.Has("tenant", "b") && !f.Has("tenant", "c"), "its own": f.Of("aware").Open(), "another's": !f.Of("file").Open() && f.Of("file").Or("at", "y") == "y",
		"wrong": f.Wrong("at") && !f.Wrong("reason"), "twice": f.Type("at", "datetime-local") == "text" && f.Type("by", "datetime-local") == "datetime-local", "anchor": f.Anchor() == "aware-at",
	} {
		if !ok {
			t.Errorf("%s: %s", what, fmt.Sprint(f))
		}
	}
}
