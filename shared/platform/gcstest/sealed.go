package gcstest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// seal is under which key of its uploader an object lies, if under one.
type seal struct {
	sum string // of a key that the uploader sent along and keeps: SHA-256 in base64
	kms string // name of a key in Cloud KMS
}

// customerEncryption is how a resource tells of a key that came with the upload.
type customerEncryption struct {
	Algorithm string `json:"encryptionAlgorithm"`
	Sum       string `json:"keySha256"`
}

// keySum returns the checksum of the key that a request brings along, "" when it brings none.
func keySum(q request) (sum string, p *problem) {
	h := q.http.Header
	encoded := h.Get("X-Goog-Encryption-Key")
	if encoded == "" {
		return "", nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if raw := sha256.Sum256(key); err == nil && len(key) == 32 && h.Get("X-Goog-Encryption-Algorithm") == "AES256" {
		sum = base64.StdEncoding.EncodeToString(raw[:])
	}
	if sum == "" || sum != h.Get("X-Goog-Encryption-Key-Sha256") {
		return "", &problem{http.StatusBadRequest, "customerEncryptionKeySha256IsInvalid", "The SHA256 hash of the encryption key is incorrect."}
	}
	return sum, nil
}

func sealOf(q request) (seal, *problem) {
	sum, p := keySum(q)
	return seal{sum, q.query.Get("kmsKeyName")}, p
}

// opens says why a request does not get the bytes (https://cloud.google.com/storage/docs/encryption/customer-supplied-keys).
// A key in Cloud KMS is taken for one that its owner has withdrawn since.
func (l seal) opens(q request) *problem {
	sum, p := keySum(q)
	switch {
	case p != nil:
		return p
	case l.kms != "":
		return &problem{http.StatusForbidden, "forbidden", "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key."}
	case l.sum == sum:
		return nil
	case l.sum == "":
		return &problem{http.StatusBadRequest, "resourceNotEncryptedWithCustomerEncryptionKey", "The target object is not encrypted by a customer-supplied encryption key."}
	case sum == "":
		return &problem{http.StatusBadRequest, "resourceIsEncryptedWithCustomerEncryptionKey", "The target object is encrypted by a customer-supplied encryption key."}
	}
	return &problem{http.StatusBadRequest, "customerEncryptionKeyIsIncorrect", "The provided encryption key is incorrect."}
}

// served returns the bytes as a reader gets them, and in which encoding: what is stored as gzip is unpacked for who does not
// accept that (https://cloud.google.com/storage/docs/transcoding). What only says that it is gzip is served as it is: what the
// service does then is left open.
func (o *object) served(q request, data []byte) (bytesOf []byte, encoding string) {
	if o.encoding != "gzip" || strings.Contains(q.http.Header.Get("Accept-Encoding"), "gzip") {
		return data, o.encoding
	}
	packed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return data, o.encoding
	}
	unpacked, err := io.ReadAll(packed)
	if err != nil {
		return data, o.encoding
	}
	return unpacked, ""
}

// asked is what of a resource the list's query names, as in fields=items(name,size); everything when it names nothing.
func (q request) asked(r resource) any {
	_, names, some := strings.Cut(q.query.Get("fields"), "items(")
	if !some {
		return r
	}
	names, _, _ = strings.Cut(names, ")")
	text, _ := json.Marshal(r)
	var all map[string]any
	_ = json.Unmarshal(text, &all)
	for name := range all {
		if !slices.Contains(strings.Split(names, ","), name) {
			delete(all, name)
		}
	}
	return all
}
