package house

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// alertsIn is where Terraform makes alerts, and operations the page that says what to do about each.
const (
	alertsIn   = root + "/terraform/modules/monitoring"
	operations = root + "/docs/operations.md"
)

// playbookParts are what every playbook says, in this order.
var playbookParts = []string{"What it means.", "First look.", "Likely causes", "How to mend.", "When it is over.", "What to tell."}

var (
	alertForm  = regexp.MustCompile(`(?s)resource "google_monitoring_alert_policy" "(\w+)" \{\n.*?\n\}`)
	budgetForm = regexp.MustCompile(`(?s)resource "google_billing_budget" "(\w+)" \{\n.*?\n\}`)
	linkForm   = regexp.MustCompile(`local\.playbook\["([a-z-]+)"\]`)
	nameForm   = regexp.MustCompile(`display_name\s+= ".*playbook ([a-z-]+)"`)
	keysForm   = regexp.MustCompile(`(?s)playbook = \{ for name in \[(.*?)\]`)
)

func playbookText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// alertTerraform is the text of all files of a Terraform folder.
func alertTerraform(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Terraform in %s: %v", folder, err)
	}
	var all strings.Builder
	for _, file := range files {
		all.WriteString(playbookText(t, file))
	}
	return all.String()
}

// linkedPlaybooks are the playbooks that alerts link, by the alert's name in Terraform, and what is wrong with the links.
func linkedPlaybooks(tf string) (by map[string]string, wrong []string) {
	by = map[string]string{}
	for _, block := range alertForm.FindAllStringSubmatch(tf, -1) {
		var names []string
		for _, link := range linkForm.FindAllStringSubmatch(block[0], -1) {
			names = append(names, link[1])
		}
		if len(names) != 2 || names[0] != names[1] || !strings.Contains(block[0], "url          = local.playbook[") {
			wrong = append(wrong, fmt.Sprintf("%s names the playbooks %v: one, in its words and in its link", block[1], names))
			continue
		}
		by[block[1]] = names[0]
	}
	for _, block := range budgetForm.FindAllStringSubmatch(tf, -1) {
		name := nameForm.FindStringSubmatch(block[0])
		if name == nil {
			wrong = append(wrong, block[1]+" is a budget whose name leads to no playbook")
			continue
		}
		by[block[1]] = name[1]
	}
	return by, wrong
}

// playbooks are the sections of the page below "Playbooks", by heading.
func playbooks(page string) map[string]string {
	_, rest, _ := strings.Cut(page, "\n## Playbooks\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	all := map[string]string{}
	for _, section := range strings.Split(rest, "\n### ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		all[heading] = body
	}
	return all
}

// unplayed compares what alerts link with what the page says, both ways.
func unplayed(by map[string]string, sections map[string]string) (wrong []string) {
	used := map[string]bool{}
	for alert, name := range by {
		used[name] = true
		if _, there := sections[name]; !there {
			wrong = append(wrong, fmt.Sprintf("%s links the playbook %s, which nobody wrote", alert, name))
		}
	}
	for name, body := range sections {
		if !used[name] {
			wrong = append(wrong, fmt.Sprintf("no alert links the playbook %s", name))
		}
		at := -1
		for _, part := range playbookParts {
			next := strings.Index(body, "**"+part)
			if next <= at {
				wrong = append(wrong, fmt.Sprintf("the playbook %s does not say %q in its place", name, part))
			}
			at = max(at, next)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// TestAlertsHavePlaybooks: whoever is woken by an alert finds a section of its name that says all six things, and no section
// is of an alert that is gone.
func TestAlertsHavePlaybooks(t *testing.T) {
	t.Parallel()
	tf := alertTerraform(t, alertsIn)
	by, wrong := linkedPlaybooks(tf)
	if len(by) < 15 {
		t.Fatalf("only %d alerts were found", len(by))
	}
	for _, what := range append(wrong, unplayed(by, playbooks(playbookText(t, operations)))...) {
		t.Error(what)
	}
	keys := keysForm.FindStringSubmatch(tf)
	if keys == nil {
		t.Fatal("the list of playbooks was not found")
	}
	for _, name := range regexp.MustCompile(`[a-z-]+`).FindAllString(keys[1], -1) {
		if !slices.Contains(namesLinked(by), name) {
			t.Errorf("%s is listed as a playbook, and no alert links it", name)
		}
	}
}

// Alerts are made in one place: one that a module makes by the way has no playbook, and nobody looks for it.
func TestAlertsAreInOnePlace(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(os.DirFS(root+"/terraform"), "*/*/*.tf")
	if more, wrong := fs.Glob(os.DirFS(root+"/terraform"), "*/*.tf"); err == nil {
		files, err = append(files, more...), wrong
	}
	if err != nil || len(files) < 20 {
		t.Fatalf("only %d files of Terraform were found: %v", len(files), err)
	}
	for _, file := range files {
		if !strings.HasPrefix(file, "modules/monitoring/") && alertForm.MatchString(playbookText(t, filepath.Join(root, "terraform", file))) {
			t.Errorf("%s makes an alert: module monitoring does", file)
		}
	}
}

func namesLinked(by map[string]string) (names []string) {
	for _, name := range by {
		names = append(names, name)
	}
	return names
}

// What the test above would not see must not be missed by it: each fault, planted, is told.
func TestPlaybooksAreMissed(t *testing.T) {
	t.Parallel()
	const alert = "resource \"google_monitoring_alert_policy\" \"a\" {\n  content = local.playbook[\"a\"]\n  url          = local.playbook[\"a\"]\n}\n"
	body := "**" + strings.Join(playbookParts, "** x\n**") + "** x"
	for name, c := range map[string]struct {
		tf       string
		sections map[string]string
		want     string
	}{
		"good":            {alert, map[string]string{"a": body}, ""},
		"no link":         {strings.Replace(alert, "url          = local.playbook[\"a\"]", "", 1), map[string]string{}, "a names the playbooks"},
		"two playbooks":   {strings.Replace(alert, "= local.playbook[\"a\"]", "= local.playbook[\"b\"]", 1), map[string]string{}, "a names the playbooks"},
		"nobody wrote it": {alert, map[string]string{}, "which nobody wrote"},
		"nobody links it": {alert, map[string]string{"a": body, "b": body}, "no alert links the playbook b"},
		"a part less":     {alert, map[string]string{"a": strings.Replace(body, "**How to mend.**", "", 1)}, "How to mend."},
		"another order":   {alert, map[string]string{"a": "**What to tell.** x\n" + strings.Replace(body, "**What to tell.**", "", 1)}, "in its place"},
		"a budget of old": {alert + "resource \"google_billing_budget\" \"m\" {\n  display_name = \"Ostiary\"\n}\n", map[string]string{"a": body}, "leads to no playbook"},
	} {
		by, wrong := linkedPlaybooks(c.tf)
		got := strings.Join(append(wrong, unplayed(by, c.sections)...), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestPlaybooksLinkWhatThereIs: a link inside of the page leads to one of its headings.
func TestPlaybooksLinkWhatThereIs(t *testing.T) {
	t.Parallel()
	page := playbookText(t, operations)
	var headings []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		headings = append(headings, strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-"))
	}
	links := regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(page, -1)
	if len(links) < 10 {
		t.Fatalf("only %d links were found", len(links))
	}
	for _, link := range links {
		if !slices.Contains(headings, link[1]) {
			t.Errorf("the page links #%s, which is no heading of it", link[1])
		}
	}
}

// TestPlaybooksNameCommandsThatExist: at night nobody guesses how a command is called today. Every word after ostiary is a
// command, every flag of those lines is one, and every gcloud says of which project, or organization, it speaks.
func TestPlaybooksNameCommandsThatExist(t *testing.T) {
	t.Parallel()
	page, source := playbookText(t, operations), writtenIn(t, "functions/ostiary")
	lines := regexp.MustCompile("`([^`\n]+)`|(?m)^(gcloud .+|ostiary .+)$").FindAllStringSubmatch(page, -1)
	commands := 0
	for _, line := range lines {
		for _, command := range regexp.MustCompile(` && | \| |; `).Split(line[1]+line[2], -1) {
			switch words := strings.Fields(command); {
			case len(words) > 1 && words[0] == "ostiary":
				commands++
				if !strings.Contains(source, `{"`+words[1]+`", `) {
					t.Errorf("%s: there is no such command", command)
				}
				for _, flag := range regexp.MustCompile(` --([a-z-]+)`).FindAllStringSubmatch(command, -1) {
					if !strings.Contains(source, `"`+flag[1]+`", `) {
						t.Errorf("%s: there is no flag --%s", command, flag[1])
					}
				}
			case len(words) > 3 && words[0] == "gcloud" && words[1] != "auth":
				commands++
				if !regexp.MustCompile(` --(project|organization)=| projects get-iam-policy \$`).MatchString(command) {
					t.Errorf("%s: of which project?", command)
				}
			}
		}
	}
	if commands < 40 {
		t.Errorf("only %d commands were found", commands)
	}
}

// writtenIn is the Go of a folder and all below it, but for tests.
func writtenIn(t *testing.T, folders ...string) string {
	t.Helper()
	var all strings.Builder
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// TestSentencesHaveAnAnswer: what functions write to wake somebody stands on the page with what to do, and the sentences that
// Terraform looks for are those that functions write.
func TestSentencesHaveAnAnswer(t *testing.T) {
	t.Parallel()
	source, answers := writtenIn(t, "functions", "shared"), playbooks(playbookText(t, operations))["critical"]
	written := regexp.MustCompile(`LevelCritical,\s*"([^"]+)"`).FindAllStringSubmatch(source, -1)
	if len(written) < 4 {
		t.Fatalf("only %d sentences were found", len(written))
	}
	for _, sentence := range written {
		if !strings.Contains(answers, "\n| "+sentence[1]) {
			t.Errorf("a function writes %q, and the page has no answer to it", sentence[1])
		}
	}
	list := regexp.MustCompile(`(?s)sentences = \[\n(.*?)\n  \]`).FindStringSubmatch(alertTerraform(t, alertsIn))
	if list == nil {
		t.Fatal("Terraform looks for no sentences")
	}
	for _, sentence := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(list[1], -1) {
		if !strings.Contains(source, `"`+sentence[1]) {
			t.Errorf("Terraform looks for %q, which no function writes", sentence[1])
		}
		if !strings.Contains(answers, "\n| "+sentence[1]) {
			t.Errorf("Terraform looks for %q, and the page has no answer to it", sentence[1])
		}
	}
}
