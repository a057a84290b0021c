package walk

import (
	"bytes"
	"fmt"
	"image/png"
	"regexp"
	"strings"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"ostiary.internal/functions/internal/browser"
)

// Person is somebody of the sample company in front of a browser, her phone in her hand.
type Person struct {
	*browser.Tab
	T      browser.T
	Server *Server
	Lang   string // of the pages
	phone  *otp.Key
}

// Addresses the sign-in page offers.
const (
	Home   = "81.2.69.142"
	Mobile = "92.40.1.7"
)

// SignIn signs a person in on the page for it and lands her on the morning page.
func (p *Person) SignIn(email, address string) {
	p.T.Helper()
	p.Open(p.Server.URL + "/_local/signin")
	p.Choose("#email", email)
	p.Click(fmt.Sprintf("input[name=address][value=%q]", address))
	p.Press("main button")
	if p.Lang != "" {
		p.Open(p.Server.URL + "/registerip/?lang=" + p.Lang)
	}
}

// AskForQR goes from the morning page to a QR code on the screen.
func (p *Person) AskForQR() {
	p.T.Helper()
	p.Press("a[href='/enrolotp/']")
	p.Press("#add-form button")
}

// Scan holds the phone to the screen: it reads the QR code from a picture of it, from further away and nearer, as one
// moves a camera until it sees. The reader takes one symbol in a thousand for something else, at every distance; what
// then counts is that the modules on the screen are right, read one by one from very near.
func (p *Person) Scan() {
	p.T.Helper()
	browser.Eval[bool](p.Tab, `(document.querySelector(".qr").scrollIntoView({block: "center"}), true)`)
	picture := p.Picture(false)
	for _, scale := range []float64{1, 1.5, 2} {
		if phone, err := scan(picture, nil); err == nil {
			p.phone = phone
			return
		}
		picture = p.Near(".qr", scale)
	}
	var err error
	if p.phone, err = scan(p.Near(".qr", 4), map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}); err != nil {
		p.T.Fatalf("scanning: %v", err)
	}
}

func scan(picture []byte, hints map[gozxing.DecodeHintType]any) (*otp.Key, error) {
	shown, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, fmt.Errorf("decoding the picture: %w", err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(shown)
	if err != nil {
		return nil, fmt.Errorf("reading the picture: %w", err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return nil, fmt.Errorf("finding a QR code: %w", err)
	}
	return otp.NewKeyFromURL(read.GetText())
}

// Secret is what the QR code gave away.
func (p *Person) Secret() string { return p.phone.Secret() }

// Code is what the phone shows now.
func (p *Person) Code() string {
	p.T.Helper()
	now, err := p.Server.Now()
	if err != nil {
		p.T.Fatalf("looking at the clock: %v", err)
	}
	code, err := totp.GenerateCode(p.phone.Secret(), now)
	if err != nil {
		p.T.Fatalf("computing a code: %v", err)
	}
	return code
}

// Wrong is a code the phone shows neither now nor a step from now.
func (p *Person) Wrong() string {
	p.T.Helper()
	right := p.Code()
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+5)%10 }, right)
}

// Enrol sets the phone up from the morning page and returns the recovery codes.
func (p *Person) Enrol() []string {
	p.T.Helper()
	p.AskForQR()
	p.Scan()
	p.Prove(p.Code())
	return p.Recovery()
}

// Prove types the first code of an app, which sends itself at its last digit where scripts run.
func (p *Person) Prove(code string) {
	p.T.Helper()
	if p.Scripted() && p.Has("#code[data-digits]") {
		p.TypeAndGo("#code", code)
		return
	}
	p.Type("#code", code)
	p.Press("main form[action='/enrolotp/confirm'] button")
}

// Recovery are the recovery codes on the page.
func (p *Person) Recovery() []string {
	p.T.Helper()
	return recovery.FindAllString(p.Text(".codes"), -1)
}

// recovery is what a recovery code looks like.
var recovery = regexp.MustCompile(`(?m)^\S+$`)

// NextCode waits for the phone's next code: the one before was used.
func (p *Person) NextCode() string {
	p.T.Helper()
	if err := p.Server.Advance(30 * time.Second); err != nil {
		p.T.Fatalf("waiting for the next code: %v", err)
	}
	return p.Code()
}
