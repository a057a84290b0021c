package gcs

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// scan is how many names one Find looks at, at most.
const scan = 1000

// check is what every method asks of a query.
func check(q erasure.Query) error {
	if err := q.Check(); err != nil {
		return err
	}
	wrong := ""
	switch {
	case q.Match.Kind == erasure.MatchRef || q.Match.Kind == erasure.MatchEquals || q.Match.Kind == erasure.MatchContains || q.Match.Kind == erasure.MatchMapKey:
		wrong = "a bucket recognises nothing by " + string(q.Match.Kind)
	case q.Action == erasure.ActionAnonymise:
		wrong = "objects are deleted, not changed"
	case q.Place != "" && (!strings.HasSuffix(q.Place, "/") || strings.HasPrefix(q.Place, "/")):
		wrong = "its place is no beginning of names up to a slash"
	case q.Tenant.Binding == erasure.BindPath && !bound(q):
		wrong = "neither its place nor each name names the tenant"
	case slices.ContainsFunc(names(q), func(v string) bool { return !strings.HasPrefix(v, q.Place) || len(v) > 1024 }):
		wrong = "a value is no name in its place"
	}
	if wrong != "" {
		return fault.New(fault.Invalid, "searching for entry %q: %s", q.Entry, wrong)
	}
	return nil
}

// names are the values that are names, or beginnings of some.
func names(q erasure.Query) []string {
	if q.Match.Kind == erasure.MatchDocument || q.Match.Kind == erasure.MatchPrefix {
		return q.Match.Values
	}
	return nil
}

// bound reports that whatever is found has the tenant's id between slashes in its name.
func bound(q erasure.Query) bool {
	holds := func(name string) bool {
		segments := strings.Split(name, "/")
		return slices.Contains(segments[:len(segments)-1], q.Tenant.ID)
	}
	return holds(q.Place) || len(names(q)) > 0 && !slices.ContainsFunc(names(q), func(v string) bool { return !holds(v) })
}

// mark is where a walk goes on: behind one generation of a name, or at a part's beginning.
type mark struct {
	Part       int    `json:"p,omitempty"`
	After      string `json:"a,omitempty"`
	Generation int64  `json:"g,omitempty"`
}

func (m mark) cursor() string { return erasure.Cursor(m) }

func parseMark(cursor string) (m mark, err error) {
	if err = erasure.ReadCursor(cursor, &m); err != nil || m.Part < 0 {
		return mark{}, fault.New(fault.Invalid, "searching: the cursor is none of ours")
	}
	return m, nil
}

// starts are what the names of each part of a search begin with. One that lies in another is left out.
func starts(q erasure.Query) []string {
	if names(q) == nil {
		return []string{q.Place}
	}
	all := slices.Compact(slices.Sorted(slices.Values(names(q))))
	return slices.DeleteFunc(all, func(v string) bool {
		return q.Match.Kind == erasure.MatchPrefix && slices.ContainsFunc(q.Match.Values, func(o string) bool { return o != v && strings.HasPrefix(v, o) })
	})
}

// Find implements erasure.Reader. One call is one walk over at most a thousand names, so a page may be empty.
func (r *Reader) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	err := check(q)
	if err == nil {
		err = erasure.CheckLimit(limit)
	}
	if err != nil {
		return erasure.Page{}, err
	}
	objects, next, err := r.page(ctx, q, cursor, limit)
	if err != nil {
		return erasure.Page{}, err
	}
	page := erasure.Page{Next: next}
	for _, o := range objects {
		page.Items = append(page.Items, r.item(q, o))
	}
	return page, nil
}

// page reads at most limit objects that belong to the query, and where the next page begins.
func (r *Reader) page(ctx context.Context, q erasure.Query, cursor string, limit int) ([]*storage.ObjectAttrs, string, error) {
	m, err := parseMark(cursor)
	all := starts(q)
	if err != nil || m.Part >= len(all) {
		return nil, "", err
	}
	handle, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return nil, "", err
	}
	defer cancel()
	query := &storage.Query{Prefix: all[m.Part], Versions: true, Projection: storage.ProjectionNoACL, StartOffset: m.After}
	if q.Match.Kind == erasure.MatchDocument {
		query.EndOffset = all[m.Part] + "\x00"
	}
	it := handle.Objects(ctx, query)
	if it.PageInfo().MaxSize = scan; q.Match.Kind != erasure.MatchMetadata {
		it.PageInfo().MaxSize = limit + 1
	}
	var found []*storage.ObjectAttrs
	for looked := 0; looked < scan && len(found) < limit; looked++ {
		o, err := it.Next()
		if errors.Is(err, iterator.Done) {
			if m = (mark{Part: m.Part + 1}); m.Part < len(all) {
				return found, m.cursor(), nil
			}
			return found, "", nil
		}
		if err != nil {
			return nil, "", r.explain("listing", err)
		}
		if o.Name == m.After && o.Generation <= m.Generation {
			continue
		}
		if m.After, m.Generation = o.Name, o.Generation; matches(q, o) && q.Before(created(q, o)) && !leftOut(q, o) {
			found = append(found, o)
		}
	}
	return found, m.cursor(), nil
}

func (r *Reader) item(q erasure.Query, o *storage.ObjectAttrs) erasure.Item {
	i := erasure.Item{Ref: o.Name + "#" + strconv.FormatInt(o.Generation, 10), Version: version(o), Created: created(q, o), Tenant: tenant(q, o), Held: r.held(o)}
	return q.Shows(i, func(field string) string { return o.Metadata[field] })
}

func version(o *storage.ObjectAttrs) string { return strconv.FormatInt(o.Metageneration, 10) }

func created(q erasure.Query, o *storage.ObjectAttrs) time.Time {
	if q.CreatedField == "" {
		return o.Created.UTC()
	}
	return erasure.Moment(o.Metadata[q.CreatedField])
}

// held is until when the bucket keeps an object, zero where it does not.
func (r *Reader) held(o *storage.ObjectAttrs) time.Time {
	if o.TemporaryHold || o.EventBasedHold {
		return erasure.Endless
	}
	until := o.RetentionExpirationTime
	if o.Retention != nil && o.Retention.RetainUntil.After(until) {
		until = o.Retention.RetainUntil
	}
	if until.After(r.clock.Now()) {
		return until.UTC()
	}
	return time.Time{}
}

func tenant(q erasure.Query, o *storage.ObjectAttrs) string {
	if q.Tenant.Binding != erasure.BindField {
		return q.Tenant.ID
	}
	return o.Metadata[q.Tenant.Field]
}

// matches reports whether an object is such as the query recognises.
func matches(q erasure.Query, o *storage.ObjectAttrs) bool { return recognises(q, q.Match, o) }

// leftOut reports whether another search finds the object.
func leftOut(q erasure.Query, o *storage.ObjectAttrs) bool {
	return slices.ContainsFunc(q.Not, func(m erasure.Match) bool { return recognises(q, m, o) })
}

func recognises(q erasure.Query, m erasure.Match, o *storage.ObjectAttrs) bool {
	begins := func(v string) bool { return strings.HasPrefix(o.Name, v) }
	switch m.Kind {
	case erasure.MatchDocument:
		return slices.Contains(m.Values, o.Name)
	case erasure.MatchPrefix:
		return slices.ContainsFunc(m.Values, begins)
	case erasure.MatchMetadata:
		return begins(q.Place) && m.Is(o.Metadata[m.Field])
	}
	return begins(q.Place) && tenant(q, o) == q.Tenant.ID
}

// Values implements erasure.Reader: of metadata.
func (r *Reader) Values(ctx context.Context, q erasure.Query, field string, limit int) ([]string, error) {
	err := check(q)
	if err == nil && (field == "" || limit < 1) {
		err = fault.New(fault.Invalid, "reading of entry %q: no field, or no limit", q.Entry)
	}
	if err != nil {
		return nil, err
	}
	var values []string
	for cursor := ""; ; {
		objects, next, err := r.page(ctx, q, cursor, erasure.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if value := o.Metadata[field]; value != "" && tenant(q, o) == q.Tenant.ID {
				values = append(values, value)
			}
		}
		slices.Sort(values)
		if values = slices.Compact(values); len(values) > limit {
			return nil, fault.New(fault.Exhausted, "reading of entry %q: more than %d identifiers follow from it", q.Entry, limit)
		}
		if err := erasure.Metered(ctx, len(objects)); err != nil {
			return nil, err
		}
		if cursor = next; cursor == "" {
			return values, nil
		}
	}
}

// Group implements erasure.Reader. Nothing in a bucket is anonymised, so there is nothing to count: Invalid.
func (r *Reader) Group(_ context.Context, q erasure.Query, _ []string) (int, error) {
	return 0, fault.New(fault.Invalid, "counting of entry %q: objects are deleted, not changed", q.Entry)
}

// Places implements erasure.Reader: what the names of objects begin with, up to a slash, and "/" for names without one.
func (r *Reader) Places(ctx context.Context, limit int) ([]string, error) {
	if limit < 1 {
		return nil, fault.New(fault.Invalid, "listing a bucket: no limit")
	}
	handle, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	found := map[string]bool{}
	for it := handle.Objects(ctx, &storage.Query{Delimiter: "/", Versions: true, Projection: storage.ProjectionNoACL}); len(found) <= limit; {
		o, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return sorted(found), nil
		}
		if err != nil {
			return nil, r.explain("listing", err)
		}
		if o.Prefix == "" {
			o.Prefix = "/"
		}
		found[o.Prefix] = true
	}
	return nil, fault.New(fault.Exhausted, "listing the bucket %s: it has more than %d beginnings of names", r.bucket.Name(), limit)
}
