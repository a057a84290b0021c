package pubsub

import (
	"testing"

	"ostiary.internal/shared/platform/fault"
)

func TestNoEmulatorOnCloudRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		service, emulator string
		refused           bool
	}{{"", "", false}, {"", "127.0.0.1:8086", false}, {"syncallowlist", "", false}, {"syncallowlist", "127.0.0.1:8086", true}} {
		set := map[string]string{"K_SERVICE": c.service, "PUBSUB_EMULATOR_HOST": c.emulator}
		err := refuseEmulator(func(name string) string { return set[name] })
		if fault.Is(err, fault.Misconfigured) != c.refused {
			t.Errorf("%v: %v, want refused %v", set, err, c.refused)
		}
	}
}
