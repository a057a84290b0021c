// Package file is a signing key in a file of the local disk, mode 0600, that the first use makes. Whoever may read the
// file can sign in the log's name, so it is for local mode and tests. The file holds the key in the form that other
// programs for signed notes read: PRIVATE+KEY+NAME+HASH+KEY.
package file

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/seal/privatefile"
)

func init() { sign.Signers.Register("file", open) }

// open opens file:PATH?name=NAME.
func open(_ context.Context, u *url.URL, _ sign.Options) (sign.Signer, error) {
	name, err := sign.NameOf(u)
	if err != nil {
		return nil, err
	}
	path, _, err := driver.Path(u, "name")
	if err != nil {
		return nil, err
	}
	return New(path, name)
}

const (
	prefix    = "PRIVATE+KEY+"
	algorithm = 0x01 // Ed25519
)

// Signer is the key of one file.
type Signer struct {
	path, name string
	key        *lazy.Value[ed25519.PrivateKey]
}

// New returns the key called name in the file at path, which need not exist yet.
func New(path, name string) (*Signer, error) {
	if err := sign.CheckName(name); err != nil {
		return nil, err
	}
	s := &Signer{path: path, name: name}
	s.key = lazy.New(s.readOrCreate)
	return s, nil
}

// Name implements sign.Signer.
func (s *Signer) Name() string { return s.name }

// Verifier implements sign.Signer.
func (s *Signer) Verifier(ctx context.Context) (string, error) {
	key, err := s.key.Get(ctx)
	if err != nil {
		return "", err
	}
	return sign.VerifierKey(s.name, key.Public().(ed25519.PublicKey))
}

// Sign implements sign.Signer.
func (s *Signer) Sign(ctx context.Context, text []byte) ([]byte, error) {
	key, err := s.key.Get(ctx)
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(key, text), nil
}

// Close does nothing: no file stays open.
func (s *Signer) Close() error { return nil }

func (s *Signer) readOrCreate(context.Context) (ed25519.PrivateKey, error) {
	key, err := s.read()
	if !fault.Is(err, fault.NotFound) {
		return key, err
	}
	_, fresh, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fault.New(fault.Transient, "making a key: %w", err)
	}
	text, err := s.encode(fresh)
	if err != nil {
		return nil, err
	}
	if err := privatefile.Create(s.path, []byte(text+"\n")); err != nil && !fault.Is(err, fault.Conflict) {
		return nil, err
	}
	return s.read() // on a conflict another process was first, and its key is the one
}

func (s *Signer) encode(key ed25519.PrivateKey) (string, error) {
	verifier, err := sign.VerifierKey(s.name, key.Public().(ed25519.PublicKey))
	if err != nil {
		return "", err
	}
	hash, err := sign.KeyHash(verifier)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%s+%s+%s", prefix, s.name, hash, base64.StdEncoding.EncodeToString(append([]byte{algorithm}, key.Seed()...))), nil
}

// read reads the key. The content never reaches an error.
func (s *Signer) read() (ed25519.PrivateKey, error) {
	data, err := privatefile.Read(s.path)
	if err != nil {
		return nil, err
	}
	text := strings.TrimSuffix(string(data), "\n")
	var raw []byte
	const fields = 5 // the last one may have plus signs of its own
	if parts := strings.SplitN(text, "+", fields); len(parts) == fields {
		raw, _ = base64.StdEncoding.DecodeString(parts[fields-1]) // compared with its own encoding below
	}
	if len(raw) == 1+ed25519.SeedSize {
		key := ed25519.NewKeyFromSeed(raw[1:])
		if own, err := s.encode(key); err == nil && own == text {
			return key, nil
		}
	}
	return nil, fault.New(fault.Misconfigured, "reading %s: not a signing key called %s", s.path, s.name)
}
