package message

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
)

// RequestVersion is the shape of a Request and of its sealed body.
const RequestVersion = 1

const maxKeyBytes = 500

// Request asks the function deliver for one message to one recipient: the payload of TopicRequested. Nothing in it
// can be read but who is meant, how and by when; the text is sealed. A message is tried more often as Until comes nearer,
// and not again once it is past.
type Request struct {
	V        int       `json:"v"`
	Key      string    `json:"key"` // a key is delivered once, whatever else differs; no personal data
	Kind     Kind      `json:"kind"`
	Person   string    `json:"person,omitempty"`  // id in people.yaml
	Contact  string    `json:"contact,omitempty"` // another reference the function deliver can resolve
	Channel  string    `json:"channel"`
	Language string    `json:"language,omitempty"`
	Until    time.Time `json:"until,omitzero"` // when it has to be there; zero for no such time
	// Due is when whoever it is for has to have it by, as far as anybody owes it; zero: nobody does. The nearer it is the more often
	// the channel is asked what became of what it took.
	Due time.Time `json:"due,omitzero"`
	// Again counts how often a person asked to try anew what was never sent: a key that failed for good is tried again where this
	// is more than before. What was sent, or may have been, is not: it is answered again.
	Again int `json:"again,omitempty"`
	// Asked is when it was asked for, as the bus says; zero: not known. It is not sent along.
	Asked time.Time     `json:"-"`
	Body  seal.Envelope `json:"body"`
}

// Content is what a Request's body seals.
type Content struct {
	To      string // only where neither Person nor Contact names the recipient: an address of the channel
	Subject string
	Text    string
}

type body struct {
	About   []string `json:"about"` // of the request it belongs to
	To      string   `json:"to,omitempty"`
	Subject string   `json:"subject"`
	Text    string   `json:"text"`
}

// Bound is what bodies are bound to: the place to give seal.NewDataKey or seal.Cache.
func Bound() []byte { return []byte("ostiary message body") }

// Seal returns r with c as its body, sealed by a data key of Bound; it does no I/O, so it may run inside a
// transaction. The body belongs to this request alone: under another key, recipient or channel it does not open.
func (r Request) Seal(key *seal.DataKey, random io.Reader, c Content) (Request, error) {
	r.V = RequestVersion
	if err := r.check(); err != nil {
		return Request{}, err
	}
	plaintext, err := json.Marshal(body{About: r.about(), To: c.To, Subject: c.Subject, Text: c.Text})
	if err != nil {
		return Request{}, fault.New(fault.Invalid, "encoding a message: %w", err)
	}
	defer seal.Wipe(plaintext)
	r.Body, err = key.Seal(random, plaintext)
	return r, err
}

// Put is Seal, and puts the request into a transaction's batch under its own key.
func (r Request) Put(batch *outbox.Batch, key *seal.DataKey, random io.Reader, c Content) error {
	sealed, err := r.Seal(key, random, c)
	if err != nil {
		return err
	}
	return batch.Message(TopicRequested, r.Key, sealed)
}

// Open returns the content of a request. Invalid when the body was altered or belongs to another request.
func (r Request) Open(ctx context.Context, keys seal.Keys) (Content, error) {
	plaintext, err := seal.Open(ctx, keys, r.Body, Bound())
	if err != nil {
		return Content{}, err
	}
	defer seal.Wipe(plaintext)
	var b body
	// The decoder's own error may quote the text: it stays out of ours.
	if err := json.Unmarshal(plaintext, &b); err != nil {
		return Content{}, fault.New(fault.Invalid, "reading a message: malformed")
	}
	if !slices.Equal(b.About, r.about()) {
		return Content{}, fault.New(fault.Invalid, "reading a message: its body belongs to another request")
	}
	if named := r.Person != "" || r.Contact != ""; named == (b.To != "") {
		return Content{}, fault.New(fault.Invalid, "reading a message: want a recipient's reference or an address, one of them")
	}
	return Content{To: b.To, Subject: b.Subject, Text: b.Text}, nil
}

func (r Request) about() []string {
	about := []string{r.Key, string(r.Kind), r.Person, r.Contact, r.Channel, r.Language}
	if !r.Until.IsZero() {
		about = append(about, strconv.FormatInt(r.Until.UnixMicro(), 10))
	}
	return about
}

func (r Request) check() error {
	switch {
	case r.V != RequestVersion:
		return fault.New(fault.Invalid, "reading a message request: version %d instead of %d", r.V, RequestVersion)
	case r.Key == "" || len(r.Key) > maxKeyBytes || !oneLine(r.Key):
		return fault.New(fault.Invalid, "reading a message request: the key is empty, too long or not one line")
	case r.Kind != Staff && r.Kind != Customer:
		return fault.New(fault.Invalid, "reading a message request: the kind is neither %s nor %s", Staff, Customer)
	case r.Person != "" && r.Contact != "":
		return fault.New(fault.Invalid, "reading a message request: it names a person and a contact")
	case r.Channel == "":
		return fault.New(fault.Invalid, "reading a message request: the channel is missing")
	}
	return nil
}

// id names the request's delivery, its Message-ID and its answers.
func (r Request) id() string {
	sum := sha256.Sum256([]byte("ostiary message\x00" + r.Key))
	return hex.EncodeToString(sum[:])
}

// Answer tells the asking control what became of a key: the payload of TopicAccepted, TopicFailed and TopicUnknown, and,
// after the first of them, of TopicDelivered or TopicBounced, which may come before it.
type Answer struct {
	V        int       `json:"v"`
	Key      string    `json:"key"`
	Kind     Kind      `json:"kind"`
	State    State     `json:"state"` // accepted, failed, dead or unknown; delivered or bounced
	Attempts int       `json:"attempts"`
	Why      string    `json:"why,omitempty"` // the peer's last reply; no personal data
	At       time.Time `json:"at"`
	Taken    time.Time `json:"taken,omitzero"` // when the peer took it, of what was accepted, delivered or bounced
	// Of the last try: how its connection was protected, TLS12, TLS13 or Plain, and what the peer calls the message. Empty
	// where that is not known: no peer was reached, the channel is none of the network, or the worker died.
	TLS       string `json:"tls,omitempty"`
	Reference string `json:"reference,omitempty"`
	Again     int    `json:"again,omitempty"` // of the Request it answers
}

// Fate reports whether the answer says what became of a message after it was accepted.
func (a Answer) Fate() bool { return a.State == StateDelivered || a.State == StateBounced }

// Accepted is the answer that one of a Fate follows: that the peer took the message.
func (a Answer) Accepted() Answer {
	a.State, a.At = StateAccepted, a.Taken
	return a
}
