// Command check holds a plan against the rules of the house, before it is applied:
//
//	terraform -chdir=terraform/environments/live plan -out=live.plan
//	terraform -chdir=terraform/environments/live show -json live.plan > live.json
//	go run ./terraform/check environments/live live.json
//
// It is run at the top of the repository, and reads the plan and the files beside it. It ends with 0 when every rule is kept, 1
// when one is broken, 2 when the plan cannot be read and 64 when it is called wrongly.
package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"ostiary.internal/terraform/rules"
)

func main() { os.Exit(run(os.DirFS("."), os.ReadFile, os.Args[1:], os.Stdout, os.Stderr)) }

func run(tree fs.FS, read func(string) ([]byte, error), args []string, out, complain io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(complain, "usage: check FOLDER PLAN.json, FOLDER below terraform: environments/staging, environments/live, org or bootstrap")
		return 64
	}
	text, err := read(args[1])
	if err != nil {
		fmt.Fprintln(complain, "check: reading the plan:", err)
		return 2
	}
	in, err := rules.Load(tree, args[0], text)
	if err != nil {
		fmt.Fprintln(complain, "check:", err)
		return 2
	}
	verdicts := rules.Check(in)
	broken := 0
	for _, v := range verdicts {
		for _, p := range v.Problems {
			fmt.Fprintln(out, p)
			broken++
		}
	}
	if broken > 0 {
		fmt.Fprintf(out, "%d of what %s plans breaks the rules: mend it before it is applied\n", broken, args[0])
		return 1
	}
	fmt.Fprintf(out, "%s keeps all %d rules: %d resources\n", args[0], len(verdicts), len(in.Plan.Resources))
	return 0
}
