package auditlog_test

import (
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

func TestVerb(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		"v1.compute.firewalls.insert": "insert", "compute.firewalls.insert": "insert",
		"google.iam.v1.IAMPolicy.SetIamPolicy": "setiampolicy", "SetIamPolicy": "setiampolicy",
		"google.iam.admin.v1.SetIAMPolicy": "setiampolicy", "/google.pubsub.v1.Publisher/CreateTopic": "createtopic", "": "",
	} {
		if got := auditlog.Verb(method); got != want {
			t.Errorf("%s: %q", method, got)
		}
	}
}

func TestAsset(t *testing.T) {
	t.Parallel()
	type M = map[string]any
	cases := []struct {
		service, method, resource string
		labels, request           M
		want                      string
	}{
		{"compute.googleapis.com", "v1.compute.firewalls.patch", "projects/acme-live/global/firewalls/f", nil, nil,
			"//compute.googleapis.com/projects/acme-live/global/firewalls/f"},
		{"compute.googleapis.com", "x.patch", "https://www.googleapis.com/compute/v1/projects/acme-live/zones/z/instances/i", nil, nil,
			"//compute.googleapis.com/projects/acme-live/zones/z/instances/i"},
		{"iap.googleapis.com", "AuthorizeUser", "//compute.googleapis.com/projects/acme-live/zones/z/instances/i", nil, nil,
			"//compute.googleapis.com/projects/acme-live/zones/z/instances/i"},
		{"secretmanager.googleapis.com", "a.GetSecret", "projects/123/secrets/s", nil, nil,
			"//secretmanager.googleapis.com/projects/acme-live/secrets/s"},
		{"secretmanager.googleapis.com", "a.GetSecret", "projects/other/secrets/s", nil, nil,
			"//secretmanager.googleapis.com/projects/other/secrets/s"},
		{"cloudsql.googleapis.com", "cloudsql.instances.create", "projects/acme-live", nil, M{"body": M{"name": "db"}},
			"//cloudsql.googleapis.com/projects/acme-live/instances/db"},
		{"cloudsql.googleapis.com", "cloudsql.instances.update", "instances/db", M{"database_id": "acme-live:db"}, nil,
			"//cloudsql.googleapis.com/projects/acme-live/instances/db"},
		{"cloudsql.googleapis.com", "cloudsql.instances.update", "instances/example.com:acme:db", nil, nil,
			"//cloudsql.googleapis.com/projects/example.com:acme/instances/db"},
		{"container.googleapis.com", "a.GetCluster", "projects/acme-live/zones/z/clusters/c", nil, nil,
			"//container.googleapis.com/projects/acme-live/locations/z/clusters/c"},
		{"dns.googleapis.com", "dns.managedZones.create", "managedZones/z", nil, nil,
			"//dns.googleapis.com/projects/acme-live/managedZones/z"},
		{"storage.googleapis.com", "storage.setIamPermissions", "projects/_/buckets/b", nil, nil, "//storage.googleapis.com/b"},
		{"logging.googleapis.com", "a.CreateLogMetric", "projects/acme-live/metrics", nil, M{"metric": M{"name": "m"}},
			"//logging.googleapis.com/projects/acme-live/metrics/m"},
		{"pubsub.googleapis.com", "a.CreateSubscription", "projects/acme-live/topics/t", nil,
			M{"name": "projects/acme-live/subscriptions/s"}, "//pubsub.googleapis.com/projects/acme-live/subscriptions/s"},
		{"iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey", "projects/-/serviceAccounts/123",
			M{"email_id": "a@acme-live.iam.gserviceaccount.com"}, nil,
			"//iam.googleapis.com/projects/acme-live/serviceAccounts/a@acme-live.iam.gserviceaccount.com"},
		{"iam.googleapis.com", "x", "projects/-/serviceAccounts/a@other.iam.gserviceaccount.com", nil, nil,
			"//iam.googleapis.com/projects/other/serviceAccounts/a@other.iam.gserviceaccount.com"},
		{"ml.googleapis.com", "google.cloud.ml.v1.JobService.CreateJob", "projects/acme-live", nil, M{"job": M{"jobId": "j"}},
			"//ml.googleapis.com/projects/acme-live/jobs/j"},
		{"cloudresourcemanager.googleapis.com", "SetIamPolicy", "organizations/1", nil, nil,
			"//cloudresourcemanager.googleapis.com/organizations/1"},
		{"dataflow.googleapis.com", "dataflow.jobs.create", "", nil, nil, "//dataflow.googleapis.com/projects/acme-live"},
	}
	for _, c := range cases {
		e := one(t, with(t, "iam-project-delta", func(e, p map[string]any) {
			p["serviceName"], p["methodName"], p["resourceName"] = c.service, c.method, c.resource
			p["request"] = c.request
			delete(p, "serviceData")
			for k, v := range c.labels {
				e["resource"].(M)["labels"].(M)[k] = v
			}
		}), auditlog.Mapping{})
		if e.Asset != c.want || e.Resource != c.resource {
			t.Errorf("%s %s: %s, want %s", c.method, c.resource, e.Asset, c.want)
		}
	}
}
