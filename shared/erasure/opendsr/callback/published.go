package callback

import (
	"bytes"
	"context"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// certificates is the collection of what everybody may read, in the database "erasure": whoever serves it need not be able to
// read the key beside it.
const certificates = "certificates"

// newest is the id of the one that answers are signed with.
const newest = "newest"

// Certificates declares what is kept of certificates.
func Certificates() store.Collection { return store.Collection{Name: certificates} }

// certificate is a chain in PEM.
type certificate struct {
	V     int    `json:"v"`
	Chain []byte `json:"chain"`
}

// Publish keeps the chain of certificates, in PEM, by which everybody checks what is signed. The same again writes nothing.
// Invalid: it holds a key.
func Publish(ctx context.Context, s store.Store, chain []byte) error {
	if bytes.Contains(chain, []byte("PRIVATE KEY")) {
		return fault.New(fault.Invalid, "publishing a certificate: there is a key in it")
	}
	if there, err := Published(ctx, s); err == nil && bytes.Equal(there, chain) {
		return nil
	} else if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return s.Tx(ctx, func(tx store.Tx) error { return tx.Put(certificates, newest, certificate{V: 1, Chain: chain}) })
}

// Published returns what Publish kept. NotFound before there was anything.
func Published(ctx context.Context, s store.Store) ([]byte, error) {
	var c certificate
	err := s.Get(ctx, certificates, newest, &c)
	return c.Chain, err
}
