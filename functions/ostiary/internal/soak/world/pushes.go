package world

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/ostiary/internal/local"
	"ostiary.internal/shared/platform/bus"
	queue "ostiary.internal/shared/platform/bus/local"
	platform "ostiary.internal/shared/platform/bus/pubsub"
)

const (
	pushPath   = "/_soak/push/"
	numbered   = "soak" // the attribute by which a publication is known again
	ackSeconds = 60

	// triesEach is how often a push of the emulator is tried before it is refused: it slows down a subscription that refuses
	// often, to less than a push a second.
	triesEach = 3
)

// pushes is the bus of the Pub/Sub emulator: topics and push subscriptions as the manifests have them. The emulator ignores
// filters and does not say what is still on its way, so both are done here.
type pushes struct {
	*platform.Publisher
	project string
	url     string // of this process
	admin   *pubsub.Client
	open    *open
	held    *held

	mu            sync.Mutex
	subscriptions map[string]bus.Filter // by name
	endpoints     map[string]string     // by name
	to            *queue.Target         // nil until somebody delivers
	attempts      map[string]int        // by delivery
	dead          []dead
}

// dead is a push that was set aside.
type dead struct {
	letter queue.DeadLetter
	body   []byte
}

// openPushes makes every topic that functions publish to or listen to.
func openPushes(ctx context.Context, project, url string, o *open, h *held, functions []wiring.Function) (*pushes, error) {
	p := &pushes{Publisher: platform.New(project), project: project, url: url, open: o, held: h, subscriptions: map[string]bus.Filter{}, endpoints: map[string]string{}, attempts: map[string]int{}}
	var err error
	if p.admin, err = pubsub.NewClient(ctx, project); err != nil {
		return nil, fmt.Errorf("connecting to the Pub/Sub emulator: %w", err)
	}
	topics := map[string]bool{}
	for _, f := range functions {
		m, err := manifest.Parse(f.Manifest)
		if err != nil {
			return nil, err
		}
		for _, topic := range append(m.Topics(), m.Publishes...) {
			topics[topic] = true
		}
	}
	for topic := range topics {
		_, err := p.admin.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: p.path("topics", topic)})
		if err != nil && status.Code(err) != codes.AlreadyExists {
			return nil, fmt.Errorf("making the topic %s: %w", topic, err)
		}
	}
	return p, nil
}

func (p *pushes) path(kind, name string) string {
	return "projects/" + p.project + "/" + kind + "/" + name
}

// Subscribe implements local.Bus. A subscription that an earlier process made is led to this one.
func (p *pushes) Subscribe(function, topic, filter string) error {
	parsed, err := bus.ParseFilter(filter)
	if err != nil {
		return err
	}
	ctx, name := context.Background(), bus.Subscription(function, topic)
	push := &pubsubpb.PushConfig{PushEndpoint: p.url + pushPath + function}
	_, err = p.admin.SubscriptionAdminClient.CreateSubscription(ctx, &pubsubpb.Subscription{
		Name: p.path("subscriptions", name), Topic: p.path("topics", topic), AckDeadlineSeconds: ackSeconds, PushConfig: push})
	if status.Code(err) == codes.AlreadyExists {
		err = p.admin.SubscriptionAdminClient.ModifyPushConfig(ctx, &pubsubpb.ModifyPushConfigRequest{Subscription: p.path("subscriptions", name), PushConfig: push})
	}
	if err != nil {
		return fmt.Errorf("subscribing %s to %s: %w", function, topic, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscriptions[name], p.endpoints[name] = parsed, push.PushEndpoint
	return nil
}

// forgive has the emulator forget what was refused: it pushes to an endpoint that is named anew at full speed at once, to one
// that refused hardly more often than once a second for minutes.
func (p *pushes) forgive(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	endpoints := maps.Clone(p.endpoints)
	p.mu.Unlock()
	for name, endpoint := range endpoints {
		for _, push := range []*pubsubpb.PushConfig{{}, {PushEndpoint: endpoint}} {
			if err := p.admin.SubscriptionAdminClient.ModifyPushConfig(ctx, &pubsubpb.ModifyPushConfigRequest{Subscription: p.path("subscriptions", name), PushConfig: push}); err != nil {
				return fmt.Errorf("leading %s here again: %w", name, err)
			}
		}
	}
	return nil
}

// Publish implements bus.Publisher, for what local mode itself publishes.
func (p *pushes) Publish(ctx context.Context, topic string, m bus.Message) error {
	return p.publish(ctx, p.Publisher, topic, m)
}

// publish sends a message by a publisher, and keeps in mind which deliveries follow from it. On a bus of files it only sends.
func (p *pushes) publish(ctx context.Context, by bus.Publisher, topic string, m bus.Message) error {
	if p == nil {
		return by.Publish(ctx, topic, m)
	}
	n := p.open.number()
	m.Attributes = maps.Clone(m.Attributes)
	if m.Attributes == nil {
		m.Attributes = map[string]string{}
	}
	m.Attributes[numbered] = n
	var deliveries []string
	p.mu.Lock()
	for name, filter := range p.subscriptions {
		if bus.TopicOf(name) == topic && filter.Match(m.Attributes) {
			deliveries = append(deliveries, n+" "+name)
		}
	}
	p.mu.Unlock()
	return p.open.during(deliveries, func() error { return by.Publish(ctx, topic, m) })
}

// push is the body of a push, as far as it is read here.
type push struct {
	Message struct {
		Attributes  map[string]string `json:"attributes"`
		Data        []byte            `json:"data"`
		MessageID   string            `json:"messageId"`
		PublishTime time.Time         `json:"publishTime"`
	} `json:"message"`
	Subscription string `json:"subscription"`
}

// ServeHTTP takes a push of the emulator to the function, signed as the platform does: the emulator signs none.
func (p *pushes) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	function := strings.TrimPrefix(r.URL.Path, pushPath)
	body, err := io.ReadAll(r.Body)
	var said push
	if err == nil {
		err = json.Unmarshal(body, &said)
	}
	name := said.Subscription[strings.LastIndexByte(said.Subscription, '/')+1:]
	p.mu.Lock()
	filter, known := p.subscriptions[name]
	to, key := p.to, said.Message.Attributes[numbered]+" "+name
	p.mu.Unlock()
	switch {
	case err != nil || !known || to == nil:
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	case !filter.Match(said.Message.Attributes):
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	for range triesEach {
		attempt := p.attempt(key)
		answered := p.try(bearing(r.Context(), attempt), *to, function, body)
		if acknowledges(answered) || p.aside(key, function, said, body, attempt, answered) {
			p.done(key)
			rw.WriteHeader(http.StatusNoContent)
			return
		}
		pause(r.Context(), betweenHeld)
	}
	rw.WriteHeader(http.StatusServiceUnavailable)
}

// attempt counts an attempt to push.
func (p *pushes) attempt(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts[key]++
	return p.attempts[key]
}

// try pushes once and returns the status of the answer; -1 for none.
func (p *pushes) try(ctx context.Context, to queue.Target, function string, body []byte) (answered int) {
	defer func() {
		if recover() != nil { // a server would have closed the connection
			answered = -1
		}
	}()
	handler := to.Handler(function)
	if handler == nil {
		return -1
	}
	ctx, cancel := context.WithTimeout(ctx, queue.AttemptTimeout)
	defer cancel()
	r, err := request(ctx, function, body, to)
	if err != nil {
		return -1
	}
	return pushed(handler, r, body)
}

// done takes a delivery off the books.
func (p *pushes) done(key string) {
	p.mu.Lock()
	delete(p.attempts, key)
	p.mu.Unlock()
	p.open.done(key)
}

// aside sets a message aside after the last attempt.
func (p *pushes) aside(key, function string, said push, body []byte, attempt, answered int) bool {
	if attempt < queue.MaxAttempts {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = append(p.dead, dead{queue.DeadLetter{
		ID: said.Message.MessageID, Function: function, Topic: bus.TopicOf(said.Subscription), Data: said.Message.Data, Attributes: said.Message.Attributes,
		Published: said.Message.PublishTime, Attempts: attempt, Why: fmt.Sprintf("answered %d", answered)}, body})
	return true
}

// Deliver implements local.Bus: the emulator pushes by itself, as long as somebody takes it.
func (p *pushes) Deliver(ctx context.Context, to queue.Target) error {
	p.mu.Lock()
	p.to = &to
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.to = nil
	p.mu.Unlock()
	return nil
}

// Idle implements local.Bus.
func (p *pushes) Idle(ctx context.Context) error {
	for p.open.count() > 0 {
		pause(ctx, holding)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("waiting for the emulator's pushes: %w", err)
		}
	}
	return nil
}

// Pending implements local.Bus.
func (p *pushes) Pending() (int, error) { return p.open.count(), nil }

// DeadLetters implements local.Bus.
func (p *pushes) DeadLetters() (all []queue.DeadLetter, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.dead {
		all = append(all, d.letter)
	}
	return all, nil
}

// Redeliver implements local.Bus.
func (p *pushes) Redeliver(function string, ids ...string) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var again, stay []dead
	for _, d := range p.dead {
		if (function == "" || d.letter.Function == function) && (len(ids) == 0 || slices.Contains(ids, d.letter.Name())) {
			again = append(again, d)
		} else {
			stay = append(stay, d)
		}
	}
	for _, d := range again {
		if err := p.held.keep(d.letter.Function, d.body, time.Time{}); err != nil {
			return 0, err
		}
	}
	p.dead = stay
	return len(again), nil
}

// Close implements bus.Publisher.
func (p *pushes) Close() error {
	if err := p.Publisher.Close(); err != nil {
		return err
	}
	return p.admin.Close()
}

var _ local.Bus = (*pushes)(nil)
