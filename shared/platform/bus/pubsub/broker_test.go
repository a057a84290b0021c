package pubsub_test

import (
	"context"
	"os"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/emulatortest"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

// without returns the options that reach a fake or an emulator at addr.
func without(addr string) []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
}

// broker provisions topics and subscriptions, as Terraform does, by their short names.
type broker struct {
	*pubsub.Client
	project string
}

func connect(t *testing.T, addr, project string) broker {
	t.Helper()
	client, err := pubsub.NewClient(context.Background(), project, without(addr)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return broker{client, project}
}

func (b broker) path(kind, name string) string {
	return "projects/" + b.project + "/" + kind + "/" + name
}

func (b broker) topic(t testing.TB, name string) string {
	t.Helper()
	topic := b.path("topics", name)
	if _, err := b.TopicAdminClient.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topic}); err != nil {
		t.Fatal(err)
	}
	return topic
}

func (b broker) subscribe(t testing.TB, s *pubsubpb.Subscription) {
	t.Helper()
	s.Name, s.Topic = b.path("subscriptions", s.Name), b.path("topics", s.Topic)
	if _, err := b.SubscriptionAdminClient.CreateSubscription(t.Context(), s); err != nil {
		t.Fatalf("creating %s: %v", s.Name, err)
	}
}

// pull returns what a pull subscription holds, and acknowledges it.
func (b broker) pull(t testing.TB, name string) (messages []bus.Message) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		subscription := b.path("subscriptions", name)
		answer, err := b.SubscriptionAdminClient.Pull(ctx, &pubsubpb.PullRequest{
			Subscription: subscription, MaxMessages: 100, ReturnImmediately: true,
		})
		if err != nil {
			t.Fatalf("pulling from %s: %v", name, err)
		}
		if len(answer.ReceivedMessages) == 0 {
			return messages
		}
		acknowledge := &pubsubpb.AcknowledgeRequest{Subscription: subscription}
		for _, m := range answer.ReceivedMessages {
			messages = append(messages, bus.Message{Data: m.Message.Data, Attributes: m.Message.Attributes})
			acknowledge.AckIds = append(acknowledge.AckIds, m.AckId)
		}
		if err := b.SubscriptionAdminClient.Acknowledge(ctx, acknowledge); err != nil {
			t.Fatalf("acknowledging on %s: %v", name, err)
		}
	}
}
