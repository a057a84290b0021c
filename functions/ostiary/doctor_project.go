package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"ostiary.internal/functions/internal/every"
	"ostiary.internal/functions/ostiary/internal/checkup"
	"ostiary.internal/shared/drift/asset/cloudasset"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/watch/rule"
)

// examination is what the flags of "ostiary doctor --project" say.
type examination struct {
	checkup.Options
	policy, archives string
	asJSON           bool
}

// flags adds what goes with --project to those of the command.
func (e *examination) flags(t terminal) {
	t.flags.StringVar(&e.Project, "project", "", "id of the project of the functions: examine what is deployed there")
	t.flags.StringVar(&e.Evidence, "evidence", "", "id of the project of the evidence log and the signing keys; that of the key that signs by default")
	t.flags.StringVar(&e.Watchdog, "watchdog", "", "id of the project of the watchdog")
	t.flags.StringVar(&e.archives, "archives", "", "dist/archives.json of the release that ought to run; what the deployment says of itself by default")
	several := func(name, usage, allowed string, right func(string) bool, into *[]string) {
		t.flags.Func(name, usage, func(text string) error {
			for _, one := range strings.Split(text, ",") {
				if one = strings.TrimSpace(one); !right(one) {
					return fmt.Errorf("%q is none; %s", one, allowed)
				}
				*into = append(*into, one)
			}
			return nil
		})
	}
	several("skip", "leave out an area: "+strings.Join(checkup.Areas(), ", ")+"; may be repeated", "areas are "+strings.Join(checkup.Areas(), ", "), func(s string) bool { return slices.Contains(checkup.Areas(), s) }, &e.Skip)
	several("deploys", "account that deploys, and so may act as the functions' own; may be repeated", "an account is an address, such as deploy-live@acme-ostiary-bootstrap.iam.gserviceaccount.com", func(s string) bool { return strings.Contains(s, "@") }, &e.Deploys)
}

var projectForm = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]$`)

// run examines the installation, prints what was found, and returns the exit code.
func (e *examination) run(ctx context.Context, t terminal) int {
	for _, id := range []string{e.Project, e.Evidence, e.Watchdog} {
		if id != "" && !projectForm.MatchString(id) {
			return t.usage("%q is no id of a project", id)
		}
	}
	if err := e.prepare(t); err != nil {
		return t.fail(err) + exitUnclear - exitWrong
	}
	bar, mu := progressOn(t.err, 0), sync.Mutex{}
	bar.begin("asking "+e.Project, "requests", 0)
	e.Asked = func() {
		mu.Lock()
		defer mu.Unlock()
		bar.read(1)
	}
	if e.Client == nil {
		e.Client = cloudasset.Client
	}
	found, err := checkup.Examine(ctx, e.Options)
	mu.Lock()
	bar.end()
	mu.Unlock()
	if err == nil {
		err = printExamination(t.out, found, e.asJSON)
	}
	if err != nil {
		return t.fail(err) + exitUnclear - exitWrong
	}
	return map[checkup.State]int{checkup.OK: exitGood, checkup.Wrong: exitWrong, checkup.Undetermined: exitUnclear}[found.State]
}

// prepare reads what is compared: the manifests of this release, what its databases keep, and, where they are named, the policy
// and the archives.
func (e *examination) prepare(t terminal) (err error) {
	e.Clock = clock.System{}
	for _, f := range functions {
		e.Manifests = append(e.Manifests, f.Manifest)
	}
	if e.Schemas, err = every.Schemas(functions); err != nil {
		return err
	}
	if e.archives != "" {
		if e.Released, err = released(e.archives); err != nil {
			return err
		}
	}
	given := false
	t.flags.Visit(func(f *flag.Flag) { given = given || f.Name == "policy" })
	if !given {
		return nil
	}
	p, err := readPolicy(e.policy)
	if err != nil {
		return err
	}
	set, problems := rule.Load(p)
	for _, problem := range problems {
		if !problem.Dangling {
			return fmt.Errorf("reading the rules: %s", problem)
		}
	}
	e.Blind = func(on, streams []string) []rule.Need { return set.Blind(rule.Written(on, streams)) }
	return nil
}

var archiveDigest = regexp.MustCompile(`[0-9a-f]{64}`)

// released are the digests of the code that ought to run, by function, as make dist lists them: in archives.json, or by the names of the
// archives in archives.tfvars.json.
func released(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--archives: %w", err)
	}
	var list struct {
		Functions map[string]struct {
			Digest string `json:"digest"`
		} `json:"functions"`
		Archives struct {
			Objects map[string]string `json:"objects"`
		} `json:"archives"`
	}
	if json.Unmarshal(data, &list) != nil || len(list.Functions)+len(list.Archives.Objects) == 0 {
		return nil, fmt.Errorf("--archives: %s lists no archives; take the dist/archives.json that make dist wrote", file)
	}
	all := map[string]string{}
	for name, f := range list.Functions {
		all[name] = archiveDigest.FindString(f.Digest)
	}
	for name, object := range list.Archives.Objects {
		all[name] = archiveDigest.FindString(object)
	}
	for name, digest := range all {
		if digest == "" {
			return nil, fmt.Errorf("--archives: the archive of %s has no digest; take the dist/archives.json that make dist wrote", name)
		}
		all[name] = "sha256:" + digest
	}
	return all, nil
}
