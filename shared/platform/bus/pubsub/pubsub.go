// Package pubsub publishes to Google Cloud Pub/Sub: production's bus.
//
// It promises that a message whose Publish returned nil is stored by Pub/Sub. It does not create topics (Terraform
// does), does not order messages, and does not receive: subscriptions push over HTTP.
package pubsub

import (
	"context"
	"errors"
	"net/url"
	"os"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
)

// Permissions names the IAM permissions each method needs, on the topic it publishes to.
var Permissions = map[string][]string{
	"Publish": {"pubsub.topics.publish"},
}

// patience bounds one Publish with all the client's own retries: somebody waits for the answer of the function that
// publishes, and what could not be sent in time stays in the outbox.
const patience = 10 * time.Second

// emulatorVariable makes the client speak to an emulator, without credentials.
const emulatorVariable = "PUBSUB_EMULATOR_HOST"

func init() {
	bus.Drivers.Register("pubsub", func(_ context.Context, u *url.URL, _ bus.Options) (bus.Publisher, error) {
		if u.Host == "" || u.Opaque != "" || u.User != nil || u.Path != "" || u.RawQuery != "" {
			return nil, fault.New(fault.Misconfigured, "opening the bus: the URL is not pubsub://PROJECT")
		}
		if err := refuseEmulator(os.Getenv); err != nil {
			return nil, err
		}
		return New(u.Host), nil
	})
}

// refuseEmulator keeps a deployed function from sending what it has to say, unsigned, to whoever listens.
func refuseEmulator(getenv func(string) string) error {
	if getenv("K_SERVICE") != "" && getenv(emulatorVariable) != "" {
		return fault.New(fault.Misconfigured, "opening the bus: %s is set on Cloud Run", emulatorVariable)
	}
	return nil
}

// Publisher publishes to the topics of one project.
type Publisher struct {
	project  string
	options  []option.ClientOption
	patience time.Duration

	mu     sync.Mutex
	client *pubsub.Client // nil until the first use
	topics map[string]*pubsub.Publisher
	closed bool
}

// New returns the publisher of a project. It connects at first use. The options are for tests; production needs none.
func New(project string, options ...option.ClientOption) *Publisher {
	return &Publisher{project: project, options: options, patience: patience, topics: map[string]*pubsub.Publisher{}}
}

// Publish returns when Pub/Sub has stored the message: a function's processor may stop the moment it has answered.
func (p *Publisher) Publish(ctx context.Context, topic string, m bus.Message) error {
	if err := bus.Check(topic, m); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	if err := ctx.Err(); err != nil { // the client would send all the same, in the background
		return fault.New(fault.Transient, "publishing to %s: %w", topic, err)
	}
	t, err := p.topic(ctx, topic)
	if err != nil {
		return err
	}
	_, err = t.Publish(ctx, &pubsub.Message{Data: m.Data, Attributes: m.Attributes}).Get(ctx)
	if err != nil {
		return fault.New(kindOf(err), "publishing to %s: %w", topic, err)
	}
	return nil
}

// topic returns the client's publisher of a topic, one for all calls: each holds goroutines of its own. A connection
// that could not be made is tried again at the next call.
func (p *Publisher) topic(ctx context.Context, name string) (*pubsub.Publisher, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fault.New(fault.Transient, "publishing to %s: the bus is closed", name)
	}
	if p.client == nil {
		// The client outlives the call that happened to need it first.
		client, err := pubsub.NewClient(context.WithoutCancel(ctx), p.project, p.options...)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "connecting to Pub/Sub in project %q: %w", p.project, err)
		}
		p.client = client
	}
	t := p.topics[name]
	if t == nil {
		t = p.client.Publisher(name)
		t.PublishSettings.CountThreshold = 1 // no message waits for company
		t.PublishSettings.Timeout = p.patience
		t.PublishSettings.FlowControlSettings.LimitExceededBehavior = pubsub.FlowControlIgnore
		t.EnableMessageOrdering = false
		p.topics[name] = t
	}
	return t, nil
}

// Close waits for what is under way and closes the connection. A second call does nothing.
func (p *Publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	for _, t := range p.topics {
		t.Stop()
	}
	if p.client == nil {
		return nil
	}
	if err := p.client.Close(); err != nil {
		return fault.New(fault.Transient, "closing the connection to Pub/Sub: %w", err)
	}
	return nil
}

// kindOf gives an error of the client its kind (https://cloud.google.com/pubsub/docs/reference/error-codes). What is
// not known to be hopeless is Transient: the outbox tries again, and its backlog raises the alarm.
func kindOf(err error) fault.Kind {
	if errors.Is(err, pubsub.ErrPublisherStopped) {
		return fault.Transient
	}
	switch status.Code(err) {
	case codes.InvalidArgument:
		return fault.Invalid
	case codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.FailedPrecondition, codes.Unimplemented:
		return fault.Misconfigured
	}
	return fault.Transient
}
