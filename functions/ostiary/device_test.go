package main_test

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	potp "github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// device is somebody's authenticator, as an application makes one of an otpauth URI. Its codes come from another
// implementation than the server's.
type device struct {
	kind      string // totp or hotp
	secret    string
	algorithm potp.Algorithm
	digits    int
	counter   uint64 // hotp: the next one
}

var algorithms = map[string]potp.Algorithm{"": potp.AlgorithmSHA1, "SHA1": potp.AlgorithmSHA1, "SHA256": potp.AlgorithmSHA256, "SHA512": potp.AlgorithmSHA512}

// scan reads an otpauth URI.
func scan(uri string) (*device, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	algorithm, known := algorithms[q.Get("algorithm")]
	digits, err := strconv.Atoi(or(q.Get("digits"), "6"))
	if err != nil || !known || u.Scheme != "otpauth" || q.Get("secret") == "" {
		return nil, fmt.Errorf("no application understands %s", uri)
	}
	d := &device{kind: u.Host, secret: q.Get("secret"), algorithm: algorithm, digits: digits}
	if d.kind == "hotp" {
		d.counter, err = strconv.ParseUint(q.Get("counter"), 10, 64)
	}
	return d, err
}

// at is the code of a counter or a time step.
func (d *device) at(step uint64) (string, error) {
	return hotp.GenerateCodeCustom(d.secret, step, hotp.ValidateOpts{Digits: potp.Digits(d.digits), Algorithm: d.algorithm})
}

// code is what the device shows: at the time, or at the next press of its button.
func (d *device) code(now time.Time) (string, error) {
	if d.kind == "hotp" {
		d.counter++
		return d.at(d.counter - 1)
	}
	return d.at(uint64(now.Unix() / 30))
}

// wrong is a code the device shows neither now nor anywhere near.
func (d *device) wrong(now time.Time) (string, error) {
	const far = 1200
	from := d.counter
	if d.kind != "hotp" {
		from = uint64(now.Unix()/30) - far
	}
	shown := map[string]bool{}
	for step := from; step <= from+2*far; step++ {
		code, err := d.at(step)
		if err != nil {
			return "", err
		}
		shown[code] = true
	}
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%0*d", d.digits, n); !shown[code] {
			return code, nil
		}
	}
}
