package seedfile

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"

	"ostiary.internal/shared/platform/seal"
)

// The rounds of PBKDF2 that are taken: fewer are no protection (RFC 8018 section 4.2), more only burn time.
const (
	minRounds = 1_000
	maxRounds = 5_000_000
)

// ciphers are the lengths of the keys, by the names of XML encryption (RFC 6030 section 6.1).
var ciphers = map[string]int{
	"http://www.w3.org/2001/04/xmlenc#aes128-cbc": 16,
	"http://www.w3.org/2001/04/xmlenc#aes192-cbc": 24,
	"http://www.w3.org/2001/04/xmlenc#aes256-cbc": 32,
}

// hashes are those of a MAC and of PBKDF2, by their names.
var hashes = map[string]func() hash.Hash{
	"http://www.w3.org/2000/09/xmldsig#hmac-sha1":        sha1.New,
	"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256": sha256.New,
}

const pbkdf2Name = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2"

// vault opens the encrypted values of one PSKC file.
type vault struct {
	unlock Unlock
	outer  encryptionKey // how the file's key is made
	mac    macMethod

	key, macKey []byte // once known
	digest      func() hash.Hash
}

// ready makes the file's keys, at the first value that needs them.
func (v *vault) ready() error {
	if v.key != nil {
		return nil
	}
	key, err := v.fileKey()
	if err != nil {
		return err
	}
	// CBC alone does not notice a changed value, so RFC 6030 section 6.1.1 wants a MAC beside it.
	if v.digest = hashes[v.mac.Algorithm]; v.digest == nil {
		return invalid("The file's values are encrypted without a MAC that is known (HMAC-SHA1 or HMAC-SHA256), so nobody could tell whether they were changed.")
	}
	v.macKey = key
	if len(v.mac.Key) > 0 {
		if v.macKey, err = decrypt(key, v.mac.Key[0]); err != nil {
			return err
		}
	}
	v.key = key
	return nil
}

// fileKey is the pre-shared key, or the one derived from the password (RFC 6030 section 6.2, RFC 8018 section 5.2).
func (v *vault) fileKey() ([]byte, error) {
	if len(v.outer.Derived) == 0 {
		if len(v.unlock.Key) == 0 {
			return nil, locked("The file is encrypted with a pre-shared key.", "Give the key with --key-file.")
		}
		return v.unlock.Key, nil
	}
	if len(v.unlock.Password) == 0 {
		return nil, locked("The file is encrypted with a password.", "Give the password with --password-file.")
	}
	m := v.outer.Derived[0].Method
	rounds, err := strconv.Atoi(strings.TrimSpace(m.Rounds))
	if err != nil || rounds < minRounds || rounds > maxRounds || m.Algorithm != pbkdf2Name {
		return nil, invalid("The file's key is not derived by PBKDF2 with %d to %d rounds.", minRounds, maxRounds)
	}
	length, err := strconv.Atoi(strings.TrimSpace(m.Length))
	if err != nil || length != 16 && length != 24 && length != 32 {
		return nil, invalid("The file's key has neither 16, 24 nor 32 bytes.")
	}
	salt, err := decode(m.Salt)
	if err != nil || len(salt) < 8 {
		return nil, invalid("The salt of the file's password is not base64, or is shorter than 8 bytes.")
	}
	digest := sha1.New // PBKDF2's own default
	if name := m.PRF.Algorithm; name != "" {
		if digest = hashes[prf(name)]; digest == nil {
			return nil, invalid("The file's key is derived by an unknown function.")
		}
	}
	return pbkdf2.Key(digest, string(v.unlock.Password), salt, rounds, length)
}

// prf returns the name of a pseudo-random function as hashes has it: files use both families of names.
func prf(name string) string {
	switch name[strings.LastIndexAny(name, "#/")+1:] {
	case "hmac-sha1", "hmacWithSHA1":
		return "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
	case "hmac-sha256", "hmacWithSHA256":
		return "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
	}
	return name
}

// open returns an encrypted value; why says what is wrong with this one, err what is with the file.
func (v *vault) open(c cipherValue, macs []string) (plain []byte, why string, err error) {
	if err := v.ready(); err != nil {
		return nil, "", err
	}
	if len(macs) != 1 || len(c.Value) != 1 {
		return nil, "the encrypted secret has no MAC of its own", nil
	}
	sealed, err := decode(c.Value[0])
	if err != nil {
		return nil, "the encrypted secret is not base64", nil
	}
	want, err := decode(macs[0])
	sum := hmac.New(v.digest, v.macKey)
	sum.Write(sealed)
	if err != nil || !hmac.Equal(sum.Sum(nil), want) {
		return nil, "its MAC does not fit: the secret was changed, or the key or password is another one", nil
	}
	plain, err = decrypt(v.key, c)
	return plain, "", err
}

func (v *vault) wipe() {
	seal.Wipe(v.macKey)
	if len(v.outer.Derived) > 0 { // the pre-shared key is the caller's
		seal.Wipe(v.key)
	}
}

// decrypt opens AES-CBC as XML encryption uses it: the first block is the initialization vector, and the last byte says
// how many bytes at the end are filling.
func decrypt(key []byte, c cipherValue) ([]byte, error) {
	if want := ciphers[c.Method.Algorithm]; want == 0 {
		return nil, invalid("The file is encrypted by another cipher than AES-CBC.")
	} else if want != len(key) {
		return nil, locked("The key has another length than the file's cipher wants.", "Give the key that the maker delivered for this file.")
	}
	if len(c.Value) != 1 {
		return nil, invalid("An encrypted value of the file is empty.")
	}
	sealed, err := decode(c.Value[0])
	if err != nil || len(sealed) < 2*aes.BlockSize || len(sealed)%aes.BlockSize != 0 {
		return nil, invalid("An encrypted value of the file is cut off, or is not base64.")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, invalid("The key of the file cannot be used.")
	}
	plain := sealed[aes.BlockSize:]
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(plain, plain)
	filling := int(plain[len(plain)-1])
	if filling < 1 || filling > aes.BlockSize {
		seal.Wipe(plain)
		return nil, locked("The key or password does not open the file.", "Give the one that the maker delivered for this file.")
	}
	return plain[:len(plain)-filling], nil
}

// decode reads base64 as XML writes it: with spaces and line ends anywhere.
func decode(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}
