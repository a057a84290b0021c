package main_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	cloud "cloud.google.com/go/firestore"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/emulatortest"
)

// shelves is what a company keeps of its customers, in whatever store.
type shelves interface {
	erasure.Store
	put(t *testing.T, path string, fields map[string]any)
	// all are the documents by path.
	all(t *testing.T) map[string]map[string]any
	// lead leads the command to the store: variables, or flags.
	lead() (environment, flags []string)
}

// drawers are trees of a file, as a laptop has them.
type drawers struct {
	*local.Store
	file string
}

const tree = "firestore://demo-company/main"

func openDrawers(t *testing.T) *drawers {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ostiary.db")
	s, err := local.Open(name, tree)
	fatal(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return &drawers{s, name}
}

func (d *drawers) put(t *testing.T, path string, fields map[string]any) {
	t.Helper()
	at := strings.LastIndexByte(path, '/')
	fatal(t, d.Put(path[:at], path[at+1:], fields, clock.System{}.Now()))
}

func (d *drawers) all(t *testing.T) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	fatal(t, d.Each(func(place, name string, fields map[string]any) error {
		found[place+"/"+name] = fields
		return nil
	}))
	return found
}

func (d *drawers) lead() (environment, flags []string) {
	return nil, []string{"--data", filepath.Dir(d.file)}
}

// database is one of the Firestore emulator.
type database struct {
	*firestore.Store
	client    *cloud.Client
	host, dir string
}

func openDatabase(t *testing.T, project string) *database {
	t.Helper()
	host := emulatortest.Firestore(t)
	owner := func(ctx context.Context) context.Context {
		return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer owner")
	}
	options := []option.ClientOption{option.WithEndpoint(host), option.WithoutAuthentication(), option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return invoke(owner(ctx), method, req, reply, cc, opts...)
		}))}
	client, err := cloud.NewClientWithDatabase(t.Context(), project, "main", options...)
	fatal(t, err)
	s, err := firestore.New(project, "main", options...)
	fatal(t, err)
	t.Cleanup(func() { _ = client.Close(); _ = s.Close() })
	return &database{s, client, host, t.TempDir()}
}

func (d *database) put(t *testing.T, path string, fields map[string]any) {
	t.Helper()
	_, err := d.client.Doc(path).Set(t.Context(), fields)
	fatal(t, err)
}

func (d *database) all(t *testing.T) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, group := range []string{"users", "devices", "sessions", "grants", "notes", "news"} {
		for it := d.client.CollectionGroup(group).Documents(t.Context()); ; {
			doc, err := it.Next()
			if errors.Is(err, iterator.Done) {
				break
			}
			fatal(t, err)
			_, path, _ := strings.Cut(doc.Ref.Path, "/documents/")
			found[path] = doc.Data()
		}
	}
	return found
}

func (d *database) lead() (environment, flags []string) {
	database := filepath.Join(d.dir, "ostiary.db")
	return []string{"FIRESTORE_EMULATOR_HOST=" + d.host, "OSTIARY_LEDGER=" + driver.URL("bolt", database, "tree", "ledger"), "OSTIARY_STORE=" + driver.URL("bolt", database, "tree", "erasure"),
		"OSTIARY_SECRETS=" + driver.URL("file", filepath.Join(d.dir, "secrets"), "key", filepath.Join(d.dir, "keys", "secrets"))}, nil
}
