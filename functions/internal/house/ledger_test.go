package house

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// terraformBlock finds a block that begins a line, up to the brace that ends it.
var terraformBlock = regexp.MustCompile(`(?ms)^(resource "([a-z_0-9]+)" "([a-z_0-9]+)"|locals) \{\n(.*?)^\}`)

// terraformFolders are the contents of the .tf files below terraform, by folder: what belongs to one module.
func terraformFolders(t *testing.T) map[string]string {
	t.Helper()
	folders := map[string]string{}
	tree := os.DirFS(filepath.Join(root, "terraform"))
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".tf") {
			return err
		}
		text, err := fs.ReadFile(tree, path)
		folders[filepath.Dir(path)] += string(text)
		return err
	})
	if err != nil || len(folders) == 0 {
		t.Fatalf("%d folders of Terraform: %v", len(folders), err)
	}
	return folders
}

// ledgerFaults says what in a module would put the ledger into a backup, or let it go back to an earlier time. It takes a
// schedule for harmless only where it names the databases itself or by one local, and what those say leaves the ledger out.
func ledgerFaults(text string) (ledgers int, faults []string) {
	locals, resources := map[string]string{}, map[string]string{}
	for _, block := range terraformBlock.FindAllStringSubmatch(text, -1) {
		if block[1] == "locals" {
			for _, l := range regexp.MustCompile(`(?ms)^  ([a-z_]+) *= (.*?)$(\n^    .*?$|\n^  [)}\]].*?$)*`).FindAllStringSubmatch(block[4], -1) {
				locals[l[1]] = l[0]
			}
			continue
		}
		resources[block[2]+"."+block[3]] = block[4]
	}
	schedules := 0
	for name, body := range resources {
		switch {
		case name == "google_firestore_database.ledger":
			if ledgers++; !strings.Contains(body, `"POINT_IN_TIME_RECOVERY_DISABLED"`) {
				faults = append(faults, "the ledger can be brought back to an earlier time")
			}
		case strings.HasPrefix(name, "google_firestore_backup_schedule."):
			schedules++
			said := body
			for _, used := range regexp.MustCompile(`\blocal\.([a-z_]+)`).FindAllStringSubmatch(body, -1) {
				if locals[used[1]] == "" {
					faults = append(faults, fmt.Sprintf("%s goes by local.%s, which is not in this module", name, used[1]))
				}
				said += locals[used[1]]
			}
			if strings.Contains(said, "ledger") || strings.Contains(strings.ReplaceAll(said, body, ""), "local.") {
				faults = append(faults, name+" reaches the ledger, or does not say that it does not")
			}
		}
	}
	if control := resources["google_firestore_database.control"]; schedules > 0 && control != "" {
		apart := regexp.MustCompile(`for_each\s*= setsubtract\(local\.of_kind\.database, local\.apart\)`)
		if !apart.MatchString(control) || !strings.Contains(locals["apart"], `"ledger"`) {
			faults = append(faults, "the ledger is among the controls' databases, which are backed up")
		}
	}
	return ledgers, faults
}

// The ledger of who was erased is in no backup: restored, an older copy would bring back whom it has forgotten.
func TestTheLedgerIsInNoBackup(t *testing.T) {
	t.Parallel()
	found := 0
	for folder, text := range terraformFolders(t) {
		ledgers, faults := ledgerFaults(text)
		found += ledgers
		for _, fault := range faults {
			t.Errorf("terraform/%s: %s", folder, fault)
		}
	}
	if found == 0 {
		t.Error("no ledger is made")
	}
}

// TestALedgerInABackupIsFound: whichever way it gets there.
func TestALedgerInABackupIsFound(t *testing.T) {
	t.Parallel()
	const good = `locals {
  apart = ["ledger", "watchdog"]
  saved = merge({ for name, d in google_firestore_database.control : name => d.name }, { watchdog = google_firestore_database.watchdog.name })
}

resource "google_firestore_database" "control" {
  for_each = setsubtract(local.of_kind.database, local.apart)
}

resource "google_firestore_database" "ledger" {
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_DISABLED"
}

resource "google_firestore_backup_schedule" "daily" {
  for_each = local.saved
  database = each.value
}
`
	if ledgers, faults := ledgerFaults(good); ledgers != 1 || len(faults) > 0 {
		t.Errorf("%d ledgers, %q", ledgers, faults)
	}
	for why, change := range map[string][2]string{
		"goes back in time":          {"RECOVERY_DISABLED", "RECOVERY_ENABLED"},
		"is among the controls'":     {`["ledger", "watchdog"]`, `["watchdog"]`},
		"all databases are controls": {"setsubtract(local.of_kind.database, local.apart)", "local.of_kind.database"},
		"is saved by name":           {"{ watchdog = google_firestore_database.watchdog.name }", "{ ledger = google_firestore_database.ledger.name }"},
		"is saved over two lines":    {"{ watchdog = google_firestore_database.watchdog.name })", "{\n    ledger = google_firestore_database.ledger.name\n  })"},
		"is in a local of a local":   {"{ watchdog = google_firestore_database.watchdog.name }", "local.others"},
		"has a schedule of its own":  {"database = each.value", "database = google_firestore_database.ledger.name"},
		"comes from elsewhere":       {"for_each = local.saved", "for_each = local.everything"},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if _, faults := ledgerFaults(bad); bad == good || len(faults) == 0 {
			t.Errorf("the ledger %s, and nobody says so", why)
		}
	}
}

// lasting are resources that take with them what nobody can bring back, and what each block of them must say.
var lasting = map[string]string{
	"google_firestore_database":            `(?s)deletion_policy += "DELETE"\n.*prevent_destroy = true`, // refused loudly, and before that not planned
	"google_kms_key_ring":                  `prevent_destroy = true`,
	"google_kms_crypto_key":                `prevent_destroy = true`,
	"google_storage_bucket":                `(?s)force_destroy +=  *false\n.*prevent_destroy = true`,
	"google_logging_project_bucket_config": `prevent_destroy = true`,
}

// TestWhatLastsIsNotDestroyed: no apply takes away a database, a key or a bucket of the module they all come from, whatever a
// manifest or a variable says; and no secret's value and no key of an account is known to Terraform anywhere.
func TestWhatLastsIsNotDestroyed(t *testing.T) {
	t.Parallel()
	folders := terraformFolders(t)
	seen := map[string]bool{}
	for _, block := range terraformBlock.FindAllStringSubmatch(folders["modules/platform"], -1) {
		if form, ok := lasting[block[2]]; ok {
			seen[block[2]] = true
			if !regexp.MustCompile(form).MatchString(block[4]) {
				t.Errorf("%s %s can be destroyed by an apply", block[2], block[3])
			}
		}
	}
	for kind := range lasting {
		if !seen[kind] {
			t.Errorf("modules/platform makes no %s", kind)
		}
	}
	for folder, text := range folders {
		for _, banned := range []string{"google_secret_manager_secret_version", "google_service_account_key"} {
			if strings.Contains(text, `"`+banned+`"`) {
				t.Errorf("terraform/%s: %s puts a secret into the state", folder, banned)
			}
		}
	}
}
