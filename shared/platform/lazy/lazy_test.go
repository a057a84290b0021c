package lazy

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// connection counts how often it is closed.
type connection struct{ closed *int }

// Close implements io.Closer.
func (c connection) Close() error {
	*c.closed++
	return nil
}

// A failure is not remembered, and what was made once is made for everybody.
func TestSuccessIsRemembered(t *testing.T) {
	t.Parallel()
	calls, refused := 0, errors.New("no credentials yet")
	v := New(func(context.Context) (int, error) {
		if calls++; calls == 1 {
			return 7, refused
		}
		return calls, nil
	})
	if got, err := v.Get(t.Context()); got != 0 || !errors.Is(err, refused) {
		t.Errorf("made %d, %v", got, err)
	}
	if got, made := v.Made(); got != 0 || made {
		t.Errorf("what failed counts as made: %d", got)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := v.Get(t.Context()); got != 2 || err != nil {
				t.Errorf("made %d, %v", got, err)
			}
		})
	}
	all.Wait()
	if got, made := v.Made(); got != 2 || !made {
		t.Errorf("kept %d, %t", got, made)
	}
}

// Closing makes nothing, and waits for nobody who is making it.
func TestClose(t *testing.T) {
	t.Parallel()
	closed, begun, end := 0, make(chan struct{}), make(chan struct{})
	v := New(func(context.Context) (connection, error) {
		close(begun)
		<-end
		return connection{&closed}, nil
	})
	var making sync.WaitGroup
	making.Go(func() { _, _ = v.Get(t.Context()) })
	<-begun
	if err := Close(v); err != nil || closed != 0 {
		t.Errorf("closed %d times while it is made: %v", closed, err)
	}
	close(end)
	making.Wait()
	if err := Close(v); err != nil || closed != 1 {
		t.Errorf("closed %d times: %v", closed, err)
	}
}
