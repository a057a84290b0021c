package bustest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/platform/bus"
)

// pushed is a push body as Pub/Sub documents it.
type pushed struct {
	Message struct {
		Attributes  map[string]string `json:"attributes"`
		Data        []byte            `json:"data"`
		MessageID   string            `json:"messageId"`
		MessageID2  string            `json:"message_id"`
		PublishTime time.Time         `json:"publishTime"`
		Published2  time.Time         `json:"publish_time"`
	} `json:"message"`
	Subscription string `json:"subscription"`
}

// inbox is a function that takes or refuses pushes and shows them to the test.
type inbox struct {
	topic  string
	status atomic.Int64
	pushes chan pushed
	faults chan string
}

func newInbox(d Driver, status int) *inbox {
	in := &inbox{topic: d.Topic, pushes: make(chan pushed, 1000), faults: make(chan string, 1000)}
	in.status.Store(int64(status))
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var p pushed
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	function, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case err != nil:
		in.faults <- "unreadable body: " + err.Error()
	case r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/events"):
		in.faults <- "pushed with " + r.Method + " to " + r.URL.Path
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		in.faults <- "content type " + r.Header.Get("Content-Type")
	case p.Message.MessageID == "" || p.Message.MessageID != p.Message.MessageID2:
		in.faults <- "the two spellings of the message id differ"
	case p.Message.PublishTime.IsZero() || !p.Message.PublishTime.Equal(p.Message.Published2):
		in.faults <- "the two spellings of the publish time differ"
	case bus.TopicOf(p.Subscription) != in.topic || !strings.HasSuffix(p.Subscription, "/subscriptions/"+bus.Subscription(function, in.topic)):
		in.faults <- "pushed to " + r.URL.Path + " by " + p.Subscription
	}
	w.WriteHeader(int(in.status.Load()))
	in.pushes <- p
}

// next waits for a push.
func (in *inbox) next(t *testing.T) pushed {
	t.Helper()
	select {
	case p := <-in.pushes:
		select {
		case fault := <-in.faults:
			t.Fatal(fault)
		default:
		}
		return p
	case <-time.After(Patience):
		t.Fatal("no push arrived")
		return pushed{}
	}
}

// again shows that what was refused comes again, the same in everything: a consumer can tell the duplicate.
func again(t *testing.T, d Driver) {
	if d.Consume == nil {
		return // nothing delivers: there is nothing to show
	}
	in := newInbox(d, http.StatusServiceUnavailable)
	d.Consume(t, "consumer", in)
	publish(t, d, message(1))
	first := in.next(t)
	in.status.Store(http.StatusNoContent)
	second := in.next(t)
	for key, value := range first.Message.Attributes {
		if second.Message.Attributes[key] != value {
			t.Errorf("attribute %s was %q and is %q", key, value, second.Message.Attributes[key])
		}
	}
	if first.Message.MessageID != second.Message.MessageID || string(first.Message.Data) != string(second.Message.Data) ||
		!first.Message.PublishTime.Equal(second.Message.PublishTime) {
		t.Errorf("delivered again as %+v, first as %+v", second, first)
	}
}

// copies shows that a function that refuses does not keep another from its copy, nor make it get two.
func copies(t *testing.T, d Driver) {
	if d.Consume == nil {
		return // nothing delivers: there is nothing to show
	}
	busy, free := newInbox(d, http.StatusServiceUnavailable), newInbox(d, http.StatusNoContent)
	d.Consume(t, "busy", busy)
	d.Consume(t, "free", free)
	publish(t, d, message(1))
	busy.next(t)
	busy.next(t)
	free.next(t)
	busy.status.Store(http.StatusNoContent)
	busy.next(t)
	if extra := len(free.pushes); extra > 0 {
		t.Errorf("acknowledged and delivered %d times more", extra)
	}
}

// setAside shows that a message nobody takes ends as a dead letter, and holds up no other.
func setAside(t *testing.T, d Driver) {
	if d.Dead == nil {
		return // nothing delivers: there is nothing to show
	}
	in := newInbox(d, http.StatusServiceUnavailable)
	d.Consume(t, "consumer", in)
	publish(t, d, message(1))
	for range d.Attempts {
		in.next(t)
	}
	within(t, "a dead letter", func() bool { return d.Dead(t) == 1 })
	in.status.Store(http.StatusNoContent)
	publish(t, d, message(2))
	for in.next(t).Message.Attributes[bus.AttributeID] != "key-2" { // dead-lettering is best effort: one more may come
	}
	if dead := d.Dead(t); dead != 1 {
		t.Errorf("%d dead letters, want 1", dead)
	}
}

func restart(t *testing.T, d Driver) {
	if d.Restart == nil {
		return // nothing of it is ours to restart
	}
	publish(t, d, message(1))
	d = d.Restart(t)
	in := newInbox(d, http.StatusServiceUnavailable)
	d.Consume(t, "consumer", in)
	publish(t, d, message(2))
	in.next(t)
	in.next(t)
	d = d.Restart(t)
	kept := newInbox(d, http.StatusNoContent)
	d.Consume(t, "consumer", kept)
	got := map[string]bool{}
	for len(got) < 2 {
		got[kept.next(t).Message.Attributes[bus.AttributeID]] = true
	}
	if !got["key-1"] || !got["key-2"] {
		t.Errorf("got %v after two restarts, want key-1 and key-2", got)
	}
}

// within polls until what holds or patience ends.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s in time", what)
		}
	}
}
