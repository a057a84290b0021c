package asset

import "testing"

func TestInEU(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]bool{
		"EU": true, "europe-west1": true, "europe-west1-b": true, "eur3": true, "EUROPE-WEST12": true, "europe-southwest1-c": true,
		"": false, "us": false, "europe-west2": false, "europe-west6-a": false, "eur5": false, "eur7": false, "eur8": false, "europe-west99": false, "global": false,
	} {
		if InEU(location) != want {
			t.Errorf("%q: %t", location, !want)
		}
	}
}
