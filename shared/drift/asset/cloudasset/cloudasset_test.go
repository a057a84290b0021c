package cloudasset_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/asset/assettest"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

const org = "organizations/1"

func open(t testing.TB, c *assettest.Cloud) *cloudasset.Source {
	t.Helper()
	s, err := cloudasset.New([]string{org}, nil, c.Dial, c.Client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSource(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1000, 2, 1} {
		assettest.Run(t, func(t *testing.T, things []assettest.Thing) assettest.World {
			c := assettest.NewCloud(t, things)
			c.Page = size
			return assettest.World{Source: open(t, c), Remove: c.Remove}
		})
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for raw, good := range map[string]bool{
		"cloudasset:organizations/1": true, "cloudasset:organizations/1,projects/company-live,folders/22": true, "cloudasset:projects/example.com:old": true,
		"cloudasset:": false, "cloudasset:people/1": false, "cloudasset:organizations/x": false, "cloudasset:projects/a/b": false,
		"cloudasset://projects/p": false, "cloudasset:projects/p?endpoint=x": false, "cloudasset:projects/p,": false,
	} {
		s, err := asset.Sources.Open(t.Context(), raw, asset.Options{})
		if good != (err == nil) || err != nil && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

// TestListRefused: what the inventory refuses is an error of its kind, without its words, and never an empty list.
func TestListRefused(t *testing.T) {
	t.Parallel()
	retry, err := status.New(codes.ResourceExhausted, "asha@company.example").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		err  error
		page string
		want fault.Kind
		wait time.Duration
	}{
		{"may not", status.Error(codes.PermissionDenied, "asha@company.example"), "", fault.Denied, 0},
		{"who", status.Error(codes.Unauthenticated, "asha@company.example"), "", fault.Denied, 0},
		{"too many", retry.Err(), "", fault.Exhausted, 7 * time.Second},
		{"too large", status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 8)"), "", fault.Misconfigured, 0},
		{"no such scope", status.Error(codes.NotFound, "asha@company.example"), "", fault.Misconfigured, 0},
		{"wrong", status.Error(codes.InvalidArgument, "asha@company.example"), "", fault.Misconfigured, 0},
		{"old page", status.Error(codes.InvalidArgument, "asha@company.example"), " 5", fault.Conflict, 0},
		{"down", status.Error(codes.Unavailable, "asha@company.example"), "", fault.Transient, 0},
		{"slow", status.Error(codes.DeadlineExceeded, "asha@company.example"), "", fault.Transient, 0},
	} {
		cloud := assettest.NewCloud(t, assettest.Things())
		cloud.Lists = func(*assetpb.ListAssetsRequest) error { return c.err }
		p, err := open(t, cloud).List(t.Context(), org, asset.Resources, []string{"storage.googleapis.com/Bucket"}, c.page)
		var told *fault.Error
		if !fault.Is(err, c.want) || len(p.Assets) > 0 || strings.Contains(err.Error(), "asha") || errors.As(err, &told) && told.RetryAfter != c.wait {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestStrangeTypes: a type the inventory has no list of is named, the others are listed, on later pages too.
func TestStrangeTypes(t *testing.T) {
	t.Parallel()
	c := assettest.NewCloud(t, assettest.Things())
	c.Page, c.Types = 1, map[string]bool{"storage.googleapis.com/Bucket": true, "compute.googleapis.com/Firewall": true}
	s := open(t, c)
	kinds := []string{"storage.googleapis.com/Bucket", "compute.googleapis.com/Firewall", "new.googleapis.com/Thing", "recommender.googleapis.com/Insight"}
	var unread []string
	var found int
	for page := ""; ; {
		p, err := s.List(t.Context(), org, asset.Resources, kinds, page)
		if err != nil {
			t.Fatal(err)
		}
		unread, found = append(unread, p.Unread...), found+len(p.Assets)
		if page = p.Next; page == "" {
			break
		}
	}
	slices.Sort(unread)
	want := []string{"new.googleapis.com/Thing: the inventory has no list of it", "recommender.googleapis.com/Insight: it is told of places that are one project alone"}
	if found != 2 || !slices.Equal(unread, want) {
		t.Errorf("%d are listed, unread are %q", found, unread)
	}
}

// TestSoftware: what is installed on machines is listed after the resources, as its service tells it.
func TestSoftware(t *testing.T) {
	t.Parallel()
	const kind, path = "osconfig.googleapis.com/Inventory", "projects/company-live/locations/europe-west1-b/instances/vm"
	data := asset.Object{"name": path + "/inventory", "items": asset.Object{"a": asset.Object{"id": "a", "installedPackage": asset.Object{"aptPackage": asset.Object{"packageName": "libc6"}}}}}
	var things []assettest.Thing
	for _, n := range []string{"1", "2", "3"} {
		things = append(things, assettest.Thing{Type: kind, Key: "//osconfig.googleapis.com/" + path + n + "/inventory", Name: "//compute.googleapis.com/projects/company-live/zones/europe-west1-b/instances/vm" + n,
			URL: "https://osconfig.googleapis.com/v1/" + path + n + "/inventory", Location: "europe-west1-b", Data: data})
	}
	c := assettest.NewCloud(t, append(assettest.Things(), things...))
	c.Page = 2
	s := open(t, c)
	listed := assettest.List(t, s, kind, "storage.googleapis.com/Bucket")
	if n := listed.Kinds(); n[kind] != 3 || n["storage.googleapis.com/Bucket"] != 1 || len(n) != 2 {
		t.Fatalf("listed are %v", n)
	}
	for _, thing := range things {
		from, there := listed.Get(kind, thing.Key)
		one, err := s.Get(t.Context(), kind, thing.Key)
		if err != nil || !there || !reflect.DeepEqual(one.Data, from.Data) || one.Location != from.Location || one.Project != from.Project || one.Key != from.Key {
			t.Errorf("listed as %+v, read as %+v, %v", from, one, err)
		}
	}
	if n := assettest.List(t, s, kind).Kinds(); n[kind] != 3 || len(n) != 1 {
		t.Errorf("listed alone are %v", n)
	}
	c.Lists = func(r *assetpb.ListAssetsRequest) error {
		if r.GetContentType() == assetpb.ContentType_OS_INVENTORY {
			return status.Error(codes.PermissionDenied, "asha@company.example")
		}
		return nil
	}
	p, err := s.List(t.Context(), org, asset.Resources, []string{kind}, "")
	if err == nil {
		p, err = s.List(t.Context(), org, asset.Resources, []string{kind}, p.Next)
	}
	if err != nil || len(p.Unread) != 1 || p.Unread[0] != kind+": listing assets: PermissionDenied" || p.Next != "" {
		t.Errorf("denied: %+v, %v", p, err)
	}
}

// TestInsights: what of the rights in a project was used its service lists, page by page; where it may not be asked, that is named
// and nothing else is in doubt.
func TestInsights(t *testing.T) {
	t.Parallel()
	const kind, at = "recommender.googleapis.com/Insight", "/v1/projects/company-live/locations/global/insightTypes/google.iam.policy.Insight/insights"
	cloud := assettest.NewCloud(t, assettest.Things())
	refused := false
	cloud.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path != at || r.Header.Get("X-Test-Host") != "recommender.googleapis.com":
			return false
		case refused:
			assettest.Refuse(w, 403, "SERVICE_DISABLED")
		case r.URL.Query().Get("pageToken") == "":
			_, _ = io.WriteString(w, `{"insights":[{"name":"projects/4711/locations/global/insightTypes/google.iam.policy.Insight/insights/1","observationPeriod":"7776000s","stateInfo":{"state":"ACTIVE"}},{"name":7}],"nextPageToken":"a b"}`)
		case r.URL.Query().Get("pageToken") == "a b":
			_, _ = io.WriteString(w, `{"insights":[{"name":"projects/4711/locations/global/insightTypes/google.iam.policy.Insight/insights/2"}]}`)
		}
		return true
	}
	s, err := cloudasset.New([]string{"projects/company-live"}, nil, cloud.Dial, cloud.Client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	list := func() (keys, unread []string) {
		for page := ""; ; {
			p, err := s.List(t.Context(), "projects/company-live", asset.Resources, []string{kind, "osconfig.googleapis.com/Inventory", "storage.googleapis.com/Bucket"}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range p.Assets {
				keys = append(keys, a.Type+" "+asset.Base(a.Key)+" "+a.Project)
			}
			unread = append(unread, p.Unread...)
			if page = p.Next; page == "" {
				return keys, unread
			}
		}
	}
	if keys, unread := list(); !slices.Equal(keys, []string{"storage.googleapis.com/Bucket company-files 4711", kind + " 1 4711", kind + " 2 4711"}) || !slices.Equal(unread, []string{kind + ": one could not be read"}) {
		t.Errorf("%q, unread %q", keys, unread)
	}
	refused = true
	if keys, unread := list(); len(keys) != 1 || len(unread) != 1 || !strings.HasPrefix(unread[0], kind+": ") {
		t.Errorf("refused: %q, unread %q", keys, unread)
	}
}

// TestGetRefused: only what its own service says is not found is gone.
func TestGetRefused(t *testing.T) {
	t.Parallel()
	say := func(code int, reason string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool { assettest.Refuse(w, code, reason); return true }
	}
	write := func(code int, body string, headers ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	onPolicy := func(answer func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/iam") && answer(w, r)
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool
		want   fault.Kind
	}{
		"may not":            {say(403, "forbidden"), fault.Denied},
		"who":                {say(401, "UNAUTHENTICATED"), fault.Denied},
		"too many":           {write(429, "{}", "Retry-After", "9"), fault.Exhausted},
		"too many, old way":  {say(403, "rateLimitExceeded"), fault.Exhausted},
		"a front end":        {write(404, "<title>Error 404</title>"), fault.Misconfigured},
		"elsewhere":          {write(302, "", "Location", "https://evil.example/"), fault.Misconfigured},
		"wrong":              {say(400, "INVALID_ARGUMENT"), fault.Misconfigured},
		"down":               {write(503, "asha@company.example"), fault.Transient},
		"broken":             {say(500, "INTERNAL"), fault.Transient},
		"no JSON":            {write(200, "<html>"), fault.Transient},
		"a list":             {write(200, "[]"), fault.Transient},
		"null":               {write(200, "null"), fault.Transient},
		"nothing":            {write(200, ""), fault.Transient},
		"cut off":            {write(200, `{"name":`, "Content-Length", "100"), fault.Transient},
		"too long":           {write(200, `{"name":"`+strings.Repeat("x", asset.MaxBytes)+`"}`), fault.Invalid},
		"no policy":          {onPolicy(say(403, "forbidden")), fault.Denied},
		"gone in between":    {onPolicy(say(404, "notFound")), fault.Transient},
		"policy, too many":   {onPolicy(say(429, "RESOURCE_EXHAUSTED")), fault.Exhausted},
		"policy of nonsense": {onPolicy(write(200, `{"bindings":7}`)), fault.Invalid},
		"nobody answers":     {func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, fault.Transient},
	} {
		cloud := assettest.NewCloud(t, assettest.Things())
		cloud.Answer = c.answer
		a, err := open(t, cloud).Get(t.Context(), "storage.googleapis.com/Bucket", "//storage.googleapis.com/company-files")
		if !fault.Is(err, c.want) || a.Deleted || a.Data != nil || strings.Contains(err.Error(), "asha") || strings.Contains(err.Error(), "company") {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// TestNames: what is none of a type's names becomes no address.
func TestNames(t *testing.T) {
	t.Parallel()
	cloud := assettest.NewCloud(t, nil)
	cloud.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		t.Errorf("%s is asked for", r.URL)
		return false
	}
	s := open(t, cloud)
	for key, kind := range map[string]string{
		"//storage.googleapis.com/": "storage.googleapis.com/Bucket", "//storage.googleapis.com/a/o/b": "storage.googleapis.com/Bucket", "//storage.googleapis.com/..": "storage.googleapis.com/Bucket",
		"//evil.example/b": "storage.googleapis.com/Bucket", "//pubsub.googleapis.com/projects/p/topics/t": "pubsub.googleapis.com/Subscription",
		"//iam.googleapis.com/projects/p/serviceAccounts/a/keys/k": "iam.googleapis.com/ServiceAccount", "//storage.googleapis.com/a?b": "storage.googleapis.com/Bucket", "": "storage.googleapis.com/Bucket",
		"//secretmanager.googleapis.com/projects/p/secrets/s/versions/1:access": "secretmanager.googleapis.com/Secret",
	} {
		if a, err := s.Get(t.Context(), kind, key); !fault.Is(err, fault.NotFound) || a.Deleted {
			t.Errorf("%q: %+v, %v", key, a, err)
		}
	}
}

// TestJudgedAlike: the assertions of the starter policy say the same of what is listed and of what is read one by one.
func TestJudgedAlike(t *testing.T) {
	t.Parallel()
	things := assettest.Things()
	s := open(t, assettest.NewCloud(t, things))
	p, problems, err := policy.Load(os.DirFS("../../../../testdata/policies"), "baseline")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	set, problems := baseline.Load(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	listed, read := assettest.List(t, s, assettest.Types(things)...), asset.NewInventory()
	for _, a := range listed.All() {
		one, err := s.Get(t.Context(), a.Type, a.Key)
		if err != nil {
			t.Fatal(err)
		}
		one.Ancestors = a.Ancestors
		read.Add(one)
	}
	read.Settle()
	verdicts := func(of *asset.Inventory) (all []baseline.Judgement) {
		for _, j := range set.Scan(&baseline.Live{Inventory: of, Now: assettest.At}) {
			j.Read, j.Others = time.Time{}, nil
			all = append(all, j)
		}
		return all
	}
	want, got := verdicts(listed), verdicts(read)
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || !reflect.DeepEqual(want[i], got[i]) {
			t.Fatalf("listed:\n%+v\nread:\n%+v", want[min(i, len(want)):min(i+1, len(want))], got[min(i, len(got)):min(i+1, len(got))])
		}
	}
	if !slices.ContainsFunc(got, func(j baseline.Judgement) bool {
		return j.Assertion == "database-exposure" && j.Verdict == baseline.OutOfOrder
	}) {
		t.Error("a public database is in order")
	}
}

// TestTypes: what assertions look at can be read one by one, but for what is said of it.
func TestTypes(t *testing.T) {
	t.Parallel()
	p, _, err := policy.Load(os.DirFS("../../../../testdata/policies"), "baseline")
	if err != nil {
		t.Fatal(err)
	}
	set, _ := baseline.Load(p)
	known := cloudasset.Types()
	for _, kind := range set.Types() {
		if kind != "storagetransfer.googleapis.com/TransferJob" && strings.Contains(kind, ".googleapis.com/") && !slices.Contains(known, kind) {
			t.Errorf("a %s cannot be read by itself", kind)
		}
	}
	if n := len(diff.Known()); n == 0 {
		t.Error("nothing is compared")
	}
	for _, list := range cloudasset.Permissions {
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("the table of permissions has %v", list)
		}
	}
}

// TestCancelled: a call that was given up is Transient.
func TestCancelled(t *testing.T) {
	t.Parallel()
	s := open(t, assettest.NewCloud(t, assettest.Things()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.List(ctx, org, asset.Resources, []string{"storage.googleapis.com/Bucket"}, ""); !fault.Is(err, fault.Transient) {
		t.Error(err)
	}
	if _, err := s.Get(ctx, "storage.googleapis.com/Bucket", "//storage.googleapis.com/company-files"); !fault.Is(err, fault.Transient) {
		t.Error(err)
	}
}
