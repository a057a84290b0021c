package scan

import (
	"strings"
	"testing"
)

// Each planted secret is found, once, by the rule of its kind, where it stands; and what was found is not repeated. They are put together
// here so that this file holds none.
func TestPlanted(t *testing.T) {
	t.Parallel()
	letters := "q7Vx2LkT9wZr4BnMc8YhJ5dG" + "fP3sEaUo6KiRtWbNvCzXyQeHj" + "DlFgAp1mSuOI0+/q7Vx2LkT9" + "wZr4BnM"
	for rule, secret := range map[string]string{
		"private key":                  "-----BEGIN " + "EC PRIVATE KEY-----\nMHcCAQEE" + letters[:40],
		"private key of age":           "AGE-SECRET-" + "KEY-1" + strings.ToUpper(letters[:30]),
		"private key of a signed note": "PRIVATE+" + "KEY+log.example+0a1b2c3d+AYEK" + letters[:40],
		"key of a Google account":      `"private_` + `key_id": "` + strings.Repeat("0a", 20) + `"`,
		"Google API key":               "AIza" + letters[:35],
		"Google client secret":         "GOCSPX" + "-" + letters[:28],
		"Google token":                 "ya" + "29." + letters[:40],
		"GitHub token":                 "ghp" + "_" + letters[:36],
		"AWS key":                      "AKIA" + "Q7VXLKTWZRBNMCYH",
		"Slack token":                  "https://hooks.slack" + ".com/services/T0123456/B0123456/" + letters[:24],
		"key of a chat room":           "https://chat.googleapis" + ".com/v1/spaces/AAAA/messages?key=" + letters[:30],
		"Stripe key":                   "sk_" + "live_" + letters[:24],
		"SendGrid key":                 "SG" + "." + letters[:22] + "." + letters[:20],
		"npm token":                    "npm" + "_" + letters[:36],
		"webhook secret":               "whsec" + "_" + letters[:30],
		"signed token":                 "eyJ" + letters[:10] + ".eyJ" + letters[:12] + "." + letters[:20],
		"password in a URL":            "postgres://eraser:" + "hunter2@db.internal/main",
		"called a secret":              `client_secret = "` + letters[:22] + `"`,
		"random text":                  letters[:40],
	} {
		text := "a line before it\n\tvalue: " + secret + "\nand one behind\n"
		all := Secrets([]byte(text))
		hits := 0
		for _, f := range all {
			if strings.Contains(f.Text, secret) || strings.Contains(f.Text, letters[:12]) {
				t.Errorf("%s: the finding repeats it: %s", rule, f.Text)
			}
			if f.Rule == rule && f.Line == 2 {
				hits++
			}
		}
		if hits != 1 {
			t.Errorf("%s: found %v", rule, all)
		}
	}
	if len(Keys([]byte("key of a signed note: PRIVATE+"+"KEY+log.example+0a1b2c3d+AYEK"+letters[:40]))) != 1 {
		t.Error("a private key is not found by its form alone")
	}
}

// What is no secret is left alone: or nobody would read what is found.
func TestNotSecrets(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"-----BEGIN PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "the form PRIVATE+KEY+NAME+HASH+KEY",
		"https://user:pass@hooks.one.example", "mongodb://u:guess@127.0.0.1/x", "https://db.internal/a:b@c", "postgres://${user}:${password}@db.internal",
		`secret = "google_secret_manager_secret"`, `token: "reservationToken"`, `password := "correct-horse-battery"`,
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "github.com/GoogleCloudPlatform/functions-framework-go/funcframework",
		"cloud.google.com/go v0.123.0 h1:" + "q7Vx2LkT9wZr4BnMc8YhJ5dG" + "fP3sEaUo6KiRtWbNvCz=", `"integrity": "sha512-` + "q7Vx2LkT9wZr4BnMc8YhJ5dG" + "fP3sEaUo6KiRtWbNvCz==",
		"log.example+0a1b2c3d+" + "AYq7Vx2LkT9wZr4BnMc8YhJ5" + "dGfP3sEaUo6KiRtWb", "projects/123456789012/locations/global/workloadIdentityPools/ostiary-github/providers/github",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "abcdefghijklmnopqrstuvwxyz0123456789",
		"TestPermissionsAreThoseOfTheCallsMade2And3", "key.json", "0000000000000000000000000000000000000000",
	} {
		if all := Secrets([]byte(text)); len(all) > 0 {
			t.Errorf("%s: found %v", text, all)
		}
	}
}
