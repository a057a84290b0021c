package firestore_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/emulatortest"
	_ "ostiary.internal/shared/platform/store/bolt"
)

// mostMemory is how much a process may have had, in MiB, however much there is to erase.
const mostMemory = 256

// childVariable holds what a process of its own is to do: it is killed at any time.
const childVariable = "OSTIARY_ERASING_CHILD"

// child is one run of an erasure.
type child struct {
	Host, Project, Dir string
	Shift              time.Duration // its clock is ahead by it: what a killed one had for itself has run out
}

// ahead is the system's clock, some time later.
type ahead time.Duration

func (a ahead) Now() time.Time { return clock.System{}.Now().Add(time.Duration(a)) }

// main goes on with the erasure in the folder. Of each page it asks for it notes whether it begins at the start, and
// how many documents came.
func (c child) main() error {
	notes, err := os.OpenFile(filepath.Join(c.Dir, "pages"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer notes.Close()
	phase := ""
	watch := option.WithGRPCDialOption(grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, stream grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		s, err := stream(ctx, desc, cc, method, opts...)
		return &noting{ClientStream: s, phase: phase, to: notes}, err
	}))
	data, err := firestore.New(c.Project, "main", append(dial(c.Host, &erasetest.Wire{}), watch)...)
	if err != nil {
		return err
	}
	defer data.Close()
	m, err := erasetest.NewMachine(context.Background(), c.Dir, data, largeEntries(), 10_000, ahead(c.Shift))
	if err != nil {
		return err
	}
	defer m.Close()
	go c.weigh()
	counts, err := m.Forget(context.Background(), func(p string) { phase = p })
	if err != nil {
		return err
	}
	text, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.Dir, "done"), text, 0o600)
}

// weigh notes the most memory that Go had from the system, and what the system says the process held, ten times a second.
func (c child) weigh() {
	name := filepath.Join(c.Dir, fmt.Sprintf("memory-%d", os.Getpid()))
	for {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		held := uint64(0)
		if text, err := os.ReadFile("/proc/self/status"); err == nil {
			_, rest, _ := strings.Cut(string(text), "VmHWM:")
			if fields := strings.Fields(rest); len(fields) > 0 {
				held, _ = strconv.ParseUint(fields[0], 10, 64)
			}
		}
		_ = os.WriteFile(name, fmt.Appendf(nil, "%d %d", now.Sys>>20, held>>10), 0o600)
		time.Sleep(100 * time.Millisecond)
	}
}

// noting notes a query: its phase, whether it begins at the start or behind a document, and how many documents came.
type noting struct {
	grpc.ClientStream
	phase, from string
	came        int
	to          *os.File
}

// SendMsg implements grpc.ClientStream.
func (n *noting) SendMsg(m any) error {
	if q, ok := m.(*pb.RunQueryRequest); ok && q.GetStructuredQuery().GetWhere() != nil {
		n.from = "start"
		if q.GetStructuredQuery().GetStartAt() != nil {
			n.from = "behind"
		}
		fmt.Fprintf(n.to, "%s %s\n", n.phase, n.from)
	}
	return n.ClientStream.SendMsg(m)
}

// RecvMsg implements grpc.ClientStream.
func (n *noting) RecvMsg(m any) error {
	err := n.ClientStream.RecvMsg(m)
	if answer, ok := m.(*pb.RunQueryResponse); err == nil && ok && answer.Document != nil {
		n.came++
	} else if err != nil && n.from != "" {
		fmt.Fprintf(n.to, "%s read %d\n", n.phase, n.came)
	}
	return err
}

func soaking() bool { return os.Getenv("OSTIARY_SOAK") == "1" }

// largeEntries are where a large erasure finds something. They are many because a search of the emulator goes through the
// whole of a collection each time.
func largeEntries() (all []string) {
	for i := range 50 {
		all = append(all, fmt.Sprintf("people-%02d", i))
	}
	return all
}

// largePath spreads documents over them.
func largePath(i int) string {
	entries := largeEntries()
	return fmt.Sprintf("%s/doc-%06d", entries[i%len(entries)], i)
}

// TestLargeErasure: one person's many documents, erased by processes that are killed one after another. Each goes on where
// the last one stood, none holds more than a quarter of a gigabyte, and what is counted in the end is what there was. The
// soak has a hundred thousand.
func TestLargeErasure(t *testing.T) {
	t.Parallel()
	count, longest, most, entries := 1_500, 400*time.Millisecond, 4, len(largeEntries())
	if soaking() {
		count, longest, most = 100_000, 8*time.Second, 12
	}
	w := newWorld(t, erasure.BindField, &erasetest.Wire{})
	w.fill(t, count, largePath, benchUID)
	w.fill(t, 200, func(i int) string { return fmt.Sprintf("%s/other-%03d", largeEntries()[i%entries], i) }, func(i int) string { return fmt.Sprintf("u1%d", i) })
	dir, deaths, random, began := t.TempDir(), 0, rand.New(rand.NewPCG(11, 11)), time.Now()
	for {
		what := child{emulatortest.Firestore(t), projectOf(w), dir, time.Duration(deaths) * 3 * time.Minute}
		if ended := what.start(t, 200*time.Millisecond+time.Duration(random.Int64N(int64(longest)))); ended {
			break
		}
		if deaths++; deaths == most {
			longest = time.Hour // the last one may finish
		}
	}
	var counts [3]int64
	text, err := os.ReadFile(filepath.Join(dir, "done"))
	if err == nil {
		err = json.Unmarshal(text, &counts)
	}
	if err != nil || counts != [3]int64{int64(count), int64(count), 0} || deaths == 0 {
		t.Errorf("planned, erased, left: %v of %d after %d deaths, %v", counts, count, deaths, err)
	}
	if left := len(w.paths(t)); left != 200 {
		t.Errorf("%d documents of others are left, want 200", left)
	}
	starts, read := pages(t, dir)
	for _, phase := range erasetest.Phases {
		// A walk begins once, and again for a death before its first page was put on record. What a death costs is one page.
		if starts[phase] > entries+deaths || read[phase] > count+deaths*erasure.MaxPage {
			t.Errorf("%s: %d searches from the start, %d documents read", phase, starts[phase], read[phase])
		}
	}
	sys, held := heaviest(t, dir)
	switch {
	case raceEnabled:
		t.Logf("%s: the bound of 256 MiB is not checked: the race detector takes memory of its own", t.Name())
	case sys > mostMemory || held > mostMemory:
		t.Errorf("a process had %d MiB of Go, and held %d: more than %d", sys, held, mostMemory)
	}
	t.Logf("%d documents, %d deaths, %s; from the start: %v; read: %v; at most %d MiB of Go, %d MiB held", count, deaths, time.Since(began).Round(time.Second), starts, read, sys, held)
}

// start runs the child and kills it after a while; it reports whether the child came to its end before.
func (c child) start(t *testing.T, life time.Duration) (ended bool) {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), life)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$") // killed, not asked to end
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	var said strings.Builder
	cmd.Stderr = &said
	err = cmd.Run()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("%v: %s", err, &said)
	}
	return err == nil
}

// pages counts by phase how many searches began at the start, and how many documents came.
func pages(t *testing.T, dir string) (starts, read map[string]int) {
	t.Helper()
	starts, read = map[string]int{}, map[string]int{}
	f, err := os.Open(filepath.Join(dir, "pages"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 2 && words[1] == "start":
			starts[words[0]]++
		case len(words) == 3:
			n, _ := strconv.Atoi(words[2])
			read[words[0]] += n
		}
	}
	return starts, read
}

// heaviest is the most any of the processes had, in MiB.
func heaviest(t *testing.T, dir string) (sys, held int) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, "memory-*"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		words := append(strings.Fields(string(text)), "0", "0") // of one that was killed while it wrote
		a, _ := strconv.Atoi(words[0])
		b, _ := strconv.Atoi(words[1])
		sys, held = max(sys, a), max(held, b)
	}
	return sys, held
}

// TestRate: the engine asks no more of the database than the map allows. Told that it is too much, it leaves it alone for as
// long as it is told, and goes on at half the rate.
func TestRate(t *testing.T) {
	t.Parallel()
	rate, count, rest := 1000, 1800, time.Second
	if soaking() {
		rate, count, rest = 300, 4500, 3*time.Second
	}
	w := newWorld(t, erasure.BindField, &erasetest.Wire{})
	w.fill(t, count, benchPath, benchUID)
	var mu sync.Mutex
	var refused time.Time
	type commit struct {
		at     time.Time
		writes int
	}
	var commits []commit
	full, err := status.New(codes.ResourceExhausted, "Quota exceeded.").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(rest)})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	gate := option.WithGRPCDialOption(grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		c, isCommit := req.(*pb.CommitRequest)
		if isCommit {
			mu.Lock()
			refuse := total >= count/2 && refused.IsZero()
			if refuse {
				refused = time.Now()
			} else {
				total += len(c.Writes)
				commits = append(commits, commit{time.Now(), len(c.Writes)})
			}
			mu.Unlock()
			if refuse {
				return full.Err()
			}
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}))
	data, err := firestore.New(projectOf(w), "main", append(dial(emulatortest.Firestore(t), &erasetest.Wire{}), gate)...)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	m, err := erasetest.NewMachine(t.Context(), t.TempDir(), data, []string{"people"}, rate, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	counts, err := m.Forget(t.Context(), func(string) {})
	if err != nil || counts != [3]int64{int64(count), int64(count), 0} || refused.IsZero() {
		t.Fatalf("planned, erased, left: %v, %v", counts, err)
	}
	// Of the page that was refused other parts were on their way.
	after := slices.IndexFunc(commits, func(c commit) bool { return c.at.Sub(refused) > rest/4 })
	if after < 2 || commits[after].at.Sub(refused) < rest {
		t.Fatalf("after %d commits it was told to wait %s, and did not: %v", after, rest, commits)
	}
	speed := func(some []commit, pages int) float64 { // of what follows the first pages: the one that was refused counts no more
		n := -pages * erasure.MaxPage
		for _, c := range some {
			n += c.writes
		}
		return float64(n) / some[len(some)-1].at.Sub(some[0].at).Seconds()
	}
	before, slower := speed(commits[:after], 1), speed(commits[after:], 2)
	if most := 1.15 * float64(rate); before > most || slower > most/2 {
		t.Errorf("%.0f documents a second before, want %d at most; %.0f after, want %d", before, rate, slower, rate/2)
	}
	t.Logf("%.0f documents a second of %d allowed; told to rest %s it rested %s, and went on at %.0f", before, rate, rest, commits[after].at.Sub(refused).Round(time.Millisecond), slower)
}

var errChild = errors.New("a child is told what to do by its variable")

// asChild does what the variable says, and reports whether it says anything.
func asChild() (is bool, err error) {
	text := os.Getenv(childVariable)
	if text == "" {
		return false, nil
	}
	var c child
	if json.Unmarshal([]byte(text), &c) != nil {
		return true, errChild
	}
	return true, c.main()
}
