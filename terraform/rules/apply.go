package rules

import (
	"strings"
)

var applyRules = []Rule{
	{"nothing-else", "A plan makes resources of Google Cloud: it asks nobody, and runs nothing on the machine that applies it.", "", nothingElse},
	{"ours", "What an environment plans stands in the four modules, so that both environments hold the same.", "environments/", ours},
}

func nothingElse(l *look) {
	for _, r := range l.Plan.Resources {
		l.seen++
		switch {
		case r.Mode == "data":
			l.wrong(r, "is read while planning: a plan without an account could not be made, and one with might differ; pass a variable")
		case !strings.HasPrefix(r.Type, "google_"):
			l.wrong(r, "belongs to another provider than hashicorp/google")
		}
		block, _ := l.Plan.Block(r)
		if _, runs := block.Inner("provisioner"); runs {
			l.wrong(r, "runs a program on the machine that applies it")
		}
	}
}

func ours(l *look) {
	for _, r := range l.Plan.Resources {
		l.seen++
		found := false
		for _, module := range []string{"module.platform.", `module.function["`, "module.edge.", "module.monitoring."} {
			found = found || strings.HasPrefix(r.Address, module)
		}
		if !found {
			l.wrong(r, "stands in none of the modules platform, function, edge and monitoring")
		}
	}
}
