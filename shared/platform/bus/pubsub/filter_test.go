package pubsub_test

import (
	"fmt"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"

	"ostiary.internal/shared/platform/bus"
)

var filters = []string{
	``,
	`attributes.region = "eu"`,
	`attributes.region != "eu"`,
	`attributes:region`,
	`NOT attributes:region`,
	`hasPrefix(attributes.region, "eu")`,
	`NOT hasPrefix(attributes.region, "eu")`,
	`NOT attributes.region = "eu"`,
	`attributes.region = "eu" AND attributes.kind = "test"`,
	`attributes:kind AND NOT attributes.region != "eu"`,
	`  attributes.region="eu"   AND   hasPrefix( attributes.kind , "te" ) `,
	`attributes.kind = "a \"quoted\" word"`,
	`attributes.kind = "AND NOT ("`,
	`attributes.a-b_1 = ""`,
}

var samples = []map[string]string{
	nil,
	{"region": "eu"},
	{"region": "eu-west1"},
	{"region": "us", "kind": "test"},
	{"region": "eu", "kind": "test"},
	{"kind": `a "quoted" word`},
	{"kind": "AND NOT ("},
	{"a-b_1": ""},
	{"a-b_1": "x", "region": ""},
}

// TestFiltersMatchAsInPubSub lets Google's fake broker, which honours filters, decide the same messages.
func TestFiltersMatchAsInPubSub(t *testing.T) {
	t.Parallel()
	server := pstest.NewServer()
	defer server.Close()
	theirs := connect(t, server.Addr, "project")
	theirs.topic(t, "news")
	for i, filter := range filters {
		theirs.subscribe(t, &pubsubpb.Subscription{Name: fmt.Sprint("filtered-", i), Topic: "news", Filter: filter})
	}
	for i, attributes := range samples {
		server.Publish("projects/project/topics/news", fmt.Append(nil, i), attributes)
	}
	for i, text := range filters {
		filter, err := bus.ParseFilter(text)
		if err != nil {
			t.Errorf("ParseFilter(%s): %v", text, err)
			continue
		}
		got := map[string]bool{}
		for _, m := range theirs.pull(t, fmt.Sprint("filtered-", i)) {
			got[string(m.Data)] = true
		}
		for n, attributes := range samples {
			if ours := filter.Match(attributes); ours != got[fmt.Sprint(n)] {
				t.Errorf("%s on %v: %v, Pub/Sub's fake says %v", text, attributes, ours, got[fmt.Sprint(n)])
			}
		}
	}
}
