package bus_test

import (
	"testing"

	"ostiary.internal/shared/platform/bus"
)

func TestTopicOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		bus.Subscription("syncallowlist", "lease.changed"):                               "lease.changed",
		"projects/p/subscriptions/" + bus.Subscription("syncallowlist", "lease.changed"): "lease.changed",
		"projects/p/subscriptions/f--a--b":                                               "a--b",
		"projects/p--q/subscriptions/f":                                                  "",
		"projects/p/subscriptions/eventarc-europe-west1-audit-sub-072":                   "",
		"f--": "",
		"":    "",
	} {
		if got := bus.TopicOf(name); got != want {
			t.Errorf("TopicOf(%q) is %q, want %q", name, got, want)
		}
	}
}
