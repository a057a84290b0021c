package pubsub_test

import (
	"context"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/bustest"
	"ostiary.internal/shared/platform/bus/pubsub"
	"ostiary.internal/shared/platform/fault"
)

func TestSuiteOnFake(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) bustest.Driver {
		server := pstest.NewServer()
		t.Cleanup(func() { server.Close() })
		p := pubsub.New("project", without(server.Addr)...)
		t.Cleanup(func() { p.Close() })
		topic := connect(t, server.Addr, "project").topic(t, "lease.changed")
		return bustest.Driver{
			Publisher: p, Topic: "lease.changed", Missing: "lease.forgotten",
			Held: func(testing.TB) (held []bus.Message) {
				for _, m := range server.Messages() {
					if m.Topic == topic {
						held = append(held, bus.Message{Data: m.Data, Attributes: m.Attributes})
					}
				}
				return held
			},
		}
	})
}

// answers makes every Publish of the fake fail until the given number of calls is over.
type answers struct {
	code  codes.Code
	calls chan struct{} // one for each failing call
}

func (a answers) React(any) (handled bool, answer any, err error) {
	select {
	case <-a.calls:
		return true, &pubsubpb.PublishResponse{}, status.Error(a.code, "refused by the test")
	default:
		return false, nil, nil
	}
}

func failing(t *testing.T, code codes.Code, calls int) *pubsub.Publisher {
	a := answers{code, make(chan struct{}, calls)}
	for range calls {
		a.calls <- struct{}{}
	}
	server := pstest.NewServer(pstest.ServerReactorOption{FuncName: "Publish", Reactor: a})
	p := pubsub.New("project", without(server.Addr)...)
	connect(t, server.Addr, "project").topic(t, "lease.changed")
	t.Cleanup(func() { p.Close(); server.Close() })
	return p
}

func TestErrorsHaveTheirKind(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]fault.Kind{
		codes.InvalidArgument:    fault.Invalid,
		codes.NotFound:           fault.Misconfigured,
		codes.PermissionDenied:   fault.Misconfigured,
		codes.Unauthenticated:    fault.Misconfigured,
		codes.FailedPrecondition: fault.Misconfigured,
		codes.Unimplemented:      fault.Misconfigured,
		codes.DataLoss:           fault.Transient,
		codes.Unavailable:        fault.Transient, // retried by the client until its patience ends
		codes.ResourceExhausted:  fault.Transient,
		codes.Internal:           fault.Transient,
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			p := failing(t, code, 100)
			p.SetPatience(300 * time.Millisecond)
			err := p.Publish(t.Context(), "lease.changed", bus.Message{Data: []byte(`{}`)})
			if got := fault.KindOf(err); err == nil || got != want {
				t.Errorf("%v (kind %q), want kind %q", err, got, want)
			}
		})
	}
}

// TestPassingFailure shows that a failure that passes is not the caller's business.
func TestPassingFailure(t *testing.T) {
	t.Parallel()
	p := failing(t, codes.Unavailable, 2)
	if err := p.Publish(t.Context(), "lease.changed", bus.Message{Data: []byte(`{}`)}); err != nil {
		t.Errorf("Publish: %v", err)
	}
}

// TestNobodyListens shows that a broker out of reach ends the call with its context.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := pstest.NewServer()
	p := pubsub.New("project", without(server.Addr)...)
	defer p.Close()
	p.SetPatience(200 * time.Millisecond)
	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Publish(ctx, "lease.changed", bus.Message{Data: []byte(`{}`)}); !fault.Is(err, fault.Transient) {
		t.Errorf("Publish: %v, want Transient", err)
	}
}

func TestDriverURL(t *testing.T) {
	t.Parallel()
	p, err := bus.Drivers.Open(t.Context(), "pubsub://some-project", bus.Options{})
	if err != nil { // it connects at first use: no credentials are needed here
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close of an unused bus: %v", err)
	}
	for _, raw := range []string{"pubsub:", "pubsub://", "pubsub:project", "pubsub://project/topic", "pubsub://project?x=y", "pubsub://user@project"} {
		if _, err := bus.Drivers.Open(t.Context(), raw, bus.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v, want Misconfigured", raw, err)
		}
	}
}
