package seedfile

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
)

// namespace of PSKC, and the beginning of the names of its algorithms (RFC 6030 sections 4 and 10).
const namespace = "urn:ietf:params:xml:ns:keyprov:pskc"

type encryptionKey struct {
	Derived []struct {
		Method struct {
			Algorithm string `xml:"Algorithm,attr"`
			Salt      string `xml:"PBKDF2-params>Salt>Specified"`
			Rounds    string `xml:"PBKDF2-params>IterationCount"`
			Length    string `xml:"PBKDF2-params>KeyLength"`
			PRF       struct {
				Algorithm string `xml:"Algorithm,attr"`
			} `xml:"PBKDF2-params>PRF"`
		} `xml:"KeyDerivationMethod"`
	} `xml:"DerivedKey"`
	Certificates []struct{} `xml:"X509Data"`
}

type macMethod struct {
	Algorithm string        `xml:"Algorithm,attr"`
	Key       []cipherValue `xml:"MACKey"`
}

type cipherValue struct {
	Method struct {
		Algorithm string `xml:"Algorithm,attr"`
	} `xml:"EncryptionMethod"`
	Value []string `xml:"CipherData>CipherValue"`
}

type value struct {
	Plain     []string      `xml:"PlainValue"`
	Encrypted []cipherValue `xml:"EncryptedValue"`
	MAC       []string      `xml:"ValueMAC"`
}

type keyPackage struct {
	Serials []string `xml:"DeviceInfo>SerialNo"`
	Keys    []struct {
		Algorithm string `xml:"Algorithm,attr"`
		Format    struct {
			Encoding string `xml:"Encoding,attr"`
			Length   string `xml:"Length,attr"`
			Check    string `xml:"CheckDigits,attr"`
		} `xml:"AlgorithmParameters>ResponseFormat"`
		Suite    string    `xml:"AlgorithmParameters>Suite"`
		Secret   []value   `xml:"Data>Secret"`
		Counter  []value   `xml:"Data>Counter"`
		Interval []value   `xml:"Data>TimeInterval"`
		Policy   []element `xml:"Policy"`
	} `xml:"Key"`
}

// element is anything, with what stands in it.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

func (f *file) readPSKC(r io.Reader) error {
	g := &guard{xml: xml.NewDecoder(r)}
	d := xml.NewTokenDecoder(g)
	v := &vault{unlock: f.unlock}
	defer v.wipe()
	err := f.container(g, d, v)
	if err == nil || fault.CodeOf(err) != "" {
		return err
	}
	if f.in.err != nil {
		return f.in.err
	}
	line, _ := g.xml.InputPos()
	return invalid("Line %d is not XML as RFC 6030 has it.", line) // the parser's own words may quote the file
}

// container reads the KeyContainer, one package at a time.
func (f *file) container(g *guard, d *xml.Decoder, v *vault) error {
	opened, began := false, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && opened {
			return nil
		}
		if err != nil {
			return err
		}
		start, is := token.(xml.StartElement)
		if !is {
			continue
		}
		line, _ := g.xml.InputPos()
		switch name := start.Name; {
		case name.Space != namespace && !opened:
			return invalid("The file is XML, but no key container of RFC 6030.")
		case name.Space == namespace && name.Local == "KeyContainer" && !opened:
			opened = true
		case name.Space == namespace && name.Local == "EncryptionKey" && !began:
			if err := d.DecodeElement(&v.outer, &start); err != nil {
				return err
			}
			if len(v.outer.Certificates) > 0 {
				return locked("The file is encrypted for a certificate.", "Ask the maker for a file under a pre-shared key or a password.")
			}
		case name.Space == namespace && name.Local == "MACMethod" && !began:
			if err := d.DecodeElement(&v.mac, &start); err != nil {
				return err
			}
		case name.Space == namespace && name.Local == "KeyPackage":
			began = true
			var p keyPackage
			if err := d.DecodeElement(&p, &start); err != nil {
				return err
			}
			if err := f.addPackage(line, p, v); err != nil {
				return err
			}
		case name.Space == namespace && (name.Local == "EncryptionKey" || name.Local == "MACMethod"):
			return invalid("Line %d: how the file is encrypted stands behind its first key.", line)
		default: // signatures and extensions
			if err := d.Skip(); err != nil {
				return err
			}
		}
	}
}

func (f *file) addPackage(line int, p keyPackage, v *vault) error {
	serial := ""
	if len(p.Serials) == 1 {
		serial = strings.TrimSpace(p.Serials[0])
	}
	if len(p.Keys) != 1 || len(p.Keys[0].Secret) != 1 || serial == "" {
		return f.refuse(line, serial, "the package has not exactly one serial number, one key and one secret")
	}
	in := p.Keys[0]
	k := Key{Line: line, Seed: otp.Seed{Serial: serial, Algorithm: otp.SHA1}}
	switch name := strings.ToLower(strings.TrimPrefix(in.Algorithm, namespace)); name {
	case ":hotp", "#hotp":
		k.Kind = otp.HOTP
	case ":totp", "#totp":
		k.Kind = otp.TOTP
	}
	if suite := strings.TrimSpace(in.Suite); suite != "" {
		k.Algorithm = algorithm(suite)
	}
	k.Digits, _ = strconv.Atoi(in.Format.Length)
	if encoding := in.Format.Encoding; encoding != "DECIMAL" || in.Format.Check == "true" || in.Format.Check == "1" {
		return f.refuse(line, serial, "its codes are not plain decimal digits")
	}
	why := pace(in.Interval)
	if why == "" {
		k.Counter, why = counterOf(in.Counter)
	}
	if why == "" && len(in.Policy) > 0 {
		k.Until, why = permitted(in.Policy)
	}
	if why != "" {
		return f.refuse(line, serial, why)
	}
	if k.Kind == otp.TOTP {
		k.Counter = 0 // some makers write one for every token
	}
	secret, why, err := v.secret(in.Secret[0])
	if err != nil {
		return err
	}
	if why != "" {
		return f.refuse(line, serial, why)
	}
	k.Secret = secret
	return f.add(k)
}

// secret returns a secret that stands there in clear or encrypted, but not both.
func (v *vault) secret(in value) ([]byte, string, error) {
	switch {
	case len(in.Plain) == 1 && len(in.Encrypted) == 0:
		plain, err := decode(in.Plain[0])
		if err != nil {
			return nil, "the secret is not base64", nil
		}
		return plain, "", nil
	case len(in.Plain) == 0 && len(in.Encrypted) == 1:
		return v.open(in.Encrypted[0], in.MAC)
	}
	return nil, "the secret stands there neither once in clear nor once encrypted", nil
}

func pace(interval []value) (why string) {
	for _, v := range interval {
		if len(v.Plain) != 1 || strings.TrimSpace(v.Plain[0]) != strconv.Itoa(otp.Period) {
			return wrongPeriod
		}
	}
	return ""
}

func counterOf(counter []value) (n uint64, why string) {
	for _, v := range counter {
		var err error
		if len(v.Plain) != 1 {
			return 0, "the counter does not stand there in clear, once"
		}
		if n, err = strconv.ParseUint(strings.TrimSpace(v.Plain[0]), 10, 64); err != nil {
			return 0, "the counter is not a number"
		}
	}
	return n, ""
}

// permitted reads what a key may be used for. A policy that is not understood forbids its use (RFC 6030 section 5).
func permitted(policies []element) (until time.Time, why string) {
	usage, otpToo := false, false
	for _, policy := range policies {
		for _, rule := range policy.Children {
			text := strings.TrimSpace(rule.Text)
			switch rule.XMLName.Local {
			case "KeyUsage":
				usage, otpToo = true, otpToo || text == "OTP"
			case "ExpiryDate":
				at, err := time.Parse(time.RFC3339, text)
				if err != nil || !until.IsZero() {
					return until, "its end is not a date and time with a zone"
				}
				until = at.UTC()
			default:
				return until, "it may be used under conditions only that cannot be kept here"
			}
		}
	}
	if usage && !otpToo {
		return until, "it may not be used for one-time passwords"
	}
	return until, ""
}
