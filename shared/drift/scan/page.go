package scan

import (
	"context"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// run lists one lane, page by page, until it ends, cannot go on for now, or the time is over. An error is one of the store.
func (l *lister) run(ctx context.Context, i int) error {
	for !l.lanes[i].Done {
		if err := l.pause(ctx); err != nil {
			return nil
		}
		one := l.lanes[i]
		page, err := l.page(ctx, one)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			again := l.refused(i, err)
			if !again {
				if err := l.ended(ctx, i); err != nil {
					return err
				}
			}
			if err := l.write(ctx, i, nil); err != nil || again {
				return err
			}
			continue
		}
		if err := l.took(ctx, i, page); err != nil {
			return err
		}
	}
	return nil
}

// pause keeps calls apart.
func (l *lister) pause(ctx context.Context) error {
	if !l.called || l.Pause == 0 {
		l.called = true
		return ctx.Err()
	}
	return wait(ctx, l.Pause)
}

// wait waits, unless there is no more time.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (l *lister) page(ctx context.Context, one lane) (asset.Page, error) {
	at := slices.IndexFunc(l.Sources, func(s asset.Source) bool { return slices.Contains(s.Scopes(), one.Place) })
	if at < 0 {
		return asset.Page{}, fault.New(fault.Misconfigured, "listing %s: nothing reads it any more", one.Place)
	}
	kinds := l.listed
	if cloud(one.Place) {
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return !google(kind) })
	}
	return l.Sources[at].List(ctx, one.Place, asset.Content(one.What), kinds, one.Page)
}

// took stores a page with the place after it. One that is long is stored in groups before: what was written when the process
// dies is written again.
func (l *lister) took(ctx context.Context, i int, page asset.Page) error {
	one := &l.lanes[i]
	chunks, unread, err := pack(page.Assets)
	if err != nil {
		return err
	}
	if read := page.Read.UTC(); one.Read.IsZero() || !read.IsZero() && read.Before(one.Read) {
		one.Read = read
	}
	one.counted(page.Assets)
	one.Unread = append(slices.Clone(one.Unread), append(page.Unread, unread...)...)
	one.Unread = one.Unread[:min(len(one.Unread), asset.MaxUnread)]
	one.dims(append(page.Unread, unread...), l.listed)
	stuck := page.Next != "" && page.Next == one.Page
	one.Page, one.Tries = page.Next, 0
	switch {
	case stuck:
		one.Done, one.Failed = true, fault.Misconfigured
	case page.Next == "":
		one.Done = true
	}
	for len(chunks) > maxGroup {
		if err := l.store(ctx, i, chunks[:maxGroup]); err != nil {
			return err
		}
		one.Chunks, chunks = one.Chunks+maxGroup, chunks[maxGroup:]
	}
	if one.Done {
		if err := l.ended(ctx, i); err != nil {
			return err
		}
	}
	return l.write(ctx, i, chunks)
}

// store writes chunks that no lane speaks of yet.
func (l *lister) store(ctx context.Context, i int, chunks [][]byte) error {
	return l.hold(ctx, func(tx store.Tx, _ *head) error { return l.put(tx, i, chunks) })
}

func (l *lister) put(tx store.Tx, i int, chunks [][]byte) error {
	for n, data := range chunks {
		c := chunk{V: version, Data: data, Expires: l.lanes[i].Expires}
		if err := tx.Put(assets, chunkID(l.head.Number, i, l.lanes[i].Chunks+n), c); err != nil {
			return err
		}
	}
	return nil
}

// write writes the last chunks of a page and the lane.
func (l *lister) write(ctx context.Context, i int, chunks [][]byte) error {
	after := l.lanes[i]
	after.Chunks += len(chunks)
	if err := l.hold(ctx, func(tx store.Tx, _ *head) error {
		if err := l.put(tx, i, chunks); err != nil {
			return err
		}
		return tx.Put(scans, laneID(l.head.Number, i), after)
	}); err != nil {
		return err
	}
	l.lanes[i] = after
	return nil
}

// refused notes that a page could not be read; true when it is worth another try, in a minute. What is refused is refused
// at once; a place in a list that is no place any more means to begin it again.
func (l *lister) refused(i int, why error) (again bool) {
	one := &l.lanes[i]
	kind := fault.KindOf(why)
	if kind == "" {
		kind = fault.Transient
	}
	one.Tries++
	l.Log.Warn("what there is could not be listed", "place", one.Place, "facts", one.What, "tries", one.Tries, "error", why)
	patient := kind == fault.Transient || kind == fault.Exhausted || kind == fault.Conflict || kind == fault.Invalid && one.Page != ""
	if patient && one.Tries < maxTries {
		if kind == fault.Invalid {
			one.Page, one.Chunks, one.Assets, one.Kinds, one.Unread, one.Dim, one.Read = "", 0, 0, nil, nil, nil, time.Time{}
		}
		return true
	}
	one.Done, one.Failed = true, kind
	return false
}

// ended looks at a lane that was listed to its end: a type of which there was something and is nothing is lost.
func (l *lister) ended(ctx context.Context, i int) error {
	one := &l.lanes[i]
	before, at, err := l.before(ctx, *one)
	if err != nil || at < 0 {
		return err
	}
	own := part{Scan: l.head.Whole, Lane: at, Chunks: before.Chunks}
	if one.Failed != "" {
		one.Old = before.Old
		if before.Failed == "" {
			one.Old = append(slices.Clone(before.Old), own)
		}
		one.Lost = before.Lost
		return nil
	}
	now, lost := l.Clock.Now().UTC(), map[string]time.Time{}
	for kind, n := range before.Kinds {
		if n > 0 && one.Kinds[kind] == 0 {
			lost[kind] = now
		}
	}
	for kind, since := range before.Lost {
		if one.Kinds[kind] == 0 && now.Sub(since) < forgets {
			lost[kind] = since
		}
	}
	if len(lost) > 0 {
		if err := l.confirm(ctx, append(slices.Clone(before.Old), own), lost); err != nil {
			return err
		}
	}
	if len(lost) > 0 {
		one.Lost = lost
	}
	kinds := slices.Sorted(maps.Keys(lost))
	for kind, n := range before.Kinds {
		if n > 0 && (slices.Contains(one.Dim, kind) || slices.Contains(one.Dim, "")) {
			kinds = append(kinds, kind)
		}
	}
	one.Old = older(before, own, kinds)
	return nil
}

// mostOld is in how many older lists it is looked for what was known of a type.
const mostOld = 3

// older are the parts that hold what was known of types that are lost, or some of which could not be read.
func older(before lane, own part, kinds []string) (all []part) {
	if len(kinds) == 0 {
		return nil
	}
	for _, p := range before.Old {
		p.Only = kinds
		all = append(all, p)
	}
	if slices.ContainsFunc(kinds, func(kind string) bool { _, was := before.Lost[kind]; return !was }) {
		own.Only = kinds
		all = append(all, own)
	}
	if len(all) > mostOld { // the oldest knows what could never be read since
		all = append(all[:1], all[len(all)-mostOld+1:]...)
	}
	return all
}

// dims adds the types of lines of what could not be read.
func (l *lane) dims(lines, listed []string) {
	for _, line := range lines {
		kind := named(line)
		if !slices.Contains(listed, kind) {
			kind = ""
		}
		if at, there := slices.BinarySearch(l.Dim, kind); !there {
			l.Dim = slices.Insert(slices.Clone(l.Dim), at, kind)
		}
	}
}

// before is the same lane of the scan that was whole last, and where it stood there; -1 where there was none.
func (l *lister) before(ctx context.Context, one lane) (lane, int, error) {
	if l.head.Whole == 0 {
		return lane{}, -1, nil
	}
	for i := range l.head.WholeLanes {
		var was lane
		err := l.Store.Get(ctx, scans, laneID(l.head.Whole, i), &was)
		switch {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return lane{}, -1, err
		case was.Place == one.Place && was.What == one.What:
			return was, i, nil
		}
	}
	return lane{}, -1, nil
}

// sampled is how many of a type are asked for by themselves, to tell whether all of it is gone.
const sampled = 20

// confirm takes out of lost the types of which everything that is asked for says that it is gone: a deletion is an answer, and
// an empty list is none.
func (l *lister) confirm(ctx context.Context, old []part, lost map[string]time.Time) error {
	ask := map[string][]string{}
	for _, p := range old {
		if _, err := l.chunks(ctx, p, func(a asset.Asset) {
			if _, is := lost[a.Type]; is && len(ask[a.Type]) < sampled && !slices.Contains(ask[a.Type], a.Key) {
				ask[a.Type] = append(ask[a.Type], a.Key)
			}
		}); err != nil {
			return err
		}
	}
	for kind, keys := range ask {
		gone := 0
		for _, key := range keys {
			if l.pause(ctx) != nil {
				break
			}
			if a, err := l.get(ctx, kind, key); err != nil || !a.Deleted {
				break
			}
			gone++
		}
		if gone == len(keys) {
			delete(lost, kind)
		}
	}
	return nil
}
