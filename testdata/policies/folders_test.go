package policies_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/intake"
	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/testdata/policies"
)

func load(t *testing.T, fsys fs.FS, dir string) *policy.Policy {
	t.Helper()
	p, problems, err := policy.Load(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	told(t, problems)
	return p
}

func told(t *testing.T, problems []policy.Problem) {
	t.Helper()
	for _, problem := range problems {
		t.Error(problem)
	}
}

// folders returns the names of all sample folders.
func folders(t *testing.T) []string {
	t.Helper()
	found, err := fs.ReadDir(policies.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, folder := range found {
		names = append(names, folder.Name())
	}
	return names
}

func TestEveryFolderIsInOrder(t *testing.T) {
	t.Parallel()
	host := regexp.MustCompile(`[a-z0-9.-]+@([a-z0-9.-]+)|https?://([a-z0-9.-]+)`)
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			p := load(t, policies.FS, folder)
			rules, problems := access.ReadRules(p)
			told(t, problems)
			// The control is on where the page promises what it does, and nowhere else.
			if promised := slices.ContainsFunc(p.Promises, isAccess); rules.On != promised {
				t.Errorf("the access control is on: %v, and promised: %v", rules.On, promised)
			}
			told(t, slices.Concat(p.Remarks(), rule.Remarks(p), baseline.Remarks(p)))
			if says, problems := breach.Read(p); !says.On || len(problems) > 0 {
				t.Errorf("what is done about a breach: %v", problems)
			}
			if _, found := p.Read("README.md"); !found {
				t.Error("nothing says what is expressed as what")
			}
			for name, data := range p.Packed() {
				for _, found := range host.FindAllStringSubmatch(string(data), -1) {
					if host := found[1] + found[2]; !strings.HasSuffix(host, ".example") && !(isTested(name) && isGoogle(host)) && !ownAccount(p, name, host) && !isPortal(name, host) {
						t.Errorf("%s names %s, a host that somebody may own", name, found[0])
					}
				}
			}
			for _, role := range []policy.Role{policy.Employee, policy.Manager, policy.Security, policy.DPO, policy.OnCall, policy.Owner} {
				if !slices.ContainsFunc(p.People, func(person policy.Person) bool { return person.Has(role) }) {
					t.Errorf("nobody has the role %s", role)
				}
			}
		})
	}
}

// isTested holds for files with cases of their own: rules and assertions.
func isTested(file string) bool {
	return strings.Contains(file, "/rules/") || strings.Contains(file, "/baseline/")
}

// isGoogle holds for hosts that Google gives to accounts and functions of any project, and for its own.
func isGoogle(host string) bool {
	return strings.HasSuffix(host, ".gserviceaccount.com") || host == "www.googleapis.com" || strings.HasSuffix(host, ".run.app")
}

// isPortal holds for the public bodies that breaches are reported to: an invented one would teach nothing.
func isPortal(file, host string) bool {
	return strings.HasSuffix(file, "/breach.yaml") && slices.Contains([]string{
		"notifications.cnil.fr", "www.lda.bayern.de", "ico.org.uk", "www.autoriteprotectiondonnees.be", "oag.ca.gov", "formsnym.ag.ny.gov",
	}, host)
}

// ownAccount holds for the host of accounts in one of the company's projects, where services.yaml names programs.
func ownAccount(p *policy.Policy, file, host string) bool {
	return strings.HasSuffix(file, "/services.yaml") && slices.ContainsFunc(p.Company.Environments, func(e policy.Environment) bool {
		return host == e.Project+".iam.gserviceaccount.com"
	})
}

func isAccess(p policy.Promise) bool {
	return slices.ContainsFunc(p.KeptBy, func(k policy.Keeper) bool {
		return k.Mechanism == policy.Records && slices.Contains([]string{"ip-allowlist", "ip-daily", "otp-gate"}, k.Refs[0])
	})
}

// TestDutiesAndPromisesAgree: a duty lists the promises it keeps or renews a certificate for, and no others.
func TestDutiesAndPromisesAgree(t *testing.T) {
	t.Parallel()
	for _, folder := range folders(t) {
		p := load(t, policies.FS, folder)
		rules, problems := duty.ReadRules(p)
		told(t, problems)
		var file struct {
			Duties []struct {
				ID       string   `yaml:"id"`
				Promises []string `yaml:"promises"`
			} `yaml:"duties"`
		}
		data, _ := p.Read(duty.File)
		if err := yaml.Unmarshal(data, &file); err != nil || len(file.Duties) != len(rules.Duties) {
			t.Fatalf("%s: reading what the duties list: %v", folder, err)
		}
		for i, listed := range file.Duties {
			kept := slices.Concat(rules.Duties[i].Promises, rules.Duties[i].Certificates)
			slices.Sort(kept)
			slices.Sort(listed.Promises)
			if !slices.Equal(slices.Compact(kept), listed.Promises) {
				t.Errorf("%s: %s lists %v, and those that name it are %v", folder, listed.ID, listed.Promises, kept)
			}
		}
	}
}

// TestSourcesAreHeard: a source speaks of promises that what it sends can prove, with the limits they set, and one event
// does one duty.
func TestSourcesAreHeard(t *testing.T) {
	t.Parallel()
	for _, folder := range folders(t) {
		p := load(t, policies.FS, folder)
		rules, _ := duty.ReadRules(p)
		told(t, intake.Check(p, rules))
	}
}

// TestLimitsAreMeasured: a sentence about the code of an application takes no run of just any suite or scanner.
func TestLimitsAreMeasured(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		folder, id string
		by, notBy  string
	}{
		{"bepark", "P41", "build.scanned", "build.tested"}, {"bepark", "P53", "build.scanned", "build.tested"},
		{"bookafy", "B100", "build.scanned", "build.tested"}, {"bookafy", "B101", "build.tested", "build.scanned"},
		{"bookafy", "B48", "uptime.report", "scan.finished"}, {"bepark", "P27", "uptime.report", "scan.finished"},
		{"bookafy", "B116", "backup.restored", "backup.completed"}, {"bookafy", "B46", "build.tested", "release.deployed"},
		{"bookafy", "B43", "release.deployed", "build.tested"}, {"bepark", "P37", "release.deployed", "build.tested"},
		{"bookafy", "B16", "backup.completed", "backup.restored"}, {"bookafy", "B97", "scan.finished", "uptime.report"},
		{"bepark", "P63", "review.done", "pentest.report"}, {"bepark", "P69", "review.done", "person.nda"},
	} {
		p := load(t, policies.FS, test.folder)
		rules, _ := duty.ReadRules(p)
		promise, _ := p.Promise(test.id)
		heard := false
		for _, source := range p.Sources {
			if !slices.Contains(source.Promises, test.id) {
				continue
			}
			takes, _ := intake.Takes(p, rules, source, promise, test.by)
			heard = heard || takes && slices.Contains(source.Types, test.by)
			if takes, _ := intake.Takes(p, rules, source, promise, test.notBy); takes {
				t.Errorf("%s: %s proves %s", test.folder, test.notBy, test.id)
			}
		}
		if !heard {
			t.Errorf("%s: %s cannot prove %s", test.folder, test.by, test.id)
		}
	}
}

func TestStarterStandsAlone(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	if err := os.CopyFS(filepath.Join(parent, "acme"), policies.Starter()); err != nil {
		t.Fatal(err)
	}
	p := load(t, os.DirFS(parent), "acme")
	if p.Company.Extends != "" || len(p.Gateways) != 1 {
		t.Errorf("the starter extends %q and has %d gateways", p.Company.Extends, len(p.Gateways))
	}
	used := map[policy.Mechanism]bool{}
	for _, promise := range p.Promises {
		for _, k := range promise.KeptBy {
			used[k.Mechanism] = true
		}
	}
	if len(used) != 8 {
		t.Errorf("the starter shows %v, not every mechanism", used)
	}
	if err := os.CopyFS(filepath.Join(parent, "acme"), policies.Starter()); err == nil {
		t.Error("copying twice overwrote what somebody had edited")
	}
}
