package declarebreach

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// noticesAPI is the table of the JSON interface of notices.
func (k *desk) noticesAPI() []web.Route {
	const all, one = "/breaches/{id}/notices", "/breaches/{id}/notices/{n}"
	writing := []string{"case_unknown", "not_allowed", "kind_invalid", "texts_missing", "texts_invalid", "subject_invalid", "contact_missing", "case_closed"}
	get := func(path, summary string, answer any, handle staffed.Handler, params ...web.Param) web.Route {
		r := k.route("GET", path, summary, nil, map[int]any{200: answer}, handle, "case_unknown")
		if path != all {
			r.Problems = append(r.Problems, "notice_unknown")
		}
		if r.Params = params; len(params) > 0 {
			r.Problems = append(r.Problems, "query_invalid")
		}
		return r
	}
	post := func(path, summary string, body any, handle staffed.Handler, more ...string) web.Route {
		return k.route("POST", one+path, summary, body, map[int]any{200: Notice{}}, handle, append(more, "case_unknown", "notice_unknown", "not_allowed", "state_conflict")...)
	}
	return []web.Route{
		get(all, "List the notices of a case.", Written{}, k.listNotices),
		k.route("POST", all, "Write a notice; another person has to approve it.", NewNotice{}, map[int]any{201: Notice{}}, k.write, writing...),
		get(one, "One notice, with exactly what is sent.", Opened{}, k.openNotice, web.Param{Name: "from", In: "query", Doc: "number of the first message, from 0"}),
		post("", "Write another version: what was approved before counts no more.", NewNotice{}, k.write, writing[2:]...),
		post("/approve", "Approve exactly what you saw: it is sent.", Agreement{}, agreed(k, approving), "own_notice", "same_person", "told_twice", "hash_mismatch", "tenant_undecided", "case_closed", "contact_missing"),
		post("/break", "Approve alone, in need: everybody who decides is told at once, and somebody looks at it within a day.", Need{}, agreed(k, breaking), "told_twice", "hash_mismatch", "reason_missing", "case_closed", "text_invalid", "contact_missing"),
		post("/review", "Look at what one person approved alone.", nil, agreed(k, reviewing), "own_notice", "same_person"),
		post("/note", "Note how persons were told.", Spoken{}, agreed(k, k.noting), "reason_missing", "times_invalid", "text_invalid"),
		get(one+"/deliveries", "Who was told, and what became of it; at most 100 at once.", Delivered{}, k.deliveries, web.Param{Name: "after", In: "query", Doc: "next of the page before"}),
		k.route("POST", one+"/deliveries/{d}/settle", "Say what became of one nobody knew about, or that one did not arrive after all: you asked.", Outcome{}, map[int]any{200: Notice{}}, k.settle,
			"case_unknown", "notice_unknown", "delivery_unknown", "not_allowed", "state_conflict", "times_invalid"),
		k.route("POST", one+"/deliveries/{d}/replay", "Have one that is lost tried again, by the ways on which nothing was sent.", nil, map[int]any{200: Notice{}}, k.replay,
			"case_unknown", "notice_unknown", "delivery_unknown", "not_allowed", "state_conflict"),
	}
}

// the is a notice of a path.
func (k *desk) the(r *http.Request, who caller.Staff) (id string, n int, err error) {
	if id, err = k.id(r, who); err != nil {
		return id, 0, err
	}
	if n, err = strconv.Atoi(r.PathValue("n")); err != nil || n < 1 {
		return id, 0, fault.Refuse(fault.NotFound, "notice_unknown", "There is no such notice.", "Look at the notices of the case.")
	}
	return id, n, nil
}

func (k *desk) listNotices(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	id, err := k.id(r, who)
	if err != nil {
		return err
	}
	if _, err := k.Cases.Get(r.Context(), id); err != nil {
		return err
	}
	found, err := k.Notices.List(r.Context(), id)
	if err != nil {
		return err
	}
	all := Written{Notices: []Notice{}}
	for _, n := range found {
		all.Notices = append(all.Notices, noticed(n))
	}
	return web.WriteJSON(w, http.StatusOK, all)
}

// write takes a first version, or another of the notice of a path.
func (k *desk) write(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[NewNotice](w, r)
	if err != nil {
		return err
	}
	status, id, n := http.StatusOK, "", 0
	if r.PathValue("n") == "" {
		status = http.StatusCreated
		id, err = k.id(r, who)
	} else {
		id, n, err = k.the(r, who)
	}
	if err != nil {
		return err
	}
	d, err := k.draft(body)
	if err != nil {
		return err
	}
	written, err := k.Notices.Write(r.Context(), who.Person, id, n, d, body.Tenants, k.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, status, noticed(written))
}

// draft is a body as package notice takes it. Whom to ask is known: nobody has to write it at night.
func (k *desk) draft(body NewNotice) (notice.Draft, error) {
	d := notice.Draft{Kind: notice.Kind(body.Kind), Texts: map[string]map[string]string{}, Tenants: body.Own}
	if !slices.Contains(notice.Kinds(), d.Kind) {
		return d, fault.Refuse(fault.Invalid, "kind_invalid", "There is no such kind of notice.", "Use initial, update, final, correction, withdrawal or persons.")
	}
	all := []map[string]map[string]string{body.Texts}
	for _, own := range body.Own {
		all = append(all, own)
	}
	for _, texts := range all {
		if err := spelled(d.Kind, texts); err != nil {
			return d, err
		}
	}
	for language, texts := range body.Texts {
		d.Texts[language] = maps.Clone(texts)
		if len(texts) > 0 && texts[contact] == "" {
			d.Texts[language][contact] = k.Breach.Contact
		}
	}
	return d, nil
}

// spelled refuses a language or a name there is none of: what nobody reads would be missing in silence.
func spelled(k notice.Kind, texts map[string]map[string]string) error {
	names := notice.Written(k)
	for language, said := range texts {
		for name := range said {
			if !slices.Contains(letters.Languages(), language) || !slices.Contains(names, name) {
				return fault.Refuse(fault.Invalid, "texts_invalid", "There is no such language, or no such text in a notice of this kind.",
					"Languages are "+strings.Join(letters.Languages(), ", ")+"; texts are "+strings.Join(names, ", ")+".")
			}
		}
	}
	return nil
}

// contact is the name of the text that says whom to ask.
const contact = "contact"

// preview is how many messages one answer shows.
const preview = 50

func (k *desk) openNotice(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	id, n, err := k.the(r, who)
	if err != nil {
		return err
	}
	from := 0
	if text := r.URL.Query().Get("from"); text != "" {
		if from, err = strconv.Atoi(text); err != nil || from < 0 {
			return fault.Refuse(fault.Invalid, "query_invalid", "There is no such message.", "Give a number from 0 on, or leave it out.")
		}
	}
	n2, messages, err := k.Notices.Preview(r.Context(), id, n, k.Clock.Now())
	if err != nil {
		return err
	}
	count := len(messages)
	messages = messages[min(from, count):min(from+preview, count)]
	if n2.Next > 0 { // what was sent, and not what would be now
		if messages, err = k.Notices.Kept(r.Context(), id, n, from, preview); err != nil {
			return err
		}
		count = n2.Next
	}
	o := Opened{
		Notice: noticed(n2.Notice), Texts: n2.Draft.Texts, Own: n2.Draft.Tenants, Tenants: n2.Tenants, Without: n2.Without, Reason: n2.Reason, Means: n2.How, Now: n2.Now,
		Messages: []Message{}, Count: count,
	}
	for _, m := range messages {
		o.Messages = append(o.Messages, shown(m))
	}
	return web.WriteJSON(w, http.StatusOK, o)
}

func shown(m notice.Message) Message {
	told := Message{Tenant: m.Tenant, Language: m.Language, Ways: []string{}, Subject: m.Subject, Text: m.Text}
	for _, way := range m.Ways {
		if told.Ways = append(told.Ways, way.Channel+" "+way.To); way.Channel == notice.SMS {
			told.Short = m.Short
		}
	}
	return told
}

// agreement is one way to change a notice that was written, from a body or a form.
type agreement[T any] func(ctx context.Context, s *notice.Service, by policy.Person, id string, n int, body T, now time.Time) (notice.Notice, error)

// agreed answers a change with the notice as it is then.
func agreed[T any](k *desk, change agreement[T]) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		var body T
		if _, none := any(body).(nothing); !none {
			var err error
			if body, _, err = web.DecodeBody[T](w, r); err != nil {
				return err
			}
		}
		id, n, err := k.the(r, who)
		if err != nil {
			return err
		}
		after, err := change(r.Context(), k.Notices, who.Person, id, n, body, k.Clock.Now())
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, noticed(after))
	}
}

func approving(ctx context.Context, s *notice.Service, by policy.Person, id string, n int, b Agreement, now time.Time) (notice.Notice, error) {
	return s.Approve(ctx, by, id, n, b.Hash, now)
}

func breaking(ctx context.Context, s *notice.Service, by policy.Person, id string, n int, b Need, now time.Time) (notice.Notice, error) {
	return s.Break(ctx, by, id, n, b.Hash, b.Reason, now)
}

func reviewing(ctx context.Context, s *notice.Service, by policy.Person, id string, n int, _ nothing, now time.Time) (notice.Notice, error) {
	return s.Review(ctx, by, id, n, now)
}

// noting puts on the notice how persons were told, and on the case that they were. Called again it does what was left undone.
func (k *desk) noting(ctx context.Context, s *notice.Service, by policy.Person, id string, n int, b Spoken, now time.Time) (notice.Notice, error) {
	noted, err := s.Note(ctx, by, id, n, b.Means, b.At, now)
	if err != nil {
		return noted, err
	}
	if _, err = k.Cases.Do(ctx, id, by, cases.Event{What: cases.Keep, Name: cases.Persons, Noted: true, At: noted.Noted}, cases.Words{}, now); fault.CodeOf(err) == "state_conflict" && !noted.Noted.IsZero() {
		err = nil // the case is closed, and the notice says it
	}
	return noted, err
}

func noticed(n notice.Notice) Notice {
	return Notice{
		N: n.N, Kind: string(n.Kind), State: string(n.State), Version: n.Version, Author: n.Author, Written: n.Written, Hash: n.Hash, To: n.To, Approver: n.Approver, Agreed: n.Agreed,
		Glass: n.Glass, Reviewer: n.Reviewer, Late: n.Late, Handed: n.Next, Accepted: n.Accepted, Failed: n.Failed, Unknown: n.Unknown,
	}
}

func (k *desk) showNoticed(w http.ResponseWriter, r *http.Request, id string, n int) error {
	after, err := k.Notices.Get(r.Context(), id, n)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, noticed(after.Notice))
}
