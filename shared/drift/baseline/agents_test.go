package baseline

import (
	"testing"

	"ostiary.internal/shared/drift/asset"
)

// TestForeignAgents: an agent of Google's that acts for somebody else's project is outside; where nobody can tell whose it is, it
// comes with the services.
func TestForeignAgents(t *testing.T) {
	t.Parallel()
	some, all := asset.NewNames(), asset.NewNames()
	for number, id := range map[string]string{"1": "company-live", "999": "other"} {
		some.Learn(number, id)
		all.Learn(number, id)
	}
	n := 2000
	for project := range Fixture().Projects {
		n++
		if project != "company-live" {
			all.Learn(string(rune('0'+n%10))+"77", project)
		}
	}
	for member, want := range map[string][2]bool{ // where numbers of some projects are known, and of all
		"serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com":    {false, false},
		"serviceAccount:service-999@gcp-sa-pubsub.iam.gserviceaccount.com":  {true, true},
		"serviceAccount:service-5@gcp-sa-pubsub.iam.gserviceaccount.com":    {false, true},
		"serviceAccount:999@cloudservices.gserviceaccount.com":              {true, true},
		"serviceAccount:p1-2@gcp-sa-logging.iam.gserviceaccount.com":        {false, false},
		"serviceAccount:cloud-logs@system.gserviceaccount.com":              {false, false},
		"serviceAccount:service-999@compute-system.iam.gserviceaccount.com": {true, true},
	} {
		got := [2]bool{company{Fixture(), some}.outside(member), company{Fixture(), all}.outside(member)}
		if got != want {
			t.Errorf("%s: %v, want %v", member, got, want)
		}
	}
}
