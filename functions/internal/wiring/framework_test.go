package wiring_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/wiring"
)

// envServe makes the test binary the program of a deployed function: the framework around one entry.
const envServe = "OSTIARY_TEST_SERVE"

func TestMain(m *testing.M) {
	if manifest, serve := os.LookupEnv(envServe); serve {
		functions.HTTP("example", wiring.Function{Manifest: []byte(manifest), Build: hello(func(context.Context) error { return nil })}.Entry())
		if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// deploy starts the program for a target and returns its URL; "" when it ends instead.
func deploy(t *testing.T, target string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), envServe+"="+string(encode(t, plain())), "FUNCTION_TARGET="+target, "PORT="+port,
		wiring.EnvPolicy+"="+samplePolicy, wiring.EnvClient+"=direct", wiring.EnvIAM+"=front")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("the program ended as if all were well")
			}
			return ""
		case <-time.After(5 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			conn.Close()
			return "http://127.0.0.1:" + port
		}
	}
}

// Deployed, the framework gives its target every path, and the function answers below its own name: the load balancer
// routes by that prefix and rewrites nothing.
func TestUnderTheFramework(t *testing.T) {
	t.Parallel()
	url := deploy(t, "example")
	for path, want := range map[string]int{"/example/v1/hello": 204, "/example/openapi.json": 200, "/v1/hello": 404, "/": 404, "/other/v1/hello": 404, "/favicon.ico": 404} {
		answer, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, answer.StatusCode, want)
		}
	}
	if url := deploy(t, "unknown"); url != "" {
		t.Error("a target nobody registered is served")
	}
}
