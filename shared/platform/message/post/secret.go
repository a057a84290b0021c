package post

import (
	"context"
	"fmt"
	"net/url"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/secret"
)

// Secret is where a channel finds what only it may know.
type Secret struct {
	Name  string // or NAME@VERSION
	Store secret.Store
}

// SecretOf reads the option secret=NAME of a channel's URL, which has no other. Misconfigured: it is missing, or cannot be read.
func SecretOf(u *url.URL, o message.Options) (Secret, error) {
	options, err := url.ParseQuery(u.RawQuery)
	given := options["secret"]
	if err != nil || len(options) != 1 || len(given) != 1 {
		return Secret{}, fault.New(fault.Misconfigured, "%s: the one option is secret=NAME", u.Scheme)
	}
	if o.Secrets == nil {
		return Secret{}, fault.New(fault.Misconfigured, "%s: a secret is named, and no secret store is configured", u.Scheme)
	}
	if _, _, err := secret.Parse(given[0]); err != nil {
		return Secret{}, err
	}
	return Secret{Name: given[0], Store: o.Secrets}, nil
}

// Get reads the secret anew, so that one that was exchanged counts from the next message on. The caller wipes it.
func (s Secret) Get(ctx context.Context) ([]byte, error) {
	value, err := s.Store.Get(ctx, s.Name)
	if err != nil {
		return nil, fmt.Errorf("reading the secret of a channel: %w", err)
	}
	return value, nil
}
