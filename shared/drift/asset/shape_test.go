package asset_test

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/diff"
)

// front is a service as version 1 of the API tells it, and what Terraform wants of it as version 2 calls it.
const (
	front = `{"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"labels":{"control":"watch","cloud.googleapis.com/location":"europe-west1"},
"annotations":{"run.googleapis.com/ingress":"internal","run.googleapis.com/binary-authorization":"default"}},"spec":{"template":{"metadata":{"annotations":{"autoscaling.knative.dev/maxScale":"3",
"run.googleapis.com/vpc-access-egress":"all-traffic","run.googleapis.com/vpc-access-connector":"projects/p/locations/europe-west1/connectors/c","run.googleapis.com/encryption-key":"projects/p/locations/eu/keyRings/r/cryptoKeys/k"}},
"spec":{"serviceAccountName":"fn@p.iam.gserviceaccount.com","timeoutSeconds":60,"containerConcurrency":20,"containers":[{"image":"i@sha256:1","env":[{"name":"A","value":"1"},
{"name":"B","valueFrom":{"secretKeyRef":{"name":"b","key":"4"}}}]}]}}}}`
	wanted = `{"version":4,"resources":[{"mode":"managed","type":"google_cloud_run_v2_service","name":"front","instances":[{"attributes":{"name":"front","project":"p","location":"europe-west1",
"ingress":"INGRESS_TRAFFIC_INTERNAL_ONLY","labels":{"control":"watch"},"binary_authorization":[{"use_default":true}],"invoker_iam_disabled":false,"template":[{"service_account":"fn@p.iam.gserviceaccount.com","timeout":"60s",
"max_instance_request_concurrency":20,"encryption_key":"projects/p/locations/eu/keyRings/r/cryptoKeys/k","scaling":[{"max_instance_count":3}],"vpc_access":[{"connector":"projects/p/locations/europe-west1/connectors/c","egress":"ALL_TRAFFIC"}],
"containers":[{"image":"i@sha256:1","env":[{"name":"A","value":"1","value_source":[]},{"name":"B","value":"","value_source":[{"secret_key_ref":[{"secret":"b","version":"4"}]}]}]}]}]}}]}]}`
)

// decoded is an asset with data, as an export writes it.
func decoded(t *testing.T, kind, name, data string) (a asset.Asset) {
	t.Helper()
	for one, err := range asset.Decode(strings.NewReader(`{"name":"`+name+`","assetType":"`+kind+`","resource":{"data":`+data+`}}`), time.Time{}, asset.NewNames()) {
		if err != nil {
			t.Fatal(err)
		}
		a = one
	}
	return a
}

// differences holds a service against what Terraform wants of it.
func differences(t *testing.T, service string) []diff.Finding {
	t.Helper()
	live := asset.NewInventory()
	live.Add(decoded(t, "run.googleapis.com/Service", "//run.googleapis.com/projects/p/locations/europe-west1/services/front", service))
	d, err := diff.Read(strings.NewReader(wanted))
	if err != nil {
		t.Fatal(err)
	}
	return diff.Compare(d, live, diff.Options{Salt: make([]byte, 16)}).Findings
}

// TestServiceVersions: a service that is told by version 1 is as Terraform wants it by version 2, until something changes.
func TestServiceVersions(t *testing.T) {
	t.Parallel()
	if found := differences(t, front); len(found) > 0 {
		t.Errorf("in order: %+v", found)
	}
	for change, field := range map[string]string{
		`"run.googleapis.com/ingress":"internal"=>"run.googleapis.com/ingress":"all"`: "ingress", `fn@p=>other@p`: "template.service_account", `i@sha256:1=>i@sha256:2`: "template.containers.image",
		`"value":"1"=>"value":"2"`: "template.containers.env", `"key":"4"=>"key":"latest"`: "template.containers.env", `"all-traffic"=>"private-ranges-only"`: "template.vpc_access.egress",
		`"run.googleapis.com/ingress"=>"run.googleapis.com/invoker-iam-disabled":"true","run.googleapis.com/ingress"`: "invoker_iam_disabled", `"default"=>"other"`: "binary_authorization.use_default",
		`cryptoKeys/k=>cryptoKeys/l`: "template.encryption_key", `/maxScale":"3"=>/maxScale":"4"`: "template.scaling.max_instance_count", `"control":"watch"=>"control":"drift"`: "labels",
	} {
		from, to, _ := strings.Cut(change, "=>")
		found := differences(t, strings.Replace(front, from, to, 1))
		if len(found) != 1 || found[0].Field != field || found[0].Class != diff.Changed {
			t.Errorf("%s: %+v", change, found)
		}
	}
}

// TestOldSpelling: a firewall of an old list opens what one of a new list opens.
func TestOldSpelling(t *testing.T) {
	t.Parallel()
	const kind, name = "compute.googleapis.com/Firewall", "//compute.googleapis.com/projects/p/global/firewalls/f"
	const old = `{"alloweds":["x"],"sourceRange":["0.0.0.0/0"],"targetTag":["t"]}`
	told, err := asset.Feed([]byte(`{"asset":{"name":"`+name+`","assetType":"`+kind+`","resource":{"data":`+old+`}},"window":{"startTime":"2026-03-03T12:00:00Z"}}`), asset.NewNames())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []asset.Asset{decoded(t, kind, name, old), told} {
		if data := a.Data; len(data) != 3 || data["allowed"] == nil || data["sourceRanges"] == nil || data["targetTags"] == nil {
			t.Errorf("%v", data)
		}
	}
	if a := decoded(t, kind, name, "null"); a.Data != nil {
		t.Errorf("nothing was read, and it says %v", a.Data)
	}
	for _, odd := range []string{`{}`, `{"spec":{"template":{}}}`, `{"spec":{"template":{"spec":{"containers":["x",null,{"env":[1,{}]}]}}}}`, `{"spec":7}`, `{"metadata":[],"spec":{"template":{"metadata":1,"spec":2}}}`} {
		decoded(t, "run.googleapis.com/Service", "//run.googleapis.com/projects/p/locations/europe-west1/services/front", odd)
	}
}
