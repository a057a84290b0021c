package acceptdrift

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

// api is the table of the JSON interface.
func (a *acceptdrift) api() []web.Route {
	program := staffed.Routes{Guard: a.staff}.Program
	route := func(method, path, summary string, body, answer any, more []string, handle staffed.Handler) web.Route {
		return program(method, path, summary, body, map[int]any{http.StatusOK: answer}, more, handle)
	}
	return []web.Route{
		route("GET", "/v1/findings", "List findings: ?state=open (left out: everything that is out of order), gravest first, at most 200; ?after= goes on.", nil, Findings{},
			[]string{"role_missing", "state_unknown", "after_invalid"}, looking(a.list)),
		route("GET", "/v1/findings/{id}", "One finding, with what happened to it.", nil, Finding{}, []string{"role_missing", "finding_unknown"}, looking(a.get)),
		route("GET", "/v1/status", "How much is known of what there is and of what Terraform wants, how old it is, and what nobody can tell.", nil, Status{}, []string{"role_missing"}, looking(a.status)),
		route("POST", "/v1/findings/{id}/accept", "Accept the value for a while; what is high or critical waits for a second person, who does the same.", Accept{}, Finding{},
			[]string{"role_missing", "not_allowed", "finding_unknown", "own_change", "same_person", "state_conflict", "value_changed", "until_invalid", "reason_missing", "reason_invalid", "ticket_invalid"}, looking(a.accept)),
		route("POST", "/v1/findings/{id}/revoke", "Take an acceptance back, or a proposal.", nil, Finding{}, []string{"role_missing", "not_allowed", "finding_unknown"}, looking(a.revoke)),
	}
}

// pageSize is how many findings one answer holds.
const pageSize = 200

func (a *acceptdrift) list(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	states := []finding.State{finding.Open, finding.Settling, finding.Accepted}
	if asked := r.URL.Query().Get("state"); asked != "" {
		if !slices.Contains(finding.States(), finding.State(asked)) {
			return fault.Refuse(fault.Invalid, "state_unknown", "There is no such state.", "Allowed: settling, open, accepted, healed, dropped.")
		}
		states = []finding.State{finding.State(asked)}
	}
	state, after, err := place(r.URL.Query().Get("after"), states)
	if err != nil {
		return err
	}
	out := Findings{Findings: []Finding{}}
	for i := slices.Index(states, state); i < len(states); i, after = i+1, nil {
		page, next, err := a.Findings.List(r.Context(), states[i], after, pageSize-len(out.Findings))
		if err != nil {
			return err
		}
		for _, f := range page {
			out.Findings = append(out.Findings, a.described(r, f))
		}
		if next != nil {
			out.Next = string(states[i]) + "." + strconv.FormatInt(next.Value.(int64), 10) + "." + next.ID
			break
		}
		if len(out.Findings) == pageSize && i+1 < len(states) {
			out.Next = string(states[i+1]) + "."
			break
		}
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

// place reads where a list goes on: a state, and behind which finding of it.
func place(text string, states []finding.State) (finding.State, *store.Cursor, error) {
	if text == "" {
		return states[0], nil, nil
	}
	refused := fault.Refuse(fault.Invalid, "after_invalid", "This is no place in the list.", "Give back what the last page said under next, with the same state.")
	state, rest, _ := strings.Cut(text, ".")
	if !slices.Contains(states, finding.State(state)) {
		return "", nil, refused
	}
	if rest == "" {
		return finding.State(state), nil, nil
	}
	rank, id, found := strings.Cut(rest, ".")
	value, err := strconv.ParseInt(rank, 10, 64)
	if err != nil || !found || !finding.IsID(id) {
		return "", nil, refused
	}
	return finding.State(state), &store.Cursor{Value: value, ID: id}, nil
}

func (a *acceptdrift) get(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	f, err := a.Findings.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	steps, err := a.Findings.History(r.Context(), f.ID)
	if err != nil {
		return err
	}
	told := a.described(r, f)
	for _, s := range steps {
		told.Steps = append(told.Steps, Step{At: s.At, What: string(s.What), By: s.By, Words: s.Words, Ticket: s.Ticket, Until: s.Until})
	}
	return web.WriteJSON(w, http.StatusOK, told)
}

func (a *acceptdrift) accept(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Accept](w, r)
	if err != nil {
		return err
	}
	wish := finding.Wish{Reason: body.Reason, Ticket: body.Ticket, Until: body.Until}
	if body.Got != nil {
		wish.Got = *body.Got
	} else if wish.Got, err = a.now(r.Context(), who, r.PathValue("id")); err != nil {
		return err
	}
	f, err := a.Findings.Accept(r.Context(), r.PathValue("id"), wish, who.Person, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, a.described(r, f))
}

// now is the value a finding has now; who may not accept it is not told.
func (a *acceptdrift) now(ctx context.Context, who caller.Staff, id string) (string, error) {
	if !decides(who) {
		return "", nil // Accept refuses her
	}
	f, err := a.Findings.Get(ctx, id)
	return f.Got, err
}

func (a *acceptdrift) revoke(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	f, err := a.Findings.Revoke(r.Context(), r.PathValue("id"), who.Person, a.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, a.described(r, f))
}

func (a *acceptdrift) described(r *http.Request, f finding.Finding) Finding {
	told := Finding{
		ID: f.ID, State: string(f.State), Class: f.Class, What: f.What, Says: a.Says(f, staffed.Language(r)), Asset: f.Asset, Severity: string(f.Severity), Loosened: f.Loosened, Holds: f.Data,
		Promises: append([]string{}, f.Promises...), Want: f.Want, Got: f.Got, First: f.First, Opened: f.Opened, Seen: f.Seen, Ended: f.Ended, Unknown: f.Unknown,
		Repair: a.repair(f), Code: code(f), Proposed: acceptance(f.Proposed), Accepted: acceptance(f.Accepted),
	}
	for _, who := range f.Actors {
		one := Actor{Person: who.Person, Chain: who.Chain, Kind: who.Kind, Method: who.Method, Agent: who.UserAgent, Ticket: who.Ticket, At: who.At,
			Entry: who.Entry, Planned: who.Planned, Suspicious: who.Suspicious, Why: who.Why, Unasked: who.Unasked}
		for _, c := range who.Asked {
			one.Asked = append(one.Asked, Asked(c))
		}
		told.Actors = append(told.Actors, one)
	}
	return told
}

func acceptance(a *finding.Acceptance) *Acceptance {
	if a == nil {
		return nil
	}
	return &Acceptance{By: a.By, Second: a.Second, Ticket: a.Ticket, At: a.At, Until: a.Until}
}

// repair is the command that would put a finding right; "" for one that is in order.
func (a *acceptdrift) repair(f finding.Finding) string {
	name, rest := diff.Place(f.What)
	switch {
	case f.State.Over():
		return ""
	case f.Class == finding.Forbidden:
		return a.Set.Repair(name, rest, f.Asset)
	case f.Class == string(diff.Changed), f.Class == string(diff.Missing), f.Class == string(diff.Extra), f.Class == string(diff.StaleDesired) && strings.Contains(name, "google_"):
		return "terraform apply -target=" + baseline.Quoted(name)
	}
	return ""
}

// code is what would have to stand in Terraform for a difference to be wanted; "" where that is not for Terraform to say.
func code(f finding.Finding) string {
	address, field := diff.Place(f.What)
	switch {
	case f.State.Over() || strings.Contains(f.Got, "hmac:"):
		return ""
	case f.Class == string(diff.Changed) && field != "":
		return commented("# ", address) + commented("# ", field+":") + commented("- ", f.Want) + commented("+ ", f.Got)
	case f.Class == string(diff.Unmanaged):
		return "import {\n  to = <TYPE>.<NAME>\n  id = " + literal(strings.TrimPrefix(f.Asset, "//")) + "\n}"
	}
	return ""
}

// literal is a text as Terraform reads it, whatever somebody called a thing.
func literal(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(text))
}

func commented(mark, text string) string {
	if text == "" {
		return ""
	}
	return mark + strings.ReplaceAll(text, "\n", "\n"+mark) + "\n"
}
