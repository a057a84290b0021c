package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ostiary.internal/shared/policy"
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

func asProblems(problems []policy.Problem) []problem {
	all := []problem{}
	for _, p := range problems {
		all = append(all, problem{p.File, p.Line, p.Column, p.Key, p.What, p.Allowed})
	}
	return all
}

// check lists every problem of a policy folder, those of the controls' own files included. Remarks go where a person reads and
// no program does, and fail nothing.
func check(_ context.Context, t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	asJSON := t.flags.Bool("json", false, "print the problems as JSON")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	problems, remarks, err := problemsOf(*folder)
	if err != nil {
		return t.fail(err)
	}
	if *asJSON {
		both := map[string]any{"problems": asProblems(problems)}
		if len(remarks) > 0 {
			both["remarks"] = asProblems(remarks)
		}
		text, err := json.MarshalIndent(both, "", "  ")
		if err != nil {
			return t.fail(err)
		}
		fmt.Fprintf(t.out, "%s\n", text)
	} else {
		for _, p := range problems {
			fmt.Fprintln(t.out, p)
		}
		for _, p := range remarks {
			fmt.Fprintln(t.err, p)
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
