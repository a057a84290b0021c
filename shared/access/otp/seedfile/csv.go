package seedfile

import (
	"encoding/base32"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/access/otp"
)

// columns a CSV file may have, named in its first line, in any order. serial and secret must be there; algorithm is SHA1
// and digits is 6 where the column or the value is missing. A line with a period, which is 30 seconds, is a token with
// a clock; one with a counter, the next it will use, is a token with a counter. A secret is hexadecimal or base32;
// where it could be either, "hex:" or "base32:" in front decides.
var columns = []string{"serial", "secret", "algorithm", "digits", "period", "counter"}

// maxField of a CSV line, in bytes.
const maxField = 512

func (f *file) readCSV(r io.Reader) error {
	lines := csv.NewReader(r)
	lines.ReuseRecord, lines.TrimLeadingSpace = true, true
	header, err := lines.Read()
	if err != nil {
		return csvTrouble(err)
	}
	at := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := at[name]; twice || !slices.Contains(columns, name) {
			return invalid("The first line must name the columns, each once: %s. Column %d is none of them, or is there twice.", strings.Join(columns, ", "), i+1)
		}
		at[name] = i
	}
	for _, needed := range columns[:2] {
		if _, there := at[needed]; !there {
			return invalid("The first line names no column %s.", needed)
		}
	}
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return csvTrouble(err)
		}
		line, _ := lines.FieldPos(0)
		if err != nil {
			err = f.refuse(line, "", "it has another number of fields than the first line")
		} else {
			err = f.addCSV(line, func(column string) string {
				if i, there := at[column]; there {
					return strings.TrimSpace(record[i])
				}
				return ""
			})
		}
		if err != nil {
			return err
		}
	}
}

// csvTrouble says on which line a file stops being CSV. The text of the line is never quoted.
func csvTrouble(err error) error {
	if parse, is := errors.AsType[*csv.ParseError](err); is {
		return invalid("Line %d is not CSV: a quotation mark is out of place.", parse.Line)
	}
	if errors.Is(err, io.EOF) {
		return invalid("The file is empty.")
	}
	return err // of reading
}

func (f *file) addCSV(line int, field func(column string) string) error {
	for _, column := range columns {
		if len(field(column)) > maxField {
			return f.refuse(line, "", "the field "+column+" is longer than 512 bytes")
		}
	}
	k := Key{Line: line, Seed: otp.Seed{Serial: field("serial"), Algorithm: otp.SHA1, Digits: otp.MinDigits}}
	if name := field("algorithm"); name != "" {
		k.Algorithm = algorithm(name)
	}
	if text := field("digits"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = -1
		}
		k.Digits = n
	}
	period, counter := field("period"), field("counter")
	switch {
	case (period == "") == (counter == ""):
		return f.refuse(line, k.Serial, "it needs either a period, for a token with a clock, or a counter")
	case period != "" && period != strconv.Itoa(otp.Period):
		return f.refuse(line, k.Serial, wrongPeriod)
	case period != "":
		k.Kind = otp.TOTP
	default:
		k.Kind = otp.HOTP
		n, err := strconv.ParseUint(counter, 10, 64)
		if err != nil {
			return f.refuse(line, k.Serial, "the counter is not a number")
		}
		k.Counter = n
	}
	var why string
	if k.Secret, why = secretOf(field("secret")); why != "" {
		return f.refuse(line, k.Serial, why)
	}
	return f.add(k)
}

const wrongPeriod = "its codes change at another pace than every 30 seconds"

// algorithm reads the names that makers give the hashes: SHA1, SHA-1, HMAC-SHA256, hmacsha512. "" for any other.
func algorithm(name string) otp.Algorithm {
	short := strings.ReplaceAll(strings.TrimPrefix(strings.ToUpper(strings.ReplaceAll(name, "-", "")), "HMAC"), "_", "")
	if a := otp.Algorithm(short); a.Size() > 0 {
		return a
	}
	return ""
}

// secretOf reads a secret; why says what is wrong with it. A text that is both hexadecimal and base32 is refused: the
// wrong reading would be found out only by the person who holds the token.
func secretOf(text string) (secret []byte, why string) {
	coding, rest, named := strings.Cut(text, ":")
	if !named {
		coding, rest = "", text
	}
	rest = strings.ToUpper(strings.ReplaceAll(rest, " ", ""))
	asHex, notHex := hex.DecodeString(rest)
	asBase32, notBase32 := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(rest, "="))
	coding = strings.ToLower(coding)
	switch {
	case rest == "":
		return nil, "the secret is missing"
	case coding == "hex" && notHex == nil, coding == "" && notHex == nil && notBase32 != nil:
		return asHex, ""
	case coding == "base32" && notBase32 == nil, coding == "" && notBase32 == nil && notHex != nil:
		return asBase32, ""
	case coding == "" && notHex == nil && notBase32 == nil:
		return nil, `the secret could be hexadecimal or base32: write "hex:" or "base32:" in front of it`
	}
	return nil, "the secret is neither hexadecimal nor base32"
}
