// Command soak runs all functions in one process for a long time and lets nothing be easy: people, programs and
// customers work at once, the process is killed at random instants, whatever it calls fails, messages come twice, late
// and out of order, and the clock jumps. Now and then it is quiet, and an oracle holds what there is against what was
// answered: see the invariants in oracle.go.
//
// It remembers what its people were answered and knows nothing else: an answer that was lost may have happened or not.
// The same seed plans the same work and kills, though not the same instants.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"ostiary.internal/functions/ostiary/internal/soak/world"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/emulatortest"
)

// worldArgument has this program be the process that is soaked.
const worldArgument = "-world"

// machine is the clock of this machine: by it the run lasts, and answers are timed.
var machine = clock.System{}

// start is when the company's clock begins: a Tuesday, 09:55 in Paris.
const start = "2026-03-03T08:55:00Z"

func main() {
	if len(os.Args) > 1 && os.Args[1] == worldArgument {
		os.Exit(world.Main(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := soak(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// soak runs as the arguments say: 0 when everything held, 1 when something did not, 64 for wrong usage.
func soak(ctx context.Context, args []string) int {
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.DurationVar(&o.length, "for", 20*time.Minute, "how long to work; the looking comes on top")
	flags.DurationVar(&o.round, "round", 45*time.Second, "how long to work between two looks")
	flags.DurationVar(&o.kill, "kill", 20*time.Second, "mean time between two kills; 0 for none")
	flags.StringVar(&o.on, "on", "bolt", "bolt, or emulators of Firestore and Pub/Sub")
	flags.Uint64Var(&o.seed, "seed", uint64(machine.Now().UnixNano()%1_000_000), "what everything random begins with")
	flags.IntVar(&o.people, "people", 16, "how many people register every day")
	flags.Float64Var(&o.faults, "faults", 1, "how often calls fail, times what is usual; 0 for never")
	flags.StringVar(&o.dir, "dir", "", "folder for everything; a temporary one by default, kept where something was violated")
	flags.StringVar(&o.sample, "policy", "testdata/policies/sharedcontacts", "the sample company")
	flags.StringVar(&o.only, "only", "", "kinds of load, with commas between; all by default")
	program := flags.String("program", "", "an ostiary command to run instead: it has no faults but kills")
	asJSON := flags.Bool("json", false, "print the report as JSON")
	if err := flags.Parse(args); err != nil {
		return 64
	}
	if flags.NArg() > 0 || !slices.Contains([]string{"bolt", "emulators"}, o.on) || o.people < 1 || o.people > 60 {
		flags.Usage()
		return 64
	}
	if o.on == "emulators" {
		stop, err := emulators()
		if err != nil {
			fmt.Fprintln(os.Stderr, "soak:", err)
			return 1
		}
		defer stop()
	}
	r, err := newRun(o, *program)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		return 1
	}
	err = r.watched(ctx)
	if err := r.tell(err, r.injected).write(os.Stdout, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		return 1
	}
	if err != nil || r.oracle.violations() > 0 {
		return 1
	}
	return 0
}

// emulators starts those of Firestore and Pub/Sub, which outlive the process that is killed, and names them to it.
func emulators() (stop func(), err error) {
	firestore, pubsub, stop, err := emulatortest.Start()
	if err == nil {
		err = errors.Join(os.Setenv("FIRESTORE_EMULATOR_HOST", firestore), os.Setenv("PUBSUB_EMULATOR_HOST", pubsub))
	}
	return stop, err
}

// newRun makes the company and everybody who works there.
func newRun(o options, program string) (*run, error) {
	var err error
	if o.dir == "" {
		if o.dir, err = newFolder(); err != nil {
			return nil, err
		}
	}
	r := &run{options: o, meter: newMeter(), faulty: program == "", injected: map[string]int{}}
	r.oracle = &oracle{seed: o.seed, step: func() string { at, _ := r.at.Load().(string); return at }}
	policy := filepath.Join(o.dir, "policies", filepath.Base(o.sample))
	if r.members, err = establish(o.sample, policy, o.people); err != nil {
		return nil, err
	}
	r.child = newChild(filepath.Join(o.dir, "logs"), func() *exec.Cmd { return r.command(program, policy) })
	r.client = newClient(r.child, r.meter, r.oracle)
	r.post = &post{client: r.client}
	r.log = newJournal(r.data(), r.client, r.oracle)
	all := []load{&access{run: r}, &watch{run: r}, &erase{run: r}, &drift{run: r}, &breach{run: r}, &trust{run: r}}
	for _, l := range all {
		if o.only == "" || slices.Contains(strings.Split(o.only, ","), l.name()) {
			r.loads = append(r.loads, l)
		}
	}
	return r, nil
}

// newFolder makes one in memory, where there is such a place: what a killed process has written the system keeps, there as
// on a disk, and nobody waits for it.
func newFolder() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "soak"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "soak")
}

// command is the process that is soaked.
func (r *run) command(program, policy string) *exec.Cmd {
	args := []string{"-data", r.data(), "-policy", policy, "-now", start, "-port", "0"}
	if program != "" {
		args = append([]string{"serve", "-clock", "manual"}, args...)
	} else {
		program, _ = os.Executable()
		args = append([]string{worldArgument, "-on", r.on, "-seed", fmt.Sprint(r.seed)}, args...)
		if r.on == "emulators" {
			args = append(args, "-project", "soak")
		}
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "OSTIARY_LOG_LEVEL=INFO", "OSTIARY_SOURCE_CAP=1000000",
		"OSTIARY_PAIR_HOSTS=ipv4=https://v4."+domain+",ipv6=https://v6."+domain)
	return cmd
}

// watched is the run, with a line about it now and then.
func (r *run) watched(ctx context.Context) error {
	over, stop := context.WithCancel(ctx)
	defer stop()
	every := time.Minute
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		every = 5 * time.Second
	}
	go func() {
		for {
			sleep(over, every)
			if over.Err() != nil {
				return
			}
			at, _ := r.at.Load().(string)
			fmt.Fprintf(os.Stderr, "%s  %s: %d requests answered, %d violations\n", machine.Now().UTC().Format("15:04:05"), at, r.meter.total(), r.oracle.violations())
		}
	}()
	err := r.all(ctx)
	if err != nil && r.child.cmd != nil {
		err = errors.Join(err, r.child.end(syscall.SIGKILL))
	}
	return err
}
