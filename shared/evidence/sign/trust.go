package sign

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// What can be wrong with a signed checkpoint. The first two are Invalid, the third Denied.
var (
	ErrMalformed = errors.New("malformed")
	ErrSignature = errors.New("a signature is not good")
	ErrUntrusted = errors.New("no trusted key has signed")
)

// TrustVersion is the version of the shape of a trust file, field "v".
const TrustVersion = 1

// maxTrust is the largest trust file, in bytes.
const maxTrust = 256 << 10

// maxCounted is the largest size a trust file names: the largest integer every JSON reader keeps exactly.
const maxCounted = 1<<53 - 1

// respelled is what would say in a trust file, in another way, what has a spelling of its own. No text in it has a colon.
var respelled = regexp.MustCompile(`\\|:\s*-`)

// Trust says whose signatures under checkpoints of one log count: what a reader keeps who does not take the log's word
// for it. It is handed over apart from the log, and compared in several places.
type Trust struct {
	V         int          `json:"v" required:"true"`
	Origin    string       `json:"origin" required:"true"` // of the log; the name of each of its keys
	Keys      []TrustedKey `json:"keys" required:"true"`
	Witnesses []TrustedKey `json:"witnesses,omitempty"`
}

// TrustedKey is a key and the checkpoints it counts for. A key that ended counts for ever for what it signed in time.
type TrustedKey struct {
	Key  string `json:"key" required:"true"` // verifier key, NAME+HASH+KEY
	From int64  `json:"from"`                // the smallest size of a log it counts for
	To   int64  `json:"to,omitempty"`        // the largest; 0 while there is no end
}

// Verified is a checkpoint that a trusted key of its log has signed.
type Verified struct {
	Checkpoint
	Text      string
	Keys      []string // verifier keys of the log that signed
	Witnesses []Witnessed
}

// Witnessed is a good cosignature of a trusted witness.
type Witnessed struct {
	Key string // verifier key
	At  time.Time
}

// ReadTrust reads a trust file, strictly: unknown, repeated and missing members, what is spelled in another way than its
// own, sizes beyond 2^53-1 (RFC 7493, section 2.2), and keys that do not bear the origin's name are Invalid.
func ReadTrust(data []byte) (Trust, error) {
	var t Trust
	const depth = 4
	if len(data) > maxTrust {
		return Trust{}, malformed("a trust file has %d bytes at most", maxTrust)
	}
	if respelled.Match(data) {
		return Trust{}, malformed("a trust file has no escaped letters and no signs before numbers")
	}
	if _, err := strictjson.Decode(data, depth, &t); err != nil {
		return Trust{}, malformed("reading a trust file: %w", err)
	}
	return t, t.check()
}

// Encode is the trust file as ReadTrust reads it, indented for people and with a newline at the end.
func (t Trust) Encode() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding a trust file: %w", err)
	}
	return append(data, '\n'), nil
}

func (t Trust) check() error {
	if t.V != TrustVersion || !nameForm.MatchString(t.Origin) || len(t.Keys) == 0 {
		return malformed("a trust file has version %d, the origin of a log and at least one key", TrustVersion)
	}
	var seen []publicKey
	for i, k := range slices.Concat(t.Keys, t.Witnesses) {
		key, err := parseKey(k.Key)
		witness := i >= len(t.Keys)
		switch {
		case err != nil:
			return malformed("key %d of a trust file: %w", i+1, err)
		case slices.Contains(seen, key):
			return malformed("key %d of a trust file is there twice", i+1)
		case !witness && (key.algorithm != checkpointAlgorithm || key.name != t.Origin):
			return malformed("key %d of a trust file is not one of the log %s", i+1, t.Origin)
		case witness && (key.algorithm != cosignatureAlgorithm || key.name == t.Origin):
			return malformed("key %d of a trust file is not one of a witness", i+1)
		case k.From < 0 || k.From > maxCounted || k.To < 0 || k.To > maxCounted || k.To != 0 && k.To < k.From:
			return malformed("key %d of a trust file counts for no log", i+1)
		}
		seen = append(seen, key)
	}
	return nil
}

// Verify reads a signed checkpoint of the log and says who signed it. At least one key that counts for its size must
// have: otherwise ErrUntrusted, as when the origin is another. A signature that bears the name and hash of a key that
// counts and is not good is ErrSignature, whatever others say. Signatures of other keys mean nothing.
func (t Trust) Verify(signed []byte) (Verified, error) {
	n, err := parseNote(signed)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Text: n.text}
	if v.Checkpoint, err = ParseCheckpoint(n.text); err != nil {
		return Verified{}, err
	}
	if v.Origin != t.Origin {
		return Verified{}, &fault.Error{Kind: fault.Denied, Err: fmt.Errorf("verifying a checkpoint of %s: it is one of another log: %w", t.Origin, ErrUntrusted)}
	}
	for _, s := range n.signatures {
		if err := v.take(s, t); err != nil {
			return Verified{}, err
		}
	}
	if len(v.Keys) == 0 {
		return Verified{}, &fault.Error{Kind: fault.Denied, Err: fmt.Errorf("verifying the checkpoint of size %d: %w", v.Size, ErrUntrusted)}
	}
	return v, nil
}

// take looks at one signature.
func (v *Verified) take(s signature, t Trust) error {
	for i, k := range slices.Concat(t.Keys, t.Witnesses) {
		key, err := parseKey(k.Key)
		if err != nil {
			return err
		}
		if key.name != s.name || key.hash != s.hash || v.Size < k.From || k.To != 0 && v.Size > k.To {
			continue
		}
		if !key.verify(v.Text, s.bytes) {
			return &fault.Error{Kind: fault.Invalid, Err: fmt.Errorf("verifying the checkpoint of size %d: %w: key %08x", v.Size, ErrSignature, s.hash)}
		}
		if i < len(t.Keys) {
			v.Keys = append(v.Keys, k.Key)
		} else {
			v.Witnesses = append(v.Witnesses, Witnessed{k.Key, time.Unix(int64(binary.BigEndian.Uint64(s.bytes)), 0).UTC()})
		}
	}
	return nil
}
