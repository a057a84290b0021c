package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// MaxBytes is the largest receipt, signed or not, in bytes.
const MaxBytes = 1 << 20

// maxDepth is how deep a signed receipt nests.
const maxDepth = 6

// Canonical returns the receipt's only bytes: JSON by RFC 8785 with integers and text alone. A receipt that Build would
// refuse is refused here too.
func (r Receipt) Canonical() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return encode(r)
}

// Digest is SHA-256, in hexadecimal, of the canonical form: the name of the receipt in the one after it.
func (r Receipt) Digest() (string, error) {
	data, err := r.Canonical()
	if err != nil {
		return "", err
	}
	return digest(data), nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// encode writes a struct whose members stand in order. RFC 8785 escapes as little as JSON allows; no text here holds a
// character that the encoder would escape beyond that.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding a receipt: %w", err)
	}
	data := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	if len(data) > MaxBytes {
		return nil, fault.New(fault.Invalid, "encoding a receipt: %d bytes, at most %d", len(data), MaxBytes)
	}
	return data, nil
}

// Parse reads a signed receipt, whoever signed it and whether or not the signatures are good: Verify tells that. It
// accepts nothing but what Sign writes: a text that says the same in another way is Invalid, and what Build would refuse is
// refused as Build does.
func Parse(signed []byte) (Receipt, error) {
	s, err := parse(signed)
	if err != nil {
		return Receipt{}, err
	}
	return s.Receipt, s.Receipt.check()
}

// parse reads the one form there is, and does not look at what it says.
func parse(data []byte) (signedReceipt, error) {
	var s signedReceipt
	if len(data) > MaxBytes {
		return signedReceipt{}, fault.New(fault.Invalid, "reading a receipt: it is larger than %d bytes", MaxBytes)
	}
	if _, err := strictjson.Decode(data, maxDepth, &s); err != nil {
		return signedReceipt{}, fault.New(fault.Invalid, "reading a receipt: %w", err)
	}
	again, err := encode(s)
	switch {
	case err != nil:
		return signedReceipt{}, err
	case !bytes.Equal(again, data):
		return signedReceipt{}, fault.New(fault.Invalid, "reading a receipt: it is not in canonical form")
	}
	return s, nil
}
