package local

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
)

// Buckets of the file. A message waits in arrivals until it is fanned out, then once per subscription in queued,
// and in the end, if nobody would take it, in dead. The root's name cannot be that of a store's tree.
var (
	rootBucket = []byte("@bus")
	arrivals   = []byte("arrivals")
	queued     = []byte("queued")
	dead       = []byte("dead")
)

// shape is the version of a stored entry.
const shape = 1

// batch is how many arrivals one transaction fans out.
const batch = 256

// entry is one stored message, from queued on one message for one function.
type entry struct {
	V          int               `json:"v"`
	ID         string            `json:"id"`
	Topic      string            `json:"topic"`
	Function   string            `json:"function,omitempty"`
	Data       []byte            `json:"data"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Published  time.Time         `json:"published"`
	Attempts   int               `json:"attempts"`
	Why        string            `json:"why,omitempty"` // what the last attempt came to
}

type subscription struct {
	function, topic string
	filter          bus.Filter
}

// queue is the one queue of a file, shared by the handles of the process.
type queue struct {
	db   *bbolt.DB
	wake chan struct{} // tells the dispatcher of arrivals; holds one

	firstWait time.Duration // after the first failed attempt

	mu            sync.Mutex
	users         int
	subscriptions []subscription
	delivering    bool
	changed       chan struct{} // closed and replaced whenever an entry leaves the queue
}

func newQueue(db *bbolt.DB) (*queue, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		root, err := tx.CreateBucketIfNotExists(rootBucket)
		for _, name := range [][]byte{arrivals, queued, dead} {
			if err == nil {
				_, err = root.CreateBucketIfNotExists(name)
			}
		}
		return err
	})
	return &queue{db: db, wake: make(chan struct{}, 1), firstWait: firstWait, changed: make(chan struct{})}, err
}

func bucket(tx *bbolt.Tx, name []byte) *bbolt.Bucket { return tx.Bucket(rootBucket).Bucket(name) }

// key orders entries by arrival; the subscription keeps the copies of one message apart.
func key(sequence uint64, subscription string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, sequence), subscription...)
}

func put(b *bbolt.Bucket, k []byte, e entry) error {
	e.V = shape
	doc, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return b.Put(k, doc)
}

func parse(doc []byte) (entry, error) {
	var e entry
	if err := json.Unmarshal(doc, &e); err != nil {
		return entry{}, fault.New(fault.Misconfigured, "reading a queued message: %w", err)
	}
	if e.V != shape {
		return entry{}, fault.New(fault.Misconfigured, "reading a queued message: shape %d, this build knows %d", e.V, shape)
	}
	return e, nil
}

// arrive stores a new message; the commit is synced to disk.
func (q *queue) arrive(e entry) error {
	err := q.db.Update(func(tx *bbolt.Tx) error {
		sequence, err := tx.Bucket(rootBucket).NextSequence()
		if err != nil {
			return err
		}
		e.ID = strconv.FormatUint(sequence, 10)
		return put(bucket(tx, arrivals), key(sequence, ""), e)
	})
	if err == nil {
		q.notify()
	}
	return err
}

// fanOut moves up to batch arrivals to the subscriptions that want them, and returns the keys that are queued now.
// One that nobody wants is dropped; one that names a function, a dead letter to be delivered again, is for it alone.
func (q *queue) fanOut() (ready []string, more bool, err error) {
	q.mu.Lock()
	subscriptions := slices.Clone(q.subscriptions)
	q.mu.Unlock()
	if empty, err := q.empty(arrivals); err != nil || empty {
		return nil, false, err
	}
	err = q.db.Update(func(tx *bbolt.Tx) error {
		ready = nil
		from, to := bucket(tx, arrivals), bucket(tx, queued)
		var keys [][]byte // first collected, then deleted: bbolt's cursor loses its place otherwise
		cursor := from.Cursor()
		for k, _ := cursor.First(); k != nil && len(keys) < batch; k, _ = cursor.Next() {
			keys = append(keys, bytes.Clone(k))
		}
		more = len(keys) == batch
		for _, k := range keys {
			e, err := parse(from.Get(k))
			if err != nil {
				return err
			}
			for _, function := range receivers(e, subscriptions) {
				e.Function = function
				copied := key(binary.BigEndian.Uint64(k), bus.Subscription(function, e.Topic))
				if err := put(to, copied, e); err != nil {
					return err
				}
				ready = append(ready, string(copied))
			}
			if err := from.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	q.leave()
	return ready, more, err
}

func receivers(e entry, subscriptions []subscription) []string {
	if e.Function != "" {
		return []string{e.Function}
	}
	var functions []string
	for _, s := range subscriptions {
		if s.topic == e.Topic && s.filter.Match(e.Attributes) {
			functions = append(functions, s.function)
		}
	}
	return functions
}

// load reads a queued entry.
func (q *queue) load(k string) (e entry, err error) {
	err = q.db.View(func(tx *bbolt.Tx) error {
		doc := bucket(tx, queued).Get([]byte(k))
		if doc == nil {
			return errors.New("reading a queued message: it is gone")
		}
		e, err = parse(doc)
		return err
	})
	return e, err
}

// remove deletes a queued entry that was acknowledged.
func (q *queue) remove(k string) error {
	err := q.db.Update(func(tx *bbolt.Tx) error { return bucket(tx, queued).Delete([]byte(k)) })
	q.leave()
	return err
}

// keep stores a queued entry after a failed attempt; setAside moves it to the dead letters.
func (q *queue) keep(k string, e entry, setAside bool) error {
	err := q.db.Update(func(tx *bbolt.Tx) error {
		if !setAside {
			return put(bucket(tx, queued), []byte(k), e)
		}
		if err := bucket(tx, queued).Delete([]byte(k)); err != nil {
			return err
		}
		return put(bucket(tx, dead), []byte(k), e)
	})
	q.leave()
	return err
}

// keys returns the keys of a bucket, oldest message first.
func (q *queue) keys(name []byte) (keys []string, err error) {
	err = q.db.View(func(tx *bbolt.Tx) error {
		return bucket(tx, name).ForEach(func(k, _ []byte) error {
			keys = append(keys, string(k))
			return nil
		})
	})
	return keys, err
}

func (q *queue) empty(names ...[]byte) (empty bool, err error) {
	empty = true
	err = q.db.View(func(tx *bbolt.Tx) error {
		for _, name := range names {
			if k, _ := bucket(tx, name).Cursor().First(); k != nil {
				empty = false
			}
		}
		return nil
	})
	return empty, err
}

func (q *queue) declare(s subscription) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, known := range q.subscriptions {
		if known.function == s.function && known.topic == s.topic {
			return false
		}
	}
	q.subscriptions = append(q.subscriptions, s)
	return true
}

// notify wakes the dispatcher.
func (q *queue) notify() {
	select {
	case q.wake <- struct{}{}:
	default: // it has not seen the last one yet
	}
}

// leave wakes those who wait for the queue to run empty.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.changed)
	q.changed = make(chan struct{})
}
