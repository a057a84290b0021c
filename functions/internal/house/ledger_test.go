package house

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The ledger of who was erased is in no backup: restored, an older copy would bring back whom it has forgotten.
func TestTheLedgerIsInNoBackup(t *testing.T) {
	t.Parallel()
	database := regexp.MustCompile(`(?s)resource "google_firestore_database" "ledger" \{\n.*?\n\}`)
	schedule := regexp.MustCompile(`(?s)resource "google_firestore_backup_schedule" "[^"]*" \{\n.*?\n\}`)
	found := 0
	tree := os.DirFS("../../../terraform")
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".tf") {
			return err
		}
		text, err := fs.ReadFile(tree, path)
		for _, block := range database.FindAllString(string(text), -1) {
			if found++; !strings.Contains(block, `"POINT_IN_TIME_RECOVERY_DISABLED"`) {
				t.Errorf("%s: the ledger can be brought back to an earlier time", path)
			}
		}
		for _, block := range schedule.FindAllString(string(text), -1) {
			if strings.Contains(block, "ledger") || strings.Contains(block, "for_each") {
				t.Errorf("%s: a backup schedule reaches the ledger, or does not say that it does not", path)
			}
		}
		return err
	})
	if err != nil || found == 0 {
		t.Errorf("%d ledgers, %v", found, err)
	}
}
