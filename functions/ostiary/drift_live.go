package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	_ "ostiary.internal/shared/drift/diff/gcs"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// Bounds of reading from the cloud.
const (
	listPace  = 200 * time.Millisecond // between two pages: a project may list 600 times a minute, and others do
	listTries = 5
	listWait  = 2 * time.Second // before the second try, twice as long before each one after
	listMost  = 2 * time.Minute
)

// learned is the type by which numbers of projects are told from their ids.
const learned = "cloudresourcemanager.googleapis.com/Project"

// kinds are the types to list: what the assertions of the policy and the comparison look at.
func (r *driftReport) kinds(compared bool) []string {
	all := []string{learned}
	if r.set != nil {
		all = append(all, r.set.Types()...)
	}
	if compared {
		all = append(all, diff.Types()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// live lists scopes such as projects/P into the inventory, as whom the command runs.
func (r *driftReport) live(ctx context.Context, errs io.Writer, scopes, kinds []string, into *asset.Inventory) error {
	source, err := asset.Sources.Open(ctx, "cloudasset:"+strings.Join(scopes, ","), asset.Options{Clock: clock.System{}})
	if err != nil {
		return err
	}
	err = r.list(ctx, errs, source, kinds, into)
	return errors.Join(err, source.Close())
}

// list reads a source. A scope that cannot be read is named and leaves the others; what was read of it so far counts.
func (r *driftReport) list(ctx context.Context, errs io.Writer, source asset.Source, kinds []string, into *asset.Inventory) error {
	bar := progressOn(errs, 0)
	defer bar.end()
	for _, scope := range source.Scopes() {
		for _, what := range asset.Contents() {
			bar.begin("listing "+scope+" ("+string(what)+")", "assets", 0)
			if err := r.pages(ctx, bar, source, scope, what, kinds, into); err != nil {
				if ctx.Err() != nil || fault.CodeOf(err) == cloudasset.Unconnected {
					return err
				}
				r.missed(scope + ", " + string(what) + ": " + err.Error())
				for _, kind := range kinds {
					r.doubt(kind)
				}
			}
		}
		r.part = r.part || !strings.HasPrefix(scope, "organizations/")
	}
	into.Settle()
	r.Assets = into.Len()
	return nil
}

func (r *driftReport) pages(ctx context.Context, bar *progress, source asset.Source, scope string, what asset.Content, kinds []string, into *asset.Inventory) error {
	for page := ""; ; {
		p, err := patient(ctx, func() (asset.Page, error) { return source.List(ctx, scope, what, kinds, page) })
		if err != nil {
			return err
		}
		for _, a := range p.Assets {
			into.Add(a)
		}
		for _, why := range p.Unread {
			kind, _, _ := strings.Cut(why, ":")
			r.missed(scope + ": " + why)
			r.doubt(kind)
		}
		bar.read(int64(len(p.Assets)))
		if page = p.Next; page == "" {
			return nil
		}
		if err := pause(ctx, listPace); err != nil {
			return err
		}
	}
}

// patient asks again where that may help.
func patient[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	wait := listWait
	for try := 1; ; try++ {
		v, err := ask()
		if !fault.Is(err, fault.Exhausted) && !fault.Is(err, fault.Transient) || try == listTries {
			return v, err
		}
		if told, is := errors.AsType[*fault.Error](err); is {
			wait = min(max(wait, told.RetryAfter), listMost)
		}
		if pause(ctx, wait) != nil {
			return v, err
		}
		wait *= 2
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fault.New(fault.Transient, "reading from the cloud: %w", ctx.Err())
	case <-time.After(d):
		return nil
	}
}

// missed names what could not be read.
func (r *driftReport) missed(why string) {
	if r.Counts["unread"]++; len(r.Unread) < mostUnread {
		r.Unread = append(r.Unread, why)
	}
}

// doubt says that of a type there may be more than was read.
func (r *driftReport) doubt(kind string) {
	if !slices.Contains(r.doubted, kind) {
		r.doubted = append(r.doubted, kind)
	}
}

// doubts reports whether of a type there may be more than was read.
func (r *driftReport) doubts(kind string) bool { return r.dark || slices.Contains(r.doubted, kind) }

// facts are what assertions are judged by. Of a type without any there is none where an organization was listed whole, or
// where somebody says that all was read: a project has no sinks because its organization has.
func (r *driftReport) facts(inventory *asset.Inventory, listed []string, allRead bool) *baseline.Live {
	return &baseline.Live{Inventory: inventory, Now: r.now, Read: func(kind string) bool {
		return !r.doubts(kind) && (allRead || len(listed) > 0 && !r.part && slices.Contains(listed, kind))
	}}
}
