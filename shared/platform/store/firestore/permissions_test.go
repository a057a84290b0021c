package firestore_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore"
)

// required is Google's table "required permissions for API methods", for what the adapter sends.
var required = map[string][]string{
	"BatchGetDocuments":            {"datastore.entities.get"},
	"RunQuery":                     {"datastore.entities.get", "datastore.entities.list"},
	"BeginTransaction":             {"datastore.databases.get"},
	"Rollback":                     {"datastore.databases.get"},
	"Commit":                       {"datastore.databases.get"}, // with no writes
	"update of an absent document": {"datastore.entities.create"},
	"update with no precondition":  {"datastore.entities.create", "datastore.entities.update"},
	"delete":                       {"datastore.entities.delete"},
}

// TestPermissionsAreThoseOfTheCallsMade makes every call the seam has and looks at what reaches the server.
func TestPermissionsAreThoseOfTheCallsMade(t *testing.T) {
	t.Parallel()
	expired := &pb.Document{Fields: map[string]*pb.Value{
		"expires": {ValueType: &pb.Value_TimestampValue{TimestampValue: timestamppb.New(time.Unix(0, 0))}},
	}}
	query := store.Query{Collection: "things", Limit: 1}
	inTx := func(fn func(store.Tx) error) func(context.Context, store.Store) error {
		return func(ctx context.Context, s store.Store) error { return s.Tx(ctx, fn) }
	}
	calls := map[string]func(context.Context, store.Store) error{
		"Store.Get":   func(ctx context.Context, s store.Store) error { return s.Get(ctx, "things", "a", &thing{}) },
		"Store.Query": func(ctx context.Context, s store.Store) error { _, err := s.Query(ctx, query); return err },
		"Store.Tx":    inTx(func(store.Tx) error { return nil }),
		"Tx.Get":      inTx(func(tx store.Tx) error { return tx.Get("things", "a", &thing{}) }),
		"Tx.Query":    inTx(func(tx store.Tx) error { _, err := tx.Query(query); return err }),
		"Tx.Create":   inTx(func(tx store.Tx) error { return tx.Create("passing", "a", thing{1}) }),
		"Tx.Put":      inTx(func(tx store.Tx) error { return tx.Put("things", "a", thing{1}) }),
		"Tx.Delete":   inTx(func(tx store.Tx) error { return tx.Delete("things", "a") }),
	}
	if got, want := slices.Sorted(maps.Keys(firestore.Permissions)), methods(); !slices.Equal(got, want) {
		t.Errorf("the table names %q; the seam has %q", got, want)
	}
	for method, call := range calls {
		needed := map[string]bool{}
		for _, document := range []*pb.Document{nil, expired} {
			server := &server{document: document}
			_ = call(t.Context(), server.serve(t, plain)) // NotFound is an answer too
			for _, sent := range server.calls {
				permissions, known := required[sent]
				if !known {
					t.Errorf("%s sends %q, which the test does not know", method, sent)
				}
				for _, p := range permissions {
					needed[p] = true
				}
			}
		}
		if strings.HasPrefix(method, "Tx.") { // never called without Store.Tx, which names it
			delete(needed, "datastore.databases.get")
		}
		want := slices.Sorted(slices.Values(firestore.Permissions[method]))
		if got := slices.Sorted(maps.Keys(needed)); !slices.Equal(got, want) {
			t.Errorf("%s needs %q; the table says %q", method, got, want)
		}
	}
}

// methods lists the seam's methods, but for Close, which asks nothing of Firestore.
func methods() (names []string) {
	for prefix, seam := range map[string]reflect.Type{"Store.": reflect.TypeFor[store.Store](), "Tx.": reflect.TypeFor[store.Tx]()} {
		for method := range seam.Methods() {
			if method.Name != "Close" {
				names = append(names, prefix+method.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}
