package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
)

const driftArgs = "--assets FILE [--state FILE] [--plan FILE] [--policy DIR] [--every] [--all-read] [--unmanaged] [--json]"

const driftExits = `
exit codes: 0 no drift, 1 drift, 2 nothing found but something could not be told, 64 usage

FILE of --assets is what "gcloud asset export" or "gcloud asset list --format=json" writes, with content type resource or
iam-policy; give it once for each file, - for standard input, .gz as it is.
FILE of --state is what "terraform state pull" writes, of --plan what "terraform show -json" writes.
Nothing is repaired: a command that would do so is printed.`

// drift holds what there is on Google Cloud against the assertions of a policy, and against what Terraform wants.
func drift(_ context.Context, t terminal, args []string) int {
	var assets, states, plans []string
	several := func(name, usage string, into *[]string) {
		t.flags.Func(name, usage, func(s string) error {
			if s == "" {
				return errors.New("it names no file")
			}
			*into = append(*into, s)
			return nil
		})
	}
	several("assets", "export or list of Cloud Asset Inventory; may be repeated", &assets)
	several("state", "state of Terraform, version 4; may be repeated", &states)
	several("plan", "plan or state of Terraform as JSON; may be repeated", &plans)
	folder := t.flags.String("policy", "", "policy folder; its assertions are judged. Left out: policy, where it is there")
	allRead := t.flags.Bool("all-read", false, "the assets are all there are, of every type: of a type without any there is none")
	unmanaged := t.flags.Bool("unmanaged", false, "tell what Terraform does not know too")
	every := t.flags.Bool("every", false, "judge assertions that keep no promise of the policy too")
	asJSON := t.flags.Bool("json", false, "print one JSON object: counts, findings, judgements, gaps")
	usage := t.flags.Usage
	t.flags.Usage = func() {
		usage()
		fmt.Fprintln(t.flags.Output(), driftExits)
	}
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	if len(assets) == 0 {
		return t.usage("--assets: say which file holds what there is, such as the output of: gcloud asset export")
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
	inventory, err := r.read(t.err, assets)
	if err == nil {
		err = r.compare(slices.Concat(states, plans), inventory, *unmanaged)
	}
	if err == nil && p != nil {
		err = r.judge(p, *every, &baseline.Live{Inventory: inventory, Now: r.now, Read: func(string) bool { return *allRead }})
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

// driftPolicy loads the policy that was named, or the one that is there; nil for none.
func driftPolicy(folder string) (*policy.Policy, error) {
	named := folder != ""
	if !named {
		folder = "policy"
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("finding the policy folder: %w", err)
	}
	if _, err := os.Stat(absolute); !named && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	p, problems, err := policy.Load(os.DirFS(filepath.Dir(absolute)), filepath.Base(absolute))
	if err != nil {
		return nil, err
	}
	return p, policy.Refuse(problems)
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

	set *baseline.Set
	by  map[string][]string // promises by assertion
	now time.Time
}

// mostUnread is how many assets that cannot be read are named.
const mostUnread = 50

func (r *driftReport) read(errs io.Writer, files []string) (*asset.Inventory, error) {
	var total int64
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			total += info.Size()
		}
	}
	bar := progressOn(errs, total)
	defer bar.end()
	inventory := asset.NewInventory()
	r.Counts = map[string]int{}
	for _, file := range files {
		in, err := openLog(file, bar)
		if err != nil {
			return nil, err
		}
		// When a file was written is the best anybody knows of when its facts were true.
		read := r.now
		if info, err := os.Stat(file); err == nil {
			read = info.ModTime()
		}
		for a, err := range asset.Decode(in, read, inventory.Names()) {
			if err == nil {
				inventory.Add(a)
				continue
			}
			if r.Counts["unread"]++; len(r.Unread) < mostUnread {
				r.Unread = append(r.Unread, file+": "+err.Error())
			}
		}
		if err := in.Close(); err != nil {
			return nil, fmt.Errorf("closing %s: %w", file, err)
		}
	}
	inventory.Settle()
	r.Assets = inventory.Len()
	return inventory, nil
}

func (r *driftReport) compare(files []string, live *asset.Inventory, unmanaged bool) error {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return fmt.Errorf("making a salt: %w", err)
	}
	all := diff.Desired{Other: map[string]int{}}
	for _, file := range files {
		in, err := openLog(file, &progress{})
		if err != nil {
			return err
		}
		one, err := diff.Read(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		all.Resources = append(all.Resources, one.Resources...)
		for name, n := range one.Other {
			all.Other[name] += n
		}
	}
	if len(files) == 0 {
		return nil
	}
	found := diff.Compare(all, live, diff.Options{Salt: salt, Unmanaged: unmanaged})
	r.Findings, r.Gaps = found.Findings, found.Gaps
	slices.SortStableFunc(r.Findings, func(a, b diff.Finding) int { return weight(a.Severity) - weight(b.Severity) })
	for _, n := range found.Compared {
		r.Compared += n
	}
	for _, f := range found.Findings {
		r.Counts["findings "+string(f.Class)]++
	}
	return nil
}

func (r *driftReport) judge(p *policy.Policy, every bool, live *baseline.Live) error {
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
	for _, j := range set.Scan(live) {
		r.Counts["assertions "+string(j.Verdict)]++
		if j.Verdict == baseline.OutOfOrder || j.Verdict == baseline.Undetermined {
			r.Judgements = append(r.Judgements, j)
		}
	}
	slices.SortStableFunc(r.Judgements, func(a, b baseline.Judgement) int { return weight(a.Severity) - weight(b.Severity) })
	return nil
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
	a, _ := r.set.Get(j.Assertion)
	if a.Repair == "" || j.Key == "" || j.Verdict != baseline.OutOfOrder {
		return ""
	}
	command := strings.ReplaceAll(a.Repair, "{name}", asset.Base(j.Key))
	for _, part := range []string{"locations", "regions", "zones"} {
		if _, rest, found := strings.Cut(j.Key, "/"+part+"/"); found {
			location, _, _ := strings.Cut(rest, "/")
			command = strings.ReplaceAll(command, "{location}", location)
		}
	}
	if project := asset.ProjectOf(j.Key); project != "" {
		command += " --project=" + project
	}
	return strings.ReplaceAll(strings.ReplaceAll(command, "{", ""), "}", "")
}
