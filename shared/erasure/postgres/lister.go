package postgres

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

func init() {
	erasure.Listers.Register("postgres", func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Lister, error) {
		d, err := open(u, o, limits{readOnly: true})
		if err != nil {
			return nil, err
		}
		return &beside{d, strings.TrimSuffix(erasure.Bare(u.String()), u.Path)}, nil
	})
}

// beside lists the databases beside one. Any role may.
type beside struct {
	*database
	url string
}

// Stores implements erasure.Lister: templates, what nobody may connect to and what the providers of servers keep to
// themselves left out.
func (s *beside) Stores(ctx context.Context, limit int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	names, err := texts(ctx, s.pool, `SELECT datname::text FROM pg_database WHERE datallowconn AND NOT datistemplate
AND datname NOT IN ('cloudsqladmin', 'rdsadmin', 'azure_maintenance', 'azure_sys') LIMIT $1`, limit+1)
	if err != nil {
		return nil, explain("listing databases", err)
	}
	if len(names) > limit {
		return nil, fault.New(fault.Exhausted, "listing databases: there are more than %d", limit)
	}
	for i, name := range names {
		names[i] = s.url + "/" + url.PathEscape(name)
	}
	slices.Sort(names)
	return names, nil
}
