package asset

import (
	"slices"
	"strings"
)

// inEU are locations of Google Cloud that lie within the European Union as a whole: regions, and multi-regions of which every
// region does. Zurich and London lie outside it, and with them eur5, eur7 and eur8.
var inEU = []string{
	"eu", "europe", "eur3", "eur4", "europe-west1", "europe-west3", "europe-west4", "europe-west8", "europe-west9", "europe-west10", "europe-west12",
	"europe-north1", "europe-north2", "europe-central2", "europe-southwest1",
}

// InEU reports whether a location, a zone, a region or several, lies in the European Union. One that is not known does not.
func InEU(location string) bool { return slices.Contains(inEU, Region(location)) }

// Region is the region a zone lies in, and any other location itself, in small letters.
func Region(location string) string {
	l := strings.ToLower(location)
	if at := strings.LastIndexByte(l, '-'); at > 0 && len(l)-at == 2 && l[at+1] >= 'a' {
		return l[:at]
	}
	return l
}
