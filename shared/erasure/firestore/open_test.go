package firestore

import (
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

func TestAnEmulatorOnCloudRunIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env     map[string]string
		want    fault.Kind
		options int
	}{
		"production": {map[string]string{"K_SERVICE": "runerasure"}, "", 0},
		"a laptop":   {map[string]string{emulatorVariable: "127.0.0.1:8085"}, "", 4},
		"both":       {map[string]string{"K_SERVICE": "runerasure", emulatorVariable: "127.0.0.1:8085"}, fault.Misconfigured, 0},
	} {
		options, err := connection("project", "main", func(key string) string { return c.env[key] })
		if fault.KindOf(err) != c.want || len(options) != c.options {
			t.Errorf("%s: %d options, %v", name, len(options), err)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"firestore://project/main", "firestore://project/(default)"} {
		reader, err := erasure.Readers.Open(t.Context(), raw, erasure.Options{})
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if _, writes := reader.(erasure.Store); writes {
			t.Errorf("%s opens to erase where it is to be read", raw)
		}
		store, err := erasure.Stores.Open(t.Context(), raw, erasure.Options{})
		if err != nil || reader.Close() != nil || store.Close() != nil { // nothing was connected yet, and closing must not connect
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, raw := range []string{"firestore://project", "firestore:///main", "firestore://project/a/b", "firestore://project/main?x=1", "firestore://me@project/main", "firestore://project/main#x"} {
		if _, err := erasure.Stores.Open(t.Context(), raw, erasure.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
