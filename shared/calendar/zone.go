package calendar

import (
	"fmt"
	"runtime"
	"time"
	_ "time/tzdata" // a container has no zone files of its own
)

// Zone loads an IANA time zone by name, such as "Europe/Paris". The empty name and "Local", which mean another
// zone on every machine, are errors, as is a name nobody knows.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("loading time zone %q: not the name of one zone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("loading time zone %.60q: unknown", name)
	}
	return loc, nil
}

// TZData names the zone data a deadline was computed with. The embedded copy carries no release of its own that a
// program could read, so this is the Go release it came with, such as "go1.26.0". A machine that has zone files of
// its own, or ZONEINFO set, uses those first; a deployed function has none.
func TZData() string { return runtime.Version() }
