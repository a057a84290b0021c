package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "ostiary.internal/"

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	Dir        string
}

// everyPackage asks the go command once for all tests: it looks at every file each time.
var everyPackage = sync.OnceValues(func() (packages []listed, err error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Standard,Imports,Deps,Dir", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go list: %s", exit.Stderr)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); err == nil; {
		var p listed
		if err = d.Decode(&p); err == nil {
			packages = append(packages, p)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return packages, err
})

// list returns all packages.
func list(t *testing.T) []listed {
	t.Helper()
	packages, err := everyPackage()
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// deps are the packages that one in a folder needs, directly or not.
func deps(t *testing.T, folder string) []string {
	t.Helper()
	all := list(t)
	i := slices.IndexFunc(all, func(p listed) bool { return p.ImportPath == module+folder })
	if i < 0 {
		t.Fatalf("there is no package in %s", folder)
	}
	return all[i].Deps
}

// cloud are prefixes of cloud SDKs and database drivers: they appear only in adapters.
var cloud = []string{"cloud.google.com/go", "google.golang.org/api", "google.golang.org/grpc", "google.golang.org/genproto", "go.etcd.io/bbolt", "github.com/emersion/go-smtp", "github.com/emersion/go-sasl", "go.mongodb.org/mongo-driver", "github.com/jackc/pgx"}

// adapters are the packages named after a service that may import cloud SDKs, drivers, os and net/http. The value
// says why the package is one.
var adapters = map[string]string{
	"shared/platform/store/bolt":                    "bbolt file",
	"shared/platform/store/firestore":               "Firestore",
	"shared/platform/bus/local":                     "bbolt file",
	"shared/platform/bus/pubsub":                    "Pub/Sub",
	"shared/platform/secret/file":                   "encrypted file",
	"shared/platform/secret/secretmanager":          "Secret Manager",
	"shared/platform/seal/local":                    "key file",
	"shared/platform/seal/kms":                      "Cloud KMS",
	"shared/platform/cloudstorage":                  "Cloud Storage, for all that lies there",
	"shared/policy/gcs":                             "Cloud Storage",
	"shared/platform/cloudkms":                      "Cloud KMS, for the sealing and the signing adapter",
	"shared/platform/cloudkms/kmstest":              "a Cloud KMS for tests",
	"shared/platform/directory/workspace":           "Workspace Admin SDK",
	"shared/platform/message/mailbox":               "bbolt file",
	"shared/platform/message/smtp":                  "SMTP",
	"shared/access/allowlist/file":                  "files of nftables, nginx and JSON",
	"shared/access/allowlist/googledoor":            "Google Cloud, for the three below",
	"shared/access/allowlist/vpcfirewall":           "VPC firewall",
	"shared/access/allowlist/cloudarmor":            "Cloud Armor",
	"shared/access/allowlist/accesslevel":           "Access Context Manager",
	"shared/access/allowlist/vpcfirewall/vpctest":   "the rules of a VPC firewall for tests",
	"shared/access/allowlist/cloudarmor/armortest":  "a Cloud Armor policy for tests",
	"shared/access/allowlist/accesslevel/acmtest":   "an Access Context Manager for tests",
	"shared/erasure/firestore":                      "Firestore",
	"shared/erasure/gcs":                            "Cloud Storage",
	"shared/erasure/mongodb":                        "MongoDB",
	"shared/erasure/postgres":                       "PostgreSQL",
	"shared/erasure/hook":                           "a company's own HTTP service",
	"shared/erasure/local":                          "bbolt file",
	"shared/drift/asset/cloudasset":                 "Cloud Asset Inventory and Google's APIs",
	"shared/drift/asset/folder":                     "folder",
	"shared/drift/self/monitoring":                  "Cloud Monitoring",
	"shared/drift/asset/assettest":                  "a Cloud Asset Inventory for tests",
	"shared/drift/diff/gcs":                         "Cloud Storage",
	"shared/drift/diff/file":                        "file",
	"shared/erasure/oauth/upstream":                 "the providers of OAuth grants",
	"shared/erasure/oauth/secretmanager":            "Secret Manager",
	"shared/erasure/recipient/wire":                 "the recipients of personal data",
	"shared/erasure/opendsr/callback/wire":          "the programs of controllers",
	"shared/evidence/record/folder":                 "folder",
	"shared/trust/probe/outside":                    "the network, as a stranger sees it",
	"shared/evidence/record/gcs":                    "Cloud Storage",
	"shared/evidence/log/gcs":                       "Cloud Storage",
	"shared/evidence/sign/file":                     "key file",
	"shared/evidence/sign/kms":                      "Cloud KMS",
	"shared/platform/gcstest":                       "a Cloud Storage for tests",
	"shared/platform/emulatortest":                  "starts the emulators for tests",
	"shared/platform/directory/people":              "changes kept beside the data",
	"shared/platform/identity/issuer":               "key file",
	"shared/platform/seal/privatefile":              "key files",
	"shared/platform/store/firestore/firestoretest": "stores on the emulator, for tests",
}

// domain are the controls: they may not reach another control, a cloud, the file system or HTTP.
var domains = []string{"access", "erasure", "breach", "watch", "drift", "trust"}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if why := forbidden(path, imported); why != "" {
				t.Errorf("%s imports %s: %s", path, imported, why)
			}
		}
	}
}

// TestForbidden: what is planted against each rule is seen.
func TestForbidden(t *testing.T) {
	t.Parallel()
	for path, imported := range map[string]string{
		"shared/platform/message/staff": module + "shared/policy",
		"shared/policy":                 module + "functions/internal/wiring",
		"shared/access/otp":             module + "shared/watch/rule",
		"shared/watch/rule":             "net/http",
		"functions/access/admit":        module + "functions/access/checkotp",
	} {
		if forbidden(path, imported) == "" {
			t.Errorf("%s may import %s", path, imported)
		}
	}
	if why := forbidden("shared/policy", module+"shared/platform/fault"); why != "" {
		t.Error(why)
	}
}

func forbidden(path, imported string) string {
	ours, isOurs := strings.CutPrefix(imported, module)
	_, adapter := adapters[path]
	switch {
	case strings.HasPrefix(path, "shared/") && isOurs && strings.HasPrefix(ours, "functions/"):
		return "shared never imports functions"
	case strings.HasPrefix(path, "shared/platform/") && strings.HasPrefix(ours, "shared/") && !strings.HasPrefix(ours, "shared/platform/"):
		return "platform stands below everything else of ours"
	case !adapter && strings.HasPrefix(path, "shared/") && matches(imported, cloud):
		return "cloud SDKs and drivers appear only in adapters"
	}
	if parts := strings.Split(path, "/"); parts[0] == "functions" && isOurs && strings.HasPrefix(ours, "functions/") {
		return functionImports(parts, strings.Split(ours, "/"))
	}
	if control := controlOf(path); control != "" && !adapter {
		return controlImports(control, imported, ours, isOurs)
	}
	return ""
}

// functionImports: a function imports no other function; only the command, and the list of them all, see more than one.
func functionImports(from, to []string) string {
	if len(to) < 3 || to[1] == "internal" || from[1] == "ostiary" || slices.Equal(from, []string{"functions", "internal", "every"}) {
		return ""
	}
	if to[2] == "internal" && to[1] == from[1] {
		return ""
	}
	return "a function imports shared, never another function"
}

func controlImports(control, imported, ours string, isOurs bool) string {
	if isOurs {
		other := controlOf(ours)
		allowed := other == control || strings.HasPrefix(ours, "shared/platform/") || ours == "shared/calendar" || ours == "shared/policy" || ours == "shared/evidence" || strings.HasPrefix(ours, "shared/evidence/")
		if !allowed {
			return "a control imports evidence, calendar, policy and the seams, not another control"
		}
		return ""
	}
	if imported == "os" || imported == "net/http" {
		return "a control does no I/O of its own"
	}
	return ""
}

func controlOf(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) >= 2 && parts[0] == "shared" && slices.Contains(domains, parts[1]) {
		return parts[1]
	}
	return ""
}

func matches(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") })
}

// local are packages that only the ostiary command may link.
var local = []string{
	module + "shared/platform/store/bolt", module + "shared/platform/store/memory", module + "shared/platform/bus/local",
	module + "shared/platform/secret/file", module + "shared/platform/seal/local", module + "shared/platform/directory/people",
	module + "shared/platform/message/mailbox", module + "shared/platform/identity/issuer", module + "shared/policy/dir", module + "shared/evidence/record/folder",
	module + "shared/evidence/log/folder", module + "shared/evidence/log/memory", module + "shared/evidence/sign/file",
	module + "shared/erasure/local", module + "shared/drift/asset/folder", module + "shared/drift/diff/file", module + "testdata", "go.etcd.io/bbolt", "testing",
}

// rights says which manifest entry a driver needs: a function that links a driver it has no right to fails.
var rights = map[string]string{
	module + "shared/platform/store/firestore":      "database:",
	module + "shared/platform/bus/pubsub":           "topic:",
	module + "shared/platform/secret/secretmanager": "secret:",
	module + "shared/platform/seal/kms":             "key:",
	module + "shared/policy/gcs":                    "bucket:policy",
	module + "shared/evidence/record/gcs":           "bucket:evidence-inbox",
	module + "shared/evidence/log/gcs":              "bucket:evidence-log",
	module + "shared/evidence/sign/kms":             "signing-key:",
	module + "shared/drift/asset/cloudasset":        "assets",
	module + "shared/drift/self/monitoring":         "assets",
	module + "shared/drift/diff/gcs":                "bucket:terraform-state",
	module + "shared/erasure/firestore":             "data:firestore",
	module + "shared/erasure/gcs":                   "data:gcs",
	module + "shared/platform/directory/workspace":  "directory",
	module + "shared/access/allowlist/vpcfirewall":  "door:firewalls",
	module + "shared/access/allowlist/cloudarmor":   "door:armor",
	module + "shared/access/allowlist/accesslevel":  "door:accesslevels",
	module + "shared/platform/message/smtp":         "secret:smtp-password",
}

func TestFunctionsLinkWhatTheyMay(t *testing.T) {
	t.Parallel()
	for _, f := range manifests(t) {
		linked := deps(t, "functions/"+f.Control+"/"+f.Name)
		for _, dep := range linked {
			if matches(dep, local) {
				t.Errorf("%s links %s, which only the ostiary command may", f.Name, dep)
			}
			if need := rights[dep]; need != "" && !slices.ContainsFunc(f.Permissions, func(p permission) bool {
				return strings.HasPrefix(p.Resource, need) || need == "secret:" && strings.HasPrefix(p.Resource, "data:secrets-")
			}) {
				t.Errorf("%s links %s, but its manifest lists nothing on %s", f.Name, dep, need)
			}
		}
		for driver, need := range rights {
			wanted := slices.ContainsFunc(f.Permissions, func(p permission) bool { return strings.HasPrefix(p.Resource, need) })
			if wanted && !slices.Contains(linked, driver) && driver != module+"shared/platform/message/smtp" {
				t.Errorf("%s has rights on %s, but does not link %s", f.Name, need, driver)
			}
		}
	}
}
