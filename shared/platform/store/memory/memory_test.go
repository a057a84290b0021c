package memory_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, schema store.Schema, clk clock.Clock) store.Store {
		s, err := memory.New(store.Options{Schema: schema, Clock: clk})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}

var options = store.Options{
	Schema: store.Schema{{Name: "plain"}},
	Clock:  clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)),
}

func open(t *testing.T, url string) store.Store {
	t.Helper()
	s, err := store.Drivers.Open(t.Context(), url, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoresOfOneNameShareUntilTheLastIsClosed(t *testing.T) {
	t.Parallel()
	a, b, other, unnamed := open(t, "memory:shared"), open(t, "memory:shared"), open(t, "memory:other"), open(t, "memory:")
	if err := a.Tx(t.Context(), func(tx store.Tx) error { return tx.Put("plain", "a", map[string]int{"v": 1}) }); err != nil {
		t.Fatal(err)
	}
	_ = a.Close()
	_ = a.Close() // counts once
	var got map[string]int
	if err := b.Get(t.Context(), "plain", "a", &got); err != nil {
		t.Errorf("a store of the same name: %v", err)
	}
	for name, s := range map[string]store.Store{"another name": other, "no name": unnamed} {
		if err := s.Get(t.Context(), "plain", "a", &got); !fault.Is(err, fault.NotFound) {
			t.Errorf("a store of %s: %v", name, err)
		}
	}
	_ = b.Close()
	if err := open(t, "memory:shared").Get(t.Context(), "plain", "a", &got); !fault.Is(err, fault.NotFound) {
		t.Errorf("a store opened after the last was closed: %v", err)
	}
}

func TestRefusedURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"memory://host", "memory:/path", "memory:name?tree=x"} {
		if _, err := store.Drivers.Open(t.Context(), url, options); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
