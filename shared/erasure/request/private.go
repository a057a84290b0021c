package request

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// Identifier is one thing that recognises a person. What is not verified finds nothing.
type Identifier struct {
	Kind     string `json:"kind"` // as the data map names it: email, uid, ...
	Value    string `json:"value"`
	Verified bool   `json:"verified,omitempty"`
	// Format says of what digest Value is one, as OpenDSR names it; "" for a value as it stands.
	Format string `json:"format,omitempty"`
}

// Private is what a request holds of the person, sealed, until it closes.
type Private struct {
	Identifiers []Identifier `json:"identifiers"`
	OnFile      string       `json:"on_file,omitempty"` // the address the company has
	Reply       string       `json:"reply,omitempty"`   // of whoever wrote or is signed in; never the one typed into a page
	Mandate     string       `json:"mandate,omitempty"`
	Text        string       `json:"text,omitempty"` // of a letter or mail that was entered
}

const email = "email" // the kind of identifier a link proves

// verified are the identifiers that may be searched for.
func (p Private) verified(proof Proof) (all []Identifier) {
	for _, one := range p.Identifiers {
		if one.Verified || proof == ByLink && one.Kind == email && one.Value == p.OnFile && p.OnFile != "" {
			one.Verified = true
			all = append(all, one)
		}
	}
	return all
}

// has reports whether an identifier is known, and proved.
func (p Private) has(one Identifier) bool {
	return slices.ContainsFunc(p.Identifiers, func(o Identifier) bool {
		return o.Kind == one.Kind && o.Value == one.Value && o.Format == one.Format && (o.Verified || o.Kind == email && o.Value == p.OnFile)
	})
}

// unsearched reports whether an address was named beside an id, by whoever speaks for somebody, that is not the one on file: it is not
// searched for.
func (p Private) unsearched(proof Proof) bool {
	return proof == ByTenant && slices.ContainsFunc(p.Identifiers, func(one Identifier) bool {
		return one.Kind == email && !one.Verified && !strings.EqualFold(one.Value, p.OnFile)
	})
}

// value returns the first identifier of a kind, or "".
func (p Private) value(kind string) string {
	for _, one := range p.Identifiers {
		if one.Kind == kind {
			return one.Value
		}
	}
	return ""
}

// address is where letters go; "" for nowhere.
func (p Private) address() string {
	if p.OnFile != "" {
		return p.OnFile
	}
	return p.Reply
}

// knownAs replaces the address that was given by the one on file, which is spelled as the data is.
func (p Private) knownAs(address string) Private {
	kept := []Identifier{{Kind: email, Value: address}}
	for _, one := range p.Identifiers {
		if one.Kind != email || one.Verified && one.Value != address {
			kept = append(kept, one)
		} else if one.Verified {
			kept[0].Verified = true
		}
	}
	p.Identifiers, p.OnFile = kept, address
	return p
}

func bound(id string) []byte { return []byte("ostiary erasure request " + id) }

// seal seals what a request holds, for this request alone.
func (s *Service) seal(ctx context.Context, id string, p Private) (*seal.Envelope, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fault.New(fault.Invalid, "sealing what was given with a request: it cannot be encoded")
	}
	defer seal.Wipe(plain)
	env, err := seal.Seal(ctx, s.Keys, s.Random, plain, bound(id))
	if err != nil {
		return nil, err
	}
	return &env, nil
}

// open opens what a request holds; nothing once it is closed.
func (s *Service) open(ctx context.Context, r Request) (Private, error) {
	if r.Private == nil {
		return Private{}, nil
	}
	plain, err := seal.Open(ctx, s.Keys, *r.Private, bound(r.ID))
	if err != nil {
		return Private{}, err
	}
	defer seal.Wipe(plain)
	var p Private
	if err := json.Unmarshal(plain, &p); err != nil {
		return Private{}, fault.New(fault.Invalid, "opening what was given with a request: malformed")
	}
	return p, nil
}

func sameEnvelope(a, b *seal.Envelope) bool {
	if a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.Sealed, b.Sealed)
}
