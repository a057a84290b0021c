// Package sealtest is the suite that every key service passes, the local one included.
package sealtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// Service is a key service under test.
type Service struct {
	Keys seal.Keys

	// Rotate makes a new version of the wrapping key the present one.
	Rotate func(t *testing.T)
}

// Run runs the suite; open returns a fresh service each time.
func Run(t *testing.T, open func(t *testing.T) Service) {
	for name, test := range map[string]func(*testing.T, Service){
		"round trip":         roundTrip,
		"wrapping differs":   wrappingDiffers,
		"another place":      anotherPlace,
		"swapped envelopes":  swapped,
		"every flipped byte": everyFlippedByte,
		"cut and longer":     cutAndLonger,
		"rotation":           rotation,
		"first use at once":  firstUseAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := open(t)
			t.Cleanup(func() {
				if err := service.Keys.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			})
			test(t, service)
		})
	}
}

func roundTrip(t *testing.T, s Service) {
	for _, plaintext := range [][]byte{nil, []byte("a seed of twenty bytes"), bytes.Repeat([]byte{0}, 70_000)} {
		env := sealed(t, s.Keys, plaintext, "place one")
		if len(plaintext) > 0 && bytes.Contains(append(env.Wrapped, env.Sealed...), plaintext) {
			t.Error("the envelope shows its content")
		}
		stored, err := json.Marshal(env)
		if err != nil {
			t.Fatal(err)
		}
		var read seal.Envelope
		if err := json.Unmarshal(stored, &read); err != nil {
			t.Fatal(err)
		}
		got, err := seal.Open(t.Context(), s.Keys, read, []byte("place one"))
		if err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("opened %d bytes, %v; want %d", len(got), err, len(plaintext))
		}
	}
}

func wrappingDiffers(t *testing.T, s Service) {
	key := bytes.Repeat([]byte{7}, seal.KeyBytes)
	first, version, err := s.Keys.Wrap(t.Context(), key, []byte("place"))
	if err != nil || version == "" {
		t.Fatalf("Wrap: version %q, %v", version, err)
	}
	second, _, err := s.Keys.Wrap(t.Context(), key, []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, second) {
		t.Error("the same key wrapped twice looks the same")
	}
	if !bytes.Equal(key, bytes.Repeat([]byte{7}, seal.KeyBytes)) {
		t.Error("Wrap changed its argument")
	}
	for _, wrapped := range [][]byte{first, second} {
		if got, err := s.Keys.Unwrap(t.Context(), wrapped, []byte("place")); err != nil || !bytes.Equal(got, key) {
			t.Errorf("Unwrap gave another key (%v)", err)
		}
	}
}

func anotherPlace(t *testing.T, s Service) {
	env := sealed(t, s.Keys, []byte("for one"), "person 1/authenticator 1/1")
	for _, place := range []string{"person 1/authenticator 1/2", "person 2/authenticator 1/1", "person 1/authenticator 1/1 ", "x"} {
		mustNotOpen(t, s.Keys, env, place, "opened at "+place)
		if _, err := s.Keys.Unwrap(t.Context(), env.Wrapped, []byte(place)); !fault.Is(err, fault.Invalid) {
			t.Errorf("the data key unwrapped at %q: %v", place, err)
		}
		if _, err := seal.Rewrap(t.Context(), s.Keys, env, []byte(place)); !fault.Is(err, fault.Invalid) {
			t.Errorf("wrapped again at %q: %v", place, err)
		}
	}
}

func swapped(t *testing.T, s Service) {
	one, two := sealed(t, s.Keys, []byte("one"), "place 1"), sealed(t, s.Keys, []byte("two"), "place 2")
	mustNotOpen(t, s.Keys, one, "place 2", "envelope 1 opened at place 2")
	mustNotOpen(t, s.Keys, two, "place 1", "envelope 2 opened at place 1")
	// Either layer alone, moved, does not open either.
	half := one
	half.Sealed = two.Sealed
	mustNotOpen(t, s.Keys, half, "place 1", "content of 2 under the key of 1 opened at 1")
	mustNotOpen(t, s.Keys, half, "place 2", "content of 2 under the key of 1 opened at 2")
}

func everyFlippedByte(t *testing.T, s Service) {
	env := sealed(t, s.Keys, []byte("forty-two"), "place")
	for i := range env.Wrapped {
		bad := env
		bad.Wrapped = flip(env.Wrapped, i)
		mustNotOpen(t, s.Keys, bad, "place", "wrapped key with one bit of a byte flipped opened")
	}
	for i := range env.Sealed {
		bad := env
		bad.Sealed = flip(env.Sealed, i)
		mustNotOpen(t, s.Keys, bad, "place", "content with one bit of a byte flipped opened")
	}
	for _, v := range []int{0, 2, -1} {
		bad := env
		bad.V = v
		mustNotOpen(t, s.Keys, bad, "place", "an envelope of an unknown version opened")
	}
}

func cutAndLonger(t *testing.T, s Service) {
	env := sealed(t, s.Keys, []byte("whole"), "place")
	for _, bad := range []seal.Envelope{
		{V: 1},
		{V: 1, Wrapped: env.Wrapped, Sealed: env.Sealed[:len(env.Sealed)-1]},
		{V: 1, Wrapped: env.Wrapped, Sealed: append(bytes.Clone(env.Sealed), 0)},
		{V: 1, Wrapped: env.Wrapped, Sealed: env.Sealed[:12]},
		{V: 1, Wrapped: env.Wrapped[:len(env.Wrapped)-1], Sealed: env.Sealed},
		{V: 1, Wrapped: append(bytes.Clone(env.Wrapped), 0), Sealed: env.Sealed},
		{V: 1, Wrapped: []byte{0}, Sealed: env.Sealed},
	} {
		mustNotOpen(t, s.Keys, bad, "place", "an envelope of another length opened")
	}
}

func rotation(t *testing.T, s Service) {
	old := sealed(t, s.Keys, []byte("kept"), "place")
	same, err := seal.Rewrap(t.Context(), s.Keys, old, []byte("place"))
	if err != nil || !bytes.Equal(same.Wrapped, old.Wrapped) {
		t.Errorf("wrapped again although the key is the present one (%v)", err)
	}
	s.Rotate(t)
	fresh, err := seal.Rewrap(t.Context(), s.Keys, old, []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	if fresh.Key == old.Key || bytes.Equal(fresh.Wrapped, old.Wrapped) || !bytes.Equal(fresh.Sealed, old.Sealed) {
		t.Errorf("wrapped again from %q to %q: want another key and the same content", old.Key, fresh.Key)
	}
	for _, env := range []seal.Envelope{old, fresh, sealed(t, s.Keys, []byte("kept"), "place")} {
		if got, err := seal.Open(t.Context(), s.Keys, env, []byte("place")); err != nil || string(got) != "kept" {
			t.Errorf("after the rotation an envelope of %q: %q, %v", env.Key, got, err)
		}
	}
	mustNotOpen(t, s.Keys, fresh, "other", "wrapped again, it opened elsewhere")
}

func firstUseAtOnce(t *testing.T, s Service) {
	envs := make([]seal.Envelope, 8)
	var wait sync.WaitGroup
	for i := range envs {
		wait.Go(func() {
			var err error
			if envs[i], err = seal.Seal(t.Context(), s.Keys, rand.Reader, []byte{byte(i)}, []byte("place")); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for i, env := range envs {
		if got, err := seal.Open(t.Context(), s.Keys, env, []byte("place")); err != nil || !bytes.Equal(got, []byte{byte(i)}) {
			t.Errorf("envelope %d: %v, %v", i, got, err)
		}
	}
}

func sealed(t *testing.T, keys seal.Keys, plaintext []byte, place string) seal.Envelope {
	t.Helper()
	env, err := seal.Seal(t.Context(), keys, rand.Reader, plaintext, []byte(place))
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	return env
}

func mustNotOpen(t *testing.T, keys seal.Keys, env seal.Envelope, place, why string) {
	t.Helper()
	if got, err := seal.Open(context.WithoutCancel(t.Context()), keys, env, []byte(place)); !fault.Is(err, fault.Invalid) || got != nil {
		t.Errorf("%s: %q, %v; want nothing and invalid", why, got, err)
	}
}

func flip(data []byte, i int) []byte {
	flipped := bytes.Clone(data)
	flipped[i] ^= 1 << (i % 8)
	return flipped
}
