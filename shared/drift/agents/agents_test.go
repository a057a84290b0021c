package agents

import (
	"encoding/json"
	"testing"

	"ostiary.internal/shared/drift/asset"
)

func TestMade(t *testing.T) {
	t.Parallel()
	const compute, network = "compute.googleapis.com/", `"network":"https://www.googleapis.com/compute/v1/projects/acme/global/networks/default"`
	const ssh = `{` + network + `,"priority":65534,"allowed":[{"IPProtocol":"tcp","ports":["22"]}],"sourceRanges":["0.0.0.0/0"]}`
	for _, c := range []struct {
		kind, name, data string
		want             bool
	}{
		{compute + "Network", "global/networks/default", `{"autoCreateSubnetworks":true,"description":"Default network for the project"}`, true},
		{compute + "Network", "global/networks/default", `{"autoCreateSubnetworks":false,"description":"ours"}`, false},
		{compute + "Network", "global/networks/default", ``, false},
		{compute + "Network", "global/networks/shop", `{"autoCreateSubnetworks":true,"description":"Default network for the project"}`, false},
		{compute + "Subnetwork", "regions/europe-west1/subnetworks/default", `{"ipCidrRange":"10.132.0.0/20",` + network + `}`, true},
		{compute + "Subnetwork", "regions/europe-west1/subnetworks/own", `{"ipCidrRange":"10.132.0.0/20",` + network + `}`, false},
		{compute + "Subnetwork", "regions/europe-west1/subnetworks/default", `{"ipCidrRange":"10.0.0.0/20",` + network + `}`, false},
		{compute + "Firewall", "global/firewalls/default-allow-ssh", ssh, true},
		{compute + "Firewall", "global/firewalls/default-allow-ssh", `{` + network + `,"priority":65534,"allowed":[{"IPProtocol":"tcp","ports":["22","5432"]}],"sourceRanges":["0.0.0.0/0"]}`, false},
		{compute + "Firewall", "global/firewalls/default-allow-ssh", `{` + network + `,"priority":1000,"allowed":[{"IPProtocol":"tcp","ports":["22"]}],"sourceRanges":["0.0.0.0/0"]}`, false},
		{compute + "Firewall", "global/firewalls/allow-ssh", ssh, false},
		{compute + "Firewall", "global/firewalls/default-allow-internal", `{` + network + `,"priority":65534,"alloweds":[{"ipProtocol":"tcp","port":["0-65535"]},{"ipProtocol":"udp","port":["0-65535"]},{"ipProtocol":"icmp"}],"sourceRange":["10.128.0.0/9"]}`, true},
		{compute + "Firewall", "global/firewalls/default-allow-internal", `{` + network + `,"priority":65534,"allowed":[{"IPProtocol":"tcp","ports":["0-65535"]},{"IPProtocol":"udp","ports":["0-65535"]},{"IPProtocol":"icmp"}],"sourceRanges":["0.0.0.0/0"]}`, false},
		{compute + "Firewall", "global/firewalls/gke-shop-0a1b2c3d-all", `{"targetTags":["gke-shop-0a1b2c3d-node"]}`, true},
		{compute + "Firewall", "global/firewalls/gke-shop-0a1b2c3d-all", `{"sourceRanges":["0.0.0.0/0"]}`, false},
		{compute + "Firewall", "global/firewalls/k8s-fw-a1b2", `{"targetTags":["gke-shop-0a1b2c3d-node"],"description":"{\"kubernetes.io/service-name\":\"shop/web\"}"}`, true},
		{compute + "Firewall", "global/firewalls/k8s-fw-a1b2", `{"targetTags":["gke-shop-0a1b2c3d-node"]}`, false},
		{compute + "Route", "global/routes/default-route-0123456789abcdef", `{"description":"Default route to the Internet."}`, true},
		{compute + "Route", "global/routes/default-route-r-0123", `{"description":"Default local route to the subnetwork 10.132.0.0/20."}`, true},
		{compute + "Route", "global/routes/out", `{"description":"Default route to the Internet."}`, false},
		{compute + "Instance", "zones/z/instances/gke-shop-pool-0a1b-xyz", `{"labels":{"goog-gke-node":""}}`, true},
		{compute + "Instance", "zones/z/instances/gke-shop-pool-0a1b-xyz", `{"labels":{"team":"shop"}}`, false},
		{compute + "InstanceTemplate", "global/instanceTemplates/gke-shop-pool-0a1b", `{"properties":{"labels":{"goog-k8s-cluster-name":"shop"}}}`, true},
		{compute + "Disk", "zones/z/disks/data", `{"labels":{"goog-gke-volume":""}}`, false},
		{"iam.googleapis.com/ServiceAccount", "serviceAccounts/4711-compute@developer.gserviceaccount.com", ``, true},
		{"iam.googleapis.com/ServiceAccount", "serviceAccounts/acme@appspot.gserviceaccount.com", ``, true},
		{"iam.googleapis.com/ServiceAccount", "serviceAccounts/service-4711@gcp-sa-pubsub.iam.gserviceaccount.com", ``, true},
		{"iam.googleapis.com/ServiceAccount", "serviceAccounts/run@acme.iam.gserviceaccount.com", ``, false},
		{"iam.googleapis.com/ServiceAccount", "serviceAccounts/4711-compute@acme.iam.gserviceaccount.com", ``, false},
		{"iam.googleapis.com/ServiceAccountKey", "serviceAccounts/run@acme.iam.gserviceaccount.com/keys/1", `{"keyType":"SYSTEM_MANAGED"}`, true},
		{"iam.googleapis.com/ServiceAccountKey", "serviceAccounts/run@acme.iam.gserviceaccount.com/keys/1", `{"keyType":"USER_MANAGED"}`, false},
		{"storage.googleapis.com/Bucket", "gcf-v2-sources-4711-europe-west1", `{"projectNumber":"4711"}`, true},
		{"storage.googleapis.com/Bucket", "gcf-v2-uploads-4711-europe-west1.cloudfunctions.appspot.com", `{"projectNumber":"4711"}`, true},
		{"storage.googleapis.com/Bucket", "gcf-v2-sources-4712-europe-west1", `{"projectNumber":"4711"}`, false},
		{"storage.googleapis.com/Bucket", "gcf-v2-sources-4711-europe-west1", ``, false},
		{"storage.googleapis.com/Bucket", "acme_cloudbuild", ``, true},
		{"storage.googleapis.com/Bucket", "other_cloudbuild", ``, false},
		{"storage.googleapis.com/Bucket", "eu.artifacts.acme.appspot.com", ``, true},
		{"storage.googleapis.com/Bucket", "staging.acme.appspot.com", ``, true},
		{"storage.googleapis.com/Bucket", "run-sources-acme-europe-west1", ``, true},
		{"storage.googleapis.com/Bucket", "invoices", `{}`, false},
		{"artifactregistry.googleapis.com/Repository", "locations/l/repositories/gcf-artifacts", `{"labels":{"goog-managed-by":"cloudfunctions"}}`, true},
		{"artifactregistry.googleapis.com/Repository", "locations/l/repositories/gcf-artifacts", `{}`, false},
		{"artifactregistry.googleapis.com/Repository", "locations/l/repositories/shop", `{}`, false},
		{"logging.googleapis.com/LogBucket", "locations/global/buckets/_Default", ``, true},
		{"logging.googleapis.com/LogBucket", "locations/global/buckets/audit", ``, false},
		{"logging.googleapis.com/LogSink", "sinks/_Required", ``, true},
		{"logging.googleapis.com/LogView", "locations/global/buckets/b/views/_AllLogs", ``, true},
		{"run.googleapis.com/Service", "locations/l/services/f", `{"labels":{"goog-managed-by":"cloudfunctions"}}`, true},
		{"run.googleapis.com/Service", "locations/l/services/shop", `{"labels":{"team":"x"}}`, false},
		{"pubsub.googleapis.com/Topic", "topics/eventarc-europe-west1-t-123", `{"labels":{"goog-eventarc":""}}`, true},
		{"pubsub.googleapis.com/Topic", "topics/eventarc-mine", `{}`, false},
		{"secretmanager.googleapis.com/Secret", "secrets/default", `{}`, false},
	} {
		a := &asset.Asset{Type: c.kind, Project: "acme", Key: asset.NewNames().Key(c.kind, "projects/acme/"+c.name)}
		if c.kind == "storage.googleapis.com/Bucket" {
			a.Key = "//storage.googleapis.com/" + c.name
		}
		if c.data != "" {
			if err := json.Unmarshal([]byte(c.data), &a.Data); err != nil {
				t.Fatal(c.name, err)
			}
		}
		if Made(a) != c.want {
			t.Errorf("%s %s %s: want %v", c.kind, c.name, c.data, c.want)
		}
		if a.Deleted = true; Made(a) {
			t.Errorf("%s is gone", c.name)
		}
	}
}
