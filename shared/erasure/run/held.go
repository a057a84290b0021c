package run

import (
	"context"
	"strings"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

// HeldFor returns the address under which a tenant's own data, held here for it, has somebody whom the directory does not know:
// where a link may be sent. Whom the directory knows by it, even several people, is not looked for. A place that does not answer
// keeps no other from being asked: its error is returned where none of them has her.
func (e *Engine) HeldFor(ctx context.Context, tenant, email string) (found bool, address string, err error) {
	switch l, err := e.Map.OnFile(tenant, email); {
	case err == nil:
		if known, err := e.has(ctx, l); err != nil || known {
			return false, "", err
		}
	case fault.Is(err, fault.Invalid):
		return false, "", nil // no address anybody could have
	case !fault.Is(err, fault.NotFound):
		return false, "", err
	}
	lookups, err := e.Map.Held(tenant, email)
	if fault.Is(err, fault.Invalid) {
		return false, "", nil
	} else if err != nil {
		return false, "", err
	}
	var dark error
	for _, l := range lookups {
		switch found, err := e.has(ctx, l); {
		case err != nil && (dark == nil || passing(err)): // of several, one that is worth another try
			dark = err
		case found:
			return true, strings.TrimSpace(email), nil
		}
	}
	return false, "", dark
}

// has reports whether a lookup meets anything of its tenant. A place that is not there holds nothing.
func (e *Engine) has(ctx context.Context, l datamap.Lookup) (bool, error) {
	reader, err := e.asking(ctx, l.Reader)
	if err != nil {
		return false, err
	}
	for cursor := ""; ; {
		page, err := reader.Find(ctx, l.Query, cursor, erasure.MaxPage)
		if fault.Is(err, fault.NotFound) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		for _, i := range page.Items {
			if ours(l.Query, i) {
				return true, nil
			}
		}
		if cursor = page.Next; cursor == "" {
			return false, nil
		}
	}
}
