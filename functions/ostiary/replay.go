package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
	replaying "ostiary.internal/shared/watch/rule/replay"
)

const replayArgs = "[--policy DIR] [--json|--csv] PATH..."

// exitUnclear says that something could not be read, or nothing was there to judge.
const exitUnclear = 2

// replay holds exported logs against the rules of a policy: files, folders, globs, gzip, - for standard input.
func replay(ctx context.Context, t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	asJSON := t.flags.Bool("json", false, "print one JSON object: what is blind, counts by rule, alarms")
	asCSV := t.flags.Bool("csv", false, "print one line for each entry: file,line,alarm,rule,class,severity")
	if code := t.parse(args, -1); code >= 0 {
		return code
	}
	if t.flags.NArg() == 0 || *asJSON && *asCSV {
		t.flags.Usage()
		return exitUsage
	}
	found, err := logFiles(t.flags.Args())
	if err != nil {
		t.fail(err)
		return exitUsage
	}
	found.tell(t.err)
	j, err := judgeOf(t, *folder)
	if err != nil {
		t.fail(err)
		return exitUnclear
	}
	var out replayOutput = &replayReport{out: t.out, asJSON: *asJSON}
	if *asCSV {
		table, err := newReplayTable(t.out, t.err)
		if err != nil {
			t.fail(err)
			return exitUnclear
		}
		defer table.close()
		out = table
	}
	// Entries die young: a heap of a few times what lives costs little and is collected less often.
	debug.SetGCPercent(400)
	bar := progressOn(t.err, found.total)
	result, err := replaying.Run(ctx, j.set, sourcesOf(found.files, bar), replaying.Options{Mappings: j.mappings, Row: out.row})
	bar.end()
	if err == nil {
		err = out.end(result, j)
	}
	switch {
	case err != nil:
		t.fail(err)
		return exitUnclear
	case result.Undecodable > 0 || result.Entries == 0 || found.lost:
		return exitUnclear
	case result.Alarms > 0:
		return exitWrong
	}
	return exitGood
}

// judge is a policy made ready for a replay.
type judge struct {
	set      *rule.Set
	mappings []auditlog.Mapping
	home     bool // whoever acts counts as one of the company
}

func judgeOf(t terminal, folder string) (judge, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return judge{}, fmt.Errorf("finding the policy folder: %w", err)
	}
	p, problems, err := policy.Load(os.DirFS(filepath.Dir(absolute)), filepath.Base(absolute))
	if err != nil {
		return judge{}, err
	}
	if err := policy.Refuse(problems); err != nil {
		return judge{}, err
	}
	world, home := rule.TrialOf(p)
	set, problems := rule.LoadIn(world, p)
	mappings, more := rule.Mappings(p)
	if err := policy.Refuse(append(problems, more...)); err != nil {
		return judge{}, err
	}
	if len(set.Rules()) == 0 {
		return judge{}, errors.New(folder + " has no rules: put them into rules/, or extend baseline")
	}
	if home {
		fmt.Fprintf(t.err, "%s is the starter: the domain of whoever acts counts as the company's own, and the project it happened in as one of its projects\n", folder)
	}
	for _, r := range set.Rules() {
		if r.AsksList() {
			fmt.Fprintf(t.err, "not judged: %s, because an export does not say which addresses were registered\n", r.Name)
		}
	}
	if believing := set.Believing(); len(believing) > 0 {
		fmt.Fprintf(t.err, "believed: a ticket counts as open unless its closing is logged, because no log in watch.yaml has ticket_opened: %s\n", strings.Join(believing, ", "))
	}
	set = set.Only(func(r rule.Rule) bool { return !r.AsksList() })
	return judge{set: set, mappings: mappings, home: home}, nil
}

// replayOutput is a way to print a replay.
type replayOutput interface {
	row(r replaying.Row) error
	end(r replaying.Result, j judge) error
}
