package main

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/cloudstorage/storagetest"
	"ostiary.internal/shared/platform/gcstest"
	"ostiary.internal/shared/policy"
	published "ostiary.internal/shared/policy/gcs"
	"ostiary.internal/testdata/policies"
)

// mainProgram is what the buildpack adds: a program in the function's own module that imports the package of the top folder, so
// that it registers itself, and serves (buildpacks, cmd/go/functions_framework, for Go 1.23 and later with a folder "vendor").
const mainProgram = `package main

import (
	"log"
	"net/http"
	"os"

	_ "ostiary.internal"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
)

func main() {
	http.HandleFunc("/robots.txt", http.NotFound)
	http.HandleFunc("/favicon.ico", http.NotFound)

	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	if err := funcframework.StartHostPort("127.0.0.1", port); err != nil {
		log.Fatal(err)
	}
}
`

// offline is the environment of a machine that has Go, and neither a network nor a module.
func offline(t *testing.T, nothing string) []string {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GOFLAGS=") || strings.HasPrefix(v, "GOPATH=") || strings.HasPrefix(v, "GOWORK=")
	})
	return append(env, "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GOMODCACHE="+nothing, "GOFLAGS=", "GO111MODULE=on")
}

// shelf keeps files that were unpacked, for the next archive that holds the same: nine of ten files are in every one.
type shelf struct {
	dir string
	mu  sync.Mutex
}

// unpack puts what an archive holds into an empty folder.
func (s *shelf) unpack(t *testing.T, archive []byte, to string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range r.File {
		file := filepath.Join(to, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		kept := filepath.Join(s.dir, fmt.Sprintf("%s-%08x-%d", digest([]byte(f.Name)), f.CRC32, f.UncompressedSize64))
		if os.Link(kept, file) == nil {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in) // compares the checksum
		if err == nil {
			err = os.WriteFile(kept, text, 0o600)
		}
		if err == nil {
			err = os.Link(kept, file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// build takes the buildpack's steps in a folder of unpacked sources. Beside them it says -trimpath, so that what was compiled
// for one function serves the next, and leaves out what a debugger needs; the program is the same. Without a program to make
// everything is compiled and nothing linked.
func build(t *testing.T, source, program string) {
	t.Helper()
	env := offline(t, t.TempDir())
	golang := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = source, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	app := filepath.Join(source, "functions.local", "app")
	if err := os.MkdirAll(app, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(app, "main.go"), []byte(mainProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	if program == "" {
		golang("list", "-export", "-trimpath", "-f", "{{.Export}}", app)
		return
	}
	if name := golang("list", "-m"); name != "ostiary.internal" {
		t.Errorf("the module is %q", name)
	}
	if version := golang("list", "-m", "-f", "{{.Version}}", "github.com/GoogleCloudPlatform/functions-framework-go"); !strings.HasPrefix(version, "v1.") {
		t.Errorf("the framework is %q: the buildpack refuses that", version)
	}
	golang("build", "-trimpath", "-ldflags=-s -w", "-o", program, app)
}

// started are functions with callers of each kind. In the soak every function is linked and started.
var started = []string{"registerip", "trustpage", "checkotp", "sealevidence"}

// Every archive compiles as Cloud Functions builds it, with no network and no module of this machine. What is linked starts by
// the environment that Terraform gives it, loads the published policy with the one right it has there, and answers.
func TestReplay(t *testing.T) {
	t.Parallel()
	m := packedHere(t)
	list, archives := m.list, m.archives
	functions, err := manifest.All(os.DirFS(top))
	if err != nil {
		t.Fatal(err)
	}
	url, storage := publish(t)
	turns, kept, kinds := make(chan struct{}, runtime.GOMAXPROCS(0)), &shelf{dir: t.TempDir()}, map[manifest.Callers]bool{}
	for _, f := range functions {
		whole := slices.Contains(started, f.Name) || os.Getenv("OSTIARY_SOAK") == "1"
		kinds[f.Callers] = kinds[f.Callers] || whole
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			turns <- struct{}{}
			defer func() { <-turns }()
			source := filepath.Join(kept.dir, f.Name, "serverless_function_source_code")
			kept.unpack(t, archives[list.Functions[f.Name].Object], source)
			defer os.RemoveAll(source)
			if !whole {
				build(t, source, "")
				return
			}
			program := filepath.Join(t.TempDir(), "main")
			build(t, source, program)
			at, said := start(t, program, f.EntryPoint, append(told(t, f), wiring.EnvPolicy+"="+url, storagetest.Variable+"="+storage))
			status, text := get(t, at+"/"+f.Name+"/openapi.json")
			// One that reads a secret to begin with gets as far as Secret Manager: nobody here has credentials for it.
			if status != http.StatusOK && !(f.ReadsSecrets() && status == http.StatusServiceUnavailable && said.comes("connecting to Secret Manager: credentials")) {
				t.Errorf("it answers %d: %s\n%s", status, text, said)
			}
			if other, _ := get(t, at+"/"); status == http.StatusOK && other != http.StatusNotFound {
				t.Errorf("at / it answers %d", other)
			}
			if f.Name != started[0] {
				return
			}
			// Without the policy that its URL names it does nothing, and says so.
			at, said = start(t, program, f.EntryPoint, append(told(t, f), wiring.EnvPolicy+"=gs://acme-policy/policy/"+digest(nil)+".tar.gz", storagetest.Variable+"="+storage))
			if status, text := get(t, at+"/"+f.Name+"/openapi.json"); status != http.StatusServiceUnavailable || !said.comes("the policy is not published") {
				t.Errorf("without a policy it answers %d: %s\n%s", status, text, said)
			}
		})
	}
	if len(kinds) != 4 || slices.Contains(slices.Collect(maps.Values(kinds)), false) {
		t.Errorf("started are functions with callers of the kinds %v", kinds)
	}
}

// publish puts a sample policy into a bucket, and returns its URL and where a process finds the bucket.
func publish(t *testing.T) (url, storage string) {
	t.Helper()
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	a, err := published.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	const bucket = "acme-policy"
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	b, err := cloudstorage.New(bucket, 0, s.Connect(gcstest.Everything))
	if err != nil {
		t.Fatal(err)
	}
	if url, _, err = published.Publish(t.Context(), b, a); err != nil {
		t.Fatal(err)
	}
	return url, storagetest.Host(t, s, published.Permissions["Folder.Files"][0]+" "+bucket)
}

// told is the environment of a function, but for its policy.
func told(t *testing.T, f manifest.Function) []string {
	t.Helper()
	key := func(name string) string {
		return "kms://projects/acme/locations/europe-west1/keyRings/ostiary/cryptoKeys/" + name
	}
	values := map[string]string{
		"OSTIARY_ASSETS": "cloudasset:projects/acme", "OSTIARY_ASSET_SERVICES": "", "OSTIARY_DATA_ACCESS": "iam.googleapis.com", "OSTIARY_LOG_STREAMS": "application",
		"OSTIARY_CLIENT_ADDRESS": "header:X-Ostiary-Client", "OSTIARY_DIRECTORY": "workspace:", "OSTIARY_URL": "https://ostiary.acme.example",
		"OSTIARY_LEDGER": "firestore://acme/ledger", "OSTIARY_VAULT": "firestore://acme/vault", "OSTIARY_WATCHDOG": "firestore://acme/watchdog",
		"OSTIARY_LOG_HEAD": "gs://acme-head", "OSTIARY_LOG_INBOX": "gs://acme-inbox", "OSTIARY_LOG_TILES": "gs://acme-log", "OSTIARY_LOG_ORIGIN": "acme.example/evidence",
		"OSTIARY_MESSAGE": "smtp://ostiary@smtp.acme.example:587?from=ostiary@acme.example&secret=smtp-password", "OSTIARY_MESSAGE_CHAT": "chat:?secret=chat-rooms",
		"OSTIARY_MESSAGE_SMS": "sms:https://sms.acme.example/messages?secret=sms-token", "OSTIARY_MESSAGE_WEBHOOK": "webhook:?secret=webhook-secrets",
		"OSTIARY_OWN_ADDRESSES": "203.0.113.1", "OSTIARY_PAIR_HOSTS": "ipv4=https://v4.acme.example,ipv6=https://v6.acme.example", "OSTIARY_IDENTITY": "oidc:https://id.sharedcontacts.example?audience=ostiary", "OSTIARY_PROBES": "public", "OSTIARY_PUBLIC_ENTRIES": "false",
		"OSTIARY_SEAL": key("otp"), "OSTIARY_SEAL_BREACH": key("breach"), "OSTIARY_SEAL_MESSAGE": key("message"), "OSTIARY_SEAL_REQUEST": key("request"),
		"OSTIARY_SIGNING_KEY": "gcpkms://projects/acme/locations/europe-west1/keyRings/ostiary/cryptoKeys/checkpoints/cryptoKeyVersions/1?name=acme.example/evidence",
		"OSTIARY_RECEIPT_KEY": "gcpkms://projects/acme/locations/europe-west1/keyRings/ostiary/cryptoKeys/receipts/cryptoKeyVersions/1?name=acme.example/receipts",
		"OSTIARY_TRUST":       trusted(t, "acme.example/evidence"), "OSTIARY_RECEIPT_TRUST": trusted(t, "acme.example/receipts"),
		"OSTIARY_STATES": "gs://acme-state/live/default.tfstate", "OSTIARY_TARGETS": "edge=vpcfirewall:acme/ostiary",
	}
	env := []string{
		wiring.EnvIAM + "=front", wiring.EnvProject + "=acme", wiring.EnvStore + "=firestore://acme/" + f.Control, wiring.EnvBus + "=pubsub://acme",
		wiring.EnvEvidence + "=gs://acme-inbox", wiring.EnvInvoker + "=in-" + f.Name + "@acme.iam.gserviceaccount.com", wiring.EnvCode + "=sha256:" + digest(nil),
		wiring.EnvSecrets + "=secretmanager://acme" + pins(f),
	}
	if f.Callers == manifest.Staff {
		env = append(env, wiring.EnvIdentity+"=iap:?audience=/projects/1/global/backendServices/2")
	}
	for _, name := range f.Environment {
		if value, known := values[name]; known {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// trusted is a trust file with a key that nobody has.
func trusted(t *testing.T, name string) string {
	t.Helper()
	key, err := sign.VerifierKey(name, make(ed25519.PublicKey, ed25519.PublicKeySize))
	if err != nil {
		t.Fatal(err)
	}
	text, err := sign.Trust{V: sign.TrustVersion, Origin: name, Keys: []sign.TrustedKey{{Key: key}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pins are the versions of a function's secrets; one may read secrets that only the data map names.
func pins(f manifest.Function) string {
	if len(f.Secrets) == 0 {
		return ""
	}
	return "?pin=" + strings.Join(f.Secrets, ":1,") + ":1"
}
