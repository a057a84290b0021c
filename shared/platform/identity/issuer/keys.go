package issuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/fault"
)

const (
	rsaBits  = 2048
	fileMode = 0o600
)

// pair is the issuer's key file. Its shape is version 1.
type pair struct {
	V     int             `json:"v"`
	ES256 jose.JSONWebKey `json:"es256"`
	RS256 jose.JSONWebKey `json:"rs256"`
}

func (p *pair) valid() bool {
	ec, isEC := p.ES256.Key.(*ecdsa.PrivateKey)
	_, isRSA := p.RS256.Key.(*rsa.PrivateKey)
	return p.V == 1 && isEC && ec.Curve == elliptic.P256() && isRSA && p.ES256.Algorithm == string(jose.ES256) &&
		p.RS256.Algorithm == string(jose.RS256) && p.ES256.KeyID != "" && p.RS256.KeyID != ""
}

// load returns the keys, reading or making the file if need be. A file that is damaged, or that others may
// read, is Misconfigured: it is never replaced silently.
func (i *Issuer) load() (*pair, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keys != nil {
		return i.keys, nil
	}
	keys, err := readKeys(i.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKeys(i.path); err != nil {
			return nil, err
		}
		// Read back: where two processes made keys at once, both go on with the ones that are in the file.
		keys, err = readKeys(i.path)
	}
	if err != nil {
		return nil, err
	}
	i.keys = keys
	return keys, nil
}

func readKeys(path string) (*pair, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "reading the local issuer's keys: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Misconfigured, "reading the local issuer's keys: %s must be a file of mode 0600", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "reading the local issuer's keys: %w", err)
	}
	var keys pair
	// The cause is left out: it may quote what it could not read.
	if err := json.Unmarshal(raw, &keys); err != nil || !keys.valid() {
		return nil, fault.New(fault.Misconfigured, "reading the local issuer's keys: %s is damaged; remove it to make new keys", path)
	}
	return &keys, nil
}

// makeKeys writes a fresh pair, whole or not at all, and leaves a file that another process wrote first.
func makeKeys(path string) error {
	keys, err := generate()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("encoding the local issuer's keys: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".issuer-*") // mode 0600
	if err != nil {
		return fault.New(fault.Misconfigured, "writing the local issuer's keys: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(raw)
	if err := errors.Join(err, file.Chmod(fileMode), file.Sync(), file.Close()); err != nil {
		return fault.New(fault.Misconfigured, "writing the local issuer's keys: %w", err)
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Misconfigured, "writing the local issuer's keys: %w", err)
	}
	return nil
}

// generate makes a pair. The standard library takes its random bytes from the system alone.
func generate() (*pair, error) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the local issuer's keys: %w", err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, fmt.Errorf("making the local issuer's keys: %w", err)
	}
	return &pair{
		V:     1,
		ES256: jose.JSONWebKey{Key: ec, KeyID: rand.Text(), Algorithm: string(jose.ES256), Use: "sig"},
		RS256: jose.JSONWebKey{Key: rs, KeyID: rand.Text(), Algorithm: string(jose.RS256), Use: "sig"},
	}, nil
}
