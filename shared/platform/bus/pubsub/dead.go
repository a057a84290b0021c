package pubsub

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
)

const (
	hold    = 10 * time.Minute // a pulled letter is nobody else's; the longest there is
	perPull = 100              // letters a call asks for
	marks   = "CloudPubSubDeadLetter"
)

// Letter is a message that a function would not take, as its dead-letter subscription holds it.
type Letter struct {
	ID         string // the platform's, of the letter
	Topic      string // where the message was published; "" when the platform did not say
	Data       []byte
	Attributes map[string]string // without those the platform added
	Set        time.Time         // aside
	Attempts   int               // 0 when the platform did not say

	ack string
}

// Dead is the dead letters of one function: the pull subscription dead.FUNCTION. It is for one caller at a time, and takes
// pubsub.subscriptions.consume on it, and pubsub.topics.publish where a letter goes.
type Dead struct {
	*Publisher
	subscription string
	held         map[string]bool // by acknowledgement
	sent         map[string]bool // by topic and the message's own id
}

// OpenDead returns the dead letters of a function in a project. The options are for tests; production needs none.
func OpenDead(project, function string, options ...option.ClientOption) *Dead {
	return &Dead{New(project, options...), "projects/" + project + "/subscriptions/dead." + function, map[string]bool{}, map[string]bool{}}
}

// Letters pulls what is there, most letters at the most, and holds it for ten minutes or until Release: for so long, no
// other caller gets it. Errors: Misconfigured (no such subscription, no right), Transient.
func (d *Dead) Letters(ctx context.Context, most int) (letters []Letter, err error) {
	if err := d.connect(ctx); err != nil {
		return nil, err
	}
	for len(letters) < most {
		once, cancel := context.WithTimeout(ctx, d.patience)
		answer, err := d.client.SubscriptionAdminClient.Pull(once, &pubsubpb.PullRequest{Subscription: d.subscription, MaxMessages: int32(min(perPull, most-len(letters)))})
		cancel()
		if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded) {
			break // the platform waits for letters to come
		}
		if err != nil {
			return letters, fault.New(kindOf(err), "pulling dead letters: %w", err)
		}
		if len(answer.ReceivedMessages) == 0 {
			break
		}
		var acks []string
		for _, m := range answer.ReceivedMessages {
			letters = append(letters, letterOf(m))
			acks = append(acks, m.AckId)
			d.held[m.AckId] = true
		}
		if err := d.extend(ctx, acks, hold); err != nil {
			return letters, err
		}
	}
	return letters, nil
}

func letterOf(m *pubsubpb.ReceivedMessage) Letter {
	l := Letter{ID: m.Message.MessageId, Data: m.Message.Data, Attributes: maps.Clone(m.Message.Attributes), Set: m.Message.PublishTime.AsTime(), ack: m.AckId}
	l.Topic = bus.TopicOf(l.Attributes[marks+"SourceSubscription"])
	l.Attempts, _ = strconv.Atoi(l.Attributes[marks+"SourceDeliveryCount"])
	maps.DeleteFunc(l.Attributes, func(name, _ string) bool { return strings.HasPrefix(name, marks) })
	return l
}

// Redeliver publishes a letter of Letters again, and then takes it from the dead letters; in between, a crash leaves it in
// both. All who read the topic get it, and know it by its id. The same message set aside twice is published once.
// Errors: Invalid (no topic), those of Publish; of taking it away, Transient: it was published, and is listed again.
func (d *Dead) Redeliver(ctx context.Context, l Letter) error {
	key := l.Topic + "/" + l.Attributes[bus.AttributeID]
	if l.Attributes[bus.AttributeID] == "" || !d.sent[key] {
		if err := d.Publish(ctx, l.Topic, bus.Message{Data: l.Data, Attributes: l.Attributes}); err != nil {
			return err
		}
		d.sent[key] = true
	}
	if err := d.client.SubscriptionAdminClient.Acknowledge(ctx, &pubsubpb.AcknowledgeRequest{Subscription: d.subscription, AckIds: []string{l.ack}}); err != nil {
		return fault.New(fault.Transient, "taking a dead letter away: %w", err)
	}
	delete(d.held, l.ack)
	return nil
}

// Release lets go of what was pulled and not delivered again.
func (d *Dead) Release(ctx context.Context) error {
	acks := make([]string, 0, perPull)
	for ack := range d.held {
		if acks = append(acks, ack); len(acks) == perPull {
			if err := d.extend(ctx, acks, 0); err != nil {
				return err
			}
			acks = acks[:0]
		}
	}
	clear(d.held)
	if len(acks) == 0 {
		return nil
	}
	return d.extend(ctx, acks, 0)
}

// extend says for how long letters are held; 0 lets them go.
func (d *Dead) extend(ctx context.Context, acks []string, until time.Duration) error {
	err := d.client.SubscriptionAdminClient.ModifyAckDeadline(ctx, &pubsubpb.ModifyAckDeadlineRequest{Subscription: d.subscription, AckIds: acks, AckDeadlineSeconds: int32(until.Seconds())})
	if err != nil {
		return fault.New(kindOf(err), "holding dead letters: %w", err)
	}
	return nil
}

// connect makes the connection of the publisher, which a pull needs as well.
func (d *Dead) connect(ctx context.Context) error {
	_, err := d.topic(ctx, marks)
	return err
}
