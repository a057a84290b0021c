package cloudstorage

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/platform/fault"
)

// Read returns an object and its generation. Errors: NotFound where there is none; Denied where it may not be read, or where
// there is none and nobody may say so; Invalid for one of more than limit bytes and for one that is stored packed, which are
// not read; Misconfigured without the bucket; Transient.
func (b *Bucket) Read(ctx context.Context, name string, limit int64) (data []byte, generation int64, err error) {
	handle, ctx, cancel, err := b.Handle(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer cancel()
	r, err := handle.Object(name).NewReader(ctx)
	if err != nil {
		return nil, 0, b.Explain("reading", name, err)
	}
	tooLarge := fault.New(fault.Invalid, "reading %s in the bucket %s: more than %d bytes", name, b.name, limit)
	// Unpacked, a few bytes may be more than the memory; and where they are no gzip the client tries until its time is up.
	if r.Attrs.Decompressed || r.Attrs.ContentEncoding != "" {
		_ = r.Close()
		return nil, 0, fault.New(fault.Invalid, "reading %s in the bucket %s: it is stored packed", name, b.name)
	}
	if r.Attrs.Size > limit {
		_ = r.Close()
		return nil, 0, tooLarge
	}
	data, err = io.ReadAll(io.LimitReader(r, limit+1)) // the client compares the checksum at the end
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, 0, b.Explain("reading", name, err)
	}
	if int64(len(data)) > limit {
		return nil, 0, tooLarge
	}
	return data, r.Attrs.Generation, nil
}

// Create writes an object where there is none. Errors: Conflict where there is one, which stays as it is; Denied,
// Misconfigured, Transient. After Transient it may have been written: whoever tries again takes Conflict for that only once
// Read has shown the same bytes.
func (b *Bucket) Create(ctx context.Context, name, contentType string, data []byte) error {
	_, err := b.Put(ctx, name, contentType, data, 0)
	return err
}

// Put writes an object in one request and returns its generation: if generation is 0, one that must not exist, otherwise in
// place of that generation. Its checksum is verified by the service before it is kept. Errors: Conflict when it is not so;
// otherwise as of Create.
func (b *Bucket) Put(ctx context.Context, name, contentType string, data []byte, generation int64) (int64, error) {
	handle, ctx, cancel, err := b.Handle(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	conditions := storage.Conditions{GenerationMatch: generation, DoesNotExist: generation == 0}
	w := handle.Object(name).If(conditions).Retryer(storage.WithPolicy(storage.RetryNever)).NewWriter(ctx)
	w.ChunkSize = 0 // one request: nothing is left half uploaded, and the body is not copied
	w.ContentType = contentType
	w.CRC32C, w.SendCRC32C = crc32.Checksum(data, castagnoli), true
	_, err = w.Write(data)
	// What the service answered is told by Close; Write may only know that the pipe broke.
	if closing := w.Close(); closing != nil || err == nil {
		err = closing
	}
	switch {
	case err == nil:
		return w.Attrs().Generation, nil
	case taken(err, generation), generation != 0 && Status(err) == http.StatusNotFound && !NoBucket(err):
		return 0, fault.New(fault.Conflict, "writing %s in the bucket %s: it is there already, or another than was named: %w", name, b.name, err)
	}
	return 0, b.Explain("writing", name, err)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// taken reports whether a write was refused because an object is there that may not be replaced: its generation is
// another, or, for one that must not exist, it is under retention or a hold, or the writer may only create: which of
// these comes first is the service's choice. Where a generation is to be replaced they say that it never can be.
func taken(err error, generation int64) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	switch {
	case !ok:
		return false
	case e.Code == http.StatusPreconditionFailed:
		return true
	case e.Code != http.StatusForbidden || generation != 0:
		return false
	}
	for _, item := range e.Errors {
		if item.Reason == "retentionPolicyNotMet" || item.Reason == "objectUnderActiveHold" {
			return true
		}
	}
	return strings.Contains(e.Message, "storage.objects.delete")
}
