// Package sealed keeps what a document of the control's database must not hold in the clear, and gives documents names that
// tell of nobody.
//
// What is sealed opens under the same kind and id alone, and a name is the same for the same parts, under one key: whoever has
// the database without the keys learns neither. It does not say when something has to be forgotten.
package sealed

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// Box seals and names documents of one kind.
type Box struct {
	Kind   string // a word; it never changes
	Keys   seal.Keys
	Random io.Reader
	Mark   []byte // the secret key of names
}

func (b Box) bound(id string) []byte { return []byte("ostiary erasure " + b.Kind + " " + id) }

// Seal seals a value, as JSON, for the document with an id.
func (b Box) Seal(ctx context.Context, id string, value any) (*seal.Envelope, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, fault.New(fault.Invalid, "sealing a %s: it cannot be encoded", b.Kind)
	}
	defer seal.Wipe(plain)
	env, err := seal.Seal(ctx, b.Keys, b.Random, plain, b.bound(id))
	return &env, err
}

// Open reads what Seal made of the document with an id. None is Invalid.
func (b Box) Open(ctx context.Context, id string, env *seal.Envelope, into any) error {
	if env == nil {
		return fault.New(fault.Invalid, "opening a %s: nothing is kept", b.Kind)
	}
	plain, err := seal.Open(ctx, b.Keys, *env, b.bound(id))
	if err != nil {
		return err
	}
	defer seal.Wipe(plain)
	if err := json.Unmarshal(plain, into); err != nil {
		return fault.New(fault.Invalid, "opening a %s: malformed", b.Kind)
	}
	return nil
}

// Name is a keyed hash of parts, which hold no NUL: 40 hexadecimal digits.
func (b Box) Name(parts ...string) string {
	h := hmac.New(sha256.New, b.Mark)
	h.Write([]byte("ostiary " + b.Kind + "\x00" + strings.Join(parts, "\x00")))
	return hex.EncodeToString(h.Sum(nil)[:20])
}
