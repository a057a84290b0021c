package seedfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/platform/fault"
)

// fuzz holds what must hold of any file: whatever comes out is a whole seed, once, or a problem with a line.
func fuzz(f *testing.F, unlocks []Unlock, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	hostile, _ := filepath.Glob("testdata/hostile/*")
	for _, name := range hostile {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, unlock := range unlocks {
			keys, problems, err := Read(bytes.NewReader(text), unlock)
			if err != nil && (keys != nil || problems != nil || fault.CodeOf(err) == "") {
				t.Fatalf("%d keys beside an error: %v", len(keys), err)
			}
			serials := map[string]bool{}
			for _, k := range keys {
				if why := k.Problem(); why != "" || k.Line < 1 || serials[k.Serial] {
					t.Fatalf("a key of line %d: %s", k.Line, why)
				}
				serials[k.Serial] = true
			}
			for _, p := range problems {
				if p.Line < 1 || p.Why == "" || len(p.Serial) > maxShown {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}

func FuzzPSKC(f *testing.F) {
	fuzz(f, []Unlock{{}, psk}, container(keyPart("A1", plain(rfcSecret))), container(byKey, macMethodOf(pskMACKey), keyPart("987654321", encrypted(pskSecret, pskMAC))),
		container(byPassword("1000", "16", "Ej7/PEpyEpw=", ""), macMethodOf(passMACKey), keyPart("A1", encrypted(passSecret, passMAC))))
}

func FuzzCSV(f *testing.F) {
	fuzz(f, []Unlock{{}}, csvHead+"A1,3132333435363738393031323334353637383930,SHA1,6,30,\n", csvHead+"A1,\"base32:GEZD GNBV\",SHA-256,8,,7\r\n")
}

// The files that are meant ill are refused as a whole, quickly.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/hostile/*")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d files %v", len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		keys, problems, err := Read(bytes.NewReader(text), psk)
		if err == nil && len(problems) == 0 {
			t.Errorf("%s: %d keys came out", name, len(keys))
		}
	}
}
