package callback_test

import (
	"testing"

	"ostiary.internal/shared/erasure/opendsr/callback"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

// TestPublish: what is published is what was given last, and never a key.
func TestPublish(t *testing.T) {
	t.Parallel()
	s, err := memory.New(store.Options{Schema: store.Schema{callback.Certificates()}, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := callback.Published(t.Context(), s); !fault.Is(err, fault.NotFound) {
		t.Errorf("before there is any: %v", err)
	}
	for _, chain := range []string{"first", "first", "second"} {
		if err := callback.Publish(t.Context(), s, []byte(chain)); err != nil {
			t.Fatal(err)
		}
		if got, err := callback.Published(t.Context(), s); err != nil || string(got) != chain {
			t.Errorf("published is %q, %v", got, err)
		}
	}
	if err := callback.Publish(t.Context(), s, []byte("-----BEGIN EC PRIVATE KEY-----")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a key is published: %v", err)
	}
}
