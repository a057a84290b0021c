package emulatortest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestBothEmulatorsAnswerAndAreShared(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) string{"Firestore": Firestore, "PubSub": PubSub} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := start(t)
			resp, err := http.Get("http://" + host + "/")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("GET / answered %s", resp.Status)
			}
			if again := start(t); again != host {
				t.Errorf("a second start gave %s, not %s", again, host)
			}
		})
	}
}

func TestProjectIsFresh(t *testing.T) {
	t.Parallel()
	if a, b := Project(t), Project(t); a == b || !strings.HasPrefix(a, "ostiary-test-") {
		t.Errorf("projects %q and %q", a, b)
	}
}

// TestHang: an emulator that hangs takes connections and says nothing, and goes on afterwards. Not beside others.
func TestHang(t *testing.T) {
	url := "http://" + Firestore(t) + "/"
	impatient := http.Client{Timeout: 300 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	hanging, end := context.WithCancel(t.Context())
	hung := make(chan bool)
	go func() { hung <- Hang(hanging, time.Minute) }()
	answers := func() bool {
		resp, err := impatient.Get(url)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	}
	for deadline := time.Now().Add(10 * time.Second); answers() && time.Now().Before(deadline); {
		time.Sleep(interval)
	}
	if answers() {
		t.Error("it answers while it should hang")
	}
	end()
	if !<-hung {
		t.Error("nothing hung")
	}
	for deadline := time.Now().Add(10 * time.Second); !answers(); time.Sleep(interval) {
		if time.Now().After(deadline) {
			t.Fatal("it does not go on")
		}
	}
}

// TestEmulatorEndsWithAKilledTestProcess runs itself as a child that starts an emulator and never stops it.
func TestEmulatorEndsWithAKilledTestProcess(t *testing.T) {
	if os.Getenv("EMULATORTEST_CHILD") == "1" {
		fmt.Printf("host=%s\n", Firestore(t))
		time.Sleep(time.Minute)
		return
	}
	t.Parallel()
	Firestore(t) // so that a machine without the tools skips here
	require.Tool(t, "Linux, for its parent-death signal,", runtime.GOOS == "linux")
	child := exec.Command(os.Args[0], "-test.run=^TestEmulatorEndsWithAKilledTestProcess$", "-test.v")
	child.Env = append(os.Environ(), "EMULATORTEST_CHILD=1", SDKVariable+"="+sdk())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	host := hostLine(t, out)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	for range 500 {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			return
		}
		_ = conn.Close()
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the emulator on %s outlived its test process", host)
}

func hostLine(t *testing.T, out interface{ Read([]byte) (int, error) }) string {
	t.Helper()
	var read bytes.Buffer
	chunk := make([]byte, 256)
	for {
		n, err := out.Read(chunk)
		read.Write(chunk[:n])
		if _, rest, ok := strings.Cut(read.String(), "host="); ok {
			if host, _, ok := strings.Cut(rest, "\n"); ok {
				return host
			}
		}
		if err != nil {
			t.Fatalf("the child ended before it named its emulator: %v: %s", err, read.String())
		}
	}
}

func TestAFailedStartTellsWhy(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	require.Tool(t, "a shell", err == nil)
	_, _, err = launch(func(port string) *exec.Cmd { return exec.Command(shell, "-c", "echo no room; exit 3") })
	if err == nil || strings.Count(err.Error(), "no room") != attempts {
		t.Errorf("launch = %v; want the output of %d attempts", err, attempts)
	}
	if _, _, err = launch(func(port string) *exec.Cmd { return exec.Command(filepath.Join(t.TempDir(), "absent")) }); err == nil {
		t.Error("starting an absent program succeeded")
	}
}

func TestStopEndsAProcessThatIgnoresTheRequest(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	require.Tool(t, "a shell", err == nil)
	p, err := run(exec.Command(shell, "-c", "trap '' TERM; while :; do sleep 0.05; done"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.stop()
	if took := time.Since(began); took > grace+2*time.Second {
		t.Errorf("stop took %s", took)
	}
}
