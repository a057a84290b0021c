package declarebreach

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

// route is one line of the table.
func (k *desk) route(method, path, summary string, body any, answers map[int]any, handle staffed.Handler, more ...string) web.Route {
	return k.routes().Program(method, "/v1"+path, summary, body, answers, more, handle)
}

// api is the table of the JSON interface of cases.
func (k *desk) api() []web.Route {
	of := func(path, summary string, body, answer any, handle staffed.Handler, more ...string) web.Route {
		return k.route("POST", "/breaches/{id}"+path, summary, body, map[int]any{200: answer}, handle, append(more, "case_unknown", "not_allowed")...)
	}
	list := k.route("GET", "/breaches", "List the cases you may look at, newest first; at most 100 at once.", nil, map[int]any{200: Listing{}}, k.list, "query_invalid")
	list.Params = []web.Param{{Name: "state", In: "query", Doc: "those of one state"}, {Name: "after", In: "query", Doc: "next of the page before"}}
	return []web.Route{
		list,
		k.route("POST", "/breaches", "Declare a breach, or a suspicion. Anybody may; unknown is a value.", Declaration{}, map[int]any{201: Declared{}}, k.declare,
			"kind_invalid", "id_conflict", "details_invalid", "earlier_unknown", "reason_missing", "tenant_unknown", "names_invalid", "times_invalid", "text_invalid"),
		k.route("GET", "/breaches/{id}", "One case, by its id or its number.", nil, map[int]any{200: Whole{}}, k.get, "case_unknown"),
		of("/ack", "Answer the call: you are here.", Ack{}, Whole{}, k.ack, "step_invalid", "code_invalid", "state_conflict"),
		of("/triage", "Say what a suspicion is.", Triage{}, Whole{}, did(k, k.triaged), "result_invalid", "next_missing", "owner_invalid", "own_matter", "aware_invalid", "state_conflict", "text_invalid"),
		of("/tracks", "Say whose data is concerned, and how much of it.", Tracks{}, Whole{}, k.describe, "tenant_unknown", "tracks_invalid", "reason_missing", "names_invalid", "state_conflict", "text_invalid"),
		of("/mapped", "Say whose some of what belonged to no known tenant is.", Mapping{}, Whole{}, did(k, mapped), "names_invalid", "reason_missing", "state_conflict", "text_invalid"),
		of("/times", "Say when it happened.", NewTimes{}, Whole{}, did(k, timed), "times_invalid", "state_conflict"),
		of("/aware", "Correct the instant of awareness: earlier at once, later by two with a reason.", Aware{}, Whole{}, did(k, moved), "same_person", "role_invalid", "aware_invalid", "reason_missing", "state_conflict", "text_invalid"),
		of("/score", "Score it by ENISA's method. The score advises.", severity.Input{}, severity.Score{}, k.score, "input_invalid", "state_conflict"),
		of("/decide", "Say whether somebody is told; the second person's word decides.", Answer{}, Whole{}, did(k, answered), "same_person", "exception_invalid", "answer_invalid", "subject_invalid", "reason_missing", "dpo_needed", "evidence_missing", "state_conflict", "text_invalid"),
		of("/file", "Note a report made on an authority's portal, one more of it, or that its time was noted wrongly.", Filing{}, Whole{}, did(k, filed), "clock_invalid", "times_invalid", "late_reasons_missing", "filed_before", "state_conflict", "text_invalid"),
		of("/withdraw", "Say that a report was taken back on the authority's portal after the case turned out to be no breach, or why it stands.", Withdrawal{}, Whole{}, did(k, withdrawn), "clock_invalid", "times_invalid", "state_conflict", "text_invalid"),
		of("/details", "Say what the register asks for beside, as far as it is known now.", Details{}, Whole{}, k.complete, "details_invalid", "reason_missing", "earlier_unknown", "text_invalid"),
		of("/promise", "Promise something by an instant: it gets a clock.", Promise{}, Whole{}, did(k, promised), "name_invalid", "times_invalid", "reason_missing", "state_conflict", "text_invalid"),
		of("/keep", "Say that something promised was done.", Keep{}, Whole{}, did(k, kept), "name_invalid", "notice_missing", "state_conflict"),
		of("/compromised", "Say which channels somebody else may read or forge: nothing of the case leaves by them.", Channels{}, Whole{}, did(k, compromised), "channels_invalid", "reason_missing", "state_conflict"),
		of("/close", "Close the case: all is decided, told and filed.", nil, Whole{}, did(k, closed), "case_unsettled", "state_conflict"),
		of("/reopen", "Open it again, under the same id.", Reason{}, Whole{}, did(k, reopened), "reason_missing", "state_conflict", "text_invalid"),
		of("/review", "Say what was learned.", Lessons{}, Whole{}, did(k, k.reviewed), "reason_missing", "actions_invalid", "state_conflict", "text_invalid"),
		of("/action", "Say that an action of a review was done.", Done{}, Whole{}, did(k, acted), "action_unknown", "text_invalid"),
		of("/hold", "Keep the case beyond its time, or not any more: the second person's word counts.", Preservation{}, Whole{}, did(k, preserved), "same_person", "reason_missing", "times_invalid", "text_invalid"),
	}
}

func (k *desk) declare(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Declaration](w, r)
	if err != nil {
		return err
	}
	d, unmapped, err := k.declaration(body)
	if err != nil {
		return err
	}
	said, words, err := k.details(r, who, body.Details)
	if err != nil {
		return err
	}
	d.Details, d.Texts, d.Not = said, words.Details, words.Not
	now := k.Clock.Now()
	c, fresh, err := k.Cases.Declare(r.Context(), who.Person, d, now)
	if err != nil {
		return err
	}
	made := Declared{ID: c.ID, Number: c.Number, State: string(c.State), Exercise: c.Exercise, Clocks: []clock.Clock{}, Unmapped: unmapped, Page: k.Page("case/" + c.ID)}
	if fresh || !c.Moved || k.sees(c, who) { // what others did since is not hers to read
		made.Clocks = k.clocks(c, now)
	}
	return web.WriteJSON(w, http.StatusCreated, made)
}

// declaration is a body as package cases takes it, and what of it belongs to no known tenant.
func (k *desk) declaration(body Declaration) (d cases.Declaration, unmapped []string, err error) {
	if body.Kind != kindBreach && body.Kind != kindSuspicion {
		return d, nil, fault.Refuse(fault.Invalid, "kind_invalid", "What is declared is a breach or a suspicion.", "Send \"breach\" where somebody is reasonably certain, otherwise \"suspicion\".")
	}
	tracks := make([]NewTrack, len(body.Tenants))
	for i, id := range body.Tenants {
		tracks[i].ID = id
	}
	all, unmapped, err := k.tracks(tracks, body.Affected)
	return cases.Declaration{
		// Ids of people's are theirs alone: nobody may stand in the way of what a program declares.
		Client: byPeople + body.Client, Breach: body.Kind == kindBreach, Exercise: body.Exercise, Summary: strings.TrimSpace(body.Summary), Tracks: all, Unmapped: unmapped,
		Times: cases.Times{OccurredFrom: body.From.UTC(), OccurredTo: body.To.UTC(), Detected: body.Detected.UTC()},
	}, unmapped, err
}

// byPeople begins what people call their declarations.
const byPeople = "person/"

// The kinds of a declaration.
const (
	kindBreach    = "breach"
	kindSuspicion = "suspicion"
)

// tracks are those of a body, each once: named, or found by what is affected.
func (k *desk) tracks(named []NewTrack, affected []string) (all []cases.Track, unmapped []string, err error) {
	add := func(t cases.Track) {
		if !slices.ContainsFunc(all, func(o cases.Track) bool { return o.ID == t.ID }) {
			all = append(all, t)
		}
	}
	for i, n := range named {
		t := cases.Track{ID: cases.Own, Role: cases.Controller, People: n.People.count(), Records: n.Records.count()}
		if n.ID != cases.Own {
			if t.ID, t.Role = k.tenantID(n.ID), cases.Processor; t.ID == "" {
				return nil, nil, fault.Refuse(fault.Invalid, "tenant_unknown", "Number "+strconv.Itoa(i+1)+" of the tenants is in no tenants.yaml.",
					"Use an id or a name of tenants.yaml, or own; name the others among affected, so that they are not lost.")
			}
		}
		add(t)
	}
	for _, a := range affected {
		a = strings.TrimSpace(a)
		if t, known := k.Policy.TenantOf(a); known {
			add(cases.Track{ID: t.ID, Role: cases.Processor, People: (*Count)(nil).count(), Records: (*Count)(nil).count()})
		} else if a != "" && !slices.Contains(unmapped, a) {
			unmapped = append(unmapped, a)
		}
	}
	return all, unmapped, nil
}

// count is how much of something there is; of nil what is known stays.
func (c *Count) count() cases.Count {
	if c == nil {
		return cases.Count{}
	}
	return cases.Count{N: c.N, How: cases.Exactness(c.How)}
}

// reasons are those for which counts do not apply, by track.
func (k *desk) reasons(named []NewTrack) map[string]string {
	all := map[string]string{}
	for _, n := range named {
		id := n.ID
		if id != cases.Own {
			id = k.tenantID(id)
		}
		for name, c := range map[string]*Count{"people": n.People, "records": n.Records} {
			if c != nil && strings.TrimSpace(c.Why) != "" {
				all[id+"/"+name] = strings.TrimSpace(c.Why)
			}
		}
	}
	return all
}

// tenantID is the id of a tenant that is given by it or by its name; "" for none.
func (k *desk) tenantID(ref string) string {
	for _, t := range k.Policy.Tenants {
		if t.ID == ref || strings.EqualFold(t.Name, strings.TrimSpace(ref)) {
			return t.ID
		}
	}
	return ""
}

func (k *desk) list(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	q := r.URL.Query()
	state, after, err := cases.State(q.Get("state")), (*store.Cursor)(nil), error(nil)
	if text := q.Get("after"); text != "" {
		after, err = cursor(text)
	}
	if err != nil || state != "" && !slices.Contains(cases.States(), state) {
		return fault.Refuse(fault.Invalid, "query_invalid", "There is no such state, or no such page.", "Leave the query out, or give back what an answer said.")
	}
	now, listed := k.Clock.Now(), Listing{Breaches: []Listed{}}
	// Where a page ends, a case stands that its reader sees: of others the list says nothing.
	for {
		found, err := k.Cases.List(r.Context(), after, listPage)
		if err != nil {
			return err
		}
		for _, c := range found {
			after = &store.Cursor{Value: c.Since, ID: c.ID}
			if !k.knows(c, who) || state != "" && c.State != state {
				continue
			}
			if listed.Breaches = append(listed.Breaches, k.listedTo(c, who, now)); len(listed.Breaches) == listPage {
				listed.Next = strconv.FormatInt(c.Since, 10) + "." + c.ID
				return web.WriteJSON(w, http.StatusOK, listed)
			}
		}
		if len(found) < listPage {
			return web.WriteJSON(w, http.StatusOK, listed)
		}
	}
}

const listPage = 100

// cursor reads what an answer gave as next.
func cursor(text string) (*store.Cursor, error) {
	since, id, _ := strings.Cut(text, ".")
	at, err := strconv.ParseInt(since, 10, 64)
	if err != nil || id == "" || len(id) > 64 {
		return nil, fault.New(fault.Invalid, "reading where a page begins")
	}
	return &store.Cursor{Value: at, ID: id}, nil
}

func (k *desk) get(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	id, _, err := k.known(r, who)
	if err != nil {
		return err
	}
	c, err := k.Cases.Get(r.Context(), id)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, k.wholeTo(c, who, k.Clock.Now()))
}

// happen lets an event happen to the case of a path, and returns it as it is then. What was done is not answered as if it
// had not been: without its texts, where they cannot be read just now.
func (k *desk) happen(r *http.Request, who caller.Staff, e cases.Event, words cases.Words, now time.Time) (cases.Read, error) {
	id, _, err := k.known(r, who)
	if err != nil {
		return cases.Read{}, err
	}
	after, err := k.Cases.Do(r.Context(), id, who.Person, e, words, now)
	if err != nil {
		return cases.Read{}, err
	}
	if read, err := k.Cases.Get(r.Context(), id); err == nil {
		return read, nil
	}
	return cases.Read{Case: after}, nil
}
