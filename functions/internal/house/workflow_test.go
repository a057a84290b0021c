package house

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// workflow is what these tests look at of a workflow of GitHub Actions.
type workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Env  map[string]string `yaml:"env"`
	Jobs map[string]job    `yaml:"jobs"`
}

type job struct {
	Needs       any               `yaml:"needs"`
	If          string            `yaml:"if"`
	Uses        string            `yaml:"uses"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Timeout     int               `yaml:"timeout-minutes"`
	Env         map[string]string `yaml:"env"`
	Outputs     map[string]string `yaml:"outputs"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	Name            string            `yaml:"name"`
	ID              string            `yaml:"id"`
	If              string            `yaml:"if"`
	Uses            string            `yaml:"uses"`
	With            map[string]any    `yaml:"with"`
	Env             map[string]string `yaml:"env"`
	Run             string            `yaml:"run"`
	ContinueOnError bool              `yaml:"continue-on-error"`
}

// needs are the jobs that have to succeed first.
func (j job) needs() []string {
	switch n := j.Needs.(type) {
	case string:
		return []string{n}
	case []any:
		var all []string
		for _, name := range n {
			all = append(all, name.(string))
		}
		return all
	}
	return nil
}

// runs are the commands of a job, one step after the other.
func (j job) runs() string {
	var all strings.Builder
	for _, s := range j.Steps {
		all.WriteString(s.Run + "\n")
	}
	return all.String()
}

const workflowFile = ".github/workflows/deploy.yml"

// wrong lists what is wrong with a workflow that deploys; nothing, if nothing is.
func wrong(text []byte) (all []string) {
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
		return []string{"it is not YAML: " + err.Error()}
	}
	tell := func(what ...string) { all = append(all, strings.Join(what, " ")) }
	if len(w.Permissions) > 0 || !bytes.Contains(text, []byte("\npermissions: {}\n")) {
		tell("the workflow itself has permissions")
	}
	if w.Concurrency.Group == "" || w.Concurrency.Cancel {
		tell("two deployments may run at once, or one is broken off")
	}
	if slices.ContainsFunc([]string{"pull_request", "pull_request_target", "workflow_run", "repository_dispatch", "issue_comment"}, func(event string) bool { _, on := w.On[event]; return on }) {
		tell("somebody who may not write to the repository starts it")
	}
	for _, secret := range []string{"secrets.", "credentials_json", "private_key", "GOOGLE_CREDENTIALS", "create_credentials_file: false"} {
		if bytes.Contains(text, []byte(secret)) {
			tell("it reads a long-lived credential:", secret)
		}
	}
	for name, j := range w.Jobs {
		all = append(all, j.wrong(name)...)
	}
	slices.Sort(all)
	return append(all, w.wayToLive()...)
}

var pinned = regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)

// wrong lists what is wrong with one job, whatever it does.
func (j job) wrong(name string) (all []string) {
	tell := func(what ...string) { all = append(all, name+": "+strings.Join(what, " ")) }
	if j.Permissions == nil || j.Timeout == 0 || j.Timeout > 90 {
		tell("its permissions or its time are not bounded")
	}
	if j.If != "" || j.Uses != "" {
		tell("it has a condition of its own, or its steps are elsewhere: what has to come before it could be left out")
	}
	asks := slices.ContainsFunc(j.Steps, func(s step) bool { return strings.HasPrefix(s.Uses, "google-github-actions/auth@") })
	for permission, level := range j.Permissions {
		switch {
		case permission == "contents" && level == "read", permission == "id-token" && level == "write" && asks:
		default:
			tell("it has the permission", permission, level)
		}
	}
	for _, s := range j.Steps {
		switch {
		case s.ContinueOnError:
			tell(s.Name, "goes on after an error")
		case s.Uses != "" && !pinned.MatchString(s.Uses):
			tell(s.Uses, "is not named by a commit")
		case strings.Contains(s.Run, "${{"):
			tell(s.Name, "puts an expression into a command: give it by env")
		case strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false:
			tell("the token of the repository stays behind after the checkout")
		case strings.Contains(s.Uses, "/auth@") && (s.With["workload_identity_provider"] == nil || s.With["service_account"] == nil):
			tell("it asks for credentials by something else than workload identity")
		}
	}
	return all
}

// wayToLive lists what is wrong with the way of a commit: tests, archives, staging, a look at it, a plan, live.
func (w workflow) wayToLive() (all []string) {
	tell := func(what string) { all = append(all, what) }
	way := []string{"test", "dist", "staging", "look-at-staging", "plan-live", "live", "look-at-live"}
	for i, name := range way[1:] {
		if !slices.Contains(w.Jobs[name].needs(), way[i]) {
			tell(name + " does not wait for " + way[i])
		}
	}
	if len(w.Jobs) != len(way) {
		tell("there are jobs beside the way")
	}
	for name, j := range w.Jobs {
		applies := strings.Contains(j.runs(), "terraform apply")
		if applies && j.Environment != name || !applies && j.Environment != "" {
			tell(name + ": who applies is a job of the environment of its name, and nobody else is")
		}
		account := ""
		for _, s := range j.Steps {
			if a, ok := s.With["service_account"].(string); ok {
				account = a
			}
		}
		if deploys := strings.HasSuffix(account, "_DEPLOY_ACCOUNT }}"); deploys != applies || account != "" && !strings.Contains(account, strings.ToUpper(strings.TrimPrefix(strings.TrimPrefix(name, "look-at-"), "plan-"))+"_") {
			tell(name + ": it works as " + account)
		}
		if packs := strings.Contains(j.runs(), "make dist"); packs != (name == "dist") {
			tell(name + ": archives are packed once, in dist")
		}
	}
	return append(all, w.sameDigests()...)
}

// sameDigests lists what could let live run something else than what was tested, tried in staging and approved.
func (w workflow) sameDigests() (all []string) {
	for _, name := range []string{"staging", "plan-live", "live"} {
		j := w.Jobs[name]
		runs := j.runs()
		at := strings.Index(runs, `echo "$RELEASE  dist/archives.json" | sha256sum --check --strict`)
		if at < 0 || j.Env["RELEASE"] != "${{ needs.dist.outputs.release }}" || !slices.Contains(j.needs(), "dist") || strings.Index(runs, "terraform plan") < at {
			all = append(all, name+": it plans archives whose list it has not compared with the release's digest")
		}
		if !strings.Contains(runs, `-var-file="$GITHUB_WORKSPACE/dist/archives.tfvars.json"`) || !strings.Contains(runs, "pack --fits") {
			all = append(all, name+": it plans other archives, or such as do not fit the manifests")
		}
		if !strings.Contains(runs, "-lockfile=readonly") {
			all = append(all, name+": it takes providers that nobody chose")
		}
	}
	live := w.Jobs["live"]
	if live.Env["APPROVED"] != "${{ needs.plan-live.outputs.changes }}" || !strings.Contains(live.runs(), `[ "$digest" != "$APPROVED" ]`) || !strings.Contains(live.runs(), `[ -z "$APPROVED" ]`) || strings.Contains(live.runs(), "-auto-approve") {
		all = append(all, "live: it applies what nobody approved")
	}
	jq := regexp.MustCompile(`jq -S -c '[^']+'`)
	if planned, applied := jq.FindString(w.Jobs["plan-live"].runs()), jq.FindString(live.runs()); planned == "" || planned != applied {
		all = append(all, "live: what is approved and what is applied are not measured alike")
	}
	return all
}

// The workflow that deploys keeps what docs/releasing.md says of it.
func TestDeployWorkflow(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, workflowFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range wrong(text) {
		t.Error(what)
	}
	version := regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+\n`)
	if uses := bytes.Count(text, []byte("uses: ")); uses == 0 || len(version.FindAll(text, -1)) != uses {
		t.Error("an action stands without its version beside its commit")
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs", "releasing.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range regexp.MustCompile(`vars\.([A-Z_]+)`).FindAllSubmatch(text, -1) {
		if !bytes.Contains(guide, append(append([]byte("`"), variable[1]...), '`')) {
			t.Errorf("docs/releasing.md does not say what the variable %s holds", variable[1])
		}
	}
}

// The workflow that scans has no right but to read, and deploys nothing.
func TestScanWorkflow(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, ".github/workflows/scan.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	if len(w.Permissions) > 0 || len(w.Jobs) != 1 || bytes.Contains(text, []byte("secrets.")) || bytes.Contains(text, []byte("id-token")) {
		t.Error("it has more than one job that reads the repository")
	}
	if _, nightly := w.On["schedule"]; !nightly {
		t.Error("what becomes known without a commit is not looked for")
	}
	for name, j := range w.Jobs {
		for _, what := range j.wrong(name) {
			t.Error(what)
		}
		for _, command := range []string{"make vulnerabilities\n", "make lint\n"} {
			if !strings.Contains(j.runs(), command) {
				t.Errorf("%s does not run %s", name, command)
			}
		}
	}
}

// Each of these changes would let something through that nobody should deploy by.
func TestDeployWorkflowSpoiled(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, workflowFile))
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string][2]string{
		"not named by a commit":            {"actions/setup-go@44694675825211faa026b3c33043df3e48a5fa00", "actions/setup-go@v6"},
		"the workflow itself":              {"permissions: {}", "permissions:\n  contents: write"},
		"long-lived credential":            {"service_account: ${{ vars.LIVE_DEPLOY_ACCOUNT }}", "credentials_json: ${{ secrets.KEY }}"},
		"by something else than workload":  {"          service_account: ${{ vars.LIVE_DEPLOY_ACCOUNT }}\n", ""},
		"has the permission contents":      {"contents: read", "contents: write"},
		"may not write to the repository":  {"  push:", "  pull_request_target:"},
		"stays behind after the checkout":  {"persist-credentials: false", "persist-credentials: true"},
		"puts an expression":               {`"$ARCHIVES"`, `"${{ inputs.release }}"`},
		"goes on after an error":           {"      - name: Pack every function\n", "      - name: Pack every function\n        continue-on-error: true\n"},
		"two deployments may run at once":  {"cancel-in-progress: false", "cancel-in-progress: true"},
		"are not bounded":                  {"    timeout-minutes: 20\n", ""},
		"has a condition of its own":       {"    needs: [dist, plan-live]\n", "    needs: [dist, plan-live]\n    if: always()\n"},
		"live does not wait for plan-live": {"needs: [dist, plan-live]", "needs: [dist, staging]"},
		"environment of its name":          {"    environment: live\n", ""},
		"it works as":                      {"vars.LIVE_PLAN_ACCOUNT", "vars.LIVE_DEPLOY_ACCOUNT"},
		"packed once":                      {"run: go run ./functions/pack --upload", "run: make dist && go run ./functions/pack --upload"},
		"compared with the release's":      {"sha256sum --check --strict", "sha256sum --check"},
		"do not fit the manifests":         {"go run ./functions/pack --fits", "true"},
		"providers that nobody chose":      {"-lockfile=readonly ", ""},
		"what nobody approved":             {`[ "$digest" != "$APPROVED" ]`, "false"},
		"not measured alike":               {`select(.change.actions != ["no-op"]) | {address, change}`, `select(.change.actions != ["no-op"]) | {address}`},
		"jobs beside the way":              {"  look-at-live:\n", "  another:\n    permissions: {}\n    timeout-minutes: 1\n  look-at-live:\n"},
	} {
		spoiled := strings.Replace(string(text), change[0], change[1], 1)
		if spoiled == string(text) {
			t.Errorf("%s: there is nothing to change", what)
		}
		if found := wrong([]byte(spoiled)); !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, what) }) {
			t.Errorf("%s: found is %q", what, found)
		}
	}
}
