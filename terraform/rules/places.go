package rules

import (
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

var placeRules = []Rule{
	{"in-the-union", "Whatever has a place is in the European Union, and what may say where it is kept says so.", "", inTheUnion},
}

// outside are Google's European regions that are in no member state: London and Zurich.
var outside = []string{"europe-west2", "europe-west6"}

// union are names of several regions at once that all lie in member states.
var union = []string{"eu", "eur3", "eur4", "eur5", "eur7", "eur8", "europe"}

// inUnion tells whether a region, a zone or a name of several is in the European Union.
func inUnion(place string) bool {
	place = strings.ToLower(place[strings.LastIndex(place, "/")+1:])
	region := place
	if parts := strings.Split(place, "-"); len(parts) == 3 && len(parts[2]) == 1 {
		region = strings.Join(parts[:2], "-") // europe-west1-b
	}
	return slices.Contains(union, place) || strings.HasPrefix(region, "europe-") && !slices.Contains(outside, region)
}

// worldwide are types that Google offers in no region at all, so that "global" is all they can say; what they hold is
// configuration. The value says which.
var worldwide = map[string]string{
	"google_certificate_manager_certificate":           "a certificate, which every visitor is shown",
	"google_certificate_manager_certificate_map":       "which certificate goes with which host",
	"google_certificate_manager_certificate_map_entry": "which certificate goes with which host",
	"google_certificate_manager_dns_authorization":     "a record of the name server",
	"google_compute_backend_service":                   "where requests go",
	"google_iam_workload_identity_pool":                "who may act as an account",
	"google_iam_workload_identity_pool_provider":       "who may act as an account",
	"google_monitoring_alert_policy":                   "what is told of",
}

// says are the attributes that hold a place.
var says = map[string]bool{
	"location": true, "location_id": true, "region": true, "zone": true, "regions": true, "zones": true,
	"allowed_persistence_regions": true, "multi_region_auxiliary_location": true, "data_locations": true, "locations": true, "storage_location": true,
}

func inTheUnion(l *look) {
	for _, r := range l.Plan.Resources {
		l.places(r, r.Values)
		l.open(r, r.Unknown)
		switch r.Type {
		case topic:
			if len(r.Texts("message_storage_policy", "allowed_persistence_regions")) == 0 {
				l.wrong(r, "keeps messages wherever they come from: write a message_storage_policy")
			}
		case secret:
			if len(r.List("replication", "user_managed", "replicas")) == 0 {
				l.wrong(r, "is kept wherever Google likes: write user_managed replication")
			}
		case bucket, database, function, "google_kms_key_ring", "google_artifact_registry_repository", "google_logging_project_bucket_config":
			if r.Text("location")+r.Text("location_id") == "" {
				l.wrong(r, "does not say where it is")
			}
		}
	}
}

// places goes over everything known of a resource.
func (l *look) places(r *plan.Resource, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, each := range v {
			if says[name] {
				l.place(r, name, each)
				continue
			}
			l.places(r, each)
		}
	case []any:
		for _, each := range v {
			l.places(r, each)
		}
	}
}

// open goes over what is not known of it yet: a place that nobody can tell before the apply is none in the Union.
func (l *look) open(r *plan.Resource, unknown any) {
	switch v := unknown.(type) {
	case map[string]any:
		for name, each := range v {
			if text := fmt.Sprint(each); says[name] && strings.Contains(text, "true") {
				l.wrong(r, "%s is only known after the apply: write where it is", name)
			}
			l.open(r, each)
		}
	case []any:
		for _, each := range v {
			l.open(r, each)
		}
	}
}

// place holds what one attribute says.
func (l *look) place(r *plan.Resource, name string, value any) {
	switch v := value.(type) {
	case string:
		l.seen++
		if v == "" || v == "global" && worldwide[r.Type] != "" || inUnion(v) {
			return
		}
		l.wrong(r, "%s is %q, which is not in the European Union", name, v)
	case []any:
		for i, each := range v {
			l.place(r, fmt.Sprintf("%s[%d]", name, i), each)
		}
	case map[string]any:
		l.places(r, v)
	}
}
