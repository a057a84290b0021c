package seedfile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
)

const csvHead = "serial,secret,algorithm,digits,period,counter\n"

func TestCSV(t *testing.T) {
	t.Parallel()
	text := "\ufeffSecret,Serial,Counter,Period,Digits,Algorithm\r\n" +
		"3132333435363738393031323334353637383930,ga 1,,30,,\r\n" +
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR,GA-2,7,,8,hmac-sha256\r\n" +
		`"hex: 31323334 35363738 39303132 33343536 37383932",GA/3,,30,6,SHA512` + "\r\n" +
		"BASE32:GEZDGNBVGY3TQOJQGEZDGNBVGY======,GA:4,0,,7,sha-1\n"
	keys, problems, err := read(text, Unlock{})
	if err != nil || len(problems) > 0 || len(keys) != 4 {
		t.Fatalf("%d keys, %v %v", len(keys), problems, err)
	}
	for i, want := range []Key{
		{2, otp.Seed{Serial: "GA 1", Kind: otp.TOTP, Algorithm: otp.SHA1, Digits: 6, Secret: []byte(rfcSecret)}},
		{3, otp.Seed{Serial: "GA-2", Kind: otp.HOTP, Algorithm: otp.SHA256, Digits: 8, Secret: []byte("12345678901234567891"), Counter: 7}},
		{4, otp.Seed{Serial: "GA/3", Kind: otp.TOTP, Algorithm: otp.SHA512, Digits: 6, Secret: []byte("12345678901234567892")}},
		{5, otp.Seed{Serial: "GA:4", Kind: otp.HOTP, Algorithm: otp.SHA1, Digits: 7, Secret: []byte("1234567890123456")}},
	} {
		if fmt.Sprintf("%+v", keys[i]) != fmt.Sprintf("%+v", want) {
			t.Errorf("key %d is %+v", i, keys[i])
		}
	}
}

func TestCSVProblems(t *testing.T) {
	t.Parallel()
	const secret = "3132333435363738393031323334353637383930"
	for line, why := range map[string]string{
		"A1," + secret + ",SHA1,6,,":                        "either a period",
		"A1," + secret + ",SHA1,6,30,0":                     "either a period",
		"A1," + secret + ",SHA1,6,60,":                      "30 seconds",
		"A1," + secret + ",SHA1,5,30,":                      "6, 7 nor 8",
		"A1," + secret + ",SHA1,six,30,":                    "6, 7 nor 8",
		"A1," + secret + ",MD5,6,30,":                       "algorithm",
		"A1," + secret + ",SHA1,6,,x":                       "not a number",
		"A1," + secret + ",SHA1,6,,-1":                      "not a number",
		"A1," + secret + ",SHA1,6,30":                       "number of fields",
		"A1," + secret + ",SHA1,6,30,,":                     "number of fields",
		"," + secret + ",SHA1,6,30,":                        "serial number",
		"A\x01," + secret + ",SHA1,6,30,":                   "serial number",
		"=cmd()," + secret + ",SHA1,6,30,":                  "serial number",
		"A1,3132,SHA1,6,30,":                                "128 bits",
		"A1,,SHA1,6,30,":                                    "secret is missing",
		"A1,base64:AAAA,SHA1,6,30,":                         "neither hexadecimal nor base32",
		"A1,hex:GEZDGNBVGY3TQOJQ,SHA1,6,30,":                "neither hexadecimal nor base32",
		"A1,ABCDEF23ABCDEF23ABCDEF23ABCDEF23,,6,30,":        "could be",
		strings.Repeat("x", 600) + "," + secret + ",,6,30,": "longer than 512",
	} {
		keys, problems, err := read(csvHead+"B2,3132333435363738393031323334353637383931,,,30,\n"+line+"\n", Unlock{})
		if err != nil || len(problems) != 1 || len(keys) != 1 || problems[0].Line != 3 || !strings.Contains(problems[0].Why, why) {
			t.Errorf("%q: %v %v", line, problems, err)
		}
		nothingSecret(t, line, fmt.Sprint(problems, err))
	}
	// Columns that were mixed up: a secret is not named as a serial number.
	_, problems, err := read(csvHead+"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,A1,,,30,\n", Unlock{})
	if err != nil || len(problems) != 1 || problems[0].Serial != "" {
		t.Errorf("%v %v", problems, err)
	}
}

func TestCSVRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, code string }{
		"empty":          {"", "seedfile_invalid"},
		"head alone":     {csvHead, "seedfile_invalid"},
		"no head":        {"A1,3132333435363738393031323334353637383930,SHA1,6,30,\n", "seedfile_invalid"},
		"twice":          {"serial,secret,secret\n", "seedfile_invalid"},
		"no secret":      {"serial,digits\n", "seedfile_invalid"},
		"quotation mark": {csvHead + "A\"1,x,,,30,\n", "seedfile_invalid"},
		"open quotation": {csvHead + "\"A1,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,,,30,\n", "seedfile_invalid"},
		"not text":       {"\x00\x01\x02", "seedfile_invalid"},
		"too many":       {csvHead + strings.Repeat("A1,x,,,30,\n", MaxKeys+1), "seedfile_too_large"},
		"too large":      {csvHead + "A1," + strings.Repeat("x", MaxBytes), "seedfile_too_large"},
	} {
		_, _, err := read(c.text, Unlock{})
		if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			e, _ := errors.AsType[*fault.Error](err)
			nothingSecret(t, name, err.Error()+e.Detail)
		}
	}
	for name, begin := range map[string]string{"CSV": csvHead, "XML": "<KeyContainer"} {
		_, _, err := Read(io.MultiReader(strings.NewReader(begin), iotest.ErrReader(errors.New("the disk"))), Unlock{})
		if !fault.Is(err, fault.Transient) {
			t.Errorf("%s that cannot be read: %v", name, err)
		}
	}
}

// A whole file of the largest number of keys, twice as many being refused elsewhere.
func TestLargestFile(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(csvHead)
	for n := range MaxKeys {
		fmt.Fprintf(&text, "S%d,hex:%040x,,,30,\n", n, n+1)
	}
	keys, problems, err := read(text.String(), Unlock{})
	if err != nil || len(problems) > 0 || len(keys) != MaxKeys {
		t.Fatalf("%d keys, %d problems, %v", len(keys), len(problems), err)
	}
}
