package firestore

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func TestAnEmulatorOnCloudRunIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		want fault.Kind
	}{
		"production":       {map[string]string{"K_SERVICE": "registerip"}, ""},
		"a laptop":         {map[string]string{emulatorVariable: "127.0.0.1:8085"}, ""},
		"both":             {map[string]string{"K_SERVICE": "registerip", emulatorVariable: "127.0.0.1:8085"}, fault.Misconfigured},
		"neither, in test": {nil, ""},
	} {
		err := check("project", "control", func(name string) string { return c.env[name] })
		if fault.KindOf(err) != c.want {
			t.Errorf("%s: %v; want kind %q", name, err, c.want)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	o := store.Options{Schema: store.Schema{{Name: "things"}}, Clock: clock.NewManual(time.Unix(0, 0))}
	for url, want := range map[string]fault.Kind{
		"firestore://project/(default)": "", "firestore://project/access": "",
		"firestore://project": fault.Misconfigured, "firestore://project/": fault.Misconfigured, "firestore:///access": fault.Misconfigured,
		"firestore://project/access/more": fault.Misconfigured, "firestore://project/access?x=1": fault.Misconfigured,
		"firestore://me@project/access": fault.Misconfigured, "firestore:project": fault.Misconfigured,
	} {
		s, err := store.Drivers.Open(t.Context(), url, o) // connects at first use: never here
		if fault.KindOf(err) != want {
			t.Errorf("%s: %v; want kind %q", url, err, want)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Errorf("closing a store that was never used: %v", err)
			}
		}
	}
	if _, err := New("project", "control", store.Options{Schema: o.Schema}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("no clock: %v", err)
	}
}
