package main_test

import (
	"context"
	order "encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"go.etcd.io/bbolt"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ostiary.internal/shared/platform/bus"
)

// setAside puts a dead letter into the queue of a stopped server: FUNCTION TOPIC DATA. Ten refusals would take half a minute.
func (s *session) setAside(dir string, args []string) error {
	if len(args) != 3 || s.server != nil {
		return errors.New("usage: letter FUNCTION TOPIC DATA, while no server runs")
	}
	db, err := bbolt.Open(filepath.Join(dir, "ostiary.db"), 0o600, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Update(func(tx *bbolt.Tx) error {
		dead := tx.Bucket([]byte("@bus")).Bucket([]byte("dead"))
		n := 901 + dead.Stats().KeyN
		doc, err := json.Marshal(map[string]any{
			"v": 1, "id": strconv.Itoa(n),
			"topic": args[1], "function": args[0], "data": []byte(args[2]), "published": "2026-03-03T08:00:00Z", "attempts": 10, "why": "answered 503",
		})
		if err != nil {
			return err
		}
		return dead.Put(append(order.BigEndian.AppendUint64(nil, uint64(n)), bus.Subscription(args[0], args[1])...), doc)
	})
}

// TestRedeliverOnPubSub: what does not say where it came from stays, and holds up no other, until somebody says where to.
func TestRedeliverOnPubSub(t *testing.T) {
	t.Parallel()
	server := pstest.NewServer()
	t.Cleanup(func() { server.Close() })
	ctx := context.Background()
	client, err := pubsub.NewClient(ctx, "p", option.WithEndpoint(server.Addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	const dead, topic = "projects/p/topics/dead.reader", "projects/p/topics/lease.changed"
	for _, name := range []string{dead, topic} {
		if _, err := client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.SubscriptionAdminClient.CreateSubscription(ctx, &pubsubpb.Subscription{Name: "projects/p/subscriptions/dead.reader", Topic: dead, AckDeadlineSeconds: 10}); err != nil {
		t.Fatal(err)
	}
	known := server.Publish(dead, []byte(`{"n":1}`), map[string]string{bus.AttributeID: "k1", "CloudPubSubDeadLetterSourceSubscription": "reader--lease.changed"})
	stray := server.Publish(dead, []byte(`{"n":2}`), map[string]string{bus.AttributeID: "k2"})

	for _, c := range []struct {
		args []string
		code int
		says []string // on either output; what begins with ! must be missing
	}{
		{nil, 1, []string{known + "  reader of lease.changed", stray, "waits"}},
		{[]string{"nonesuch", known}, 2, []string{"letter_gone", "!attempts"}},
		{[]string{"--all"}, 2, []string{known, "queued again", stray, "say --topic"}},
		{[]string{known}, 2, []string{"letter_gone"}},
		{[]string{"--topic", "absent", "--all"}, 2, []string{stray, "publishing to absent"}},
		{[]string{"--topic", "lease.changed", "--json", stray}, 0, []string{`"redelivered": true`, "!" + known}},
		{[]string{"--all"}, 0, []string{"No dead letters."}},
	} {
		run := exec.CommandContext(t.Context(), binary, append([]string{"redeliver", "--project", "p", "--function", "reader"}, c.args...)...)
		run.Env = append(os.Environ(), "PUBSUB_EMULATOR_HOST="+server.Addr)
		out, _ := run.CombinedOutput()
		if code := run.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.args, code, c.code)
		}
		for _, text := range c.says {
			missing, no := strings.CutPrefix(text, "!")
			if strings.Contains(string(out), missing) == no {
				t.Errorf("%v: %q in\n%s", c.args, text, out)
			}
		}
	}
	published := map[string]int{}
	for _, m := range server.Messages() {
		if m.Topic == topic {
			published[m.Attributes[bus.AttributeID]]++
		}
	}
	if len(published) != 2 || published["k1"] != 1 || published["k2"] != 1 {
		t.Errorf("published again: %v", published)
	}
}
