package firestore

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	admin "cloud.google.com/go/firestore/apiv1/admin"
	"cloud.google.com/go/firestore/apiv1/admin/adminpb"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// How far Places looks: below so many documents of a collection, and of so many collections of one path, whatever the ids in it;
// and at so many documents somewhere below a root collection.
const (
	samples  = 20
	alike    = 3
	somewhat = 100
)

// Places implements erasure.Reader: root collections, and those below documents with "*" for each id in their path. Firestore
// lists no collections below others, so the first documents of some collections of each path are looked below, those that do not
// exist included, and each time other documents from anywhere: a collection that is rare is found one day, and the traces of the
// database say so.
func (r *Reader) Places(ctx context.Context, limit int) ([]string, error) {
	if limit < 1 {
		return nil, fault.New(fault.Invalid, "listing collections: no limit")
	}
	look, err := r.collections(ctx, "")
	if err != nil {
		return nil, err
	}
	found, looked := map[string]bool{}, map[string]int{}
	for _, c := range look {
		found[c] = true
		some, err := r.somewhere(ctx, c)
		if err != nil {
			return nil, err
		}
		for _, path := range some {
			for parts := strings.Split(path, "/"); len(parts) > 2; parts = parts[:len(parts)-2] {
				found[starred(strings.Join(parts[:len(parts)-1], "/"))] = true
			}
		}
	}
	for ; len(look) > 0 && len(found) <= limit; look = look[1:] {
		documents, err := r.sample(ctx, look[0])
		if err != nil {
			return nil, err
		}
		for _, d := range documents {
			below, err := r.collections(ctx, d)
			if err != nil {
				return nil, err
			}
			for _, id := range below {
				place := starred(d + "/" + id)
				found[place] = true
				if looked[place]++; looked[place] <= alike {
					look = append(look, d+"/"+id)
				}
			}
		}
	}
	if len(found) > limit {
		return nil, fault.New(fault.Exhausted, "listing collections: there are more than %d", limit)
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// starred is a collection's path with "*" for each id.
func starred(path string) string {
	parts := strings.Split(path, "/")
	for i := 1; i < len(parts); i += 2 {
		parts[i] = "*"
	}
	return strings.Join(parts, "/")
}

// letters are what names of documents are tried with, in their order.
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

// deep is how many letters of a name are drawn.
const deep = 20

// somewhere returns the paths of some documents in and below a root collection, from another place each time: letter by letter one
// is drawn, or the next that some name goes on with.
func (r *Reader) somewhere(ctx context.Context, collection string) (paths []string, err error) {
	begin := ""
	for len(begin) < deep {
		next := ""
		for high := len(letters); high > 0 && next == ""; {
			high = drawn(high)
			found, err := r.from(ctx, collection, begin+letters[high:high+1], begin+"\U0010ffff", 1)
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				next = strings.Split(found[0], "/")[1]
			}
		}
		if next == "" {
			break
		}
		_, size := utf8.DecodeRuneInString(next[len(begin):])
		if begin = next[:len(begin)+size]; begin == next {
			break
		}
	}
	return r.from(ctx, collection, begin, "\U0010ffff", somewhat)
}

// drawn is a number below n, at random.
func drawn(n int) int {
	var b [1]byte
	_, _ = rand.Read(b[:]) // it never fails
	return int(b[0]) % n
}

// from returns the paths of the first documents in and below a root collection between two beginnings of names.
func (r *Reader) from(ctx context.Context, collection, begin, end string, limit int) (paths []string, err error) {
	s := &pb.StructuredQuery{
		From:    []*pb.StructuredQuery_CollectionSelector{{AllDescendants: true}},
		OrderBy: []*pb.StructuredQuery_Order{ascending("__name__")},
		Select:  selected(nil),
	}
	if begin == "" {
		begin = nul
	}
	r.between(s, collection+"/"+begin, collection+"/"+end)
	found, err := r.run(ctx, r.request("", s), limit)
	for _, d := range found {
		paths = append(paths, r.path(d.Name))
	}
	return paths, err
}

// collections are the ids of the collections right below a document, or of the root.
func (r *Reader) collections(ctx context.Context, document string) ([]string, error) {
	client, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	var ids []string
	for it := client.ListCollectionIds(ctx, &pb.ListCollectionIdsRequest{Parent: r.name(document)}); ; {
		id, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return ids, nil
		}
		if err != nil {
			return nil, classify("listing collections of", err)
		}
		ids = append(ids, id)
	}
}

// sample returns the paths of the first documents of a collection, existing or not.
func (r *Reader) sample(ctx context.Context, collection string) ([]string, error) {
	client, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	parent, id := split(collection)
	var paths []string
	for it := client.ListDocuments(ctx, &pb.ListDocumentsRequest{Parent: r.name(parent), CollectionId: id, PageSize: samples, ShowMissing: true, Mask: &pb.DocumentMask{}}); len(paths) < samples; {
		d, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			return nil, classify("listing documents of", err)
		}
		paths = append(paths, r.path(d.Name))
	}
	return paths, nil
}

// sampled is what no look at places tells.
const sampled = "collections below documents that nobody has mapped, but for those that samples have found"

// Traces implements erasure.Reader. Scheduled backups are the data map's to name.
func (r *Reader) Traces(ctx context.Context) (erasure.Traces, error) {
	unknown := erasure.Traces{Unknown: []string{"how far the Firestore database can be rewound", sampled}}
	client, err := admin.NewFirestoreAdminClient(ctx, r.options...)
	if err != nil {
		return unknown, nil
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d, err := client.GetDatabase(ctx, &adminpb.GetDatabaseRequest{Name: r.database})
	switch status.Code(err) {
	case codes.OK:
	case codes.Unimplemented, codes.PermissionDenied: // an emulator; an account that may not ask
		return unknown, nil
	default:
		return erasure.Traces{}, classify("describing", err)
	}
	kept := d.GetVersionRetentionPeriod().AsDuration()
	if kept == 0 { // the documented windows, where the service names none
		kept = time.Hour
		if d.GetPointInTimeRecoveryEnablement() == adminpb.Database_POINT_IN_TIME_RECOVERY_ENABLED {
			kept = 7 * 24 * time.Hour
		}
	}
	return erasure.Traces{Rewind: kept, Unknown: []string{sampled}}, nil
}
