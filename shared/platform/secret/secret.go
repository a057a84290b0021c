// Package secret reads secrets by name. Values never appear in logs, errors or evidence.
package secret

import (
	"context"

	"ostiary.internal/shared/platform/driver"
)

// Drivers opens secret stores by URL: file:PATH?key=PATH (one encrypted file), secretmanager://PROJECT.
var Drivers = driver.NewRegistry[struct{}, Store]("secrets")

// Store reads secrets. It is safe for concurrent use.
type Store interface {
	// Get returns the value of NAME or NAME@VERSION (a number; without one, the version the store declares
	// current). The value's checksum is verified. Errors: NotFound, Denied, Transient, Misconfigured.
	Get(ctx context.Context, name string) ([]byte, error)
	Close() error
}
