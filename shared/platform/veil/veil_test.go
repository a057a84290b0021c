package veil

import (
	"encoding/json"
	"strings"
	"testing"
)

const planted = "hunter2-s3cr3t"

// everything holds a secret at each place where one may stand, and a few things that are none.
const everything = `{
	"name": "web", "rootPassword": "hunter2-s3cr3t", "authToken": "hunter2-s3cr3t", "privateKey": "hunter2-s3cr3t", "rawKey": "hunter2-s3cr3t", "clientSecret": "hunter2-s3cr3t",
	"secretData": "hunter2-s3cr3t", "connection_string": "hunter2-s3cr3t", "credentials": "hunter2-s3cr3t", "apiKey": "hunter2-s3cr3t",
	"annotations": {"a": "hunter2-s3cr3t"}, "environmentVariables": {"A": {"deep": "hunter2-s3cr3t"}}, "args": ["--key=hunter2-s3cr3t"], "command": "run hunter2-s3cr3t",
	"metadata": {"items": [{"key": "startup", "value": "hunter2-s3cr3t"}]}, "env": [{"name": "DB", "value": "hunter2-s3cr3t"}], "variables": [{"name": "X", "value": "hunter2-s3cr3t"}],
	"pushEndpoint": "https://me:hunter2-s3cr3t@push.example/hook?token=hunter2-s3cr3t#hunter2-s3cr3t", "caller": "ftp://me:hunter2-s3cr3t@x.example/", "part": "https://x.example/#hunter2-s3cr3t", "odd": "https://%zz/hunter2-s3cr3t",
	"sourceRanges": ["10.0.0.0/8"], "settings": {"tier": "db-f1-micro", "value": 3}, "secretKeyRef": {"secret": "db-password-name"}, "self": "https://www.googleapis.com/compute/v1/projects/p"}`

func read(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// What may be a secret is shown nowhere, with and without a salt; names and everything else are.
func TestOver(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]Veil{"salted": {Salt: []byte("0123456789abcdef")}, "unsalted": {}} {
		given := read(t, everything)
		got := written(v.Over("", given))
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s: %s", name, got)
		}
		for _, want := range []string{`"DB"`, `"startup"`, `"A"`, "10.0.0.0/8", "db-f1-micro", "db-password-name", "https://push.example/?", "ftp://x.example/?", "https://www.googleapis.com/compute/v1/projects/p", `"name":"web"`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %s: %s", name, want, got)
			}
		}
		if written(given) != written(read(t, everything)) {
			t.Errorf("%s: what was given is another by now", name)
		}
		// What is hidden already stays what it is, under another veil too.
		if again := written(v.Over("", v.Over("", read(t, `{"password":"x","env":[{"name":"A","value":"x"}]}`)))); name == "unsalted" && again != `{"env":[{"name":"A","value":"***"}],"password":"***"}` {
			t.Errorf("%s: %s", name, again)
		}
	}
}

// Each of these places may hold a secret, and each of those says something that is needed to judge.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, hidden := range []string{
		`{"httpTarget":{"headers":{"Authorization":"Bearer hunter2"}}}`, `{"httpTarget":{"body":"aHVudGVyMg==hunter2"}}`, `{"customRequestHeaders":["X-Key: hunter2"]}`, `{"customRequestHeaders":["hunter2"]}`,
		`{"customRequestHeaders":["hunter2 of nobody: x"]}`, `{"startupProbe":{"httpGet":{"httpHeaders":[{"name":"X-Key","value":"hunter2"}]}}}`, `{"requestHeadersToAdd":[{"headerName":"X","headerValue":"hunter2"}]}`,
		`{"credentials":{"blob":"hunter2"}}`, `{"privateKeys":["hunter2"]}`, `{"password":12345678}`, `{"passwords":{"a":{"token":["hunter2"]}},"password":["hunter2"]}`, `{"apiKeys":[{"value":"hunter2"}]}`,
		`{"clientKey":"hunter2"}`, `{"privateKeyData":"hunter2"}`, `{"secretValue":"hunter2"}`, `{"secret":"hunter2"}`, `{"secret":{"a":"hunter2"}}`, `{"payload":{"data":"hunter2"}}`, `{"client_secret":"hunter2"}`,
		`{"metadata":{"startup-script":"hunter2"}}`, `{"metadata":{"items":[{"key":"a","value":"hunter2"}]}}`, `{"commonInstanceMetadata":{"items":[{"key":"a","value":12345678}]}}`, `{"env":["DB=hunter2"]}`, `{"env":{"DB":"hunter2"}}`,
		`{"args":["hunter2=="]}`, `{"command":["hunter2:x"]}`, `{"pubsubTarget":{"data":"hunter2","attributes":{"a":"hunter2"}}}`, `{"labels":{"token":"hunter2"}}`, `{"oauthToken":"hunter2"}`, `{"volumes":[{"secret":"hunter2"}]}`,
		`{"url":"https://hooks.slack.com/services/T0/B0/hunter2"}`, `{"uri":"https://a-1.run.app/hunter2"}`, `{"uri":"https://hunter2@a.googleapis.com/x"}`, `{"uri":"https://chat.googleapis.com/v1/spaces?key=hunter2"}`,
		`{"uri":"https://evilgoogleapis.com/hunter2"}`, `{"uri":"postgres://a.example/hunter2"}`, `{"uri":"see https://a.example/hunter2"}`, `{"settings":{"quietWord":"hunter2"}}`, `{"settings":{"deep":{"quiet":true,"words":["hunter2"]}}}`,
	} {
		v := Veil{Salt: []byte("0123456789abcdef"), Secret: []string{"settings.quiet_word", "settings.deep"}}
		if got := written(v.Over("", read(t, hidden))); strings.Contains(got, "hunter2") || strings.Contains(got, "12345678") || strings.Contains(got, "true") || !strings.Contains(got, "hmac:") {
			t.Errorf("%s: %s", hidden, got)
		}
	}
	for _, shown := range []string{
		`{"authorizedNetworks":[{"name":"all","value":"0.0.0.0/0"}],"databaseFlags":[{"name":"log_connections","value":"off"}]}`, `{"binaryAuthorization":{"useDefault":true}}`, `{"oidcToken":{"serviceAccountEmail":"a@b"}}`,
		`{"valueSource":{"secretKeyRef":{"secret":"db-password","version":"1"}}}`, `{"secretEnvironmentVariables":[{"key":"DB","secret":"db-password"}]}`, `{"volumes":[{"name":"v","secret":{"items":[{"path":"p"}],"secret":"db-password"}}]}`,
		`{"availableSecrets":{"secretManager":[{"versionName":"projects/p/secrets/s/versions/1"}]}}`, `{"password":"projects/p/secrets/s/versions/latest"}`, `{"automountServiceAccountToken":true}`, `{"password":"","credentials":{},"token":null}`,
		`{"body":{"settings":{"tier":"x"}}}`, `{"logConfig":{"metadata":"INCLUDE_ALL"}}`, `{"metadata":{"generation":3,"name":"n"}}`, `{"labels":{"data":"personal","env":"live"}}`, `{"encryptionKey":"projects/p/k","kmsKeyName":"k"}`,
		`{"destination":"gs://bucket/path"}`, `{"selfLink":"https://www.googleapis.com/compute/v1/projects/p"}`, `{"issuer":"https://token.example"}`, `{"audience":"https://a-1.run.app/"}`, `{"filter":"severity>=ERROR"}`,
	} {
		if got, want := written(Veil{}.Over("", read(t, shown))), written(read(t, shown)); got != want {
			t.Errorf("%s: %s", want, got)
		}
	}
}

// What is named stays named, and its value differs where it is another.
func TestNames(t *testing.T) {
	t.Parallel()
	v := Veil{Salt: []byte("0123456789abcdef")}
	for given, want := range map[string]string{
		`{"customRequestHeaders":["X-Key: hunter2","X-Key:hunter2"]}`: `{"customRequestHeaders":["X-Key ` + v.Mark("hunter2") + `","X-Key ` + v.Mark("hunter2") + `"]}`,
		`{"env":["DB=hunter2"]}`:                      `{"env":["DB ` + v.Mark("hunter2") + `"]}`,
		`{"headers":{"Authorization":"x"}}`:           `{"headers":{"Authorization":"` + v.Mark(`"x"`) + `"}}`,
		`{"uri":"https://a.example/x/y"}`:             `{"uri":"https://a.example/?` + v.Mark("https://a.example/x/y") + `"}`,
		`{"uri":"https://a.googleapis.com/x?y"}`:      `{"uri":"https://a.googleapis.com/x?` + v.Mark("https://a.googleapis.com/x?y") + `"}`,
		`{"uri":"https://a.example/?***"}`:            `{"uri":"https://a.example/?***"}`,
		`{"credentials":{"blob":"x"},"token":"***"}`:  `{"credentials":"` + v.Mark(`{"blob":"x"}`) + `","token":"***"}`,
		`{"metadata":{"a":"x","name":"n","b":"***"}}`: `{"metadata":{"a":"` + v.Mark("x") + `","b":"***","name":"n"}}`,
	} {
		if got := written(v.Over("", read(t, given))); got != want {
			t.Errorf("%s: %s\nwant %s", given, got, want)
		}
	}
	// What stands at the end of a path is hidden as it is inside its document.
	for at, want := range map[string]bool{"commonInstanceMetadata.items": true, "settings.databaseFlags": false} {
		pairs := []any{map[string]any{"key": "a", "name": "a", "value": "hunter2"}}
		if got := written(v.Over(at, pairs)); strings.Contains(got, "hunter2") == want {
			t.Errorf("%s: %s", at, got)
		}
	}
	if !Closed("a.env", nil) || !Closed("a.credentials", map[string]any{}) || Closed("a.b", nil) || !(Veil{Secret: []string{"a.b_c"}}).covered("a.bC.d") || (Veil{Secret: []string{"a.b"}}).covered("a.bc") {
		t.Error("what is one value and what is not")
	}
}

// The same value is marked alike, another otherwise, and without the salt nobody can tell.
func TestMark(t *testing.T) {
	t.Parallel()
	one, other := Veil{Salt: []byte("0123456789abcdef")}, Veil{Salt: []byte("fedcba9876543210")}
	if one.Mark(planted) != one.Mark(planted) || one.Mark(planted) == one.Mark(planted+"x") || one.Mark(planted) == other.Mark(planted) || !strings.HasPrefix(one.Mark(planted), "hmac:") {
		t.Error(one.Mark(planted), one.Mark(planted+"x"), other.Mark(planted))
	}
	if (Veil{}).Mark(planted) != Hidden || one.Mark(Hidden) != Hidden || one.Mark("") != "" || (Veil{}).Mark("") != "" {
		t.Error((Veil{}).Mark(planted), one.Mark(Hidden))
	}
	for name, want := range map[string]bool{"password": true, "rootPassword": true, "environmentVariables": true, "template.containers.env": true, "httpTarget.body": true, "x.secret": true, "metadata.a": true, "logConfig.metadata": false, "secretKeyRef.secret": false, "tokenLifetime": false, "": false} {
		if Sensitive(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
