// Package local is the key service of a laptop: AES-256 keys in one file, mode 0600, that the first wrapping
// creates. It promises what the seal seam promises; whoever may read the file may open every envelope, so it is
// for local mode and tests.
package local

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/url"
	"strconv"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/privatefile"
)

func init() {
	seal.Drivers.Register("local", func(_ context.Context, u *url.URL, o seal.Options) (seal.Keys, error) {
		path, _, err := driver.Path(u)
		if err != nil {
			return nil, err
		}
		return New(path, o.Random), nil
	})
}

// Keys wraps data keys by the newest key of a file. It reads the file at every call: another process may have
// added a version.
type Keys struct {
	path   string
	random io.Reader
}

// file is the stored shape. Key n of the list is version n+1; the last one wraps.
type file struct {
	V    int      `json:"v"`
	Keys [][]byte `json:"keys"`
}

const (
	fileVersion  = 1
	nonceBytes   = 12
	versionBytes = 4 // a wrapped key begins with the version of the key that wrapped it, big-endian
	maxVersions  = 1000
)

// New returns the keys of the file at path, which need not exist yet. A nil random is the system's source.
func New(path string, random io.Reader) *Keys {
	return &Keys{path: path, random: cmp.Or(random, rand.Reader)}
}

// Wrap seals dataKey under the newest version, creating the file if there is none.
func (k *Keys) Wrap(_ context.Context, dataKey, bound []byte) ([]byte, string, error) {
	if len(dataKey) != seal.KeyBytes {
		return nil, "", fault.New(fault.Invalid, "wrapping a data key of %d bytes: want %d", len(dataKey), seal.KeyBytes)
	}
	held, err := k.readOrCreate()
	if err != nil {
		return nil, "", err
	}
	defer held.wipe()
	version := len(held.Keys)
	head := binary.BigEndian.AppendUint32(nil, uint32(version))
	nonce := make([]byte, nonceBytes)
	if _, err := io.ReadFull(k.random, nonce); err != nil {
		return nil, "", fault.New(fault.Transient, "making a nonce: %w", err)
	}
	aead, err := newAEAD(held.Keys[version-1])
	if err != nil {
		return nil, "", err
	}
	wrapped := aead.Seal(append(head, nonce...), nonce, dataKey, associated(bound))
	return wrapped, strconv.Itoa(version), nil
}

// Unwrap opens a wrapped key by the version it names. A missing file is Misconfigured: the keys are elsewhere.
func (k *Keys) Unwrap(_ context.Context, wrapped, bound []byte) ([]byte, error) {
	if len(wrapped) < versionBytes+nonceBytes {
		return nil, fault.New(fault.Invalid, "unwrapping a data key: %d bytes", len(wrapped))
	}
	held, err := k.read()
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Misconfigured, "unwrapping a data key: no key file: %w", err)
	}
	if err != nil {
		return nil, err
	}
	defer held.wipe()
	head, nonce, ciphertext := wrapped[:versionBytes], wrapped[versionBytes:versionBytes+nonceBytes], wrapped[versionBytes+nonceBytes:]
	version := binary.BigEndian.Uint32(head)
	if version == 0 || uint64(version) > uint64(len(held.Keys)) {
		return nil, fault.New(fault.Invalid, "unwrapping a data key: the file holds no version %d", version)
	}
	aead, err := newAEAD(held.Keys[version-1])
	if err != nil {
		return nil, err
	}
	dataKey, err := aead.Open(nil, nonce, ciphertext, associated(bound))
	if err != nil {
		return nil, fault.New(fault.Invalid, "unwrapping a data key: %w", err)
	}
	return dataKey, nil
}

// Rotate adds a version, which wraps from now on; the older ones still unwrap. It returns the new version.
func (k *Keys) Rotate() (string, error) {
	unlock, err := privatefile.Lock(k.path)
	if err != nil {
		return "", err
	}
	defer unlock()
	held, err := k.readOrCreate()
	if err != nil {
		return "", err
	}
	defer held.wipe()
	if len(held.Keys) >= maxVersions {
		return "", fault.New(fault.Exhausted, "rotating %s: it holds %d versions", k.path, len(held.Keys))
	}
	if err := held.add(k.random); err != nil {
		return "", err
	}
	data, err := json.Marshal(held)
	if err != nil {
		return "", fault.New(fault.Invalid, "encoding %s: %w", k.path, err)
	}
	defer seal.Wipe(data)
	return strconv.Itoa(len(held.Keys)), privatefile.Replace(k.path, data)
}

// Close does nothing: no file stays open.
func (k *Keys) Close() error { return nil }

func (k *Keys) readOrCreate() (file, error) {
	held, err := k.read()
	if !fault.Is(err, fault.NotFound) {
		return held, err
	}
	fresh := file{V: fileVersion}
	if err := fresh.add(k.random); err != nil {
		return file{}, err
	}
	defer fresh.wipe()
	data, err := json.Marshal(fresh)
	if err != nil {
		return file{}, fault.New(fault.Invalid, "encoding %s: %w", k.path, err)
	}
	defer seal.Wipe(data)
	if err := privatefile.Create(k.path, data); err != nil && !fault.Is(err, fault.Conflict) {
		return file{}, err
	}
	return k.read() // on a conflict another process was first, and its key is the one
}

func (k *Keys) read() (file, error) {
	data, err := privatefile.Read(k.path)
	if err != nil {
		return file{}, err
	}
	defer seal.Wipe(data)
	var held file
	// The decoder's own error may quote the file: it stays out of the text.
	if err := json.Unmarshal(data, &held); err != nil || held.V != fileVersion || len(held.Keys) == 0 {
		return file{}, fault.New(fault.Misconfigured, "reading %s: not a key file of version %d", k.path, fileVersion)
	}
	for _, key := range held.Keys {
		if len(key) != seal.KeyBytes {
			held.wipe()
			return file{}, fault.New(fault.Misconfigured, "reading %s: a key is not %d bytes long", k.path, seal.KeyBytes)
		}
	}
	return held, nil
}

func (f *file) add(random io.Reader) error {
	key := make([]byte, seal.KeyBytes)
	if _, err := io.ReadFull(random, key); err != nil {
		return fault.New(fault.Transient, "making a key: %w", err)
	}
	f.Keys = append(f.Keys, key)
	return nil
}

func (f *file) wipe() {
	for _, key := range f.Keys {
		seal.Wipe(key)
	}
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "using a wrapping key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "using AES-256-GCM: %w", err)
	}
	return aead, nil
}

func associated(bound []byte) []byte { return append([]byte("ostiary wrapped key 1\x00"), bound...) }
