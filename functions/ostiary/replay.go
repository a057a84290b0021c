package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
	replaying "ostiary.internal/shared/watch/rule/replay"
)

const replayArgs = "[--policy DIR] [--json|--csv] PATH..."

const replayExits = `
exit codes: 0 nothing found, 1 alarms, 2 something cannot be read, or nothing was found and rules were blind because a
stream they need is switched off: one that OSTIARY_DATA_ACCESS (services whose Data Access logs are on) or
OSTIARY_LOG_STREAMS (other streams) does not list, where that variable is set`

// exitUnclear says that something could not be read, or nothing was there to judge.
const exitUnclear = 2

// replay holds exported logs against the rules of a policy: files, folders, globs, gzip, - for standard input. It answers
// exitUnclear where something could not be read, and where it found nothing and rules were blind because a stream they need
// is switched off. A stream that merely is not in what was exported is said to be blind and changes no exit code.
func replay(ctx context.Context, t terminal, args []string) int {
	folder := t.flags.String("policy", "policy", "policy folder")
	asJSON := t.flags.Bool("json", false, "print one JSON object: what is blind, counts by rule, alarms")
	asCSV := t.flags.Bool("csv", false, "print one line for each entry: file,line,alarm,rule,class,severity")
	t.explain(replayExits)
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
	if off := switchedOff(blindOf(result, j), os.LookupEnv); len(off) > 0 {
		fmt.Fprintf(t.err, "nothing found, and nothing could be by rules that need what is switched off: %s\n", strings.Join(off, ", "))
		return exitUnclear
	}
	return exitGood
}

// Variables by which a deployment says which log streams are written, see switchedOff.
const (
	envDataAccess = "OSTIARY_DATA_ACCESS" // services whose Data Access logs are on, or allServices
	envLogs       = "OSTIARY_LOG_STREAMS" // other streams that are written, or all
)

// switchedOff returns, of the streams of which there was no entry, those that the variables of a deployment do not list:
// not seeing them is no chance of what was exported. Of a variable that is not set nothing follows.
func switchedOff(blind []blindness, env func(string) (string, bool)) (off []string) {
	listed := func(name string) ([]string, bool) {
		value, set := env(name)
		return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }), set
	}
	on, saysServices := listed(envDataAccess)
	logs, saysLogs := listed(envLogs)
	written := rule.Written(on, logs)
	for _, b := range blind {
		says := saysLogs
		if (rule.Need{Service: b.Service, Stream: b.Stream}).Configured() {
			says = saysServices
		}
		if says && !written(b.Service, b.Stream) {
			off = append(off, strings.TrimSpace(b.Service+" "+string(b.Stream)))
		}
	}
	return off
}

// judge is a policy made ready for a replay.
type judge struct {
	set      *rule.Set
	mappings []auditlog.Mapping
	home     bool // whoever acts counts as one of the company
}

func judgeOf(t terminal, folder string) (judge, error) {
	p, err := readPolicy(folder)
	if err != nil {
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
	if anywhere := set.Anywhere(); len(anywhere) > 0 {
		fmt.Fprintf(t.err, "not judged: no regions in watch.yaml: %s\n", strings.Join(anywhere, ", "))
	}
	set = set.Only(func(r rule.Rule) bool { return !r.AsksList() })
	return judge{set: set, mappings: mappings, home: home}, nil
}

// replayOutput is a way to print a replay.
type replayOutput interface {
	row(r replaying.Row) error
	end(r replaying.Result, j judge) error
}
