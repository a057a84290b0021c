package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/request"
	engine "ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/driver"
)

const eraseReplayExits = `
exit codes: 0 nobody is to be erased again, or all were; 1 somebody is, and nothing was erased (no --execute); 2 it could
not be told of everybody, or something is left; 64 usage

Run it on a restored database before it gets any traffic.`

// envData is the variable with what stands for the stores of the map on a laptop.
const envData = "OSTIARY_DATA"

// ledgerKey is the secret with the keys of the ledger, as those have it who add to it.
const ledgerKey = "ledger-key"

// backups is what a replay is about, as the flags say it.
type backups struct {
	policy, data, ledger, secrets, key, sample string
	erasure                                    string // the control's own database
	taken                                      time.Time
	restored                                   map[string]string // URLs by those of the map
	tenants                                    []string          // that the policy has no more
	execute, asJSON                            bool
}

// eraseReplay lists who was erased and is back with a restored backup, and erases them again.
func eraseReplay(ctx context.Context, t terminal, args []string) int {
	b := backups{restored: map[string]string{}}
	b.flags(t)
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	b.local()
	switch {
	case b.taken.IsZero():
		return t.usage("--taken: say when the backup was made: it is older than an erasure that came after")
	case b.ledger == "" || b.secrets == "":
		return t.usage("--ledger and --secrets: say where the ledger is, and where its keys are; or --data, the folder of a server on this machine")
	case b.execute && b.erasure == "":
		return t.usage("--store: say where the control's own database is: it tells what two people hold, which stays")
	}
	report, err := b.replay(ctx, progressOn(t.err, 0))
	if report != nil {
		if wrong := report.print(t.out, b.asJSON); err == nil {
			err = wrong
		}
	}
	if err != nil {
		t.fail(err)
		return exitUnclear
	}
	return report.exit()
}

func (b *backups) flags(t terminal) {
	t.flags.StringVar(&b.policy, "policy", "policy", "policy folder")
	t.flags.StringVar(&b.ledger, "ledger", os.Getenv(wiring.EnvLedger), "URL of the ledger's store; by default "+wiring.EnvLedger)
	t.flags.StringVar(&b.erasure, "store", os.Getenv(wiring.EnvStore), "URL of the control's own database, which tells what is held; by default "+wiring.EnvStore)
	t.flags.StringVar(&b.secrets, "secrets", os.Getenv(wiring.EnvSecrets), "URL of the store that holds its keys; by default "+wiring.EnvSecrets)
	t.flags.StringVar(&b.key, "key", ledgerKey, "secret that holds the ledger's keys")
	t.flags.StringVar(&b.data, "data", "", "data folder of a server on this machine: ledger, keys and sample data are there")
	t.flags.BoolVar(&b.execute, "execute", false, "erase them again; without it, nothing is written anywhere")
	t.flags.BoolVar(&b.asJSON, "json", false, "print one JSON object")
	t.flags.Func("taken", "when the backup was made, RFC 3339", func(text string) (err error) {
		if b.taken, err = time.Parse(time.RFC3339, text); err != nil {
			return errors.New("want an instant, such as 2026-11-20T03:00:00Z")
		}
		return nil
	})
	t.flags.Func("restored", "STORE=URL: where a store of the map was restored to, if elsewhere; may be given again", func(text string) error {
		from, to, ok := strings.Cut(text, "=")
		if b.restored[erasure.Bare(from)] = to; !ok || from == "" || to == "" {
			return errors.New("want STORE=URL")
		}
		return nil
	})
	t.flags.Func("tenant", "a tenant whom the policy has no more; may be given again", func(id string) error {
		b.tenants = append(b.tenants, id)
		return nil
	})
	t.explain(eraseReplayExits)
}

// local is where things are in the data folder of a server on this machine.
func (b *backups) local() {
	b.sample = os.Getenv(envData)
	if b.data != "" {
		tree := func(name string) string { return driver.URL("bolt", filepath.Join(b.data, "ostiary.db"), "tree", name) }
		b.ledger, b.erasure, b.sample = tree("ledger"), tree("erasure"), tree("")
		b.secrets = driver.URL("file", filepath.Join(b.data, "secrets"), "key", filepath.Join(b.data, "keys", "secrets"))
	}
}

// replayed is what a replay found and did.
type replayed struct {
	Taken   time.Time      `json:"taken"`
	Summary ledger.Summary `json:"items"`             // of the places that tell who is there
	Unread  []string       `json:"unread,omitempty"`  // entries whose items tell nobody's lasting id: they are found by what others tell
	Missing []string       `json:"missing,omitempty"` // entries whose places are not there
	People  []*returned    `json:"people"`            // to be erased again
	// Unlooked are closed accounts whose tenants neither the policy has nor --tenant names: of them nothing was read.
	Unlooked int    `json:"unlooked,omitempty"`
	Unheld   bool   `json:"unheld,omitempty"` // nobody asked what two people hold: it may be among what is back
	Tenants  int    `json:"tenants"`          // whose data was read
	Mode     string `json:"mode"`             // dry-run, executed
}

// returned is somebody who was erased and is back.
type returned struct {
	Tenant   string       `json:"tenant"`
	Role     datamap.Role `json:"role,omitempty"` // in whose data; "" of all of a tenant
	Kind     string       `json:"kind"`
	ID       string       `json:"id"`
	Erased   time.Time    `json:"erased"`             // the first time
	Doubtful bool         `json:"doubtful,omitempty"` // nothing tells whether the data is older: a person looks
	Entries  []string     `json:"entries"`            // that tell of her
	Done     *again       `json:"done,omitempty"`

	address   string
	elsewhere bool          // only items of the other role tell of her
	held      []engine.Hold // what two people hold of hers
}

func (r *replayed) exit() int {
	left := r.Summary.Nameless > 0 || r.Unlooked > 0 || len(r.Missing) > 0
	waiting := false
	for _, p := range r.People {
		left = left || p.Doubtful || p.Done != nil && len(p.Done.Open) > 0
		waiting = waiting || !p.Doubtful && p.Done == nil
	}
	switch {
	case left:
		return exitUnclear
	case waiting:
		return exitWrong
	}
	return exitGood
}

// replay looks everybody up, and erases whom it finds if it is to. What it returns with an error is what it knew by then.
func (b backups) replay(ctx context.Context, bar *progress) (*replayed, error) {
	defer bar.end()
	p, err := readPolicy(b.policy)
	if err != nil {
		return nil, err
	}
	m, err := mapOf(p, b.policy)
	if err != nil {
		return nil, err
	}
	o, err := b.open(ctx, m)
	if err != nil {
		return nil, err
	}
	defer o.close()
	if err := o.held(ctx, p.Company.Location()); err != nil {
		return nil, err
	}
	report := &replayed{Taken: b.taken.UTC(), People: []*returned{}, Mode: "dry-run", Unheld: o.requests == nil}
	all, err := o.everybody(ctx, p, report, bar)
	if err != nil {
		return nil, err
	}
	people := map[ledger.Subject]*returned{}
	bar.begin("", "items looked at", 0)
	report.Summary, err = o.ledger.Replay(ctx, all, b.taken, func(_ context.Context, a ledger.Again) error {
		found(people, a)
		return nil
	})
	for _, subject := range slices.SortedFunc(maps.Keys(people), func(a, b ledger.Subject) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID), strings.Compare(string(a.Role), string(b.Role)))
	}) {
		report.People = append(report.People, people[subject])
	}
	bar.end()
	if err == nil {
		report.People, err = o.there(ctx, report.People, bar)
	}
	if err != nil || !b.execute {
		return report, err
	}
	report.Mode = "executed"
	return report, o.erase(ctx, report.People, bar)
}

// found adds what one item tells of somebody.
func found(people map[ledger.Subject]*returned, a ledger.Again) {
	who, known := people[a.Subject]
	if !known {
		who = &returned{Tenant: a.Tenant, Role: a.Role, Kind: a.Kind, ID: a.ID, Erased: a.Before, Doubtful: true, elsewhere: true}
		people[a.Subject] = who
	}
	who.Doubtful, who.elsewhere = who.Doubtful && a.Doubtful, who.elsewhere && a.Elsewhere
	who.address = cmp.Or(who.address, a.Address)
	if !slices.Contains(who.Entries, a.Entry) {
		who.Entries = append(who.Entries, a.Entry)
	}
}

// print says what was found and done.
func (r *replayed) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	fmt.Fprintf(w, "%d items of %d tenants looked at: %d people were erased and are back, %d perhaps; %d came back by themselves.\n",
		r.Summary.Seen, r.Tenants, len(r.People)-doubtful(r.People), doubtful(r.People), r.Summary.Newer)
	for _, p := range r.People {
		what := "to be erased again"
		switch {
		case p.Doubtful:
			what = "in doubt: nothing tells how old the data is, a person looks"
		case p.Done != nil && len(p.Done.Open) == 0:
			what = fmt.Sprintf("erased again: %d items, %d anonymised", p.Done.Erased, p.Done.Anonymised)
		case p.Done != nil:
			what = fmt.Sprintf("erased again in part: %d items, %d anonymised; open: %s", p.Done.Erased, p.Done.Anonymised, opens(p.Done.Open))
		}
		whose := map[datamap.Role]string{datamap.Processor: ", as a customer of theirs", datamap.Global: ", of no tenant"}[p.Role]
		if p.Done != nil && p.Done.Connections > 0 {
			what += fmt.Sprintf("; %d connections erased, and not ended at their providers: the first erasure saw to that", p.Done.Connections)
		}
		fmt.Fprintf(w, "  %s %s %s%s, erased %s, in %s: %s\n", p.Tenant, p.Kind, p.ID, whose, p.Erased.Format(time.RFC3339), strings.Join(p.Entries, ", "), what)
	}
	if r.Unlooked > 0 {
		fmt.Fprintf(w, "Not looked for, so that nobody can tell: %d accounts that were closed, whose tenants the policy has no more. Name each with --tenant.\n", r.Unlooked)
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(w, "Not there, so that nobody can tell: the places of %s. Say with --restored where they are.\n", strings.Join(r.Missing, ", "))
	}
	if len(r.Unread) > 0 {
		fmt.Fprintf(w, "Not read, as their items tell no lasting id: %s. What is there of these people is erased with the rest.\n", strings.Join(r.Unread, ", "))
	}
	if r.Unheld {
		fmt.Fprintln(w, "Not asked, so that some of this may be what two people hold: the control's own database. Say with --store where it is.")
	}
	if r.Mode == "dry-run" && len(r.People) > 0 {
		fmt.Fprintln(w, "Nothing was erased. With --execute they are erased again, in all stores of the map.")
	}
	return nil
}

func doubtful(people []*returned) (n int) {
	for _, p := range people {
		if p.Doubtful {
			n++
		}
	}
	return n
}

func opens(all []request.Open) string {
	var text []string
	for _, o := range all {
		text = append(text, strings.Trim(o.Entry+" "+o.Why, " "))
	}
	return strings.Join(text, ", ")
}
