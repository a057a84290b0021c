package decideerasure

import (
	"net/http"
	"net/url"
	"time"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// parties is the page of what has to be settled with third parties by hand: connections no program could end, recipients no
// program could tell or who have not answered.
const parties = home + "parties"

// mostTasks is how many the page shows of each.
const mostTasks = 200

func (k *desk) partiesPage(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	return k.showParties(w, r, who, nil)
}

func (k *desk) showParties(w http.ResponseWriter, r *http.Request, who caller.Staff, refused error) error {
	if !who.May(policy.DPO, policy.Security, policy.Owner) {
		return fault.Refuse(fault.Denied, "role_missing", "This is for the data protection officer, security and the owner.", "Ask one of them.")
	}
	trouble, status, err := k.Trouble(r, refused)
	if err != nil {
		return err
	}
	data := page.Parties{Done: staffed.Note(r, []string{"done.parted"}), Problem: trouble}
	if data.Connections, err = k.connections(r); err != nil {
		return err
	}
	if data.Notices, err = k.notices(r); err != nil {
		return err
	}
	return k.Render(w, r, who, status, "parties", "parties.title", parties, data)
}

// connections are those that wait for a person.
func (k *desk) connections(r *http.Request) (all []page.Task, err error) {
	s, err := k.Connections(r.Context(), nil, nil)
	if err != nil {
		return nil, err
	}
	waiting, err := s.Tasks(r.Context(), mostTasks)
	for _, g := range waiting {
		t := k.task(r, g.ID, g.Provider, g.Why, g.Due)
		t.Action = "connection"
		if p, known := k.Map.Provider(g.Provider); known {
			t.Name, t.Where = p.Name, p.Page
		}
		for _, outcome := range []oauth.State{oauth.Revoked, oauth.Gone, oauth.Shared, oauth.Failed} {
			t.Outcomes = append(t.Outcomes, page.Choice{Value: string(outcome), Label: "outcome." + string(outcome)})
		}
		all = append(all, t)
	}
	return all, err
}

// notices are those that wait for a person, or for a recipient who was asked by mail.
func (k *desk) notices(r *http.Request) (all []page.Task, err error) {
	s, err := k.Recipients(r.Context(), nil)
	if err != nil {
		return nil, err
	}
	waiting, err := s.Tasks(r.Context(), mostTasks)
	for _, n := range waiting {
		t := k.task(r, n.ID, n.Recipient, n.Why, time.UnixMicro(n.Next))
		t.Action, t.Waits = "notice", !n.Task
		if to, known := k.Map.Recipient(n.Recipient); known {
			t.Name = to.Name
		}
		for _, outcome := range []receipt.Told{receipt.Acknowledged, receipt.Impossible, receipt.Disproportionate} {
			t.Outcomes = append(t.Outcomes, page.Choice{Value: string(outcome), Label: "outcome." + string(outcome)})
		}
		all = append(all, t)
	}
	return all, err
}

func (k *desk) task(r *http.Request, id, name, why string, due time.Time) page.Task {
	return page.Task{ID: id, Name: name, Why: why, Due: day(r, calendar.Date(due, k.Policy.Company.Location())), Late: !k.Clock.Now().Before(due)}
}

// settled answers a form of the page.
func (k *desk) settled(settle func(r *http.Request, who caller.Staff, id, outcome string) error) staffed.Filled {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff, form url.Values, refused error) error {
		if refused == nil {
			if refused = settle(r, who, form.Get("id"), form.Get("outcome")); refused == nil {
				return web.SeeOther(w, parties+"?done=done.parted")
			}
		}
		return k.showParties(w, r, who, refused)
	}
}

func (k *desk) connectionSettled(r *http.Request, who caller.Staff, id, outcome string) error {
	s, err := k.Connections(r.Context(), nil, nil)
	if err == nil {
		_, err = s.Settle(r.Context(), who.Person, id, oauth.State(outcome), k.Clock.Now())
	}
	return err
}

func (k *desk) noticeSettled(r *http.Request, who caller.Staff, id, outcome string) error {
	s, err := k.Recipients(r.Context(), nil)
	if err == nil {
		_, err = s.Settle(r.Context(), who.Person, id, receipt.Told(outcome), k.Clock.Now())
	}
	return err
}
