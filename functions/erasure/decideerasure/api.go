package decideerasure

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/web"
)

// deciding are the problems of every decision.
var deciding = []string{"request_unknown", "own_matter"}

// api is the table of the JSON interface.
func (k *desk) api() []web.Route {
	program := k.routes().Program
	route := func(method, path, summary string, body any, answers map[int]any, handle staffed.Handler, more ...string) web.Route {
		return program(method, path, summary, body, answers, more, handle)
	}
	decide := func(path, summary string, body any, handle staffed.Handler, more ...string) web.Route {
		return route("POST", "/v1/requests/{id}"+path, summary, body, map[int]any{200: Whole{}}, handle, slices.Concat(deciding, more)...)
	}
	list := route("GET", "/v1/requests", "List requests, those due first in front; at most 200 at once.", nil, map[int]any{200: Listing{}}, k.signed(k.list), "body_invalid")
	list.Params = []web.Param{{Name: "show", In: "query", Doc: "open (left out), desk, overdue, person, unknown (to the directory: to be passed on, or given up), work, or over"}, {Name: "state", In: "query", Doc: "those of one state"},
		{Name: "after", In: "query", Doc: "next of the page before"}}
	return []web.Route{
		list,
		route("GET", "/v1/requests/{id}", "One request, with its plan in numbers.", nil, map[int]any{200: Whole{}}, k.signed(k.get), "request_unknown"),
		route("POST", "/v1/requests", "Enter what came by letter or mail.", Letter{}, map[int]any{201: Entered{}}, k.signed(k.enter), "identifier_invalid", "mail_invalid"),
		decide("/approve", "Approve exactly the plan you saw.", Approval{}, decided(k, approving), "approve_self", "same_person", "plan_changed", "state_conflict"),
		decide("/hold", "Keep one entry or fields of it until a day; the second person's word decides.", NewHold{}, decided(k, k.holding), "approve_self", "same_person", "state_conflict", "too_late", "ground_invalid", "hold_invalid"),
		decide("/release", "End a hold: what it kept is searched for and erased.", Released{}, decided(k, releasing), "approve_self", "same_person", "hold_unknown"),
		decide("/reject", "Refuse; the second person's word decides.", Refusal{}, decided(k, rejecting), "approve_self", "same_person", "state_conflict", "too_late", "ground_invalid"),
		decide("/extend", "Take two further months, and tell the person.", Extension{}, decided(k, extending), "state_conflict", "extended_already", "notice_late", "reason_invalid"),
		decide("/reviewed", "Say that you looked at what only a person can judge, or no search can tell.", Reviewed{}, decided(k, reviewing), "approve_self", "same_person", "state_conflict", "review_unknown", "reference_invalid"),
		decide("/exported", "Say that the person has the copy she asked for.", Handed{}, decided(k, exporting), "state_conflict"),
		decide("/settle", "Say that the account belongs to somebody else too: it is searched again; against the search the second person's word decides.", nil, decided(k, settling), "approve_self", "same_person", "state_conflict"),
		decide("/resume", "Search again after what stood in the way was put right.", nil, decided(k, resuming), "state_conflict"),
		route("GET", "/v1/parties", "What has to be settled with third parties by hand, at most 200 of each kind.", nil, map[int]any{200: Parties{}}, k.listParties),
		route("POST", "/v1/parties/connections/{id}", "Say what became of a connection that no program could end.", Settled{}, map[int]any{200: Party{}}, partied(k.connectionSettled), "grant_unknown", "state_conflict"),
		route("POST", "/v1/parties/notices/{id}", "Say what became of telling a recipient.", Settled{}, map[int]any{200: Party{}}, partied(k.noticeSettled), "notice_unknown", "state_conflict"),
		decide("/passon", "Pass a request nobody proved on to the tenant whose data it may concern; nothing is searched.", PassedOn{}, decided(k, passingOn), "approve_self", "same_person", "state_conflict"),
		decide("/giveup", "End a request whose identity cannot be established.", nil, decided(k, givingUp), "state_conflict"),
	}
}

func (k *desk) list(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error {
	q, listed := r.URL.Query(), Listing{Requests: []Listed{}}
	all, next, err := s.Browse(r.Context(), who.Person, listing(q.Get("show"), request.State(q.Get("state")), q.Get("after")), k.Clock.Now())
	if err != nil {
		return err
	}
	for _, one := range all {
		listed.Requests = append(listed.Requests, k.listed(one))
	}
	listed.Next = next
	return web.WriteJSON(w, http.StatusOK, listed)
}

func (k *desk) get(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error {
	f, err := s.Get(r.Context(), r.PathValue("id"), who.Person, k.Clock.Now())
	if err != nil {
		return err
	}
	whole, err := k.whole(r.Context(), f)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, whole)
}

// maxLetter is the most bytes of a letter's JSON: a mail, of which each byte may take two, and the rest.
const maxLetter = 2*request.MaxMail + web.MaxBodyBytes

func (k *desk) enter(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error {
	body, _, err := web.DecodeLarge[Letter](w, r, maxLetter)
	if err != nil {
		return err
	}
	made, err := s.Enter(r.Context(), who.Person, request.Entry{
		Channel: request.Channel(body.Channel), Received: body.Received.UTC(), Tenant: body.Tenant, Kind: request.Kind(body.Kind), Email: body.Email, Reply: body.Reply,
		Text: body.Text, Raw: []byte(body.EML), Language: body.Language, Export: body.Export, Mandate: body.Mandate,
	}, k.Clock.Now())
	if err != nil {
		return err
	}
	// The secret shows the request to whoever asked, who gets one of her own in her mail.
	return web.WriteJSON(w, http.StatusCreated, Entered{ID: made.ID, Number: made.Number, State: string(made.State), Due: made.Due})
}

// decided answers a decision with the request as it stands then, but for what would have to be looked up: a decision that
// was taken is not answered as if it had not been.
func decided[T any](k *desk, decide decision[T]) staffed.Handler {
	return k.signed(func(w http.ResponseWriter, r *http.Request, who caller.Staff, s *request.Service) error {
		var body T
		_, none := any(body).(nothing)
		if _, may := any(body).(Handed); may {
			none = empty(r) // today
		}
		if !none {
			var err error
			if body, _, err = web.DecodeBody[T](w, r); err != nil {
				return err
			}
		}
		after, err := decide(r.Context(), s, r.PathValue("id"), who.Person, body, k.Clock.Now())
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, k.told(after))
	})
}

// empty reports whether a request has no body, whatever it says of its length. What there is can be read as before.
func empty(r *http.Request) bool {
	sent := bufio.NewReader(r.Body)
	_, err := sent.Peek(1)
	r.Body = struct {
		io.Reader
		io.Closer
	}{sent, r.Body}
	return errors.Is(err, io.EOF)
}
