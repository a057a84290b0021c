package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/policy/dir"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/intake"
	"ostiary.internal/shared/trust/probe"
	"ostiary.internal/shared/watch/rule"
)

// problemsOf are all problems of a policy folder, those of the controls' own files included, and apart from them the remarks.
func problemsOf(folder string) (problems, remarks []policy.Problem, err error) {
	p, problems, err := policy.Check(context.Background(), dir.URL(folder))
	if err != nil {
		return nil, nil, err
	}
	_, ofAccess := access.ReadRules(p)
	_, ofLogs := rule.Mappings(p)
	rules, ofDuties := duty.ReadRules(p)
	m, ofMap := datamap.Read(p)
	all := policy.Sort(slices.Concat(problems, ofAccess, ofLogs, rule.Lint(context.Background(), p), baseline.Lint(p), ofDuties, references(p, rules), intake.Check(p, rules),
		ofMap, datamap.Check(p, m), breach.Check(p, clock.System{}.Now()), breachTexts(p), probe.Check(p), p.Remarks(), rule.Remarks(p), baseline.Remarks(p), callees(p)))
	problems = nil
	for _, problem := range all {
		if problem.Remark {
			remarks = append(remarks, problem)
		} else {
			problems = append(problems, problem)
		}
	}
	return problems, remarks, nil
}

// references are what promises are kept by and is not there. Where a control is off it is a remark: the policy may be the first
// part of one. So it is of records, as a source of the company's own may send them.
func references(p *policy.Policy, rules duty.Rules) (all []policy.Problem) {
	var duties []string
	for _, d := range rules.Duties {
		duties = append(duties, d.ID)
	}
	watch, drift := named(p, "rules"), named(p, "baseline")
	for _, known := range []struct {
		mechanism policy.Mechanism
		names     []string
		on        bool
		off       string
	}{
		{policy.Rule, watch, len(watch) > 0, "a file of rules/, which has none"},
		{policy.Assertion, drift, len(drift) > 0, "a file of baseline/, which has none"},
		{policy.Duty, duties, rules.On, "an entry of duties.yaml, which is not there"},
		// A certificate is renewed by the duty of its name.
		{policy.Certificate, duties, rules.On, "the duty of duties.yaml that renews it, which is not there"},
		{policy.Records, policy.Checks(), false, ""},
	} {
		for _, problem := range p.References(map[policy.Mechanism][]string{known.mechanism: known.names}) {
			if !known.on {
				problem.Dangling, problem.Remark = false, true
				if known.off != "" {
					problem.Allowed = known.off
				}
			}
			all = append(all, problem)
		}
	}
	return all
}

// named are the names of the files of a folder, without .yaml.
func named(p *policy.Policy, folder string) (names []string) {
	for _, file := range p.Names(folder) {
		names = append(names, strings.TrimSuffix(path.Base(file), ".yaml"))
	}
	return names
}

// callees are the functions that services may call and that are none of this release.
func callees(p *policy.Policy) (remarks []policy.Problem) {
	names := functionNames()
	for i, s := range p.Services {
		for j, name := range s.May {
			if !slices.Contains(names, name) {
				remarks = append(remarks, p.Remark("services.yaml", fmt.Sprintf("services[%d].may[%d]", i, j),
					fmt.Sprintf("%.63q is no function of this release", name)+policy.Meant(name, names), strings.Join(names, ", ")))
			}
		}
	}
	return remarks
}

// functionNames are the names of the functions of this release.
func functionNames() (names []string) {
	for _, f := range functions {
		if m, err := manifest.Parse(f.Manifest); err == nil {
			names = append(names, m.Name)
		}
	}
	return names
}
