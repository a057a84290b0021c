package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/scan"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
)

const driftArgs = "--assets FILE | --project ID | --scope SCOPE [--state FILE] [--plan FILE] [--policy DIR] [--every] [--all-read] [--unmanaged] [--json] [--sarif FILE]"

const driftExits = `
exit codes: 0 no drift, 1 drift, 2 nothing found but something could not be told, 64 usage

FILE of --assets is what "gcloud asset export" or "gcloud asset list --format=json" writes, with content type resource or
iam-policy; give it once for each file, - for standard input, .gz as it is. With --project or --scope (organizations/NUMBER,
folders/NUMBER, projects/ID) the same is listed now, with your own rights: roles/cloudasset.viewer is enough. Both may be repeated.
FILE of --state is what "terraform state pull" writes, or gs://BUCKET/PATH.tfstate; of --plan what "terraform show -json" writes:
it tells code that nobody applied yet from what somebody changed.
Nothing is repaired: a command that would do so is printed.`

// drift holds what there is on Google Cloud against the assertions of a policy, and against what Terraform wants.
func drift(ctx context.Context, t terminal, args []string) int {
	var assets, projects, scopes, states, plans []string
	several := func(name, usage string, into *[]string) {
		t.flags.Func(name, usage, func(s string) error {
			if s == "" {
				return errors.New("it names nothing")
			}
			*into = append(*into, s)
			return nil
		})
	}
	several("assets", "export or list of Cloud Asset Inventory; may be repeated", &assets)
	several("project", "id of a project to list now; may be repeated", &projects)
	several("scope", "organization, folder or project to list now; may be repeated", &scopes)
	several("state", "state of Terraform, version 4; may be repeated", &states)
	several("plan", "plan or state of Terraform as JSON; may be repeated", &plans)
	folder := t.flags.String("policy", "", "policy folder; its assertions are judged. Left out: policy, where it is there")
	allRead := t.flags.Bool("all-read", false, "the assets are all there are, of every type: of a type without any there is none")
	unmanaged := t.flags.Bool("unmanaged", false, "tell what Terraform does not know too")
	every := t.flags.Bool("every", false, "judge assertions that keep no promise of the policy too")
	sarif := t.flags.String("sarif", "", "file to write what was found to, as SARIF 2.1.0")
	asJSON := t.flags.Bool("json", false, "print one JSON object: counts, findings, judgements, gaps")
	t.explain(driftExits)
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	for _, id := range projects {
		scopes = append(scopes, "projects/"+id)
	}
	if len(assets)+len(scopes) == 0 {
		return t.usage("--assets: say which file holds what there is, such as the output of: gcloud asset export; or list it now with --project or --scope")
	}
	p, err := driftPolicy(*folder)
	if err != nil {
		t.fail(err)
		return exitUnclear
	}
	if p == nil && len(states)+len(plans) == 0 {
		return t.usage("there is nothing to hold the assets against: name a policy folder with --policy, or a state with --state")
	}
	r := &driftReport{Policy: p != nil, now: clock.System{}.Now()}
	wanted := slices.Concat(states, plans)
	if err := r.find(ctx, t.err, p, *every, driftSources{assets: assets, scopes: scopes, wanted: wanted, allRead: *allRead, unmanaged: *unmanaged}); err != nil {
		t.fail(err)
		return exitUnclear
	}
	if *sarif != "" {
		state := ""
		if len(wanted) == 1 && wanted[0] != "-" {
			state = wanted[0]
		}
		err = r.sarif(*sarif, state)
	}
	if err == nil {
		err = r.print(t, *asJSON)
	}
	if err != nil {
		t.fail(err)
		return exitUnclear
	}
	return r.code()
}

// driftSources are where everything comes from.
type driftSources struct {
	assets, scopes, wanted []string
	allRead, unmanaged     bool
}

// find reads everything, compares and judges.
func (r *driftReport) find(ctx context.Context, errs io.Writer, p *policy.Policy, every bool, from driftSources) error {
	r.salt = make([]byte, 16)
	if _, err := rand.Read(r.salt); err != nil {
		return fmt.Errorf("making a salt: %w", err)
	}
	if err := r.assertions(p, every); err != nil {
		return err
	}
	inventory, err := r.read(errs, from.assets)
	if err != nil {
		return err
	}
	var listed []string
	if len(from.scopes) > 0 {
		listed = r.kinds(len(from.wanted) > 0)
		if err := r.live(ctx, errs, from.scopes, listed, inventory); err != nil {
			return err
		}
	}
	if err := r.compare(ctx, errs, from.wanted, inventory, from.unmanaged); err != nil {
		return err
	}
	if p != nil {
		r.judge(r.facts(inventory, listed, from.allRead))
	}
	return nil
}

// driftPolicy loads the policy that was named, or the one that is there; nil for none.
func driftPolicy(folder string) (*policy.Policy, error) {
	const usual = "policy"
	if _, err := os.Stat(usual); folder == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return readPolicy(cmp.Or(folder, usual))
}

// driftReport is what the command found.
type driftReport struct {
	Policy     bool                 `json:"policy"` // assertions were judged
	Assets     int                  `json:"assets"`
	Compared   int                  `json:"compared"` // resources of Terraform
	Counts     map[string]int       `json:"counts"`   // such as "assertions in_order" and "findings changed"
	Findings   []diff.Finding       `json:"findings"`
	Judgements []baseline.Judgement `json:"judgements"` // out of order, or undetermined
	Gaps       []diff.Gap           `json:"gaps"`
	Unread     []string             `json:"unread"` // assets that could not be read, and why

	set     *baseline.Set
	by      map[string][]string   // promises by assertion
	told    map[string]driftValue // what was found out of order by an assertion, by its id
	salt    []byte                // of marks of what is not shown
	hidden  map[string][]string   // paths of what Terraform calls sensitive, by asset
	now     time.Time
	part    bool     // something less than an organization was listed
	doubted []string // types of which there may be more than was read
	dark    bool     // of any type there may
}

// assertions loads those of a policy: all of them, or those that keep a promise.
func (r *driftReport) assertions(p *policy.Policy, every bool) error {
	if p == nil {
		return nil
	}
	set, problems := baseline.Load(p)
	if err := policy.Refuse(problems); err != nil {
		return err
	}
	if !every {
		set = set.Promised()
	}
	r.set, r.by = set, map[string][]string{}
	for _, promise := range p.Promises {
		for _, k := range promise.KeptBy {
			for _, name := range k.Refs {
				if k.Mechanism == policy.Assertion {
					r.by[name] = append(r.by[name], promise.ID)
				}
			}
		}
	}
	return nil
}

// driftValue is what an assertion wants, and what there is.
type driftValue struct {
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`
}

// secret are the paths of what Terraform calls sensitive of an asset.
func (r *driftReport) secret(key string) []string { return r.hidden[key] }

func (r *driftReport) judge(live *baseline.Live) {
	r.told = map[string]driftValue{}
	for _, j := range r.set.Scan(live) {
		r.Counts["assertions "+string(j.Verdict)]++
		if j.Verdict == baseline.OutOfOrder || j.Verdict == baseline.Undetermined {
			r.Judgements = append(r.Judgements, j)
		}
		if j.Verdict == baseline.OutOfOrder {
			want, got := scan.Teller{Set: r.set, Salt: r.salt, Secret: r.secret}.Told(live, j)
			r.told[judgedID(j)] = driftValue{want, got}
		}
	}
	slices.SortStableFunc(r.Judgements, func(a, b baseline.Judgement) int { return weight(a.Severity) - weight(b.Severity) })
}

// judgedID is the id of what an assertion found, the same at every run and everywhere else.
func judgedID(j baseline.Judgement) string {
	return finding.ID(j.Key, finding.About(j.Assertion, j.Promise))
}

// weight puts the worst first.
func weight(s policy.Severity) int {
	return slices.Index([]policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info}, s)
}

// code is the exit code: what is found is certain, whatever else could not be told.
func (r *driftReport) code() int {
	drifted := slices.ContainsFunc(r.Findings, func(f diff.Finding) bool { return f.Class != diff.Undetermined }) || r.Counts["assertions "+string(baseline.OutOfOrder)] > 0
	switch {
	case drifted:
		return exitWrong
	case len(r.Findings)+len(r.Judgements)+len(r.Gaps)+len(r.Unread) > 0, r.Assets == 0:
		return exitUnclear
	}
	return exitGood
}

// repair is the command that would mend what an assertion found, with what is known of the asset filled in.
func (r *driftReport) repair(j baseline.Judgement) string {
	if j.Verdict != baseline.OutOfOrder {
		return ""
	}
	return r.set.Repair(j.Assertion, j.Promise, j.Key)
}
