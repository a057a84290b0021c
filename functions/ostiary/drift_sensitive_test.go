package main_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const sensitiveAssets = `[{"name":"//cloudsql.googleapis.com/projects/sharedcontacts-live/instances/support","assetType":"sqladmin.googleapis.com/Instance","ancestors":["projects/123456789012","organizations/1"],
	"resource":{"location":"europe-west1","data":{"name":"support","project":"sharedcontacts-live","region":"europe-west1","settings":{"ipConfiguration":{"ipv4Enabled":true}}}}}]`

// TestSensitiveInAssertion: what Terraform calls sensitive is a mark in what an assertion found too, and is shown where it does not.
func TestSensitiveInAssertion(t *testing.T) {
	t.Parallel()
	const steps = `[{"type":"get_attr","value":"database_version"}]`
	for name, c := range map[string]struct {
		steps string
		shown bool
	}{
		"sensitive": {`[{"type":"get_attr","value":"settings"},{"type":"index","value":{"value":0,"type":"number"}},{"type":"get_attr","value":"ip_configuration"}]`, false},
		"a list":    {`[{"type":"get_attr","value":"settings"},{"type":"index","value":0},{"type":"get_attr","value":"ip_configuration"},{"type":"index","value":0},{"type":"get_attr","value":"ipv4_enabled"}]`, false},
		"beside":    {`[{"type":"get_attr","value":"settings"},{"type":"index","value":0},{"type":"get_attr","value":"tier"}]`, true},
	} {
		dir := t.TempDir()
		assets, state := filepath.Join(dir, "assets.json"), filepath.Join(dir, "terraform.tfstate")
		write(t, assets, sensitiveAssets)
		write(t, state, strings.Replace(sownState, steps, c.steps, 1))
		out, _ := exec.Command(binary, "drift", "--json", "--assets", assets, "--state", state, "--policy", filepath.Join(samples, "sharedcontacts"), "--every").Output()
		if strings.Contains(string(out), "ipv4Enabled: true") != c.shown || !strings.Contains(string(out), `"got": "settings.ipConfiguration.ipv4Enabled: `) {
			t.Errorf("%s: %.3000s", name, out)
		}
	}
}
