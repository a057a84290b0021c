package run

import (
	"context"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// OnFile returns the address the directory has of a person, by the address that was given: where a link may be sent. Two
// people with one address are nobody's: found is false.
func (e *Engine) OnFile(ctx context.Context, tenant, email string) (found bool, address string, err error) {
	l, err := e.Map.OnFile(tenant, email)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) {
		return false, "", nil // no address a directory could have
	} else if err != nil {
		return false, "", err
	}
	reader, err := e.Reader(ctx, l.Reader)
	if err != nil {
		return false, "", err
	}
	page, err := reader.Find(ctx, l.Query, "", 2)
	if err != nil || len(page.Items) != 1 || page.Next != "" {
		return false, "", err
	}
	values, err := reader.Values(ctx, l.Query, l.Field, 2)
	if fault.Is(err, fault.Exhausted) || err == nil && len(values) != 1 {
		return false, "", nil
	} else if err != nil {
		return false, "", err
	}
	return true, values[0], nil
}

// Clerk takes requests to the engine and tells them what became of it.
type Clerk struct {
	Requests *request.Service
	Engine   *Engine
	Budget   time.Duration // of one call, less than the caller's own time-out
}

// Search does what a request asks of the account that only reads: it looks up who asked, plans, or searches for what is
// left. again says that there is more to do at once. A request that has moved on since, or asks for nothing, is done.
func (c *Clerk) Search(ctx context.Context, id string) (again bool, err error) {
	w, now, err := c.work(ctx, id)
	if err != nil || w.Request == "" {
		return false, err
	}
	switch {
	case w.State == request.Received:
		return false, moved(c.Requests.Identify(ctx, id, now))
	case w.State == request.Planning:
		return c.plan(ctx, w, now)
	case w.Search > 0:
		return c.verify(ctx, w, now)
	}
	return false, nil
}

// Carry does what a request asks of the account that erases.
func (c *Clerk) Carry(ctx context.Context, id string) (again bool, err error) {
	w, now, err := c.work(ctx, id)
	if err != nil || w.State != request.Approved && w.State != request.Executing || now.Before(w.After) {
		return false, err
	}
	if w.Map != c.Engine.Map.Digest() {
		_, err := c.Requests.Drifted(ctx, id, w.Round, nil, now)
		return false, moved(err)
	}
	if w.State == request.Approved {
		if _, err := c.Requests.Started(ctx, id, w.Round, w.Plan, now); err != nil {
			return false, moved(err)
		}
	}
	x, done, err := c.Engine.Execute(ctx, c.job(w), now.Add(c.Budget))
	now = c.Engine.Clock.Now()
	switch {
	case err != nil:
		return false, err
	case !done:
		return true, moved(c.Requests.Alive(ctx, id, w.Round, now))
	case x.Grown:
		_, err = c.Requests.Drifted(ctx, id, w.Round, nil, now)
	default:
		_, err = c.Requests.Executed(ctx, id, w.Round, x.Totals, now)
	}
	return false, moved(err)
}

func (c *Clerk) work(ctx context.Context, id string) (request.Work, time.Time, error) {
	now := c.Engine.Clock.Now()
	w, err := c.Requests.Work(ctx, id, now)
	if fault.CodeOf(err) == "request_unknown" {
		return request.Work{}, now, nil // it ended long ago
	}
	return w, now, err
}

func (c *Clerk) plan(ctx context.Context, w request.Work, now time.Time) (again bool, err error) {
	j := c.job(w)
	p, done, err := c.Engine.Plan(ctx, j, now.Add(c.Budget))
	now = c.Engine.Clock.Now()
	if err != nil {
		return false, err
	}
	if !done {
		return true, moved(c.Requests.Alive(ctx, w.Request, w.Round, now))
	}
	digest, err := p.Digest(j)
	if err != nil {
		return false, err
	}
	_, err = c.Requests.Planned(ctx, w.Request, w.Round, *p.Summary(digest), now)
	return false, moved(err)
}

func (c *Clerk) verify(ctx context.Context, w request.Work, now time.Time) (again bool, err error) {
	o, _, done, err := c.Engine.Search(ctx, c.job(w), w.Search, now.Add(c.Budget))
	now = c.Engine.Clock.Now()
	if err != nil {
		return false, err
	}
	if !done {
		return true, moved(c.Requests.Alive(ctx, w.Request, w.Round, now))
	}
	_, err = c.Requests.Verified(ctx, w.Request, w.Round, w.Search, o, now)
	return false, moved(err)
}

// moved forgets what says only that somebody else was first: the work there is now is asked for by a message of its own.
func moved(err error) error {
	switch fault.CodeOf(err) {
	case "request_moved", "state_conflict", "plan_changed", "export_first", "too_early", "request_unknown":
		return nil
	}
	return err
}

func (c *Clerk) job(w request.Work) Job {
	j := Job{Request: w.Request, Round: w.Round, Tenant: w.Tenant, Scope: Person, Executed: w.Executed}
	switch {
	case w.Kind == request.Account:
		j.Scope = Account
	case w.Requester == request.Controller:
		j.Scope = Instructed
	}
	for _, id := range w.Identifiers {
		j.IDs = append(j.IDs, datamap.Identifier{Kind: id.Kind, Value: id.Value, Verified: id.Verified})
	}
	for _, h := range w.Holds {
		j.Holds = append(j.Holds, Hold{Entry: h.Entry, Until: h.Until.End(c.Engine.Zone)})
	}
	return j
}
