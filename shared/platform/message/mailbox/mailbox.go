// Package mailbox is the channel of local mode: messages are kept in a bbolt file instead of being sent, and listed
// for /_local/mail with the links and codes a person would find in them. A message sent twice is there twice, as it
// would be in a real mailbox. One to an address at Lost is on no list, and its outcome unknown, so that people can see what they
// would have to do. Texts lie in the file in clear: it is for one machine, one person. No letter is ever taken
// back: what erases a person's data elsewhere does not reach the letters to her, as it does not reach her own mailbox.
package mailbox

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store/bolt"
)

// Lost is the domain, which no mail reaches (RFC 6761, section 6.4), whose letters get lost on the way.
const Lost = "lost.invalid"

// bucket is no store's name: those begin with a letter.
var bucket = []byte("_mailbox")

func init() {
	message.Drivers.Register("mailbox", func(_ context.Context, u *url.URL, _ message.Options) (message.Channel, error) {
		path, _, err := driver.Path(u)
		if err != nil {
			return nil, err
		}
		return Open(path)
	})
}

// Mailbox keeps messages. It is safe for concurrent use.
type Mailbox struct {
	db      *bbolt.DB
	release func() error
}

// stored is a message on file.
type stored struct {
	V       int       `json:"v"`
	ID      string    `json:"id"`
	Channel string    `json:"channel"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

const storedVersion = 1

// Entry is one message as /_local/mail lists it. Links and codes are never nil.
type Entry struct {
	ID      string    `json:"id"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	Links   []string  `json:"links"`
	Codes   []string  `json:"codes"`
	At      time.Time `json:"at"`
	Channel string    `json:"channel"`
}

// Open opens the mailbox in the bbolt file at path, which it may share with stores. Errors are those of bolt.File.
func Open(path string) (*Mailbox, error) {
	db, release, err := bolt.File(path)
	if err != nil {
		return nil, err
	}
	return &Mailbox{db, release}, nil
}

// Send keeps the message: accepted once it is on the disk. One that Check refuses is failed, a full disk deferred, one to Lost
// unknown.
func (m *Mailbox) Send(ctx context.Context, msg message.Message) (message.Outcome, error) {
	if err := msg.Check(); err != nil {
		return message.Failed, err
	}
	if err := ctx.Err(); err != nil {
		return message.Deferred, fmt.Errorf("keeping a message: %w", err)
	}
	if strings.HasSuffix(msg.To, "@"+Lost) {
		return message.Unknown, fault.New(fault.Transient, "keeping a message: lost on the way, as its domain says")
	}
	data, err := json.Marshal(stored{storedVersion, msg.ID, msg.Channel, msg.To, msg.Subject, msg.Text, msg.At})
	if err != nil {
		return message.Failed, fault.New(fault.Invalid, "encoding a message: %w", err)
	}
	err = m.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		return b.Put(binary.BigEndian.AppendUint64(nil, n), data)
	})
	if err != nil {
		return message.Deferred, fault.New(fault.Transient, "keeping a message: %w", err)
	}
	return message.Accepted, nil
}

// List returns all messages, the oldest first; never nil.
func (m *Mailbox) List() ([]Entry, error) {
	entries := []Entry{}
	err := m.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		if b == nil {
			return nil
		}
		return b.ForEach(func(_, data []byte) error {
			var s stored
			if err := json.Unmarshal(data, &s); err != nil || s.V != storedVersion {
				return fault.New(fault.Misconfigured, "reading the mailbox: a message is not of version %d", storedVersion)
			}
			entries = append(entries, Entry{s.ID, s.To, s.Subject, s.Text, links(s.Text), codes(s.Text), s.At, s.Channel})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing the mailbox: %w", err)
	}
	return entries, nil
}

// Close lets go of the file.
func (m *Mailbox) Close() error { return m.release() }
