package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

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
	"ostiary.internal/testdata/policies"
)

// initFolder copies the starter. An existing file is never touched.
func initFolder(_ context.Context, t terminal, args []string) int {
	if code := t.parse(args, 1); code >= 0 {
		return code
	}
	to := t.flags.Arg(0)
	if entries, err := os.ReadDir(to); err == nil && len(entries) > 0 {
		return t.fail(fmt.Errorf("%s is not empty: name a new folder", to))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t.fail(fmt.Errorf("looking at %s: %w", to, err))
	}
	if err := os.CopyFS(to, policies.Starter()); err != nil {
		return t.fail(fmt.Errorf("copying the starter to %s: %w", to, err))
	}
	fmt.Fprintf(t.out, "The starter is in %s. Put your company and people in, then run: ostiary check --policy %s\n", to, to)
	return exitGood
}

// problem is one problem of a policy folder as --json prints it.
type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Key     string `json:"key"`
	What    string `json:"what"`
	Allowed string `json:"allowed"`
}

// check lists every problem of a policy folder, those of the controls' own files included.
func check(_ context.Context, t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	asJSON := t.flags.Bool("json", false, "print the problems as JSON")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	problems, err := problemsOf(*folder)
	if err != nil {
		return t.fail(err)
	}
	if *asJSON {
		listed := []problem{}
		for _, p := range problems {
			listed = append(listed, problem{p.File, p.Line, p.Column, p.Key, p.What, p.Allowed})
		}
		text, err := json.MarshalIndent(map[string]any{"problems": listed}, "", "  ")
		if err != nil {
			return t.fail(err)
		}
		fmt.Fprintf(t.out, "%s\n", text)
	} else {
		for _, p := range problems {
			fmt.Fprintln(t.out, p)
		}
		if len(problems) == 0 {
			fmt.Fprintf(t.out, "%s is in order\n", *folder)
		}
	}
	if len(problems) > 0 {
		return exitWrong
	}
	return exitGood
}

func problemsOf(folder string) ([]policy.Problem, error) {
	p, problems, err := policy.Check(context.Background(), dir.URL(folder))
	if err != nil {
		return nil, err
	}
	_, more := access.ReadRules(p)
	problems = append(problems, more...)
	_, more = rule.Mappings(p)
	problems = append(append(problems, more...), rule.Lint(context.Background(), p)...)
	problems = append(problems, baseline.Lint(p)...)
	rules, more := duty.ReadRules(p)
	problems = append(problems, more...)
	if rules.On {
		var ids []string
		for _, d := range rules.Duties {
			ids = append(ids, d.ID)
		}
		// A certificate is renewed by the duty of its name.
		problems = append(problems, p.References(map[policy.Mechanism][]string{policy.Duty: ids, policy.Certificate: ids})...)
	}
	problems = append(problems, intake.Check(p, rules)...)
	m, more := datamap.Read(p)
	problems = append(append(problems, more...), datamap.Check(p, m)...)
	problems = append(append(problems, breach.Check(p, clock.System{}.Now())...), breachTexts(p)...)
	return policy.Sort(append(problems, probe.Check(p)...)), nil
}
