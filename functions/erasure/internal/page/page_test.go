package page

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/erasure/request"
)

// shown renders a page in a language.
func shown(t *testing.T, s *shell.Shell, name, lang, title string, data any) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Render(w, httptest.NewRequest("GET", "/x/", nil), 200, name, shell.View{Lang: lang, Title: title, Form: "token", Name: "Ada Lovelace", Data: data}); err != nil {
		t.Fatalf("%s in %s: %v", name, lang, err)
	}
	return w.Body.String()
}

const hostile = `<script>alert("1")</script>`

// Every state of a request has its words and its way in every language, and the way fits what the state says.
func TestEveryState(t *testing.T) {
	t.Parallel()
	s, desk := NewAsk("requesterasure"), NewDesk("decideerasure")
	told := Told{func(at time.Time) string { return at.Format(time.DateOnly) }}
	start := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	for _, state := range request.States() {
		v := request.View{State: state, Received: start, Proved: start.Add(time.Hour), Executed: start.Add(2 * time.Hour)}
		if state == request.Completed || state == request.Retained || state == request.Verifying {
			v.Executed, v.Ran, v.Passed, v.Next = start.Add(2*time.Hour), start.Add(2*time.Hour), 2, start.Add(26*time.Hour)
		}
		steps := NewSteps(v, told)
		now := 0
		for i, step := range steps {
			if step.State == Now {
				now++
			}
			if i > 0 && step.State == Behind && steps[i-1].State != Behind {
				t.Errorf("%s: %s is done and the step before it is not", state, step.Name)
			}
			if step.State != Behind && step.When != "" {
				t.Errorf("%s: %s is not done and has a day", state, step.Name)
			}
			if over(state) && step.State == Ahead {
				t.Errorf("%s: %s is said to come", state, step.Name)
			}
		}
		if want := 1; over(state) && now != 0 || !over(state) && now != want {
			t.Errorf("%s: %d steps are under way", state, now)
		}
		for _, lang := range shell.Languages {
			key := "state." + string(state)
			if s.Text(lang, key) == "" || desk.Text(lang, key) == "" {
				t.Errorf("%s has no text in %s", key, lang)
			}
			for _, step := range append(steps, steps[len(steps)-1].Below...) {
				if s.Text(lang, step.Name) == "" || s.Text(lang, step.Word) == "" {
					t.Errorf("%s: %s has no words in %s", state, step.Name, lang)
				}
			}
		}
	}
	v := request.View{State: request.Completed, Received: start, Proved: start, Executed: start, Ran: start, Passed: len(request.Passes())}
	for _, step := range NewSteps(v, told) {
		if step.State != Behind {
			t.Errorf("after the last search %s is %s", step.Name, step.State)
		}
	}
}

// What anybody typed shows as text and nothing else, on every page and in every language.
func TestHostile(t *testing.T) {
	t.Parallel()
	trouble := &staffed.Trouble{Code: "x", Detail: hostile, Next: hostile}
	pages := map[string]any{
		"ask":   Ask{Company: hostile, Problem: trouble, Email: hostile, Tenant: hostile, Kind: hostile, Language: hostile},
		"proof": Proof{Company: hostile, Problem: trouble, Number: hostile, Code: hostile, Confirming: true},
		"sent":  Sent{Number: hostile},
		"state": Follow{Problem: trouble, Number: hostile, Code: hostile, State: "state.partial", Said: "said.partial", Ground: hostile, Due: hostile, First: hostile, Remedies: hostile,
			Kept: []Kept{{What: hostile, Why: hostile, Until: hostile}}, Backups: []Backup{{hostile, hostile}}, Recipients: []Recipient{{hostile, "told.asked", hostile}}, MayCancel: true, Signed: true, Proving: true,
			Steps: []Step{{Name: "step.erased", State: Now, Word: "progress.now", When: hostile, Below: []Step{{Name: "search.0", State: Ahead, Word: "progress.wait"}}}}},
	}
	item := Item{ID: "abc", Number: hostile, State: "state.partial", Kind: "kind.account", Tenant: hostile, Due: hostile, Came: hostile, Overdue: true, Wants: []string{"want.open"}, Second: true, Late: true, Reopened: true}
	hold := &Hold{ID: hostile, Entry: hostile, Fields: hostile, Ground: hostile, Until: hostile, By: hostile, Second: hostile}
	desk := map[string]any{
		"desk":  Desk{Heading: "show.open", State: "partial", States: []Choice{{"partial", "state.partial"}}, Next: "/x", Items: []Item{item}, Shows: []Show{{Value: "open", Label: "show.open", Chosen: true}}},
		"enter": Enter{Problem: trouble, Tenants: []Choice{{hostile, hostile}}, Form: map[string]string{"text": hostile, "email": hostile, "reply": hostile, "mandate": hostile, "received": hostile}},
		"parties": Parties{Problem: trouble, Connections: []Task{{ID: hostile, Name: hostile, Where: "https://accounts.example/", Why: hostile, Due: hostile, Late: true, Action: "connection",
			Outcomes: []Choice{{"revoked", "outcome.revoked"}}}}, Notices: []Task{{ID: hostile, Name: hostile, Due: hostile, Waits: true, Action: "notice", Outcomes: []Choice{{"impossible", "outcome.impossible"}}}}},
		"file": File{Item: item, Problem: trouble, Clocks: []Clock{{Name: "clock.due", Day: hostile, Over: true}}, Warning: hostile, Channel: "channel.mail", Who: "who.agent", Proof: "proof.link", Proved: hostile,
			Given: []Given{{hostile, hostile, true}}, Reply: hostile, Mandate: hostile, Text: hostile, Gone: true, Language: hostile, Why: "why.other", Doubts: []string{"doubt.other"}, Lost: []string{hostile},
			Plan:     &Plan{Digest: hostile, Rows: []Row{{Entry: hostile, Ground: hostile, Until: hostile, Why: "open.other", Held: 1, Other: 2}}, Share: 30, Missing: 2, Theirs: true},
			Progress: &Progressed{Phase: "progress.planning", Bar: "progress.bar.planning", Done: 1, Of: 3}, Totals: &Totals{Next: hostile}, Open: []Opened{{Entry: hostile, Why: "open.review", Review: 3}, {Entry: "x", Why: "open.review", Seen: true}, {Entry: hostile, Why: "open.region", Asks: "region", What: "region.what", Go: "region.go"}},
			Answered: []Answered{{Entry: hostile, By: hostile, At: hostile, Said: "answered.region", Reference: hostile}}, Holds: []Hold{*hold},
			Proposed: &Proposed{What: "proposed.hold", By: hostile, At: hostile, Hold: hold, Fields: map[string]string{"entry": hostile}, Action: "hold"}, Refusal: &Ground{hostile, hostile, hostile},
			Extended: "extend.number", Linked: []Link{{"def", hostile}}, Of: []Link{{"ghi", hostile}}, Decided: hostile, Entries: []Choice{{hostile, hostile}}, Holding: []Choice{{hostile, hostile}}, Refusing: []Choice{{hostile, hostile}},
			Form: map[string]string{"deed": "hold", "entry": hostile, "reference": hostile, "fields": hostile, "citation": hostile, "until": hostile}, Least: hostile,
			May: May{Approve: true, Hold: true, Reject: true, Extend: true, Exported: true, Settle: true, Resume: true, GiveUp: true, Review: true}},
	}
	for _, lang := range shell.Languages {
		for name, data := range pages {
			clean(t, name+" "+lang, shown(t, NewAsk("requesterasure"), name, lang, "ask.title", data))
		}
		for name, data := range desk {
			clean(t, name+" "+lang, shown(t, NewDesk("decideerasure"), name, lang, "desk.title", data))
		}
	}
}

func clean(t *testing.T, name, text string) {
	t.Helper()
	if strings.Contains(text, hostile) || !strings.Contains(text, "alert(") {
		t.Errorf("%s: what was typed is not shown as text", name)
	}
	for _, broken := range []string{"%!", "ZgotmplZ", "<no value>"} {
		if at := strings.Index(text, broken); at >= 0 {
			t.Errorf("%s: %s", name, text[max(0, at-80):at+20])
		}
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "abc": "abc", "abcd": "abcd", "abcdefghjkm": "abcd-efgh-jkm"} {
		if got := Group(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}

// Two who decide alike read alike: each language says what the others say, with the same blanks to fill.
func TestBlanks(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*shell.Shell{"ask": NewAsk("requesterasure"), "desk": NewDesk("decideerasure")} {
		for _, key := range []string{"until", "due", "overdue", "soon", "came", "by.two", "plan.share", "state.due", "state.erased", "backups.by", "kept.until", "progress.bar", "reviewed.go"} {
			want := blanks(s.Text("en", key))
			for _, lang := range shell.Languages {
				if got := blanks(s.Text(lang, key)); got != want {
					t.Errorf("%s %s in %s fills in %s, in en %s", name, key, lang, got, want)
				}
			}
		}
	}
}

func blanks(text string) string {
	return fmt.Sprint(strings.Count(text, "%s"), strings.Count(text, "%d"), strings.Count(text, "%%"))
}
