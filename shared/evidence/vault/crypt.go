package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base32"
	"io"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

const (
	nonceBytes = 12 // NIST SP 800-38D section 8.2.2: random nonces of 96 bits
	saltBytes  = 32
	nameBytes  = 20
)

// opened is a subject's data key in the clear. Wipe it after use.
type opened struct {
	subject    string // Subject.key
	generation string // of the data key: another one after an erasure
	plain      []byte
}

func (o opened) wipe() { clear(o.plain) }

// seal encrypts data for one place of the subject (AES-256-GCM, NIST SP 800-38D): what is sealed for a month's salt or
// another payload does not open in its stead.
func (o opened) seal(random io.Reader, place string, data []byte) ([]byte, error) {
	aead, err := o.aead()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, nonceBytes, nonceBytes+len(data)+aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fault.New(fault.Transient, "making a nonce: %w", err)
	}
	return aead.Seal(nonce, nonce, data, o.associated(place)), nil
}

// open decrypts what seal made for the same place. Invalid: it was altered or moved.
func (o opened) open(place string, sealed []byte) ([]byte, error) {
	aead, err := o.aead()
	if err != nil {
		return nil, err
	}
	if len(sealed) < nonceBytes {
		return nil, fault.New(fault.Invalid, "opening a sealed value: it holds %d bytes", len(sealed))
	}
	data, err := aead.Open(nil, sealed[:nonceBytes], sealed[nonceBytes:], o.associated(place))
	if err != nil {
		return nil, fault.New(fault.Invalid, "opening a sealed value: %w", err)
	}
	return data, nil
}

func (o opened) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(o.plain)
	if err != nil {
		return nil, fault.New(fault.Invalid, "using a subject's data key: %w", err)
	}
	return cipher.NewGCM(block)
}

func (o opened) associated(place string) []byte {
	return framed("ostiary vault value", o.subject, o.generation, place)
}

// bound is what a wrapped data key is bound to.
func bound(subject, generation string) []byte {
	return framed("ostiary vault key", subject, generation)
}

// random returns n random bytes.
func (v *Vault) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(v.Random, b); err != nil {
		return nil, fault.New(fault.Transient, "reading random bytes: %w", err)
	}
	return b, nil
}

// name returns a random name of 32 letters and digits.
func (v *Vault) name() (string, error) {
	b, err := v.random(nameBytes)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)), err
}
