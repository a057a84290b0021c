package memory_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/logtest"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(testing.TB) func() log.Objects {
		o := memory.New(clock.System{})
		return func() log.Objects { return o }
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	options := log.Options{Clock: clock.NewManual(at)}
	open := func(raw string) log.Objects {
		o, err := log.Stores.Open(t.Context(), raw, options)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if _, err := open("memory:shared").Create(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	listed, err := open("memory:shared").List(t.Context(), "", "", 10)
	if err != nil || len(listed) != 1 || !listed[0].Created.Equal(at) {
		t.Errorf("%+v, %v", listed, err)
	}
	for _, other := range []string{"memory:", "memory:other"} {
		if _, err := open(other).Get(t.Context(), "a"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s shares: %v", other, err)
		}
	}
	for _, bad := range []string{"memory://host", "memory:a?x=1", "memory:/a"} {
		if _, err := log.Stores.Open(t.Context(), bad, options); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := log.Stores.Open(t.Context(), "memory:", log.Options{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("no clock: %v", err)
	}
}
