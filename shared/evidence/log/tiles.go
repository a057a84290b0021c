package log

import (
	"encoding/binary"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/platform/fault"
)

// TilePath names a tile of hashes (C2SP tlog-tiles): tile/LEVEL/N, with .p/WIDTH where it has fewer than 256.
func TilePath(level int, n int64, width int) string {
	path := tlog.Tile{H: tileHeight, L: level, N: n, W: width}.Path() // tile/8/LEVEL/N: Go's form also names the height
	return "tile/" + strings.TrimPrefix(path, "tile/8/")
}

// BundlePath names a bundle of entries (C2SP tlog-tiles): tile/entries/N, with .p/WIDTH where it has fewer than 256.
func BundlePath(n int64, width int) string {
	path := tlog.Tile{H: tileHeight, L: -1, N: n, W: width}.Path()
	return "tile/entries/" + strings.TrimPrefix(path, "tile/8/data/")
}

// appendEntry adds a leaf to a bundle. A leaf has at most record.MaxBytes, which is what two bytes count.
func appendEntry(bundle, leaf []byte) []byte {
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(leaf))), leaf...)
}

// ParseBundle splits a bundle into its leaves, which share its memory. Bytes that are left over, and more than 256
// leaves, are Invalid.
func ParseBundle(data []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(leaves) == tileWidth {
			return nil, fault.New(fault.Invalid, "reading an entry bundle: bytes are left over behind %d entries", len(leaves))
		}
		size := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+size {
			return nil, fault.New(fault.Invalid, "reading an entry bundle: entry %d is cut off", len(leaves))
		}
		leaves, data = append(leaves, data[2:2+size:2+size]), data[2+size:]
	}
	return leaves, nil
}

func tileBytes(hashes []tlog.Hash) []byte {
	data := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		data = append(data, h[:]...)
	}
	return data
}

func tileHashes(data []byte) []tlog.Hash {
	hashes := make([]tlog.Hash, len(data)/tlog.HashSize)
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	return hashes
}
