package baseline

import "testing"

// TestRepair: the command names the asset as a shell reads it, whatever it is called.
func TestRepair(t *testing.T) {
	t.Parallel()
	s := &Set{all: []compiled{{Name: "a", Assertion: Assertion{Repair: "gcloud sql instances patch {name} --region={location} --days={days} --{more}"},
		versions: []version{{promise: "D01", params: map[string]any{"days": int64(30)}}}}}}
	const sql = "//sqladmin.googleapis.com/projects/p/"
	for key, want := range map[string]string{
		"": "",
		sql + "locations/europe-west1/instances/db": "gcloud sql instances patch db --region=europe-west1 --days=30 --MORE --project=p",
		sql + "instances/db; rm -rf $HOME 'x'":      `gcloud sql instances patch 'db; rm -rf $HOME '\''x'\''' --region=LOCATION --days=30 --MORE --project=p`,
		sql + "instances/{days}":                    `gcloud sql instances patch '{days}' --region=LOCATION --days=30 --MORE --project=p`,
	} {
		if got := s.Repair("a", "D01", key); got != want {
			t.Errorf("of %q: %s\nwanted: %s", key, got, want)
		}
	}
	if got := s.Repair("b", "", sql+"x"); got != "" {
		t.Errorf("of no assertion: %s", got)
	}
}
