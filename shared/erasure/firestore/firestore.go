// Package firestore searches and erases personal data in a Firestore database.
//
// A place is a collection ("tenants/acme/users") or a group, the collections of one name wherever they stand ("**/orders")
// or below one document ("tenants/acme/**/orders"). A value of MatchDocument is a document's id in the place, or its whole
// path. Names in fields are text; a reference is matched by nothing.
//
// Erasing reads each document again and deletes or changes it under the condition that it is still as read. What lies below a document is found by walking
// names, so that it is found below documents that do not exist too; it is erased with the document it belongs to or before
// it, and a document below that tells another tenant saves the whole. What somebody writes below a document that is gone is
// found by MatchDocument with Query.Descend, and in an entry of its own, only: as an item without version and time, of the tenant
// that is told below it. Where none is told the item tells none, and Erase takes the caller's word, in Item.Tenant, that the
// document was the tenant's before it went. Of a document only the fields a query names are read. Nothing but a
// commit that lost against another writer is tried again within a call: an error is the caller's to wait on, since only the
// caller knows the rate he may have.
//
// Queries that recognise by one field need that field's own index and no other. A collection has it unless somebody has
// exempted the field; of a group it has to be declared. Without it a search is Misconfigured. The emulator is used where FIRESTORE_EMULATOR_HOST is set, and refused on Cloud
// Run.
package firestore

import (
	"context"
	"net/url"
	"os"
	"strings"
	"time"

	vkit "cloud.google.com/go/firestore/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// What the methods ask of Firestore (https://cloud.google.com/firestore/docs/security/iam, required permissions for API
// methods).
const (
	mayDescribe = "datastore.databases.getMetadata"
	mayGet      = "datastore.entities.get"
	mayList     = "datastore.entities.list"
	mayCreate   = "datastore.entities.create" // totals
	mayUpdate   = "datastore.entities.update"
	mayDelete   = "datastore.entities.delete"
)

// ReadPermissions names, for each method of erasure.Reader, the permissions it needs on the database.
var ReadPermissions = map[string][]string{
	"Reader.Find":   {mayGet, mayList},
	"Reader.Values": {mayGet, mayList},
	"Reader.Group":  {mayGet, mayList},
	"Reader.Places": {mayGet, mayList},
	"Reader.Traces": {mayDescribe},
}

// Permissions names, for what erasure.Store adds, the permissions it needs on the database.
var Permissions = map[string][]string{
	"Store.Erase": {mayGet, mayList, mayCreate, mayUpdate, mayDelete},
}

// patience bounds one request to the database, and one transaction.
const patience = time.Minute

const emulatorVariable = "FIRESTORE_EMULATOR_HOST"

func init() {
	erasure.Readers.Register("firestore", func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Reader, error) {
		project, database, err := parse(u)
		if err != nil {
			return nil, err
		}
		return NewReader(project, database)
	})
	erasure.Stores.Register("firestore", func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Store, error) {
		project, database, err := parse(u)
		if err != nil {
			return nil, err
		}
		return New(project, database)
	})
}

// parse reads firestore://PROJECT/DATABASE.
func parse(u *url.URL) (project, database string, err error) {
	database = strings.TrimPrefix(u.Path, "/")
	if u.Host == "" || database == "" || strings.Contains(database, "/") || u.RawQuery != "" || u.User != nil {
		return "", "", fault.New(fault.Misconfigured, "data to erase: a Firestore URL is firestore://PROJECT/DATABASE")
	}
	return u.Host, database, nil
}

// Reader searches one database.
type Reader struct {
	database  string // projects/PROJECT/databases/DATABASE
	documents string // what the names of all documents begin with, without the slash
	client    *lazy.Value[*vkit.Client]
	options   []option.ClientOption
}

// Store searches and erases in one database.
type Store struct{ *Reader }

var (
	_ erasure.Reader = (*Reader)(nil)
	_ erasure.Store  = (*Store)(nil)
)

// NewReader returns a reader of a project's database, such as "(default)". It connects at first use. The client options
// are for tests; production needs none. A missing name and an emulator on Cloud Run are Misconfigured.
func NewReader(project, database string, client ...option.ClientOption) (*Reader, error) {
	options, err := connection(project, database, os.Getenv)
	if err != nil {
		return nil, err
	}
	r := &Reader{database: "projects/" + project + "/databases/" + database, options: append(options, client...)}
	r.documents = r.database + "/documents"
	r.client = lazy.New(func(ctx context.Context) (*vkit.Client, error) {
		// The client outlives the request that happened to need it first.
		c, err := vkit.NewClient(context.WithoutCancel(ctx), r.options...)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "connecting to Firestore database %q: %w", database, err)
		}
		// By its own settings the client would go on asking a server that is asked too much.
		c.CallOptions = &vkit.CallOptions{}
		return c, nil
	})
	return r, nil
}

// New is NewReader for a store that erases too.
func New(project, database string, client ...option.ClientOption) (*Store, error) {
	r, err := NewReader(project, database, client...)
	return &Store{r}, err
}

func connection(project, database string, getenv func(string) string) ([]option.ClientOption, error) {
	host := getenv(emulatorVariable)
	switch {
	case project == "" || database == "":
		return nil, fault.New(fault.Misconfigured, "opening Firestore: project or database has no name")
	case getenv("K_SERVICE") != "" && host != "":
		return nil, fault.New(fault.Misconfigured, "opening Firestore: %s is set on Cloud Run", emulatorVariable)
	case host == "":
		return nil, nil
	}
	return []option.ClientOption{option.WithEndpoint(host), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithPerRPCCredentials(owner{}))}, nil
}

// owner is who the emulator lets list collections.
type owner struct{}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (owner) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer owner"}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (owner) RequireTransportSecurity() bool { return false }

// begin returns the client and a context for one request or transaction.
func (r *Reader) begin(ctx context.Context) (*vkit.Client, context.Context, context.CancelFunc, error) {
	client, err := r.client.Get(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "google-cloud-resource-prefix", r.database)
	ctx, cancel := context.WithTimeout(ctx, patience)
	return client, ctx, cancel, nil
}

// Close implements io.Closer.
func (r *Reader) Close() error { return lazy.Close(r.client) }
