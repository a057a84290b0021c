package run

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// OnFile returns the address the directory has of a person, by the address that was given: where a link may be sent. Two
// people with one address are nobody's: found is false.
func (e *Engine) OnFile(ctx context.Context, tenant, email string) (found bool, address string, err error) {
	l, err := e.Map.OnFile(tenant, email)
	return e.onFile(ctx, l, err)
}

// AddressOf returns the address the directory has of whom an identifier names. Of one by which it finds nobody, or several,
// found is false.
func (e *Engine) AddressOf(ctx context.Context, tenant string, id request.Identifier) (found bool, address string, err error) {
	l, err := e.Map.AddressOf(tenant, datamap.Identifier{Kind: id.Kind, Value: id.Value, Verified: id.Verified})
	return e.onFile(ctx, l, err)
}

func (e *Engine) onFile(ctx context.Context, l datamap.Lookup, err error) (found bool, address string, _ error) {
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) {
		return false, "", nil // no address a directory could have
	} else if err != nil {
		return false, "", err
	}
	reader, err := e.asking(ctx, l.Reader)
	if err != nil {
		return false, "", err
	}
	people, cursor := 0, ""
	for { // who has the address in another tenant is somebody else
		page, err := reader.Find(ctx, l.Query, cursor, erasure.MaxPage)
		if err != nil {
			return false, "", err
		}
		for _, i := range page.Items {
			if ours(l.Query, i) {
				people++
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if people != 1 {
		return false, "", nil
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
	// Issue makes the receipt that a request owes; made before, it changes nothing. Nil where none is made: whoever has it
	// set is asked later.
	Issue func(ctx context.Context, w request.Work, r Report) error
}

// Search does what a request asks of the account that only reads: it looks up who asked, plans, or searches for what is
// left; it has the receipt made that is owed, and forgets what is closed. again says that there is more to do at once. A
// request that has moved on since, or asks for nothing, is done. A receipt that cannot be made keeps nothing else from being
// done: its error is returned with that of the rest.
func (c *Clerk) Search(ctx context.Context, id string) (again bool, err error) {
	w, now, err := c.work(ctx, id)
	if err != nil || w.Request == "" {
		return false, err
	}
	if w.Owed > 0 && c.Issue != nil {
		owed := c.issue(ctx, w)
		if owed == nil {
			return true, nil // which may have closed it
		}
		again, err = c.seek(ctx, w, now)
		return again, errors.Join(owed, err)
	}
	return c.seek(ctx, w, now)
}

// seek does what a request asks of the account that only reads, but for receipts.
func (c *Clerk) seek(ctx context.Context, w request.Work, now time.Time) (again bool, err error) {
	id := w.Request
	switch {
	case w.Forget:
		if err := c.Engine.Forget(ctx, id); err != nil {
			return false, err
		}
		return false, moved(c.Requests.Forgotten(ctx, id, now))
	case w.Identify:
		return false, moved(c.Requests.Identify(ctx, id, now))
	case w.State == request.Planning:
		return c.plan(ctx, w)
	case w.Search > 0:
		return c.verify(ctx, w)
	}
	return false, nil
}

func (c *Clerk) issue(ctx context.Context, w request.Work) error {
	report, err := c.Engine.Account(ctx, c.job(w))
	if err != nil {
		return err
	}
	if w.State == request.Partial && (w.Why == request.Unusable || w.Outcome.Left == 0 && len(w.Outcome.Open) == 0) {
		unproved(report)
	}
	if err := c.Issue(ctx, w, report); err != nil {
		return err
	}
	return moved(c.Requests.Receipted(ctx, w.Request, w.Owed, c.Engine.Clock.Now()))
}

// unproved says of every entry that its last search proves nothing: a later one could not be made, or it goes on finding
// more each time.
func unproved(r Report) {
	for i := range r.Entries {
		if r.Entries[i].Open == "" {
			r.Entries[i].Open = "unproved"
		}
	}
}

// Carry does what a request asks of the account that erases.
func (c *Clerk) Carry(ctx context.Context, id string) (again bool, err error) {
	w, now, err := c.work(ctx, id)
	if err != nil || w.State != request.Approved && w.State != request.Executing || now.Before(w.After) {
		return false, err
	}
	j := c.job(w)
	digest, err := c.Engine.Approved(ctx, j)
	if err != nil {
		return c.unfinished(ctx, w, err)
	}
	if w.Map != c.Engine.Map.Digest() || digest != w.Plan {
		return false, c.drifted(ctx, w, j)
	}
	if w.State == request.Approved {
		if _, err := c.Requests.Started(ctx, id, w.Round, digest, now); err != nil {
			return false, moved(err)
		}
	}
	x, done, err := c.Engine.Execute(ctx, j, now.Add(c.Budget))
	now = c.Engine.Clock.Now()
	switch {
	case err != nil || !done:
		return c.unfinished(ctx, w, err)
	case x.Grown:
		return false, c.drifted(ctx, w, j)
	default:
		_, err = c.Requests.Executed(ctx, id, w.Round, x.Totals, now)
	}
	return false, moved(err)
}

// drifted says that what there is is not what was approved, and whether anything of it is gone by now.
func (c *Clerk) drifted(ctx context.Context, w request.Work, j Job) error {
	touched, err := c.Engine.Touched(ctx, j)
	if err == nil {
		_, err = c.Requests.Drifted(ctx, w.Request, w.Round, touched, c.Engine.Clock.Now())
	}
	return moved(err)
}

func (c *Clerk) work(ctx context.Context, id string) (request.Work, time.Time, error) {
	now := c.Engine.Clock.Now()
	w, err := c.Requests.Work(ctx, id, now)
	if fault.CodeOf(err) == "request_unknown" {
		return request.Work{}, now, nil // it ended long ago
	}
	return w, now, err
}

func (c *Clerk) plan(ctx context.Context, w request.Work) (again bool, err error) {
	j := c.job(w)
	p, done, err := c.Engine.Plan(ctx, j, c.until())
	if err != nil || !done {
		return c.unfinished(ctx, w, err)
	}
	digest, err := p.Digest(j)
	if err != nil {
		return false, err
	}
	_, err = c.Requests.Planned(ctx, w.Request, w.Round, *p.Summary(digest), c.Engine.Clock.Now())
	return false, moved(err)
}

func (c *Clerk) verify(ctx context.Context, w request.Work) (again bool, err error) {
	o, _, done, err := c.Engine.Search(ctx, c.job(w), w.Search, c.until())
	if err != nil || !done {
		return c.unfinished(ctx, w, err)
	}
	o.Besides = w.Besides
	_, err = c.Requests.Verified(ctx, w.Request, w.Round, w.Search, o, c.Engine.Clock.Now())
	return false, moved(err)
}

func (c *Clerk) until() time.Time { return c.Engine.Clock.Now().Add(c.Budget) }

// unfinished says how far the engine has come, so that nobody calls it again too soon, or what it cannot get over.
func (c *Clerk) unfinished(ctx context.Context, w request.Work, err error) (again bool, _ error) {
	now := c.Engine.Clock.Now()
	switch {
	case err == nil || errors.Is(err, ErrLater):
		return err == nil, moved(c.Requests.Alive(ctx, w.Request, w.Round, now))
	case fault.CodeOf(err) == "" && !passing(err):
		_, err = c.Requests.Hindered(ctx, w.Request, w.Round, request.Unusable, now)
	}
	return false, moved(err)
}

// moved forgets what says only that somebody else was first: the work there is now is asked for by a message of its own.
func moved(err error) error {
	switch fault.CodeOf(err) {
	case "request_moved", "state_conflict", "plan_changed", "export_first", "too_early", "request_unknown", "other_owner":
		return nil
	}
	return err
}

func (c *Clerk) job(w request.Work) Job {
	j := Job{
		Request: w.Request, Round: w.Round, Tenant: w.Tenant, Scope: Person, Executed: w.Executed, Ran: w.Ran, Reviewed: w.Reviewed,
		Besides: w.Besides, Global: w.Global && w.Requester != request.Controller, Still: c.still(w),
	}
	switch {
	case w.Kind == request.Account:
		j.Scope = Account
	case w.Requester == request.Controller:
		j.Scope = Instructed
	}
	for _, id := range w.Identifiers {
		if id.Format != "" {
			j.Hashed = append(j.Hashed, Hashed{id.Kind, opendsr.Format(id.Format), id.Value})
			continue
		}
		j.IDs = append(j.IDs, datamap.Identifier{Kind: id.Kind, Value: id.Value, Verified: id.Verified})
	}
	for _, h := range w.Holds {
		j.Holds = append(j.Holds, Hold{Entry: h.Entry, Fields: h.Fields, Until: h.Until.End(c.Engine.Zone), Ground: h.Ground, Citation: h.Citation})
	}
	for _, b := range w.Beside {
		j.Beside = append(j.Beside, c.job(b))
	}
	return j
}

// still reports whether the request is where it was when the work was given out.
func (c *Clerk) still(w request.Work) func(context.Context) error {
	return func(ctx context.Context) error {
		round, err := c.Requests.Current(ctx, w.Request)
		besides := w.Besides
		if err == nil && w.Kind == request.Account {
			besides, err = c.Requests.Besides(ctx, w.Request, c.Engine.Clock.Now())
		}
		if err == nil && (round != w.Round || besides != w.Besides) {
			err = fault.Refuse(fault.Conflict, "request_moved", "The request has moved on since.", "Ask for the work there is now.")
		}
		return err
	}
}
