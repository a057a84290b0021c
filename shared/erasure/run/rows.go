package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"ostiary.internal/shared/erasure"
)

// sought is an item that was made anonymous, and is to be looked at again: is it where it was, and does it count as it did.
type sought struct {
	Ref   string `json:"ref"`
	Group string `json:"group,omitempty"` // that it is to be in then; "" where nobody can tell
}

// groups are those that items will be in once the changes are made, on record before the first is made.
func (w *walk) groups(ctx context.Context, from erasure.Reader, s *step, items []erasure.Item) ([]string, error) {
	if s.Query.Action != erasure.ActionAnonymise || s.Entry.Group == nil || len(items) == 0 {
		return nil, nil
	}
	var refs []string
	for _, i := range items {
		refs = append(refs, i.Ref)
	}
	were, err := w.rows(ctx, from, s, refs)
	if err != nil {
		if passing(err) {
			return nil, err
		}
		return nil, nil // a store that finds nothing by name
	}
	var all []string
	for _, ref := range refs {
		group, told := groupOf(s.Query, s.Entry.Group.Fields, were[ref])
		if !told {
			group = ""
		}
		all = append(all, group)
	}
	return all, nil
}

// group is that of an item in hand.
func (p *position) group(i int) string {
	if i < len(p.Groups) {
		return p.Groups[i]
	}
	return ""
}

// seek puts down an item in hand that was made anonymous, to be looked at again.
func (p *position) seek(i int, action erasure.Action) {
	if action == erasure.ActionAnonymise {
		p.Seek = append(p.Seek, sought{p.Items[i].Ref, p.group(i)})
	}
}

// recount looks at what was made anonymous: statistics that count rows, or rows by the fields of the group, are what they
// were where each stands in its place, in the group that the changes make of the one it was in. Where a store finds nothing by
// name nothing is counted, and that stops nobody.
func (w *walk) recount(ctx context.Context, from erasure.Reader, s *step, t *task, p *position) error {
	if len(p.Seek) == 0 {
		return nil
	}
	var refs []string
	for _, one := range p.Seek {
		refs = append(refs, one.Ref)
	}
	are, err := w.rows(ctx, from, s, refs)
	if err != nil && passing(err) {
		return err
	}
	for _, one := range p.Seek {
		if is, there := are[one.Ref]; err == nil {
			t.Count.Sought++
			t.Count.stands(s, one, is, there)
		}
	}
	p.Seek = nil
	return nil
}

func (c *Count) stands(s *step, one sought, is erasure.Item, there bool) {
	if !there {
		return
	}
	c.Stood++
	if one.Group == "" || s.Entry.Group == nil {
		return
	}
	if now, _ := groupOf(erasure.Query{}, s.Entry.Group.Fields, is); now == one.Group {
		c.Same++
	} else {
		c.Moved++
	}
}

// rows reads items by name, with the fields of their group; those that are not there, or of others, are left out.
func (w *walk) rows(ctx context.Context, from erasure.Reader, s *step, refs []string) (map[string]erasure.Item, error) {
	q := s.Query
	q.Match, q.Not, q.Descend, q.Below, q.Action, q.Changes = erasure.Match{Kind: erasure.MatchRef}, nil, false, nil, "", nil
	if q.Show = nil; s.Entry.Group != nil {
		q.Show = s.Entry.Group.Fields
	}
	all := map[string]erasure.Item{}
	for part := range slices.Chunk(refs, erasure.MaxValues) {
		q.Match.Values = part
		for cursor := ""; ; {
			page, err := from.Find(ctx, q, cursor, erasure.MaxPage)
			if err != nil {
				return nil, err
			}
			w.Pace.Spent(s.Store, len(page.Items))
			for _, i := range page.Items {
				if ours(q, i) {
					all[i.Ref] = i
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	return all, nil
}

// groupOf is a digest over what the fields of a group hold once the changes of q are made; told is false where one of them does
// not tell.
func groupOf(q erasure.Query, fields []string, i erasure.Item) (group string, told bool) {
	told = true
	var values []string
	for _, field := range fields {
		value, is := q.Told(field, i.Shown[field])
		values, told = append(values, value), told && is
	}
	data, err := json.Marshal(values)
	if err != nil {
		panic(err) // text always encodes
	}
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:16]), told
}
