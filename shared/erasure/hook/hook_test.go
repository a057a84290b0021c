package hook

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

const secret = "a secret of at least thirty-two bytes"

var now = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// served is a handler on this machine, with a certificate of its own.
func served(t testing.TB, handler http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// to opens a hook at a server as local mode does.
func to(t testing.TB, s *httptest.Server, password string) *Hook {
	t.Helper()
	u, err := url.Parse(s.URL + "/base/?secret=hook")
	must(t, err)
	o := options(password)
	if o.Roots = x509.NewCertPool(); s.Certificate() != nil {
		o.Roots.AddCert(s.Certificate())
	}
	h, err := open(u, o, func(string) string { return "" })
	must(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func options(password string) erasure.Options {
	return erasure.Options{Clock: clock.NewManual(now), Loopback: true, Secret: func(_ context.Context, name string) ([]byte, error) {
		if name != "hook" {
			return nil, fault.New(fault.NotFound, "there is no such secret")
		}
		return []byte(password), nil
	}}
}

// touching tells the suite of each request.
type touching struct {
	http.RoundTripper
	wire *erasetest.Wire
}

func (c touching) RoundTrip(r *http.Request) (*http.Response, error) {
	c.wire.Touch()
	return c.RoundTripper.RoundTrip(r)
}

func TestSuite(t *testing.T) {
	t.Parallel()
	erasetest.Run(t, erasetest.Harness{
		Bindings: []erasure.Binding{erasure.BindField, erasure.BindPath},
		Folds:    []erasure.MatchKind{erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchMetadata},
		Kinds: []erasure.MatchKind{erasure.MatchDocument, erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchPrefix,
			erasure.MatchMetadata, erasure.MatchTenant},
		Nested: true, Versions: true, Slow: true,
		Open: func(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) erasetest.World {
			behind, err := local.Open(filepath.Join(t.TempDir(), "sample.db"), "shop")
			must(t, err)
			t.Cleanup(func() { _ = behind.Close() })
			handler, err := Handler(behind, []byte(secret), clock.NewManual(now.Add(skew)))
			must(t, err)
			s := served(t, handler)
			h := to(t, s, secret)
			h.client.Transport = touching{h.client.Transport, wire}
			return &world{behind: behind, hook: h, server: s, binding: binding}
		},
	})
}

// world is a service in front of a file.
type world struct {
	behind  *local.Store
	hook    *Hook
	server  *httptest.Server
	binding erasure.Binding
}

func (w *world) Reader() erasure.Reader { return w.hook }
func (w *world) Store() erasure.Store   { return w.hook }

func (w *world) Query(tenant string) erasure.Query {
	if w.binding == erasure.BindPath {
		return erasure.Query{Place: "tenants/" + tenant + "/people", Tenant: erasure.Tenant{Binding: w.binding, ID: tenant}}
	}
	return erasure.Query{Place: "shop.people", Tenant: erasure.Tenant{Binding: w.binding, Field: erasetest.FieldTenant, ID: tenant}}
}

func (w *world) Name(tenant, name string) string {
	if w.binding == erasure.BindPath {
		return name
	}
	return tenant + "--" + name
}

func (w *world) Put(t testing.TB, tenant, name string, fields map[string]any) {
	t.Helper()
	fields = maps.Clone(fields)
	if w.binding == erasure.BindField && tenant != "" {
		fields[erasetest.FieldTenant] = tenant
	}
	must(t, w.behind.Put(w.Query(tenant).Place, w.Name(tenant, name), fields, time.Now()))
}

func (w *world) Get(t testing.TB, tenant, name string) (found map[string]any, ok bool) {
	t.Helper()
	must(t, w.behind.Each(func(place, id string, fields map[string]any) error {
		if place == w.Query(tenant).Place && id == w.Name(tenant, name) {
			delete(fields, erasetest.FieldTenant)
			found, ok = fields, true
		}
		return nil
	}))
	return found, ok
}

func (w *world) Export(t testing.TB, tenant string) []byte {
	t.Helper()
	var out bytes.Buffer
	must(t, w.behind.Each(func(place, id string, fields map[string]any) error {
		if place != w.Query(tenant).Place || w.binding == erasure.BindField && !strings.HasPrefix(id, w.Name(tenant, "")) {
			return nil
		}
		b, err := json.Marshal(fields)
		fmt.Fprintln(&out, place, id, string(b))
		return err
	}))
	return out.Bytes()
}

// Absent: in the store behind every place exists; one that tells of none is in TestAnswers.
func (w *world) Absent(testing.TB) (erasure.Reader, erasure.Query) { return nil, erasure.Query{} }

func (w *world) Stranger(t testing.TB) erasure.Store {
	return to(t, w.server, strings.ToUpper(secret))
}

func (w *world) Tired(t testing.TB) erasure.Store {
	handler, err := Handler(tired{w.behind}, []byte(secret), clock.NewManual(now))
	must(t, err)
	return to(t, served(t, handler), secret)
}

// tired is a store that wants rest.
type tired struct{ erasure.Store }

var errTired = &fault.Error{Kind: fault.Exhausted, RetryAfter: time.Minute}

func (tired) Find(context.Context, erasure.Query, string, int) (erasure.Page, error) {
	return erasure.Page{}, errTired
}
func (tired) Values(context.Context, erasure.Query, string, int) ([]string, error) {
	return nil, errTired
}
func (tired) Erase(context.Context, erasure.Query, []erasure.Item) ([]erasure.Result, error) {
	return nil, errTired
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
