// Package cloudasset reads what a company has on Google Cloud: lists from Cloud Asset Inventory, and a single asset from the
// service that holds it.
//
// # What it promises
//
// A list is read a page a call, and read on in another process: all it takes is the word the page before ended with. A single
// read is of the same shape as the list, so that both are judged alike. Gone is only what its service says is not found; who
// may not ask, too many requests, an answer that is cut off or is none of the service's are errors of their kind. Requests
// go to hosts of googleapis.com, follow nobody elsewhere, and an answer is bounded. Errors name the type of asset and what
// was answered in a word, and no asset. Nothing is tried again within a call. What a project or a folder lies in is read beside
// its list, with the firewall policies that hold from there, and where that is refused it is named with what has to be granted.
//
// # What it does not do
//
// The inventory lags by minutes and has no list of some types: Unread says which. What of the rights was used is listed for places
// that are one project alone. A dataset's policy is in the list alone. Of a change above a place no feed of the place tells: the
// next list does.
package cloudasset

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/option"
	transport "google.golang.org/api/transport/grpc"
	web "google.golang.org/api/transport/http"
	"google.golang.org/grpc"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Permissions names, for each method of asset.Source, the IAM permissions it needs on what is listed
// (https://cloud.google.com/asset-inventory/docs/access-control, and each service's own list).
var Permissions = map[string][]string{
	"Source.List": {"cloudasset.assets.listIamPolicy", "cloudasset.assets.listOSInventories", "cloudasset.assets.listResource", "compute.firewallPolicies.list", "recommender.iamPolicyInsights.list",
		"resourcemanager.folders.get", "resourcemanager.folders.getIamPolicy", "resourcemanager.organizations.get", "resourcemanager.organizations.getIamPolicy"},
	"Source.Get": reading(),
}

// Bounds of one request.
const (
	patience   = 30 * time.Second
	pageSize   = 1000
	mostOfPage = 256 << 20
)

func init() {
	asset.Sources.Register("cloudasset", func(_ context.Context, u *url.URL, o asset.Options) (asset.Source, error) {
		scopes, err := parse(u)
		if err != nil {
			return nil, err
		}
		return New(scopes, o.Clock, Dial, Client)
	})
}

var scopeForm = regexp.MustCompile(`^(organizations/[0-9]{1,20}|folders/[0-9]{1,20}|projects/[a-z0-9][a-z0-9.:-]{1,62})$`)

// parse reads cloudasset:SCOPE,SCOPE.
func parse(u *url.URL) ([]string, error) {
	if u.Host != "" || u.RawQuery != "" {
		return nil, fault.New(fault.Misconfigured, "assets: allowed is cloudasset:organizations/NUMBER, folders/NUMBER and projects/ID, with commas")
	}
	return strings.Split(u.Opaque+strings.TrimPrefix(u.Path, "/"), ","), nil
}

// Dial connects to Cloud Asset Inventory as whom the process runs.
func Dial(ctx context.Context) (*grpc.ClientConn, error) {
	return transport.Dial(ctx, option.WithEndpoint("cloudasset.googleapis.com:443"), option.WithScopes(everything),
		option.WithGRPCDialOption(grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(mostOfPage))))
}

// everything is the one scope all the services take; what may be done is for IAM to say.
const everything = "https://www.googleapis.com/auth/cloud-platform"

// Client returns a client that authorises its requests as whom the process runs.
func Client(ctx context.Context) (*http.Client, error) {
	client, _, err := web.NewClient(ctx, option.WithScopes(everything))
	return client, err
}

// Source reads some scopes.
type Source struct {
	scopes []string
	clock  clock.Clock
	list   *lazy.Value[*grpc.ClientConn]
	get    *lazy.Value[*http.Client]
}

var _ asset.Source = (*Source)(nil)

// New returns a source of scopes such as organizations/1 and projects/P; dial and client run at the first call that needs
// them, and again after they failed. A nil clock is the system's. No scope, or what is none, is Misconfigured.
func New(scopes []string, c clock.Clock, dial func(context.Context) (*grpc.ClientConn, error), client func(context.Context) (*http.Client, error)) (*Source, error) {
	for _, scope := range scopes {
		if !scopeForm.MatchString(scope) {
			return nil, fault.New(fault.Misconfigured, "assets: %q is none of organizations/NUMBER, folders/NUMBER and projects/ID", scope)
		}
	}
	if len(scopes) == 0 {
		return nil, fault.New(fault.Misconfigured, "assets: no scope is given")
	}
	if c == nil {
		c = clock.System{}
	}
	guarded := func(ctx context.Context) (*http.Client, error) {
		made, err := client(ctx)
		if err != nil {
			return nil, err
		}
		one := *made
		one.Timeout, one.Jar = patience, nil
		one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return &one, nil
	}
	return &Source{scopes: slices.Compact(slices.Sorted(slices.Values(scopes))), clock: c, list: lazy.New(dial), get: lazy.New(guarded)}, nil
}

// Unconnected is the code of the error of a process that has no credentials, or none that can be read.
const Unconnected = "unconnected"

func unconnected(to string, err error) error {
	return &fault.Error{Kind: fault.Misconfigured, Code: Unconnected, Next: "On your own machine run: gcloud auth application-default login", Err: fault.New(fault.Misconfigured, "connecting to %s: %w", to, err)}
}

// Scopes implements asset.Source.
func (s *Source) Scopes() []string { return slices.Clone(s.scopes) }

// Close implements asset.Source.
func (s *Source) Close() error { return lazy.Close(s.list) }
