// Package file keeps the secrets of local mode in one encrypted file: AES-256-GCM under a key file of mode 0600,
// which the first Put creates. Every Put adds a version and the newest is current; a file is replaced whole and is
// on the disk before Put returns. Whoever may read both files knows the secrets: it is for one machine, one person.
package file

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"slices"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/seal/privatefile"
	"ostiary.internal/shared/platform/secret"
)

func init() {
	secret.Drivers.Register("file", func(_ context.Context, u *url.URL, o secret.Options) (secret.Store, error) {
		path, options, err := driver.Path(u, "key")
		if err != nil {
			return nil, err
		}
		if options.Has("key") && options.Get("key") == "" {
			return nil, fault.New(fault.Misconfigured, "file: the option key is the path of a key file; give one, or leave the option out")
		}
		return New(path, cmp.Or(options.Get("key"), path+".key"), o.Random), nil
	})
}

// Store is one file of secrets. It reads the file at every Get, so that one process sees what another has put.
type Store struct {
	path   string
	keys   *local.Keys
	random io.Reader
}

// content is the sealed shape: version n of a name is the n-th of its values.
type content struct {
	V       int                 `json:"v"`
	Secrets map[string][][]byte `json:"secrets"`
}

const contentVersion = 1

// bound ties the envelope to its use: the same keys may seal other things.
var bound = []byte("ostiary secret file")

// New returns the store at path, sealed by the keys at keyPath; neither file need exist yet. A nil random is the
// system's source.
func New(path, keyPath string, random io.Reader) *Store {
	random = cmp.Or(random, rand.Reader)
	return &Store{path: path, keys: local.New(keyPath, random), random: random}
}

// Get returns a value. A file that is not there holds nothing; one that does not open is Misconfigured.
func (s *Store) Get(ctx context.Context, reference string) ([]byte, error) {
	name, version, err := secret.Parse(reference)
	if err != nil {
		return nil, err
	}
	held, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	values := held.Secrets[name]
	if version == 0 {
		version = len(values)
	}
	if version == 0 || version > len(values) {
		return nil, fault.New(fault.NotFound, "reading secret %q: no such version in %s", reference, s.path)
	}
	return values[version-1], nil
}

// Put adds a version of a secret, makes it current and returns its number. Invalid above secret.MaxValueBytes, for
// an empty value, or when the file would grow over seal.MaxPlaintext.
func (s *Store) Put(ctx context.Context, name string, value []byte) (version int, err error) {
	if parsed, pinned, err := secret.Parse(name); err != nil || pinned != 0 || parsed != name {
		return 0, fault.New(fault.Misconfigured, "putting a secret: %q is not a plain name", name)
	}
	if len(value) == 0 || len(value) > secret.MaxValueBytes {
		return 0, fault.New(fault.Invalid, "putting secret %q: %d bytes, want 1 to %d", name, len(value), secret.MaxValueBytes)
	}
	unlock, err := privatefile.Lock(s.path)
	if err != nil {
		return 0, err
	}
	defer unlock()
	held, err := s.read(ctx)
	if err != nil {
		return 0, err
	}
	held.Secrets[name] = append(held.Secrets[name], value)
	if err := s.write(ctx, held); err != nil {
		return 0, err
	}
	return len(held.Secrets[name]), nil
}

// Entry is one secret of a list: never its value.
type Entry struct {
	Name    string
	Current int // the current version
}

// List names the secrets, in order.
func (s *Store) List(ctx context.Context) ([]Entry, error) {
	held, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(held.Secrets))
	for _, name := range slices.Sorted(maps.Keys(held.Secrets)) {
		entries = append(entries, Entry{name, len(held.Secrets[name])})
	}
	return entries, nil
}

// Close does nothing: no file stays open.
func (s *Store) Close() error { return s.keys.Close() }

func (s *Store) read(ctx context.Context) (content, error) {
	data, err := privatefile.Read(s.path)
	if fault.Is(err, fault.NotFound) {
		return content{V: contentVersion, Secrets: map[string][][]byte{}}, nil
	}
	if err != nil {
		return content{}, err
	}
	var env seal.Envelope
	if err := json.Unmarshal(data, &env); err != nil {
		return content{}, fault.New(fault.Misconfigured, "reading %s: not a file of secrets", s.path)
	}
	plaintext, err := seal.Open(ctx, s.keys, env, bound)
	if fault.Is(err, fault.Invalid) {
		return content{}, fault.New(fault.Misconfigured, "opening %s: altered, or sealed by another key file: %w", s.path, err)
	}
	if err != nil {
		return content{}, err
	}
	defer seal.Wipe(plaintext)
	var held content
	if err := json.Unmarshal(plaintext, &held); err != nil || held.V != contentVersion || held.Secrets == nil {
		return content{}, fault.New(fault.Misconfigured, "reading %s: not of version %d", s.path, contentVersion)
	}
	return held, nil
}

func (s *Store) write(ctx context.Context, held content) error {
	plaintext, err := json.Marshal(held)
	if err != nil {
		return fault.New(fault.Invalid, "encoding the secrets: %w", err)
	}
	defer seal.Wipe(plaintext)
	env, err := seal.Seal(ctx, s.keys, s.random, plaintext, bound)
	if err != nil {
		return err
	}
	data, err := json.Marshal(env)
	if err != nil {
		return fault.New(fault.Invalid, "encoding %s: %w", s.path, err)
	}
	return privatefile.Replace(s.path, data)
}
