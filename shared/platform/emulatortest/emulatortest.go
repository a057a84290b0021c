// Package emulatortest gives tests the Google emulators of Firestore and Pub/Sub: one process of each per test
// process, started at first use straight from the Java archive of the Google Cloud SDK.
//
// It promises a ready emulator or, where Java or the archive is absent, what package require decides. It does not
// promise production's behaviour: the Firestore emulator runs queries without an index, ignores time-to-live
// policies and stalls for seconds on contended writes (keep those to eight); the Pub/Sub emulator ignores filters
// and retry policies. Tests are kept apart by a project of their own, see Project.
//
// A package that uses it should have
//
//	func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }
//
// so that the emulators end in order; on Linux they end with the test process in any case.
package emulatortest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/platform/require"
)

// SDKVariable names the environment variable that holds the root of the Google Cloud SDK. Without it the root is
// asked of the gcloud command.
const SDKVariable = "OSTIARY_CLOUD_SDK"

// emulator is one kind of emulator and, once started, its process.
type emulator struct {
	name    string
	archive string                              // glob below the root of the SDK
	command func(archive, port string) []string // arguments of java

	mu      sync.Mutex
	host    string
	err     error // of the start; kept, so that each test says why at once
	process *process
}

// One of each per test process: starting a Java machine for every test would cost half a second and 150 MB each.
var (
	firestore = &emulator{
		name:    "Firestore emulator",
		archive: "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar",
		command: func(archive, port string) []string {
			return []string{"-cp", archive, "com.google.cloud.datastore.emulator.firestore.CloudFirestore", "--host=127.0.0.1", "--port=" + port}
		},
	}
	pubsub = &emulator{
		name:    "Pub/Sub emulator",
		archive: "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar",
		command: func(archive, port string) []string {
			return []string{"-jar", archive, "--host=127.0.0.1", "--port=" + port}
		},
	}
	sdk      = sync.OnceValue(root)
	projects atomic.Int64
)

// Firestore returns host:port of the Firestore emulator, starting it if need be.
func Firestore(t testing.TB) string { t.Helper(); return firestore.start(t) }

// PubSub returns host:port of the Pub/Sub emulator, starting it if need be.
func PubSub(t testing.TB) string { t.Helper(); return pubsub.start(t) }

// Project returns a project id no other test of this process gets: data of one project is invisible to the others.
func Project(t testing.TB) string { t.Helper(); return fmt.Sprintf("ostiary-test-%d", projects.Add(1)) }

// Main runs a package's tests, stops what they started and returns the exit code for os.Exit.
func Main(m *testing.M) int {
	defer firestore.stop()
	defer pubsub.stop()
	return m.Run()
}

// Start starts both for a program that is no test. stop ends them; on Linux they end with the program in any case.
func Start() (firestoreHost, pubsubHost string, stop func(), err error) {
	hosts := map[*emulator]string{}
	for _, e := range []*emulator{firestore, pubsub} {
		java, archive := e.find()
		if java == "" || archive == "" {
			return "", "", nil, fmt.Errorf("starting the %s: it takes java and the emulators of the Google Cloud SDK; install them, or do without", e.name)
		}
		if hosts[e], err = e.up(java, archive); err != nil {
			return "", "", nil, fmt.Errorf("starting the %s: %w", e.name, err)
		}
	}
	return hosts[firestore], hosts[pubsub], func() { firestore.stop(); pubsub.stop() }, nil
}

// Hang has both hang for a while, or until ctx ends: their connections stay open and nothing is answered. It returns when
// they go on, and reports whether they hung: only Linux can have them do so.
func Hang(ctx context.Context, length time.Duration) bool {
	hung := false
	for _, e := range []*emulator{firestore, pubsub} {
		e.mu.Lock()
		if e.process != nil && halt(e.process.cmd) {
			hung = true
			defer proceed(e.process.cmd)
		}
		e.mu.Unlock()
	}
	if hung {
		select {
		case <-ctx.Done():
		case <-time.After(length):
		}
	}
	return hung
}

func (e *emulator) start(t testing.TB) string {
	t.Helper()
	java, archive := e.find()
	require.Tool(t, "java, for the "+e.name, java != "")
	require.Tool(t, e.name+" (a component of the Google Cloud SDK)", archive != "")
	host, err := e.up(java, archive)
	if err != nil {
		t.Fatalf("starting the %s: %v", e.name, err)
	}
	return host
}

// find returns what it takes to start it; "" for what there is not.
func (e *emulator) find() (java, archive string) {
	java, _ = exec.LookPath("java") // without it there is none
	if dir := sdk(); dir != "" {
		if found, _ := filepath.Glob(filepath.Join(dir, e.archive)); len(found) > 0 {
			archive = found[len(found)-1]
		}
	}
	return java, archive
}

// up returns where it is, and starts it at the first call.
func (e *emulator) up(java, archive string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process == nil && e.err == nil {
		e.process, e.host, e.err = launch(func(port string) *exec.Cmd {
			// They keep all they ever had in memory, every version of every document, and answer nobody when it is full: a long
			// run needs gigabytes. A short one takes little of it.
			tuning := []string{"-Duser.language=en", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx4g"}
			return exec.Command(java, append(tuning, e.command(archive, port)...)...)
		})
	}
	return e.host, e.err
}

func (e *emulator) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process != nil {
		e.process.stop()
		e.process = nil
	}
}

// root returns the root of the Google Cloud SDK, or "" where there is none.
func root() string {
	if dir := os.Getenv(SDKVariable); dir != "" {
		return dir
	}
	gcloud, err := exec.LookPath("gcloud")
	if err != nil {
		return ""
	}
	// Usually a link to ROOT/bin/gcloud; asking the command itself takes a second or more.
	if real, err := filepath.EvalSymlinks(gcloud); err == nil {
		dir := filepath.Dir(filepath.Dir(real))
		if info, err := os.Stat(filepath.Join(dir, "platform")); err == nil && info.IsDir() {
			return dir
		}
	}
	out, err := exec.Command(gcloud, "info", "--format=value(installation.sdk_root)").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
