package parts

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// Vault is Secret Manager, for maps whose connections keep their tokens there.
type Vault interface {
	Read(ctx context.Context, name string) ([]byte, error)
	Destroy(ctx context.Context, name string) error
}

// Connections returns what ends connections with other providers' accounts. Without more it takes them and ends none; more
// may add what that needs. Misconfigured: the function has no key of requests or no secret of marks.
func (p *Parts) Connections(ctx context.Context, tokens Vault, more func(*oauth.Config)) (*oauth.Service, error) {
	mark, err := p.keyed(ctx)
	if err != nil {
		return nil, err
	}
	c := oauth.Config{
		Store: p.Store, Box: p.Box, Policy: p.Policy, Digest: p.PolicyDigest(), Map: p.Map, Keys: p.RequestKeys, Mark: mark,
		Desk: p.Page("decideerasure"), Random: p.Random,
	}
	if tokens != nil {
		c.Secrets = tokens
	}
	if c.Commit, err = p.commits(); err != nil {
		return nil, err
	}
	if p.MessageKeys != nil {
		c.Messages = seal.NewCache(p.MessageKeys, p.Random, p.Clock)
	}
	if p.erases() {
		c.Eraser, c.Wanted = p.Eraser, p.wanted
	}
	if more != nil {
		more(&c)
	}
	return oauth.New(c)
}

// wanted reports whether a request still wants connections of an entry ended.
func (p *Parts) wanted(ctx context.Context, id, entry string) (bool, error) {
	requests, err := p.Requests(ctx)
	if err != nil {
		return false, err
	}
	now := p.Clock.Now()
	w, err := requests.Work(ctx, id, now)
	if fault.CodeOf(err) == "request_unknown" {
		return true, nil // it ended long ago, and what it wanted holds
	}
	held := slices.ContainsFunc(w.Holds, func(h request.Hold) bool {
		return h.Entry == entry && len(h.Fields) == 0 && now.Before(h.Until.End(p.Policy.Company.Location()))
	})
	return w.State != request.Cancelled && w.State != request.Rejected && !held, err
}

// Recipients returns what tells recipients. Without more it writes notices and sends none. Misconfigured as Connections.
func (p *Parts) Recipients(ctx context.Context, more func(*recipient.Config)) (*recipient.Service, error) {
	mark, err := p.keyed(ctx)
	if err != nil {
		return nil, err
	}
	c := recipient.Config{
		Store: p.Store, Box: p.Box, Policy: p.Policy, Digest: p.PolicyDigest(), Map: p.Map, Keys: p.RequestKeys, Mark: mark,
		Desk: p.Page("decideerasure"), Random: p.Random,
	}
	if c.Commit, err = p.commits(); err != nil {
		return nil, err
	}
	if p.MessageKeys != nil {
		c.Messages = seal.NewCache(p.MessageKeys, p.Random, p.Clock)
	}
	if more != nil {
		more(&c)
	}
	return recipient.New(c)
}

func (p *Parts) keyed(ctx context.Context) ([]byte, error) {
	if p.RequestKeys == nil {
		return nil, fault.New(fault.Misconfigured, "%s: the manifest does not ask for the key of requests", p.Manifest.Name)
	}
	return p.Mark(ctx)
}

// commits returns what makes the commitments that stand for members of staff, where the function has the vault.
func (p *Parts) commits() (func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error), error) {
	if p.Vault == nil {
		return nil, nil
	}
	v, err := p.OpenVault()
	if err != nil {
		return nil, err
	}
	return v.Commit, nil
}

// disconnect keeps what ends the connections that the engine is about to erase.
func (p *Parts) disconnect(ctx context.Context, request, tenant string, s datamap.Step, refs []string) error {
	connections, err := p.Connections(ctx, p.Tokens, nil)
	if err != nil {
		return err
	}
	_, err = connections.Take(ctx, oauth.Cut{Request: request, Tenant: tenant, Cause: oauth.Erased, Steps: []datamap.Step{s}, Only: refs, Wake: true}, p.Clock.Now())
	return err
}

// Others returns what became of third parties, for a receipt.
func (p *Parts) Others(ctx context.Context, request string) ([]receipt.Grant, []receipt.Recipient, error) {
	grants, err := oauth.Rows(ctx, p.Store, request)
	if err != nil {
		return nil, nil, err
	}
	told, err := recipient.Rows(ctx, p.Store, request)
	return grants, told, err
}

// Tell writes notices to the recipients of what was erased for a request. It may be called at any time, again.
func (p *Parts) Tell(ctx context.Context, id string) error {
	requests, err := p.Requests(ctx)
	if err != nil {
		return err
	}
	w, err := requests.Work(ctx, id, p.Clock.Now())
	if fault.CodeOf(err) == "request_unknown" {
		return nil // it ended long ago
	}
	if err != nil || w.Executed.IsZero() || w.Forget {
		return err
	}
	walked, err := run.Parts(ctx, p.Store, id)
	if err != nil {
		return err
	}
	c := recipient.Case{Request: id, Tenant: w.Tenant, Account: w.Kind == request.Account, Received: w.Received, Executed: w.Executed}
	for _, part := range walked {
		if part.Phase == run.Erasing && part.Count.Erased+part.Count.Anonymised > 0 {
			c.Entries = append(c.Entries, run.EntryOf(part.Entry))
		}
	}
	recipients, err := p.Recipients(ctx, nil)
	if err != nil {
		return err
	}
	if len(c.Entries) == 0 {
		return recipients.Forget(ctx, id) // nothing was erased, or the request is closed and nothing of it kept
	}
	engine, err := p.Engine(ctx)
	if err != nil {
		return err
	}
	var given, digests []datamap.Identifier
	for _, one := range w.Identifiers {
		if as := (datamap.Identifier{Kind: one.Kind, Value: one.Value, Verified: one.Verified}); one.Format == "" {
			given = append(given, as)
		} else {
			digests = append(digests, as)
		}
	}
	if c.Identifiers, err = engine.Known(ctx, id, given); err != nil {
		return err
	}
	// A recipient knows people by what they are called; a digest would read as somebody else's name.
	c.Identifiers = slices.DeleteFunc(c.Identifiers, func(one datamap.Identifier) bool { return slices.Contains(digests, one) })
	_, err = recipients.Tell(ctx, c, p.Clock.Now())
	return err
}
