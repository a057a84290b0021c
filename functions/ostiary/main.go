// Command ostiary runs all functions in one process on this machine, and holds the operator's commands.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"ostiary.internal/functions/internal/every"
)

// functions are what serve runs and what doctor expects to be deployed.
var functions = every.Functions

// Exit codes all commands share; 64 is usage as in sysexits.h.
const (
	exitGood  = 0
	exitWrong = 1
	exitUsage = 64
)

// command is one word after "ostiary".
type command struct {
	name    string
	args    string // shown in the usage line
	summary string
	example string
	run     func(ctx context.Context, t terminal, args []string) int
}

func commands() []command {
	return []command{
		{"serve", "[--port N] [--data DIR] [--policy DIR] [--clock system|manual] [--now RFC3339]", "run everything on this machine", "ostiary serve --port 8080 --data data --policy testdata/policies/sharedcontacts", serve},
		{"init", "DIR", "start a policy folder from the starter", "ostiary init policy", initFolder},
		{"check", "[--policy DIR] [--json]", "check a policy folder; problems as file:line: key: what is wrong; what is allowed", "ostiary check --policy policy", check},
		{"enrol", enrolArgs, "make a one-time enrolment link for a person, as somebody of security; put hardware tokens in stock and give them out; have authenticators replaced", "ostiary enrol asha.iyer@sharedcontacts.example", enrol},
		{"policy", policyArgs, "publish a policy, or name it as records do", "ostiary policy publish --policy policy --to gs://acme-policy", policyCommand},
		{"evidence", evidenceArgs, "check evidence offline, pack it for somebody, confirm a log as its witness, or let a log go on that was restored from a backup", "ostiary evidence verify bundle.zip --trust trust.json", evidence},
		{"replay", replayArgs, "hold exported logs against the rules of a policy: files, folders, globs, gzip, - for standard input", "ostiary replay --policy policy --csv exports/*.gz", replay},
		{"drift", driftArgs, "hold what there is on Google Cloud against the assertions of a policy, and against Terraform's state", "ostiary drift --assets assets.json --state terraform.tfstate --policy policy", drift},
		{"deadline", deadlineArgs, "say by when a person's request has to be answered, by article 12(3) of the GDPR", "ostiary deadline --received 2026-03-03T10:00:00+01:00 --zone Europe/Berlin --country DE", deadline},
		{"erase", eraseArgs, "list what a request for erasure reaches, in the order in which it is erased; erase again whom a restored backup brought back; check the signed receipt of a request", "ostiary erase verify-receipt receipt.json --trust receipts-trust.json", erase},
		{"severity", severityArgs, "score a breach by ENISA's method, and say which notices that speaks for", "ostiary severity --input breach.json", scoreBreach},
		{"breach", breachArgs, "declare a breach or a suspicion, list them, and fetch the dossier of one", "ostiary breach declare --kind suspicion --summary 'A list of customers went to a wrong address' --tenant banque-du-port", breaches},
		{"clocks", clocksArgs, "say by when whom is to be told of a breach", "ostiary clocks --regime gdpr_33_1 --aware 2026-03-27T10:30:00+01:00 --zone Europe/Paris", clocks},
		{"doctor", doctorArgs, "examine what is deployed and say what is blind; prove that it sees the real address of whoever registers", "ostiary doctor --project acme-ostiary-live --watchdog acme-ostiary-live-watchdog --policy policy", doctor},
		{"redeliver", redeliverArgs, "list the messages that no function would take, and queue them again", "ostiary redeliver syncallowlist --all", redeliver},
		{"promises", "table|lint [--policy DIR] [--data DIR] [--server URL] [--json]", "list every promise with what keeps it and its state, or what is wrong with the texts", "ostiary promises table --policy testdata/policies/sharedcontacts", promises},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run finds the command and runs it.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	all := commands()
	if len(args) > 0 && slices.Contains([]string{"help", "--help", "-h"}, args[0]) {
		usage(out, all)
		return exitGood
	}
	if len(args) == 0 {
		usage(errs, all)
		return exitUsage
	}
	at := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if at < 0 {
		fmt.Fprintf(errs, "ostiary: there is no command %q\n\n", args[0])
		usage(errs, all)
		return exitUsage
	}
	c := all[at]
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: ostiary %s %s\n\n%s\n\nexample: %s\n", c.name, c.args, c.summary, c.example)
		flags.PrintDefaults()
	}
	if slices.Contains(args[1:], "--help") {
		flags.SetOutput(out)
	}
	return c.run(ctx, terminal{out: out, err: errs, flags: flags}, args[1:])
}

func usage(w io.Writer, all []command) {
	fmt.Fprintln(w, "ostiary turns a published security policy into running controls, and proves every sentence of it.")
	fmt.Fprintln(w)
	for _, c := range all {
		fmt.Fprintf(w, "  ostiary %-9s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "\nostiary COMMAND --help shows its flags and an example.")
}
