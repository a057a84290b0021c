package secretmanager

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	api "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/secret/secrettest"
)

// service behaves as the reference documents AccessSecretVersion; the knobs make it misbehave at the wire.
type service struct {
	secretmanagerpb.UnimplementedSecretManagerServiceServer

	mu     sync.Mutex
	values map[string][]byte // by full version name
	asked  []string
	fail   error
	spoil  func(*secretmanagerpb.SecretPayload)
}

func newService() *service {
	s := &service{values: map[string][]byte{}}
	counts := map[string]int{}
	for _, f := range secrettest.Fixture {
		counts[f.Name]++
		s.values[fmt.Sprintf("projects/p/secrets/%s/versions/%d", f.Name, counts[f.Name])] = f.Value
	}
	return s
}

func (s *service) AccessSecretVersion(_ context.Context, r *secretmanagerpb.AccessSecretVersionRequest) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.GetName())
	if s.fail != nil {
		return nil, s.fail
	}
	data, ok := s.values[r.GetName()]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "Secret Version [%s] not found.", r.GetName())
	}
	sum := int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	payload := &secretmanagerpb.SecretPayload{Data: data, DataCrc32C: &sum}
	if s.spoil != nil {
		s.spoil(payload)
	}
	return &secretmanagerpb.AccessSecretVersionResponse{Name: r.GetName(), Payload: payload}, nil
}

func (s *service) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func start(t *testing.T, s *service, clk clock.Clock) *Store {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	secretmanagerpb.RegisterSecretManagerServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	store, err := New("p", map[string]int{"token": 2, "blob": 1}, clk, func(ctx context.Context) (*api.Client, error) {
		conn, err := grpc.NewClient("passthrough:///secrets",
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		return api.NewClient(ctx, option.WithGRPCConn(conn))
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestSuite(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, func(t *testing.T) secret.Store { return start(t, newService(), nil) })
}

func TestLatestIsNeverAsked(t *testing.T) {
	t.Parallel()
	fake := newService()
	store := start(t, fake, nil)
	if _, err := store.Get(t.Context(), "unpinned"); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "pin=unpinned:VERSION") {
		t.Errorf("a secret without a version: %v; want misconfigured, and how to pin it", err)
	}
	if _, err := store.Get(t.Context(), "token"); err != nil {
		t.Error(err)
	}
	if len(fake.asked) != 1 || fake.asked[0] != "projects/p/secrets/token/versions/2" {
		t.Errorf("asked for %q", fake.asked)
	}
}

func TestErrorsHaveKinds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail  error
		spoil func(*secretmanagerpb.SecretPayload)
		want  fault.Kind
	}{
		"no right":           {fail: status.Error(codes.PermissionDenied, "denied"), want: fault.Denied},
		"no identity":        {fail: status.Error(codes.Unauthenticated, "who"), want: fault.Denied},
		"not found":          {fail: status.Error(codes.NotFound, "none"), want: fault.NotFound},
		"disabled":           {fail: status.Error(codes.FailedPrecondition, "DISABLED state"), want: fault.Misconfigured},
		"unavailable":        {fail: status.Error(codes.Unavailable, "later"), want: fault.Transient},
		"quota":              {fail: status.Error(codes.ResourceExhausted, "quota"), want: fault.Transient},
		"internal":           {fail: status.Error(codes.Internal, "internal"), want: fault.Transient},
		"wrong checksum":     {spoil: func(p *secretmanagerpb.SecretPayload) { *p.DataCrc32C ^= 1 }, want: fault.Transient},
		"altered value":      {spoil: func(p *secretmanagerpb.SecretPayload) { p.Data = []byte("the secondX value") }, want: fault.Transient},
		"empty, no checksum": {spoil: func(p *secretmanagerpb.SecretPayload) { p.Data, p.DataCrc32C = nil, nil }, want: fault.Transient},
		"missing checksum":   {spoil: func(p *secretmanagerpb.SecretPayload) { p.DataCrc32C = nil }, want: fault.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The client repeats an unavailable service until the deadline.
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			fake := newService()
			fake.fail, fake.spoil = test.fail, test.spoil
			store := start(t, fake, nil)
			got, err := store.Get(ctx, "token")
			if !fault.Is(err, test.want) || got != nil {
				t.Errorf("Get = %q, %v (%s); want %s", got, err, fault.KindOf(err), test.want)
			}
			if err != nil && strings.Contains(err.Error(), "second") {
				t.Errorf("the error shows the value: %v", err)
			}
			fake.mu.Lock()
			fake.fail, fake.spoil = nil, nil
			fake.mu.Unlock()
			if _, err := store.Get(t.Context(), "token"); err != nil {
				t.Errorf("after the trouble: %v; no failure may be remembered", err)
			}
		})
	}
}

func TestValuesAreRememberedForFiveMinutes(t *testing.T) {
	t.Parallel()
	fake := newService()
	clk := clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	store := start(t, fake, clk)
	for _, step := range []struct {
		reference string
		wait      time.Duration
		asked     int
	}{
		{"token", 0, 1},
		{"token", 0, 1},
		{"token@2", 0, 1}, // the same version by another spelling
		{"token@1", 0, 2},
		{"token", MaxAge - time.Microsecond, 2},
		{"token", time.Microsecond, 3},
		{"token", 0, 3},
	} {
		if err := clk.Set(clk.Now().Add(step.wait)); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Get(t.Context(), step.reference); err != nil {
			t.Fatal(err)
		}
		if got := fake.questions(); got != step.asked {
			t.Errorf("%s after %s: asked %d times, want %d", step.reference, step.wait, got, step.asked)
		}
	}
}

func TestConnectsAtFirstUseAndAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	tries := 0
	store, err := New("p", map[string]int{"token": 1}, nil, func(context.Context) (*api.Client, error) {
		tries++
		return nil, errors.New("no credentials yet")
	})
	if err != nil || tries != 0 {
		t.Fatalf("New connected %d times, %v", tries, err)
	}
	for range 2 {
		if _, err := store.Get(t.Context(), "token"); !fault.Is(err, fault.Transient) {
			t.Errorf("Get: %v, want transient", err)
		}
	}
	if tries != 2 {
		t.Errorf("connected %d times, want 2", tries)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func TestDriver(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]map[string]int{
		"secretmanager://p":                            {},
		"secretmanager://p?pin=a:1,b:22":               {"a": 1, "b": 22},
		"secretmanager://p?pin=a:1&pin=b:2":            {"a": 1, "b": 2},
		"secretmanager://p?pin=a":                      nil,
		"secretmanager://p?pin=a:latest":               nil,
		"secretmanager://p?pin=a:0":                    nil,
		"secretmanager://p?pin=a:1,a:2":                nil,
		"secretmanager://p?pin=a:1&pin=a:1":            nil,
		"secretmanager://p?pin=":                       nil,
		"secretmanager://p?pins=a:1":                   nil,
		"secretmanager://p?pin=a:1;pin=b:2":            nil,
		"secretmanager://p/secrets?pin=a:1":            nil,
		"secretmanager://user@p":                       nil,
		"secretmanager:p":                              nil,
		"secretmanager://":                             nil,
		"secretmanager://p%2Fsecrets%2Ftoken?pin=a:1,": nil,
	} {
		store, err := secret.Drivers.Open(t.Context(), raw, secret.Options{})
		if want == nil {
			if !fault.Is(err, fault.Misconfigured) {
				t.Errorf("%s: %v, want misconfigured", raw, err)
			}
			continue
		}
		if err != nil || fmt.Sprint(store.(*Store).pins) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v", raw, store, err)
		}
	}
}
