package seedfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
)

// rfcSecret is the secret of all examples of RFC 4226 and RFC 6030; psk and qwerty are what RFC 6030's open with.
const rfcSecret = "12345678901234567890"

var psk = Unlock{Key: mustHex("12345678901234567890123456789012")}
var qwerty = Unlock{Password: []byte("qwerty")}

func mustHex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}

// Values of RFC 6030, figures 6 and 7.
const (
	pskMACKey, pskSecret, pskMAC    = "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX", "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv", "Su+NvtQfmvfJzF6bmQiJqoLRExc="
	passMACKey, passSecret, passMAC = "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx", "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f", "LP6xMvjtypbfT9PdkJhBZ+D6O4w="
)

const aes128 = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"

func cipherText(algorithm, value string) string {
	return `<x:EncryptionMethod Algorithm="` + algorithm + `"/><x:CipherData><x:CipherValue>` + "\n  " + value[:len(value)/2] + "\n  " + value[len(value)/2:] + "\n</x:CipherValue></x:CipherData>"
}

func encrypted(secret, mac string) string {
	return "<EncryptedValue>" + cipherText(aes128, secret) + "</EncryptedValue><ValueMAC>" + mac + "</ValueMAC>"
}

func plain(secret string) string {
	return "<PlainValue>" + base64.StdEncoding.EncodeToString([]byte(secret)) + "</PlainValue>"
}

func macMethodOf(key string) string {
	return `<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><MACKey>` + cipherText(aes128, key) + `</MACKey></MACMethod>`
}

const byKey = `<EncryptionKey><d:KeyName>Pre-shared-key</d:KeyName></EncryptionKey>`

func byPassword(rounds, length, salt, prf string) string {
	return `<EncryptionKey><e:DerivedKey><e:KeyDerivationMethod Algorithm="` + pbkdf2Name + `"><p:PBKDF2-params><Salt><Specified>` + salt + `</Specified></Salt><IterationCount>` +
		rounds + `</IterationCount><KeyLength>` + length + `</KeyLength>` + prf + `</p:PBKDF2-params></e:KeyDerivationMethod></e:DerivedKey></EncryptionKey>`
}

func container(parts ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<KeyContainer Version="1.0" xmlns="` + namespace + `" xmlns:d="http://www.w3.org/2000/09/xmldsig#" xmlns:x="http://www.w3.org/2001/04/xmlenc#" xmlns:e="http://www.w3.org/2009/xmlenc11#" xmlns:p="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#">` +
		"\n" + strings.Join(parts, "\n") + "\n</KeyContainer>"
}

// keyPart is one package; edits replace parts of it.
func keyPart(serial, secret string, edits ...string) string {
	text := `<KeyPackage><DeviceInfo><Manufacturer>M</Manufacturer><SerialNo>` + serial + `</SerialNo></DeviceInfo><Key Id="1" Algorithm="` + namespace + `:hotp"><AlgorithmParameters><ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters>` +
		`<Data><Secret>` + secret + `</Secret><Counter><PlainValue>0</PlainValue></Counter></Data></Key></KeyPackage>`
	return strings.NewReplacer(edits...).Replace(text)
}

func read(text string, unlock Unlock) ([]Key, []Problem, error) {
	return Read(strings.NewReader(text), unlock)
}

func TestPSKC(t *testing.T) {
	t.Parallel()
	totp := []string{":hotp", ":totp", `<Counter><PlainValue>0</PlainValue></Counter>`, `<Time><PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>30</PlainValue></TimeInterval>`, `Length="8"`, `Length="6"`}
	hotp := otp.Seed{Serial: "987654321", Kind: otp.HOTP, Algorithm: otp.SHA1, Digits: 8, Secret: []byte(rfcSecret)}
	clock := otp.Seed{Serial: "987654321", Kind: otp.TOTP, Algorithm: otp.SHA1, Digits: 6, Secret: []byte(rfcSecret)}
	strong, counted, ends := clock, hotp, clock
	strong.Algorithm, counted.Counter, ends.Until = otp.SHA256, 42, time.Date(2031, 5, 31, 22, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		text   string
		unlock Unlock
		want   otp.Seed
	}{
		"in clear":        {container(keyPart("987654321", plain(rfcSecret))), Unlock{}, hotp},
		"counter":         {container(keyPart("987654321", plain(rfcSecret), "<PlainValue>0<", "<PlainValue> 42 <")), Unlock{}, counted},
		"clock":           {container(keyPart("987654321", plain(rfcSecret), totp...)), Unlock{}, clock},
		"clock and count": {container(keyPart("987654321", plain(rfcSecret), ":hotp", "#TOTP", "<PlainValue>0<", "<PlainValue>3<", `Length="8"`, `Length="6"`)), Unlock{}, clock},
		"suite":           {container(keyPart("987654321", plain(rfcSecret), append(slices.Clone(totp), "</AlgorithmParameters>", "<Suite>HMAC-SHA-256</Suite></AlgorithmParameters>")...)), Unlock{}, strong},
		"pre-shared key":  {container(byKey, macMethodOf(pskMACKey), keyPart("987654321", encrypted(pskSecret, pskMAC))), psk, hotp},
		"password":        {container(byPassword("1000", "16", "Ej7/PEpyEpw=", ""), macMethodOf(passMACKey), keyPart("987654321", encrypted(passSecret, passMAC))), qwerty, hotp},
		"named function":  {container(byPassword("1000", "16", "Ej7/PEpyEpw=", `<PRF Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"/>`), macMethodOf(passMACKey), keyPart("987654321", encrypted(passSecret, passMAC))), qwerty, hotp},
		"policy":          {container(keyPart("987654321", plain(rfcSecret), append(slices.Clone(totp), "</Data>", "</Data><Policy><KeyUsage>OTP</KeyUsage><ExpiryDate>2031-06-01T00:00:00+02:00</ExpiryDate></Policy>")...)), Unlock{}, ends},
		"extension":       {container(keyPart("987654321", plain(rfcSecret)), "<d:Signature><d:SignedInfo/></d:Signature><!-- a remark -->"), Unlock{}, hotp},
	} {
		keys, problems, err := read(c.text, c.unlock)
		if err != nil || len(problems) > 0 || len(keys) != 1 {
			t.Errorf("%s: %v %v %v", name, len(keys), problems, err)
			continue
		}
		got := keys[0].Seed
		if !bytes.Equal(got.Secret, c.want.Secret) || got.Serial != c.want.Serial || got.Kind != c.want.Kind || got.Algorithm != c.want.Algorithm || got.Digits != c.want.Digits || got.Counter != c.want.Counter || !got.Until.Equal(c.want.Until) {
			t.Errorf("%s: serial %s %s %s %d digits, counter %d, until %s", name, got.Serial, got.Kind, got.Algorithm, got.Digits, got.Counter, got.Until)
		}
	}
}

// sealed encrypts a secret under a key with its own MAC key, or the same one.
func sealed(key, macKey []byte, secret string) string {
	filling := aes.BlockSize - len(secret)%aes.BlockSize
	text := append([]byte(secret), bytes.Repeat([]byte{byte(filling)}, filling)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	iv := []byte("an initial block")
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	text = append(iv, text...)
	mac := hmac.New(sha1.New, macKey)
	mac.Write(text)
	return strings.Replace(encrypted(base64.StdEncoding.EncodeToString(text), base64.StdEncoding.EncodeToString(mac.Sum(nil))), aes128, fmt.Sprintf("http://www.w3.org/2001/04/xmlenc#aes%d-cbc", 8*len(key)), 1)
}

// Without a MAC key of its own the file's key makes the MAC; and keys of all three lengths open.
func TestSealedByTheFilesKey(t *testing.T) {
	t.Parallel()
	for _, length := range []int{16, 24, 32} {
		key := bytes.Repeat([]byte{7}, length)
		text := container(byKey, `<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"/>`, keyPart("A1", sealed(key, key, rfcSecret)))
		keys, problems, err := read(text, Unlock{Key: key})
		if err != nil || len(problems) > 0 || string(keys[0].Secret) != rfcSecret {
			t.Errorf("%d bytes: %v %v", length, problems, err)
		}
	}
}

// What is wrong with one key is said of its line, and the rest is looked at all the same.
func TestPSKCProblems(t *testing.T) {
	t.Parallel()
	good := plain(rfcSecret)
	open := func(parts ...string) string {
		return container(append([]string{byKey, macMethodOf(pskMACKey)}, parts...)...)
	}
	otherMAC, otherText := "AAAAvtQfmvfJzF6bmQiJqoLRExc=", "B"+pskSecret[1:]
	for name, c := range map[string]struct{ text, why string }{
		"changed MAC":     {open(keyPart("A1", encrypted(pskSecret, otherMAC))), "MAC does not fit"},
		"changed text":    {open(keyPart("A1", encrypted(otherText, pskMAC))), "MAC does not fit"},
		"no MAC":          {open(keyPart("A1", "<EncryptedValue>"+cipherText(aes128, pskSecret)+"</EncryptedValue>")), "no MAC of its own"},
		"two MACs":        {open(keyPart("A1", encrypted(pskSecret, pskMAC)+"<ValueMAC>"+pskMAC+"</ValueMAC>")), "no MAC of its own"},
		"not base64":      {open(keyPart("A1", encrypted("!!!!", pskMAC))), "not base64"},
		"both":            {open(keyPart("A1", good+encrypted(pskSecret, pskMAC))), "neither once in clear nor once encrypted"},
		"no secret":       {container(keyPart("A1", "")), "neither once in clear nor once encrypted"},
		"two secrets":     {container(keyPart("A1", good+"</Secret><Secret>"+good)), "exactly one"},
		"two keys":        {container(keyPart("A1", good, "</KeyPackage>", "<Key/></KeyPackage>")), "exactly one"},
		"no serial":       {container(keyPart("", good)), "exactly one"},
		"two serials":     {container(keyPart("A1</SerialNo><SerialNo>A2", good)), "exactly one"},
		"short":           {container(keyPart("A1", plain("123456789012345"))), "128 bits"},
		"long":            {container(keyPart("A1", plain(strings.Repeat("x", otp.MaxSecret+1)))), "1024 bits"},
		"plain no base64": {container(keyPart("A1", "<PlainValue>*</PlainValue>")), "not base64"},
		"algorithm":       {container(keyPart("A1", good, ":hotp", ":ocra")), "neither"},
		"suite":           {container(keyPart("A1", good, "</AlgorithmParameters>", "<Suite>HMAC-MD5</Suite></AlgorithmParameters>")), "algorithm"},
		"digits":          {container(keyPart("A1", good, `Length="8"`, `Length="9"`)), "6, 7 nor 8"},
		"hexadecimal":     {container(keyPart("A1", good, "DECIMAL", "HEXADECIMAL")), "decimal digits"},
		"check digit":     {container(keyPart("A1", good, `Length=`, `CheckDigits="true" Length=`)), "decimal digits"},
		"interval":        {container(keyPart("A1", good, "</Data>", "<TimeInterval><PlainValue>60</PlainValue></TimeInterval></Data>")), "30 seconds"},
		"counter":         {container(keyPart("A1", good, "<PlainValue>0<", "<PlainValue>-1<")), "not a number"},
		"hidden counter":  {container(keyPart("A1", good, "<PlainValue>0</PlainValue>", "<EncryptedValue/>")), "does not stand there in clear"},
		"far counter":     {container(keyPart("A1", good, "<PlainValue>0<", "<PlainValue>4611686018427387904<")), "counter is not possible"},
		"PIN":             {container(keyPart("A1", good, "</Data>", "</Data><Policy><PINPolicy/></Policy>")), "conditions"},
		"other usage":     {container(keyPart("A1", good, "</Data>", "</Data><Policy><KeyUsage>Sign</KeyUsage></Policy>")), "not be used for one-time"},
		"end":             {container(keyPart("A1", good, "</Data>", "</Data><Policy><ExpiryDate>2031-06-01</ExpiryDate></Policy>")), "not a date"},
		"same serial":     {container(keyPart("a2", plain(rfcSecret+"x")), keyPart("A1", good), keyPart("A2", plain(rfcSecret+"y"))), "line 3 has the same serial"},
		"same secret":     {container(keyPart("A1", good), keyPart("A2", good)), "line 3 has the same secret"},
	} {
		_, problems, err := read(c.text, psk)
		if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Why, c.why) || problems[0].Line < 3 {
			t.Errorf("%s: %v %v", name, problems, err)
		}
		nothingSecret(t, name, fmt.Sprint(problems, err))
	}
	keys, problems, err := read(open(keyPart("A1", encrypted(otherText, pskMAC)), keyPart("A2", encrypted(pskSecret, pskMAC))), psk)
	if err != nil || len(problems) != 1 || len(keys) != 1 || keys[0].Serial != "A2" || problems[0].Serial != "A1" {
		t.Errorf("%d keys, %v %v", len(keys), problems, err)
	}
}

func nothingSecret(t *testing.T, name, text string) {
	t.Helper()
	for _, secret := range []string{rfcSecret, base64.StdEncoding.EncodeToString([]byte(rfcSecret)), "qwerty", pskSecret, hex.EncodeToString([]byte(rfcSecret)), "GEZDGNBVGY3TQOJQ"} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("%s: a secret is quoted: %s", name, text)
		}
	}
}

// What is wrong with the whole file ends the reading, with a code.
func TestPSKCRefused(t *testing.T) {
	t.Parallel()
	good := keyPart("A1", encrypted(pskSecret, pskMAC))
	whole := container(byKey, macMethodOf(pskMACKey), good)
	byPass := func(rounds, length, salt, prf string) string {
		return container(byPassword(rounds, length, salt, prf), macMethodOf(passMACKey), keyPart("A1", encrypted(passSecret, passMAC)))
	}
	wrongKey := Unlock{Key: bytes.Repeat([]byte{1}, 16)}
	for name, c := range map[string]struct {
		text   string
		unlock Unlock
		code   string
	}{
		"no key given":          {whole, Unlock{}, "seedfile_locked"},
		"a password given":      {whole, qwerty, "seedfile_locked"},
		"no password given":     {byPass("1000", "16", "Ej7/PEpyEpw=", ""), psk, "seedfile_locked"},
		"a wrong key":           {whole, wrongKey, "seedfile_locked"},
		"a short key":           {whole, Unlock{Key: []byte("short")}, "seedfile_locked"},
		"a wrong password":      {byPass("1000", "16", "Ej7/PEpyEpw=", ""), Unlock{Password: []byte("wrong")}, "seedfile_locked"},
		"few rounds":            {byPass("999", "16", "Ej7/PEpyEpw=", ""), qwerty, "seedfile_invalid"},
		"rounds without end":    {byPass("5000001", "16", "Ej7/PEpyEpw=", ""), qwerty, "seedfile_invalid"},
		"rounds of text":        {byPass("many", "16", "Ej7/PEpyEpw=", ""), qwerty, "seedfile_invalid"},
		"a length":              {byPass("1000", "1000000000", "Ej7/PEpyEpw=", ""), qwerty, "seedfile_invalid"},
		"a short salt":          {byPass("1000", "16", "Ej7/PEpyEg==", ""), qwerty, "seedfile_invalid"},
		"no salt":               {byPass("1000", "16", "*", ""), qwerty, "seedfile_invalid"},
		"another function":      {byPass("1000", "16", "Ej7/PEpyEpw=", `<PRF Algorithm="x"/>`), qwerty, "seedfile_invalid"},
		"a certificate":         {strings.Replace(whole, "<d:KeyName>Pre-shared-key</d:KeyName>", "<d:X509Data/>", 1), psk, "seedfile_locked"},
		"no MAC method":         {container(byKey, good), psk, "seedfile_invalid"},
		"an unknown MAC":        {strings.Replace(whole, "hmac-sha1", "hmac-md5", 1), psk, "seedfile_invalid"},
		"an unknown cipher":     {strings.ReplaceAll(whole, "aes128-cbc", "tripledes-cbc"), psk, "seedfile_invalid"},
		"a MAC method too late": {container(byKey, keyPart("A1", plain(rfcSecret)), macMethodOf(pskMACKey)), psk, "seedfile_invalid"},
		"a cut MAC key":         {strings.Replace(whole, "I5wSX", "", 1), psk, "seedfile_invalid"},
		"no key":                {container(), Unlock{}, "seedfile_invalid"},
		"cut off":               {whole[:len(whole)-20], psk, "seedfile_invalid"},
		"another root":          {`<KeyContainer xmlns="urn:other"/>`, Unlock{}, "seedfile_invalid"},
		"no root":               {`<?xml version="1.0"?>`, Unlock{}, "seedfile_invalid"},
		"crossed tags":          {container("<KeyPackage><DeviceInfo></KeyPackage></DeviceInfo>"), Unlock{}, "seedfile_invalid"},
		"another encoding":      {strings.Replace(whole, "UTF-8", "secretcoding", 1), psk, "seedfile_invalid"},
		"a document type":       {`<!DOCTYPE x>` + whole, psk, "seedfile_invalid"},
		"a late document type":  {container(`<!DOCTYPE x [<!ENTITY a "b">]>`, good), psk, "seedfile_invalid"},
		"an unknown entity":     {container(keyPart("&lol;", plain(rfcSecret))), Unlock{}, "seedfile_invalid"},
		"an instruction":        {container("<?php evil?>"), Unlock{}, "seedfile_invalid"},
		"depth":                 {container(strings.Repeat("<a>", 100)), Unlock{}, "seedfile_invalid"},
		"depth in a key":        {container("<KeyPackage>" + strings.Repeat("<a>", 100)), Unlock{}, "seedfile_invalid"},
		"attributes": {container("<a " + func() (all string) {
			for i := range 40 {
				all += fmt.Sprintf(`b%d="" `, i)
			}
			return
		}() + "/>"), Unlock{}, "seedfile_invalid"},
		"a long text":      {container("<a>" + strings.Repeat("x", maxText+1) + "</a>"), Unlock{}, "seedfile_invalid"},
		"a long attribute": {container(`<a b="` + strings.Repeat("x", maxText+1) + `"/>`), Unlock{}, "seedfile_invalid"},
	} {
		keys, _, err := read(c.text, c.unlock)
		if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != c.code || keys != nil {
			t.Errorf("%s: %d keys, %v, want %s", name, len(keys), err, c.code)
		}
		if err != nil {
			e, _ := errors.AsType[*fault.Error](err)
			nothingSecret(t, name, err.Error()+e.Detail+e.Next)
			if strings.Contains(e.Detail, "secretcoding") {
				t.Errorf("%s: the file is quoted: %s", name, e.Detail)
			}
		}
	}
}
