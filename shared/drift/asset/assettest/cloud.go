package assettest

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Cloud is Google Cloud in a test: the inventory and the services that hold what it lists. Its fields may be set before the
// first request, and between requests.
type Cloud struct {
	assetpb.UnimplementedAssetServiceServer
	Page  int             // the most assets of a page; 1000 when 0
	Types map[string]bool // the inventory knows; nil for all
	// Above is what everything lies in above its project; nil is organizations/1.
	Above []string
	// Unlisted are types the inventory tells nothing of, though it knows them: what lies above a place is in no list of it.
	Unlisted []string
	// Lists is asked before each page is listed: an error is answered, and nothing done.
	Lists func(*assetpb.ListAssetsRequest) error
	// Answer is called for each request to a service; what returns true has answered it.
	Answer func(w http.ResponseWriter, r *http.Request) bool

	mu     sync.Mutex
	things []Thing
	conn   string
	web    *httptest.Server
}

// At is when the inventory's lists were true.
var At = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// NewCloud starts a cloud with things in it, which ends with the test.
func NewCloud(t testing.TB, things []Thing) *Cloud {
	t.Helper()
	c := &Cloud{things: slices.Clone(things)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	assetpb.RegisterAssetServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	c.conn = listener.Addr().String()
	c.web = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.web.Close)
	return c
}

// Dial connects to the inventory.
func (c *Cloud) Dial(context.Context) (*grpc.ClientConn, error) {
	return grpc.NewClient(c.conn, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
}

// Client returns a client all of whose requests come here, wherever they are sent.
func (c *Cloud) Client(context.Context) (*http.Client, error) {
	to, err := url.Parse(c.web.URL)
	return &http.Client{Transport: redirected{to}}, err
}

type redirected struct{ to *url.URL }

// RoundTrip implements http.RoundTripper.
func (r redirected) RoundTrip(request *http.Request) (*http.Response, error) {
	one := request.Clone(request.Context())
	one.Header.Set("X-Test-Host", request.URL.Host)
	one.URL.Scheme, one.URL.Host, one.Host = r.to.Scheme, r.to.Host, r.to.Host
	return http.DefaultTransport.RoundTrip(one)
}

// Remove takes a thing away.
func (c *Cloud) Remove(thing Thing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.things = slices.DeleteFunc(c.things, func(one Thing) bool { return one.Key == thing.Key })
}

// ListAssets implements the inventory.
func (c *Cloud) ListAssets(_ context.Context, r *assetpb.ListAssetsRequest) (*assetpb.ListAssetsResponse, error) {
	if c.Lists != nil {
		if err := c.Lists(r); err != nil {
			return nil, err
		}
	}
	for _, kind := range r.GetAssetTypes() {
		if c.Types != nil && !c.Types[kind] {
			return nil, status.Errorf(codes.InvalidArgument, "Request contains an invalid argument: no supported asset type matches %q.", kind)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*assetpb.Asset
	for _, thing := range c.things {
		wanted := r.GetContentType() == assetpb.ContentType_RESOURCE && thing.Data != nil || r.GetContentType() == assetpb.ContentType_IAM_POLICY && thing.Policy != nil
		if software := r.GetContentType() == assetpb.ContentType_OS_INVENTORY; software && thing.Type == "osconfig.googleapis.com/Inventory" {
			one, err := installed(thing)
			if err != nil {
				return nil, status.Error(codes.Internal, err.Error())
			}
			all = append(all, one)
		}
		if wanted && slices.Contains(r.GetAssetTypes(), thing.Type) && !slices.Contains(c.Unlisted, thing.Type) {
			one, err := told(thing, r.GetContentType(), c.Above)
			if err != nil {
				return nil, status.Error(codes.Internal, err.Error())
			}
			all = append(all, one)
		}
	}
	size := min(int(r.GetPageSize()), 1000)
	if c.Page > 0 {
		size = min(size, c.Page)
	}
	from, err := strconv.Atoi("0" + r.GetPageToken())
	if err != nil || from > len(all) {
		return nil, status.Error(codes.InvalidArgument, "the page token is none")
	}
	answer := &assetpb.ListAssetsResponse{ReadTime: timestamppb.New(At), Assets: all[from:min(len(all), from+size)]}
	if from+size < len(all) {
		answer.NextPageToken = strconv.Itoa(from + size)
	}
	return answer, nil
}

// told is a thing as the inventory writes it.
func told(thing Thing, what assetpb.ContentType, above []string) (*assetpb.Asset, error) {
	if above == nil {
		above = []string{"organizations/1"}
	}
	out := map[string]any{"name": thing.Key, "assetType": thing.Type, "ancestors": append([]string{"projects/4711"}, above...)}
	if strings.Contains(thing.Key, "/organizations/") {
		out["ancestors"] = []string{"organizations/1"}
	}
	if thing.Name != "" {
		out["name"] = thing.Name
	}
	if what == assetpb.ContentType_RESOURCE {
		data := maps.Clone(thing.Data)
		for _, field := range thing.Brief {
			delete(data, field)
		}
		out["resource"] = map[string]any{"version": "v1", "data": data, "location": thing.Location}
	} else {
		out["iamPolicy"] = thing.Policy
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	one := &assetpb.Asset{}
	return one, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, one)
}

// installed is what is installed on a machine, as the inventory tells it of the machine.
func installed(thing Thing) (*assetpb.Asset, error) {
	raw, err := json.Marshal(map[string]any{"name": thing.Name, "assetType": "compute.googleapis.com/Instance", "osInventory": thing.Data, "ancestors": []string{"projects/4711", "organizations/1"}})
	if err != nil {
		return nil, err
	}
	one := &assetpb.Asset{}
	return one, protojson.Unmarshal(raw, one)
}

// serve implements the services.
func (c *Cloud) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if c.Answer != nil && c.Answer(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := "https://" + r.Header.Get("X-Test-Host") + r.URL.EscapedPath()
	if asked == firewallPolicies {
		c.policies(w, r)
		return
	}
	for _, thing := range c.things {
		switch {
		case asked == thing.URL && r.Method == http.MethodGet && err == nil:
			_ = json.NewEncoder(w).Encode(thing.Data)
			return
		case r.Method+" "+asked == thing.PolicyURL && err == nil:
			// Every service has its own way to ask for the version with conditions; without it they are left out.
			if !strings.Contains(r.URL.RawQuery, "equestedPolicyVersion=3") && !strings.Contains(string(body), `"requestedPolicyVersion":3`) {
				Refuse(w, http.StatusBadRequest, "INVALID_ARGUMENT")
				return
			}
			_ = json.NewEncoder(w).Encode(thing.Policy)
			return
		}
	}
	if strings.Contains(asked, "getIamPolicy") || !slices.ContainsFunc(c.things, func(thing Thing) bool { return thing.Type != "" && sameCollection(asked, thing.URL) }) {
		// Where no service speaks at all a front end answers, in HTML.
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>")
		return
	}
	Refuse(w, http.StatusNotFound, "NOT_FOUND")
}

const firewallPolicies = "https://compute.googleapis.com/compute/v1/locations/global/firewallPolicies"

// policies lists the firewall policies of a folder or an organization, by their parent: what they are called, and not their rules
// or what they are attached to. It is called with the lock.
func (c *Cloud) policies(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, thing := range c.things {
		if thing.Type == "compute.googleapis.com/FirewallPolicy" && thing.Data["parent"] == r.URL.Query().Get("parentId") {
			all = append(all, map[string]any{"name": thing.Data["name"], "parent": thing.Data["parent"]})
		}
	}
	size := 500
	if c.Page > 0 {
		size = c.Page
	}
	from, err := strconv.Atoi("0" + r.URL.Query().Get("pageToken"))
	if err != nil || from > len(all) {
		Refuse(w, http.StatusBadRequest, "INVALID_ARGUMENT")
		return
	}
	answer := map[string]any{"kind": "compute#firewallPolicyList", "items": all[from:min(len(all), from+size)]}
	if from+size < len(all) {
		answer["nextPageToken"] = strconv.Itoa(from + size)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// sameCollection reports whether two addresses differ in their last part alone.
func sameCollection(a, b string) bool {
	return a[:strings.LastIndexByte(a, '/')+1] == b[:strings.LastIndexByte(b, '/')+1]
}

// Refuse answers as Google's APIs do.
func Refuse(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "status": reason, "message": "user asha@company.example on projects/company-live", "errors": []any{map[string]any{"reason": reason}}}})
}
