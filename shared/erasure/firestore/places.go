package firestore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	admin "cloud.google.com/go/firestore/apiv1/admin"
	"cloud.google.com/go/firestore/apiv1/admin/adminpb"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// How far Places looks: below so many documents of a collection, and of so many collections of one name below others.
const (
	samples = 20
	alike   = 3
)

// Places implements erasure.Reader: root collections, and as groups the names of the collections below them. Firestore
// lists no groups, so the first documents of some collections of each name are looked below, those that do not exist
// included; a name that stands below none of them is not found.
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
				found[anywhere+"/"+id] = true
				if looked[id]++; looked[id] <= alike {
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

// Traces implements erasure.Reader. Scheduled backups are the data map's to name.
func (r *Reader) Traces(ctx context.Context) (erasure.Traces, error) {
	unknown := erasure.Traces{Unknown: []string{"how far the Firestore database can be rewound"}}
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
	return erasure.Traces{Rewind: kept}, nil
}
