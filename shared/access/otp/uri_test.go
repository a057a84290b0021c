package otp

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"net/url"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	pquerna "github.com/pquerna/otp"
)

func TestURI(t *testing.T) {
	t.Parallel()
	secret := base32NoPad.EncodeToString(rfcSeeds[SHA1])
	counter := hotp6("a", 7)
	counter.Algorithm, counter.Digits = SHA512, 8
	for want, got := range map[string]string{
		"otpauth://totp/Ostiary:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ostiary&algorithm=SHA1&digits=6&period=30":                         URI("Ostiary", "ada@example.com", totp6("a"), secret),
		"otpauth://hotp/M%C3%BCller%20%26%20Co:a%2Bb%3Ac?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=M%C3%BCller%20%26%20Co&algorithm=SHA512&digits=8&counter=7": URI("Müller & Co", "a+b:c", counter, secret),
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// The library that most Go servers use reads back what was meant, whatever the names hold.
func TestURIReadsBack(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"Ostiary", "Müller & Co", "100% safe?", "a/b#c+d=e"} {
		for _, account := range []string{"ada@example.com", "ada+work@example.com", "Ada Lovelace", "アダ"} {
			key, err := pquerna.NewKeyFromURL(URI(issuer, account, totp6("a"), "GEZDGNBVGY3TQOJQ"))
			if err != nil {
				t.Fatalf("%s, %s: %v", issuer, account, err)
			}
			if key.Issuer() != issuer || key.AccountName() != account || key.Secret() != "GEZDGNBVGY3TQOJQ" || key.Type() != "totp" ||
				key.Digits() != pquerna.DigitsSix || key.Algorithm() != pquerna.AlgorithmSHA1 || key.Period() != Period {
				t.Errorf("%s, %s read back as %s, %s", issuer, account, key.Issuer(), key.AccountName())
			}
		}
	}
}

func FuzzURI(f *testing.F) {
	f.Add("Ostiary", "ada@example.com")
	f.Add("a&b=c", "100%")
	f.Fuzz(func(t *testing.T, issuer, account string) {
		u, err := url.Parse(URI(issuer, account, totp6("a"), "GEZDGNBV"))
		if err != nil {
			t.Fatal(err)
		}
		if u.Query().Get("issuer") != issuer || u.Query().Get("secret") != "GEZDGNBV" || u.Path != "/"+issuer+":"+account {
			t.Fatalf("issuer %q and account %q read back from %s", issuer, account, u)
		}
	})
}

// TestQRIsRead draws the SVG as a browser would, on light and on dark pages, and lets a QR reader read it.
func TestQRIsRead(t *testing.T) {
	t.Parallel()
	long := URI("Müller & Co Sicherheitsdienste", strings.Repeat("a", 100)+"@example.com", totp6("a"), base32NoPad.EncodeToString(rfcSeeds[SHA512]))
	for _, text := range []string{URI("Ostiary", "ada@example.com", totp6("a"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), long} {
		svg, err := QR(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range []color.Gray{{255}, {0}} {
			read, err := qrcode.NewQRCodeReader().Decode(bitmap(t, draw(t, svg, page)), nil)
			if err != nil || read.GetText() != text {
				t.Errorf("on a page of brightness %d: %v", page.Y, err)
			}
		}
		if strings.Contains(string(svg), "GEZDG") {
			t.Error("the picture holds the secret as text")
		}
	}
	if _, err := QR(strings.Repeat("x", 4000)); err == nil {
		t.Error("a symbol for 4000 bytes")
	}
}

// draw paints the paths of an SVG picture, which consist of rectangles, at 4 dots a module, on a larger page.
func draw(t *testing.T, svg []byte, page color.Gray) image.Image {
	t.Helper()
	var doc struct {
		ViewBox string `xml:"viewBox,attr"`
		Paths   []struct {
			Fill string `xml:"fill,attr"`
			D    string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(svg, &doc); err != nil {
		t.Fatal(err)
	}
	var side int
	if _, err := fmt.Sscanf(doc.ViewBox, "0 0 %d", &side); err != nil {
		t.Fatal(err)
	}
	const dots, margin = 4, 10
	img := image.NewGray(image.Rect(0, 0, (side+2*margin)*dots, (side+2*margin)*dots))
	fill := func(x, y, w, h int, c color.Gray) {
		for py := (y + margin) * dots; py < (y+h+margin)*dots; py++ {
			for px := (x + margin) * dots; px < (x+w+margin)*dots; px++ {
				img.SetGray(px, py, c)
			}
		}
	}
	fill(-margin, -margin, side+2*margin, side+2*margin, page)
	for _, path := range doc.Paths {
		shade := color.Gray{}
		if path.Fill == "#fff" {
			fill(0, 0, side, side, color.Gray{255})
			continue
		}
		for _, rectangle := range strings.Split(strings.TrimPrefix(path.D, "M"), "M") {
			var x, y, w int
			if _, err := fmt.Sscanf(rectangle, "%d %dh%dv1", &x, &y, &w); err != nil {
				t.Fatalf("%q: %v", rectangle, err)
			}
			fill(x, y, w, 1, shade)
		}
	}
	return img
}

func bitmap(t *testing.T, img image.Image) *gozxing.BinaryBitmap {
	t.Helper()
	b, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
