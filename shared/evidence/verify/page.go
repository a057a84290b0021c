package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// What a page record is known by, and its facts.
const (
	pageControl = "trust-page"

	pageFact = "page" // digest of the page's bytes
	sizeFact = "size" // how many leaves it was computed from
)

// checkPage holds the page of the bundle against the newest page record, and computes it again from the records.
func (v *verifier) checkPage(ctx context.Context) error {
	page, err := v.src.Read(ctx, PageFile, maxPage)
	missing := fault.Is(err, fault.NotFound)
	switch {
	case err != nil && !missing:
		return asFailure(err, PageFile, pageMissing, pageDiffers)
	case v.pageAt < 0 && missing:
		return nil // a log too young for a page
	case v.pageAt < 0:
		v.fail(failure(pageUnrecorded, PageFile, nil))
		return nil
	}
	size, err := strconv.ParseInt(v.page.Facts[sizeFact], 10, 64)
	if err != nil || size < 0 || size > v.pageAt || v.page.Source.Observed.IsZero() {
		v.fail(failure(pageWrong, PageFile, fmt.Errorf("record %d names no page of the log before it", v.pageAt)))
		return nil
	}
	v.report.Page = &Page{Index: v.pageAt, Size: size, At: v.page.Source.Observed, Digest: v.page.Facts[pageFact]}
	switch {
	case missing:
		v.fail(failure(pageMissing, PageFile, nil))
		return nil
	case record.Digest(page) != v.page.Facts[pageFact]:
		v.fail(failure(pageDiffers, PageFile, nil))
		return nil
	case v.options.Recompute == nil:
		return nil
	}
	again, err := v.recompute(ctx, size)
	switch {
	case fault.Is(err, fault.Invalid):
		return asFailure(err, RegisterFile, registerMissing, registerMalformed)
	case err != nil:
		return err
	case !bytes.Equal(again, page):
		v.fail(failure(pageWrong, PageFile, nil))
		return nil
	}
	v.report.Page.Computed = true
	return nil
}

// recompute computes the page from the register and the first leaves, which were verified before.
func (v *verifier) recompute(ctx context.Context, size int64) ([]byte, error) {
	register, err := v.src.Read(ctx, RegisterFile, maxPage)
	if err != nil {
		return nil, asFailure(err, RegisterFile, registerMissing, registerMalformed)
	}
	var reading error
	t := &tree{done: func(int, int64, []tlog.Hash) error { return nil }}
	leaves := func(yield func(int64, record.Record) bool) {
		reading = eachLeaf(ctx, v.src, v.head.Size, size, func(index int64, l leaf) error {
			if l.wrong != nil {
				return l.wrong
			}
			if err := t.add(l.hash); err != nil {
				return err
			}
			if !yield(index, l.record) {
				return errStop
			}
			return nil
		})
	}
	page, err := v.options.Recompute(Basis{register, v.head.Origin, size, v.page.Source.Observed, leaves, t.root})
	if reading != nil && !errors.Is(reading, errStop) {
		return nil, reading
	}
	return page, err
}

// errStop ends a walk whose reader has seen enough.
var errStop = errors.New("seen enough")
