// Package secret reads secrets by name. Values never appear in logs, errors or evidence; names may.
//
// A name is what a manifest lists and a URL refers to. The package makes no secrets but for the local process,
// whose file driver can also write.
package secret

import (
	"context"
	"io"
	"regexp"
	"strconv"
	"strings"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

// MaxValueBytes is the largest value of a secret (Secret Manager's limit).
const MaxValueBytes = 64 << 10

// Options are what every driver receives.
type Options struct {
	Clock  clock.Clock // ages what a driver remembers; nil is the system's clock
	Random io.Reader   // of nonces and new keys, where the driver makes them; nil is the system's source
}

// Drivers opens secret stores by URL: file:PATH?key=PATH (one encrypted file),
// secretmanager://PROJECT?pin=NAME:VERSION,...
var Drivers = driver.NewRegistry[Options, Store]("secrets")

// Store reads secrets. It is safe for concurrent use.
type Store interface {
	// Get returns the value of NAME or NAME@VERSION (a number; without one, the version the store declares
	// current). The value's checksum is verified; the caller may wipe the slice. Errors: NotFound, Denied,
	// Transient, Misconfigured (a malformed name, or a version nobody declared).
	Get(ctx context.Context, name string) ([]byte, error)
	Close() error
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// Parse splits NAME or NAME@VERSION; version is 0 when none is given. Anything else is Misconfigured: names come
// from configuration, and "latest" is no version, for nobody approved what it will be tomorrow.
func Parse(reference string) (name string, version int, err error) {
	name, number, pinned := strings.Cut(reference, "@")
	if !validName.MatchString(name) {
		return "", 0, fault.New(fault.Misconfigured, "reading a secret's name: want 1 to 255 letters, digits, - or _")
	}
	if !pinned {
		return name, 0, nil
	}
	version, err = strconv.Atoi(number)
	if err != nil || version < 1 || strconv.Itoa(version) != number {
		return "", 0, fault.New(fault.Misconfigured, "reading the version of secret %q: want a number from 1", name)
	}
	return name, version, nil
}
