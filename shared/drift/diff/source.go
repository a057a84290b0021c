package diff

import (
	"context"
	"io"

	"ostiary.internal/shared/platform/driver"
)

// Source holds what Terraform wants, somewhere.
type Source interface {
	// Open returns the state as it is now. NotFound: there is none, which is not an empty one.
	Open(ctx context.Context) (State, error)
	Close() error
}

// State is a state as it was read.
type State struct {
	Data     io.ReadCloser // for Read
	Version  string        // changes with each change of the state; a word
	Applying bool          // somebody holds its lock: something is being applied
}

// SourceOptions are what every source receives.
type SourceOptions struct{}

// Sources opens states by URL: gs://BUCKET/OBJECT, file:PATH.
var Sources = driver.NewRegistry[SourceOptions, Source]("terraform state")
