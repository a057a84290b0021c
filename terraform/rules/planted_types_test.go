package rules

import "testing"

// plantedTypes plans what no rule would look at, and sends what is kept elsewhere.
var plantedTypes = []planting{
	{"listed-type", "a service is reached by everybody", func(e *edit) {
		e.add(account, "build", "google_cloud_run_v2_service", values{"name": "planted", "ingress": "INGRESS_TRAFFIC_ALL", "invoker_iam_disabled": true})
	}},
	{"listed-type", "a function is of the first generation", func(e *edit) {
		e.add(account, "build", "google_cloudfunctions_function", values{"name": "planted", "ingress_settings": "ALLOW_ALL"})
	}},
	{"sink", "log entries go to a bucket of somebody else", func(e *edit) {
		e.add(account, "build", "google_logging_project_sink", values{"name": "planted", "destination": "storage.googleapis.com/elsewhere"})
	}},
	{"sink", "log entries go to a log of somebody else", func(e *edit) {
		e.add(account, "build", "google_logging_project_sink", values{"name": "planted", "destination": "logging.googleapis.com/projects/elsewhere/locations/europe-west1/buckets/evidence-access"})
	}},
	{"sink", "what there is is told somebody else", func(e *edit) {
		e.add(account, "build", "google_cloud_asset_project_feed", values{"feed_output_config": []any{values{"pubsub_destination": []any{values{"topic": "projects/elsewhere/topics/asset.feed"}}}}})
	}},
	{"subscription", "messages wait for whoever asks", func(e *edit) {
		e.add(topic, "lease.changed", push, values{"name": "planted", "topic": "lease.changed"})
	}},
	{"subscription", "what is called a dead letter is not one", func(e *edit) {
		e.add(topic, "lease.changed", push, values{"name": "dead.syncallowlist", "topic": "lease.changed"})
	}},
	{"subscription", "messages are written into a table", func(e *edit) {
		e.set(push, `google_pubsub_subscription.dead`, []any{values{"table": "elsewhere.dataset.table"}}, "bigquery_config")
	}},
}

// TestTypesOfEachRoot: each root has a list of its own.
func TestTypesOfEachRoot(t *testing.T) {
	t.Parallel()
	tree, plans := small(t)
	for _, folder := range folders {
		e := newBases(t, tree, plans).edit(t, folder)
		e.add(e.shown.Changes[0].Type, "", "google_cloud_run_v2_service", values{})
		if v := e.check(Rule{"listed-type", "", "", listedType}); len(v.Problems) != 1 {
			t.Errorf("%s: %v", folder, v.Problems)
		}
	}
}
