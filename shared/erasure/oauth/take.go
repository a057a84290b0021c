package oauth

import (
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Cut says whose connections end.
type Cut struct {
	Request string // id; "" for none
	Tenant  string
	Cause   Cause
	Steps   []datamap.Step // of the data map; those without connections are left aside
	// Before leaves out connections made at or after it, as far as their store knows when they were made; zero for none.
	Before time.Time
	// Only names the items that are to be taken of what the steps find, by their Refs; nil for all.
	Only []string
	// Wake publishes request.TopicRevoke when there are new ones, for somebody else to go on with.
	Wake bool
	// Over reports that the time is over: no further page is begun. Nil for never.
	Over func() bool
}

// ErrUnfinished says that the time was over before all connections were kept. It is Transient.
var ErrUnfinished = fault.New(fault.Transient, "keeping connections: the time was over before all were kept")

// page is how many connections are taken at once.
const page = 50

// Take keeps the connections that steps find, sealed, and returns how many it had not known. Afterwards their items may be
// erased: here by Work, or by whoever erases the entry. What is kept in another region is left to the deployment there. An error
// means that not all are kept.
func (s *Service) Take(ctx context.Context, c Cut, now time.Time) (taken int, err error) {
	steps := slices.DeleteFunc(datamap.Connections(c.Steps), func(step datamap.Step) bool { return s.Map.Away(step.Region) })
	if len(steps) > 0 && s.Eraser == nil {
		return 0, fault.New(fault.Misconfigured, "keeping connections: there is no way to the stores")
	}
	for _, step := range steps {
		q := step.Query
		if !c.Before.IsZero() && (q.CreatedBefore.IsZero() || c.Before.Before(q.CreatedBefore)) {
			q.CreatedBefore = c.Before
		}
		reader, err := s.Eraser(ctx, step.Store)
		if err != nil {
			return taken, err
		}
		keep := func(items []erasure.Item) error {
			n, err := s.keep(ctx, c, step, q, items, now)
			taken += n
			return err
		}
		if c.Only == nil {
			err = c.each(ctx, reader, q, keep)
		} else {
			err = c.only(ctx, reader, q, keep)
		}
		if err != nil {
			return taken, err
		}
	}
	return taken, nil
}

// only hands on the pages of the items that are named. A store that finds nothing by name is read through.
func (c Cut) only(ctx context.Context, from erasure.Reader, q erasure.Query, keep func([]erasure.Item) error) error {
	named := q
	named.Not, named.Descend, named.Below = nil, false, nil
	for refs := range slices.Chunk(c.Only, erasure.MaxValues) {
		named.Match = erasure.Match{Kind: erasure.MatchRef, Values: refs}
		if err := c.each(ctx, from, named, keep); fault.Is(err, fault.Invalid) {
			return c.each(ctx, from, q, keep)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// each hands on what a query finds, page by page.
func (c Cut) each(ctx context.Context, from erasure.Reader, q erasure.Query, keep func([]erasure.Item) error) error {
	for cursor := ""; ; {
		if c.Over != nil && c.Over() {
			return ErrUnfinished
		}
		found, err := from.Find(ctx, q, cursor, page)
		if err != nil {
			return err
		}
		if err := keep(found.Items); err != nil {
			return err
		}
		if cursor = found.Next; cursor == "" {
			return nil
		}
	}
}

// keep writes a page of connections.
func (s *Service) keep(ctx context.Context, c Cut, step datamap.Step, q erasure.Query, items []erasure.Item, now time.Time) (int, error) {
	var grants []Grant
	for _, i := range items {
		if c.Only != nil && !slices.Contains(c.Only, i.Ref) {
			continue
		}
		if i.Tenant != q.Tenant.ID || i.Shown[step.Entry.Grants.Token] == "" {
			continue // not of this tenant, or a connection that has ended: the engine tells of the one, and erases the other
		}
		if known, err := s.has(ctx, s.name(step, i)); err != nil {
			return 0, err
		} else if known {
			continue // sealing asks for a key, and secrets are read elsewhere
		}
		g, err := s.grant(ctx, c, step, q, i, now)
		if err != nil {
			return 0, err
		}
		grants = append(grants, g)
	}
	if len(grants) == 0 {
		return 0, nil
	}
	taken := 0
	return taken, s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		taken = 0
		var fresh []Grant
		for _, g := range grants {
			var there Grant
			if err := tx.Get(Grants, g.ID, &there); fault.Is(err, fault.NotFound) {
				fresh = append(fresh, g)
			} else if err != nil {
				return err
			}
		}
		for _, g := range fresh {
			if err := tx.Create(Grants, g.ID, g); err != nil {
				return err
			}
			taken++
		}
		if taken == 0 || !c.Wake {
			return nil
		}
		return batch.Message(request.TopicRevoke, request.TopicRevoke+"/"+s.box().Name("wake", fresh[0].ID), request.Notice{V: version, Request: c.Request, Tenant: q.Tenant.ID})
	})
}

// name is what a connection is kept under.
func (s *Service) name(step datamap.Step, i erasure.Item) string {
	return s.box().Name("grant", step.Entry.ID, step.Store, i.Ref, i.Shown[step.Entry.Grants.Token])
}

// has reports whether a connection is kept.
func (s *Service) has(ctx context.Context, id string) (bool, error) {
	var there Grant
	if err := s.Store.Get(ctx, Grants, id, &there); fault.Is(err, fault.NotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// secretForm is what may be read, and destroyed, of Secret Manager: a secret, or one version of it.
var secretForm = regexp.MustCompile(`^projects/[a-z0-9.:-]{1,100}/secrets/[A-Za-z0-9_-]{1,255}(/versions/[1-9][0-9]{0,8})?$`)

// grant makes what is kept of one item.
func (s *Service) grant(ctx context.Context, c Cut, step datamap.Step, q erasure.Query, i erasure.Item, now time.Time) (g Grant, err error) {
	says := *step.Entry.Grants
	token := i.Shown[says.Token]
	g = Grant{
		V: version, ID: s.name(step, i), Salt: make([]byte, 16), Provider: says.Provider, Entry: step.Entry.ID,
		Tenant: c.Tenant, Request: c.Request, Cause: c.Cause, State: Pending, Since: now, Next: now.UnixMicro(),
	}
	if _, err := io.ReadFull(s.Random, g.Salt); err != nil {
		return g, fault.New(fault.Transient, "keeping a connection: drawing a salt: %w", err)
	}
	if g.Provider == "" {
		g.Provider = i.Shown[says.In]
	}
	p := private{Token: Token{Value: token, Hint: says.Hint, Instance: i.Shown[says.Instance]}, Account: i.Shown[says.Account], Store: step.Store, Query: q, Item: i}
	p.Item.Shown = nil
	if _, known := s.Map.Provider(g.Provider); !known {
		g.Provider = Unlisted // what an item says is nobody's to repeat
	}
	if says.Vault != "" {
		if p.Token.Value, p.Secret, err = s.secret(ctx, says.Vault, token); err != nil {
			return g, err
		}
	}
	g.Private, err = s.box().Seal(ctx, g.ID, p)
	return g, err
}

// secret reads a token that is kept in Secret Manager, and returns the name that is to be destroyed: both are "" of a name
// that items of this entry may not say. Of a secret that is gone the value is.
func (s *Service) secret(ctx context.Context, beginning, name string) (value, destroy string, err error) {
	if !secretForm.MatchString(name) || !strings.HasPrefix(name, beginning) {
		return "", "", nil
	}
	if s.Secrets == nil {
		return "", "", fault.New(fault.Misconfigured, "reading a connection's token: there is no way to Secret Manager")
	}
	data, err := s.Secrets.Read(ctx, name)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return string(data), name, err
}
