package scan

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/platform/fault"
)

const version = 1

// maxChunk bounds what one document holds, in bytes: a third more as text is below what a document may have.
const maxChunk = 700 << 10

// maxInflated bounds what a chunk unpacks to, and maxGroup how many chunks one transaction writes.
const (
	maxInflated = 512 << 20
	maxGroup    = 4
)

// chunk holds assets, or one that was read by itself.
type chunk struct {
	V       int       `json:"v"`
	Data    []byte    `json:"data"`
	Expires time.Time `json:"expires"`
}

// change is an asset that was read by itself, or could not be though it is said to have changed.
type change struct {
	V       int        `json:"v"`
	At      int64      `json:"at"`             // microseconds: when it was stored
	Told    int64      `json:"told,omitempty"` // microseconds: when it became known that it changed; 0: it was as it was known
	Key     string     `json:"key,omitempty"`
	Type    string     `json:"type,omitempty"`
	Failed  fault.Kind `json:"failed,omitempty"` // why it could not be read since
	Read    time.Time  `json:"read"`             // of the newest fact in it
	Good    time.Time  `json:"good,omitzero"`    // when it was known to be in order last
	Data    []byte     `json:"data"`             // none: nothing of it was read by itself
	Expires time.Time  `json:"expires"`
}

// hint is a call that named an asset.
type hint struct {
	V int `json:"v"`
	attribution.Hint
	Micros  int64     `json:"micros"`
	Expires time.Time `json:"expires"`
}

// fact is an asset as it is stored.
type fact struct {
	Key       string        `json:"key"`
	Type      string        `json:"type"`
	Project   string        `json:"project,omitempty"`
	Ancestors []string      `json:"ancestors,omitempty"`
	Location  string        `json:"location,omitempty"`
	Data      asset.Object  `json:"data"` // nil is not read, and {} is read and empty
	IAM       *asset.Policy `json:"iam,omitempty"`
	Deleted   bool          `json:"deleted,omitempty"`
	Read      time.Time     `json:"read"`
}

// pack writes assets into as few chunks as hold them. What alone is too long for one is left out, and named by its type.
func pack(all []asset.Asset) (chunks [][]byte, unread []string, err error) {
	if len(all) == 0 {
		return nil, nil, nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	encoder := json.NewEncoder(z)
	encoder.SetEscapeHTML(false)
	for _, a := range all {
		if err := encoder.Encode(fact(a)); err != nil {
			return nil, nil, fmt.Errorf("storing an asset of type %s: %w", a.Type, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, nil, fmt.Errorf("storing assets: %w", err)
	}
	switch {
	case b.Len() <= maxChunk:
		return [][]byte{b.Bytes()}, nil, nil
	case len(all) == 1:
		return nil, []string{all[0].Type + ": one is too long to be kept"}, nil
	}
	for _, half := range [][]asset.Asset{all[:len(all)/2], all[len(all)/2:]} {
		more, lost, err := pack(half)
		if err != nil {
			return nil, nil, err
		}
		chunks, unread = append(chunks, more...), append(unread, lost...)
	}
	return chunks, unread, nil
}

// unpack hands on the assets of a chunk.
func unpack(data []byte, take func(asset.Asset)) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fault.New(fault.Misconfigured, "reading stored assets: %w", err)
	}
	for d := json.NewDecoder(io.LimitReader(z, maxInflated)); ; {
		var f fact
		if err := d.Decode(&f); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fault.New(fault.Misconfigured, "reading stored assets: they are cut off or damaged")
		}
		take(asset.Asset(f))
	}
}

// chunks hands on the assets of a part of a scan; false where some of it is not kept any more.
func (s *Service) chunks(ctx context.Context, of part, take func(asset.Asset)) (bool, error) {
	whole := true
	for i := range of.Chunks {
		var c chunk
		err := s.Store.Get(ctx, assets, chunkID(of.Scan, of.Lane, i), &c)
		if fault.Is(err, fault.NotFound) {
			whole = false
			continue
		}
		if err == nil {
			err = unpack(c.Data, take)
		}
		if err != nil {
			return false, err
		}
	}
	return whole, nil
}

func chunkID(scan int64, lane, n int) string { return fmt.Sprintf("%d-%d-%d", scan, lane, n) }

func laneID(scan int64, lane int) string { return fmt.Sprintf("%d-%d", scan, lane) }

// digest names a document after texts.
func digest(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(t)))
		h.Write(n[:])
		h.Write([]byte(t))
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// newest is when the newest fact of an asset was true.
func newest(a asset.Asset) time.Time {
	if a.IAM != nil && a.IAM.Read.After(a.Read) {
		return a.IAM.Read
	}
	return a.Read
}
