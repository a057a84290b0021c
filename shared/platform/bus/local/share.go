package local

import (
	"errors"
	"sync"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/store/bolt"
)

// queues holds the queue of each open file. A file is locked by the one process that has it open, so the handles in
// it must meet somewhere: a publisher wakes the dispatcher of the same file, whoever opened either.
var queues = struct {
	sync.Mutex
	of map[*bbolt.DB]*queue
}{of: map[*bbolt.DB]*queue{}}

// share returns the queue of the file at path and how to give it back.
func share(path string) (*queue, func() error, error) {
	db, release, err := bolt.File(path)
	if err != nil {
		return nil, nil, err
	}
	queues.Lock()
	defer queues.Unlock()
	q := queues.of[db]
	if q == nil {
		if q, err = newQueue(db); err != nil {
			return nil, nil, errors.Join(err, release())
		}
		queues.of[db] = q
	}
	q.users++
	return q, func() error {
		queues.Lock()
		if q.users--; q.users == 0 {
			delete(queues.of, db)
		}
		queues.Unlock()
		return release()
	}, nil
}
