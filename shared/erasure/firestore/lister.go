package firestore

import (
	"context"
	"net/url"
	"os"
	"slices"
	"strings"

	admin "cloud.google.com/go/firestore/apiv1/admin"
	"cloud.google.com/go/firestore/apiv1/admin/adminpb"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// ListPermissions names the permissions that a Lister needs on the project.
var ListPermissions = map[string][]string{"Lister.Stores": {"datastore.databases.list"}}

func init() {
	erasure.Listers.Register("firestore", func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Lister, error) {
		if u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return nil, fault.New(fault.Misconfigured, "listing databases: a project's URL is firestore://PROJECT")
		}
		return NewLister(u.Host)
	})
}

// Lister lists the databases of a project.
type Lister struct {
	project string
	options []option.ClientOption
}

var _ erasure.Lister = (*Lister)(nil)

// NewLister is as NewReader.
func NewLister(project string, client ...option.ClientOption) (*Lister, error) {
	options, err := connection(project, "(default)", os.Getenv)
	return &Lister{project, append(options, client...)}, err
}

// Stores implements erasure.Lister. A project without Firestore has no databases, and the emulator tells of none.
func (l *Lister) Stores(ctx context.Context, limit int) ([]string, error) {
	client, err := admin.NewFirestoreAdminClient(ctx, l.options...)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "connecting to the administration of Firestore: %w", err)
	}
	defer client.Close()
	client.CallOptions = &admin.FirestoreAdminCallOptions{}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := client.ListDatabases(ctx, &adminpb.ListDatabasesRequest{Parent: "projects/" + l.project})
	switch {
	case off(err) || status.Code(err) == codes.Unimplemented:
		return nil, nil
	case err != nil:
		return nil, classify("listing the databases of", err)
	case len(answer.GetUnreachable()) > 0:
		return nil, fault.New(fault.Transient, "listing the databases of a project: %d places do not answer", len(answer.GetUnreachable()))
	case len(answer.GetDatabases()) > limit:
		return nil, fault.New(fault.Exhausted, "listing databases: there are more than %d", limit)
	}
	var all []string
	for _, d := range answer.GetDatabases() {
		name := d.GetName()
		all = append(all, "firestore://"+l.project+"/"+name[strings.LastIndexByte(name, '/')+1:])
	}
	slices.Sort(all)
	return all, nil
}

// off reports whether Firestore is not switched on in the project.
func off(err error) bool {
	for _, detail := range status.Convert(err).Details() {
		if info, is := detail.(*errdetails.ErrorInfo); is && info.GetReason() == "SERVICE_DISABLED" {
			return true
		}
	}
	return false
}

// Close implements io.Closer.
func (l *Lister) Close() error { return nil }
