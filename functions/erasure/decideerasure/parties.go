package decideerasure

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// parties is the page of what has to be settled with third parties by hand: connections no program could end, recipients no
// program could tell or who have not answered.
const parties = home + "parties"

// mostTasks is how many the page shows of each.
const mostTasks = 200

// mayParties refuses whoever may not settle with third parties.
func mayParties(who caller.Staff) error {
	if !who.May(policy.DPO, policy.Security, policy.Owner) {
		return fault.Refuse(fault.Denied, "role_missing", "This is for the data protection officer, security and the owner.", "Ask one of them.")
	}
	return nil
}

// tasks is everything that has to be settled with third parties.
func (k *desk) tasks(ctx context.Context, who caller.Staff) (all Parties, err error) {
	if err := mayParties(who); err != nil {
		return all, err
	}
	all = Parties{Connections: []Party{}, Notices: []Party{}}
	connections, err := k.Connections(ctx, nil, nil)
	if err != nil {
		return all, err
	}
	grants, err := connections.Tasks(ctx, mostTasks)
	if err != nil {
		return all, err
	}
	for _, g := range grants {
		all.Connections = append(all.Connections, k.connection(g))
	}
	recipients, err := k.Recipients(ctx, nil)
	if err != nil {
		return all, err
	}
	notices, err := recipients.Tasks(ctx, mostTasks)
	for _, n := range notices {
		all.Notices = append(all.Notices, k.notice(n))
	}
	return all, err
}

func (k *desk) connection(g oauth.Grant) Party {
	p := k.party(Party{ID: g.ID, Party: g.Provider, Name: g.Provider, State: string(g.State), Why: g.Why, Due: g.Due}, g.State.Final())
	if to, known := k.Map.Provider(g.Provider); known {
		p.Name, p.Where = to.Name, to.Page
	}
	return p
}

func (k *desk) notice(n recipient.Notice) Party {
	p := Party{ID: n.ID, Party: n.Recipient, Name: n.Recipient, State: string(n.State), Why: n.Why, Waits: !n.Task && n.State == receipt.Asked}
	if n.Next > 0 {
		p.Due = time.UnixMicro(n.Next).UTC()
	}
	if to, known := k.Map.Recipient(n.Recipient); known {
		p.Name = to.Name
	}
	return k.party(p, n.Next == 0)
}

func (k *desk) party(p Party, settled bool) Party {
	if settled {
		p.Due = time.Time{}
	}
	p.Late = !p.Due.IsZero() && !k.Clock.Now().Before(p.Due)
	return p
}

func (k *desk) partiesPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return k.showParties(w, r, who, nil)
}

func (k *desk) showParties(w http.ResponseWriter, r *http.Request, who caller.Staff, refused error) error {
	all, err := k.tasks(r.Context(), who)
	if err != nil {
		return err
	}
	trouble, status, err := k.Trouble(r, refused)
	if err != nil {
		return err
	}
	data := page.Parties{Done: staffed.Note(r, []string{"done.parted"}), Problem: trouble}
	for _, p := range all.Connections {
		data.Connections = append(data.Connections, k.task(r, p, "connection", string(oauth.Revoked), string(oauth.Gone), string(oauth.Shared), string(oauth.Failed)))
	}
	for _, p := range all.Notices {
		data.Notices = append(data.Notices, k.task(r, p, "notice", string(receipt.Acknowledged), string(receipt.Impossible), string(receipt.Disproportionate)))
	}
	return k.Render(w, r, who, status, "parties", "parties.title", parties, data)
}

func (k *desk) task(r *http.Request, p Party, action string, outcomes ...string) page.Task {
	t := page.Task{
		ID: p.ID, Name: p.Name, Where: p.Where, Why: p.Why, Due: day(r, calendar.Date(p.Due, k.Policy.Company.Location())), Late: p.Late, Waits: p.Waits, Action: action,
	}
	for _, outcome := range outcomes {
		t.Outcomes = append(t.Outcomes, page.Choice{Value: outcome, Label: "outcome." + outcome})
	}
	return t
}

// parting is what a person says of one of them. Codes: role_missing, grant_unknown or notice_unknown, state_conflict.
type parting func(ctx context.Context, who caller.Staff, id, outcome string) (Party, error)

// settled answers a form of the page.
func (k *desk) settled(settle parting) staffed.Filled {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
		if refused == nil {
			if _, refused = settle(r.Context(), who, form.Get("id"), form.Get("outcome")); refused == nil {
				return web.SeeOther(w, parties+"?done=done.parted")
			}
		}
		return k.showParties(w, r, who, refused)
	}
}

func (k *desk) connectionSettled(ctx context.Context, who caller.Staff, id, outcome string) (Party, error) {
	s, err := k.Connections(ctx, nil, nil)
	if err != nil {
		return Party{}, err
	}
	g, err := s.Settle(ctx, who.Person, id, oauth.State(outcome), k.Clock.Now())
	return k.connection(g), err
}

func (k *desk) noticeSettled(ctx context.Context, who caller.Staff, id, outcome string) (Party, error) {
	s, err := k.Recipients(ctx, nil)
	if err != nil {
		return Party{}, err
	}
	n, err := s.Settle(ctx, who.Person, id, receipt.Told(outcome), k.Clock.Now())
	return k.notice(n), err
}

// listParties is the page for programs.
func (k *desk) listParties(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	all, err := k.tasks(r.Context(), who)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, all)
}

// partied answers what a person says of one of them with how it stands then.
func partied(settle parting) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		body, _, err := web.DecodeBody[Settled](w, r)
		if err != nil {
			return err
		}
		after, err := settle(r.Context(), who, r.PathValue("id"), body.Outcome)
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, after)
	}
}
