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
		for _, want := range []string{`"DB"`, `"startup"`, `"A"`, "10.0.0.0/8", "db-f1-micro", "db-password-name", "https://push.example/hook?", "https://www.googleapis.com/compute/v1/projects/p", `"name":"web"`} {
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

// The same value is marked alike, another otherwise, and without the salt nobody can tell.
func TestMark(t *testing.T) {
	t.Parallel()
	one, other := Veil{Salt: []byte("0123456789abcdef")}, Veil{Salt: []byte("fedcba9876543210")}
	if one.Mark(planted) != one.Mark(planted) || one.Mark(planted) == one.Mark(planted+"x") || one.Mark(planted) == other.Mark(planted) || !strings.HasPrefix(one.Mark(planted), "hmac:") {
		t.Error(one.Mark(planted), one.Mark(planted+"x"), other.Mark(planted))
	}
	if (Veil{}).Mark(planted) != Hidden || one.Mark(Hidden) != Hidden {
		t.Error((Veil{}).Mark(planted), one.Mark(Hidden))
	}
	for name, want := range map[string]bool{"password": true, "rootPassword": true, "environmentVariables": true, "env": false, "secret": false, "tokenLifetime": false, "": false} {
		if Sensitive(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
