package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// runningCode is the record.Digest of this program's file: what every record names as the code that made it, and what
// sha256sum says of the file. "" where the file cannot be read any more.
func runningCode() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}
