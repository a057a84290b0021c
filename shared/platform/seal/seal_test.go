package seal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// vault keeps data keys in memory and hands out their numbers: enough of a key service for the envelope's own
// rules. The suite runs on the real ones.
type vault struct {
	mu    sync.Mutex
	held  map[string][]byte
	wraps int
	seen  [][]byte // the very slices the package handed over or received
	fail  error
}

func (v *vault) Wrap(_ context.Context, key, bound []byte) ([]byte, string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wraps++
	v.seen = append(v.seen, key)
	if v.fail != nil {
		return nil, "", v.fail
	}
	if v.held == nil {
		v.held = map[string][]byte{}
	}
	id := strconv.Itoa(v.wraps)
	v.held[id+string(bound)] = bytes.Clone(key)
	return []byte(id), "v1", nil
}

func (v *vault) Unwrap(_ context.Context, wrapped, bound []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, ok := v.held[string(wrapped)+string(bound)]
	if !ok {
		return nil, fault.New(fault.Invalid, "no such key")
	}
	key = bytes.Clone(key)
	v.seen = append(v.seen, key)
	return key, nil
}

func (v *vault) Close() error { return nil }

func TestPlainKeysAreWiped(t *testing.T) {
	t.Parallel()
	v := &vault{}
	env, err := Seal(t.Context(), v, rand.Reader, []byte("seed"), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), v, env, []byte("place")); err != nil {
		t.Fatal(err)
	}
	if _, err := Rewrap(t.Context(), v, env, []byte("place")); err != nil {
		t.Fatal(err)
	}
	v.fail = errors.New("down")
	if _, err := Seal(t.Context(), v, rand.Reader, []byte("seed"), []byte("place")); err == nil {
		t.Fatal("sealed without a key service")
	}
	for i, key := range v.seen {
		if !bytes.Equal(key, make([]byte, KeyBytes)) {
			t.Errorf("plain key %d was not wiped", i)
		}
	}
}

// careless is a key service that forgets the binding: the inner layer must hold alone.
type careless struct{ *vault }

func (c careless) Wrap(ctx context.Context, key, _ []byte) ([]byte, string, error) {
	return c.vault.Wrap(ctx, key, nil)
}

func (c careless) Unwrap(ctx context.Context, wrapped, _ []byte) ([]byte, error) {
	return c.vault.Unwrap(ctx, wrapped, nil)
}

func TestContentIsBoundByItself(t *testing.T) {
	t.Parallel()
	keys := careless{&vault{}}
	env, err := Seal(t.Context(), keys, rand.Reader, []byte("seed"), []byte("place 1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), keys, env, []byte("place 1")); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), keys, env, []byte("place 2")); !fault.Is(err, fault.Invalid) {
		t.Errorf("at another place: %v, want invalid", err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	v := &vault{}
	for name, test := range map[string]struct{ plaintext, bound int }{
		"no binding":      {1, 0},
		"binding too big": {1, MaxBound + 1},
		"value too big":   {MaxPlaintext + 1, 1},
	} {
		if _, err := Seal(t.Context(), v, rand.Reader, make([]byte, test.plaintext), make([]byte, test.bound)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	env, err := Seal(t.Context(), v, rand.Reader, make([]byte, MaxPlaintext), make([]byte, MaxBound))
	if err != nil {
		t.Fatal(err)
	}
	if stored, _ := json.Marshal(env); len(stored) > 1_000_000 {
		t.Errorf("the largest envelope is %d bytes, more than a document holds", len(stored))
	}
	if _, err := Open(t.Context(), v, env, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("opened without a binding: %v", err)
	}
}

func TestDataKeySealsWithoutTheService(t *testing.T) {
	t.Parallel()
	v := &vault{}
	key, err := NewDataKey(t.Context(), v, rand.Reader, []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	nonces := map[string]bool{}
	for i := range 100 {
		env, err := key.Seal(rand.Reader, []byte{byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		nonces[string(env.Sealed[:nonceBytes])] = true
		if got, err := Open(t.Context(), v, env, []byte("place")); err != nil || !bytes.Equal(got, []byte{byte(i)}) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if v.wraps != 1 || len(nonces) != 100 {
		t.Errorf("asked the service %d times, want once; %d nonces of 100", v.wraps, len(nonces))
	}
}

func TestDataKeyIsSpent(t *testing.T) {
	t.Parallel()
	key, err := NewDataKey(t.Context(), &vault{}, rand.Reader, []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	key.sealings = MaxSealings - 1
	if _, err := key.Seal(rand.Reader, nil); err != nil {
		t.Errorf("the last sealing: %v", err)
	}
	if _, err := key.Seal(rand.Reader, nil); !fault.Is(err, fault.Exhausted) {
		t.Errorf("one more: %v, want exhausted", err)
	}
}

func TestSealNeedsEntropy(t *testing.T) {
	t.Parallel()
	v := &vault{}
	if _, err := Seal(t.Context(), v, bytes.NewReader(make([]byte, KeyBytes-1)), nil, []byte("place")); !fault.Is(err, fault.Transient) || v.wraps != 0 {
		t.Errorf("a short key: %v, wrapped %d", err, v.wraps)
	}
	if _, err := Seal(t.Context(), v, bytes.NewReader(make([]byte, KeyBytes+nonceBytes-1)), nil, []byte("place")); !fault.Is(err, fault.Transient) {
		t.Errorf("a short nonce: %v", err)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	v := &vault{}
	clk := clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	cache := NewCache(v, rand.Reader, clk)
	get := func(place string) *DataKey {
		t.Helper()
		key, err := cache.Key(t.Context(), []byte(place))
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := get("a")
	if get("a") != first || get("b") == first {
		t.Error("one key per place is what the cache keeps")
	}
	advance(t, clk, MaxKeyAge-time.Microsecond)
	if get("a") != first {
		t.Error("a key younger than an hour was dropped")
	}
	advance(t, clk, time.Microsecond)
	second := get("a")
	if second == first {
		t.Error("a key of one hour was used")
	}
	if _, err := first.Seal(rand.Reader, nil); err != nil {
		t.Errorf("a key somebody still holds stopped working: %v", err)
	}
	second.sealings = MaxSealings
	if get("a") == second {
		t.Error("a spent key was handed out")
	}
	for i := range MaxCachedKeys + 10 {
		advance(t, clk, time.Microsecond)
		get("place " + strconv.Itoa(i))
	}
	if len(cache.cached) > MaxCachedKeys {
		t.Errorf("%d keys are held, the limit is %d", len(cache.cached), MaxCachedKeys)
	}
	if before := v.wraps; get("place "+strconv.Itoa(MaxCachedKeys)) == nil || v.wraps != before {
		t.Error("a recent key was dropped for an old one")
	}
}

func TestCacheRemembersNoFailure(t *testing.T) {
	t.Parallel()
	v := &vault{fail: fault.New(fault.Transient, "down")}
	cache := NewCache(v, rand.Reader, clock.System{})
	if _, err := cache.Key(t.Context(), []byte("a")); !fault.Is(err, fault.Transient) {
		t.Fatalf("%v, want transient", err)
	}
	v.fail = nil
	if _, err := cache.Key(t.Context(), []byte("a")); err != nil {
		t.Fatal(err)
	}
}

func FuzzOpen(f *testing.F) {
	v := &vault{}
	env, err := Seal(context.Background(), v, rand.Reader, []byte("forty-two"), []byte("place"))
	if err != nil {
		f.Fatal(err)
	}
	good, _ := json.Marshal(env)
	f.Add(good)
	f.Add([]byte(`{"v":1,"wrapped":"MQ==","sealed":"","key":""}`))
	f.Add([]byte(`{"v":1,"wrapped":null,"sealed":"AAAAAAAAAAAAAAAA","key":"v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var read Envelope
		if json.Unmarshal(data, &read) != nil {
			return
		}
		_, err := Open(context.Background(), v, read, []byte("place"))
		same := read.V == env.V && slices.Equal(read.Wrapped, env.Wrapped) && slices.Equal(read.Sealed, env.Sealed)
		if same != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("opened %v, same envelope %v", err, same)
		}
	})
}

func advance(t *testing.T, clk *clock.Manual, by time.Duration) {
	t.Helper()
	if err := clk.Set(clk.Now().Add(by)); err != nil {
		t.Fatal(err)
	}
}
