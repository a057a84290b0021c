package runerasure

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	cloud "cloud.google.com/go/firestore"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"ostiary.internal/functions/erasure/decideerasure"
	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/erasure/planerasure"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/policy"
)

const closureMap = `
identifiers: [{id: email, reusable: true, normalise: email}, {id: uid}]
entries:
  - {id: devices, store: "firestore://%[1]s/main", place: "tenants/{tenant}/**/devices", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: uid, of: uid}, action: delete, backup_class: none}
  - {id: notes, store: "firestore://%[1]s/main", place: "tenants/{tenant}/**/notes", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: uid, of: uid}, action: delete, backup_class: none}
  - id: invoices
    store: "firestore://%[1]s/main"
    place: "tenants/{tenant}/**/invoices"
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {equals: uid, of: uid}
    action: retain
    created: issued
    retain: {ground: statute, citation: "HGB 257", from: issued, period: P10Y, fields: [uid, total], minimise: [phone]}
    backup_class: files
  - {id: users, store: "firestore://%[1]s/main", place: "tenants/{tenant}/users", region: europe-west1, role: controller, tenant: {path: true}, select: {document: "{uid}", or: {equals: email, of: email, case: lower}}, action: delete,
     created: made, directory: true, address: email, derives: [{identifier: uid, from: uid}], backup_class: files}
no_personal_data: ["firestore://%[1]s/main/tenants"]
owners: {entry: users, identifier: uid, from: uid, where: role, is: owner}
backups: [{class: files, days: 90}]
strict: true
`

// emulated opens stores of the map on the emulator.
const emulated = "emulated"

var emulator []option.ClientOption

// known is a project of which nobody has stores that nobody mapped.
type known struct{}

func (known) Stores(context.Context, int) ([]string, error) { return nil, nil }
func (known) Close() error                                  { return nil }

func init() {
	open := func(u *url.URL) (*firestore.Store, error) {
		_, at, _ := strings.Cut(u.Query().Get("tree"), "://")
		project, database, _ := strings.Cut(at, "/")
		return firestore.New(project, database, emulator...)
	}
	erasure.Readers.Register(emulated, func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Reader, error) { return open(u) })
	erasure.Stores.Register(emulated, func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Store, error) { return open(u) })
	erasure.Listers.Register(emulated, func(context.Context, *url.URL, erasure.Options) (erasure.Lister, error) { return known{}, nil })
}

// begun is a world whose product keeps its data on the emulator.
func begun(t *testing.T) (w *functiontest.World, key sign.Signer, data *cloud.Client) {
	t.Helper()
	host, project := emulatortest.Firestore(t), emulatortest.Project(t)
	emulator = []option.ClientOption{option.WithEndpoint(host), option.WithoutAuthentication(), option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return invoke(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer owner"), method, req, reply, cc, opts...) // who may list collections there
		}))}
	data, err := cloud.NewClientWithDatabase(t.Context(), project, "main", emulator...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	s, key := erasuretest.Setup(t, map[string]string{"datamap.yaml": fmt.Sprintf(closureMap, project), parts.EnvData: emulated + ":x?tree="},
		planerasure.Function, decideerasure.Function, Function)
	w = functiontest.New(t, s)
	w.PutSecret(parts.SecretLedger, []byte("1 "+strings.Repeat("k", 40)))
	return w, key, data
}

// paths are the documents there are below a tenant, with what they hold.
func paths(t *testing.T, data *cloud.Client, tenant string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, group := range []string{"users", "devices", "invoices", "notes"} {
		all, err := data.CollectionGroup(group).Documents(t.Context()).GetAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			_, path, _ := strings.Cut(d.Ref.Path, "/documents/tenants/")
			if below, ours := strings.CutPrefix(path, tenant+"/"); ours {
				found[below] = fmt.Sprint(d.Data())
			}
		}
	}
	return found
}

// TestClosure: an owner closes the account; what the law keeps lies below people who are deleted, and stays with what is needed
// of it, found and named in the receipt; everything else goes, what came late below them too, and the twin is as it was.
func TestClosure(t *testing.T) {
	t.Parallel()
	w, key, data := begun(t)
	put := func(path string, fields map[string]any) {
		t.Helper()
		if _, err := data.Doc("tenants/"+path).Set(t.Context(), fields); err != nil {
			t.Fatal(err)
		}
	}
	const nord, sud = erasuretest.Nord, erasuretest.Sud
	for _, tenant := range []string{nord, sud} {
		for uid, role := range map[string]string{"u1": "owner", "u2": "member"} {
			put(tenant+"/users/"+uid, map[string]any{"uid": uid, "email": uid + "@mail.example", "role": role, "made": "2025-01-01T00:00:00Z"})
			put(tenant+"/users/"+uid+"/devices/d", map[string]any{"uid": uid})
			put(tenant+"/users/"+uid+"/devices/d/notes/n", map[string]any{"text": "below a device"})
			put(tenant+"/users/"+uid+"/invoices/new", map[string]any{"uid": uid, "total": "7", "phone": "+49", "issued": "2024-05-05T00:00:00Z"})
			put(tenant+"/users/"+uid+"/invoices/old", map[string]any{"uid": uid, "total": "7", "issued": "2009-05-05T00:00:00Z"})
		}
	}
	twin := paths(t, data, sud)
	pass := func(total, step time.Duration) {
		t.Helper()
		for passed := time.Duration(0); passed < total; passed += step {
			w.Advance(t, step)
			w.Tick(t, "planerasure").Want(t, 204, "")
			w.Deliver(t)
		}
	}
	requests := func() *request.Service {
		t.Helper()
		p, err := parts.New(w.Deps("planerasure"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Requests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	asked, err := requests().Ask(t.Context(), request.Ask{Kind: request.Account, Tenant: nord, Language: "fr",
		Session: &request.Session{UID: "u1", Email: "u1@mail.example", Tenant: nord, Role: request.TenantOwner, At: w.Clock.Now()}}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	var r request.Request
	read := func() request.Request {
		t.Helper()
		if err := w.Raw("erasure").Get(t.Context(), request.Requests, asked.ID, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	w.Deliver(t)
	pass(3*time.Minute, time.Minute)
	// Two users, two devices, two notes below them, and of four invoices two that are over; two are made less.
	if read(); r.State != request.AwaitingApproval || r.Plan.Kept != 2 || r.Plan.Items != 10 {
		t.Fatalf("planned: %s (%s), %+v, doubts %v", r.State, r.Why, r.Plan, r.Doubts)
	}
	dpo := w.Policy.People[slices.IndexFunc(w.Policy.People, func(p policy.Person) bool { return p.Has("dpo") })]
	p, err := parts.New(w.Deps("decideerasure"))
	if err != nil {
		t.Fatal(err)
	}
	desk, err := p.Requests(t.Context())
	if err == nil {
		_, err = desk.Approve(t.Context(), asked.ID, dpo, r.Plan.Digest, w.Clock.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	pass(15*24*time.Hour, 24*time.Hour) // its grace
	pass(3*time.Minute, time.Minute)
	if read(); r.State != request.Retained || r.Made != 1 || len(r.Outcome.Open) > 0 {
		t.Fatalf("carried out: %s (%s), %d receipts, outcome %+v", r.State, r.Why, r.Made, r.Outcome)
	}
	left := paths(t, data, nord)
	if got := slices.Sorted(maps.Keys(left)); !slices.Equal(got, []string{"users/u1/invoices/new", "users/u2/invoices/new"}) || strings.Contains(fmt.Sprint(left), "phone") {
		t.Errorf("left are %v", left)
	}
	put(nord+"/users/u1/devices/late", map[string]any{"uid": "u1"})
	pass(8*24*time.Hour, 12*time.Hour)
	if read(); r.State != request.Retained || len(paths(t, data, nord)) != 2 {
		t.Errorf("what came late: %s, left are %v", r.State, paths(t, data, nord))
	}
	if got := paths(t, data, sud); !maps.Equal(got, twin) {
		t.Errorf("the twin is %v", got)
	}
	signed, err := (&receipt.Book{Store: w.Raw("erasure")}).File(t.Context(), asked.ID)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := key.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trust := sign.Trust{V: sign.TrustVersion, Origin: key.Name(), Keys: []sign.TrustedKey{{Key: verifier}}}
	if got := receipt.Verify(signed, trust); got.Outcome != verify.Good {
		t.Fatalf("the receipt is %+v", got)
	}
	said, err := receipt.Parse(signed)
	if err != nil || said.State != receipt.Retained || len(said.Retained) != 1 || said.Retained[0].Entry != "invoices" || said.Retained[0].Items != 2 {
		t.Errorf("the receipt says %+v, %v", said, err)
	}
	for _, e := range said.Entries {
		if e.Entry == "users" && e.Erased < 2 || e.Entry == "invoices" && (e.Erased != 2 || e.Anonymised != 2) || e.Entry == "devices" && e.Erased < 2 {
			t.Errorf("entry %+v", e)
		}
	}
}
