package mongodb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/require"
)

// secret is the password of the server's user.
const secret = erasetest.Password

// server is a FerretDB of its own process: it speaks MongoDB's protocol and checks passwords, and has neither its
// transactions nor its roles.
type server struct {
	dir, address string
	stdin        io.Closer
	cmd          *exec.Cmd
	admin        *mongo.Client
}

var (
	running = erasetest.Server[*server]{Start: start, Stop: (*server).stop}
	places  atomic.Int64
)

func TestMain(m *testing.M) { os.Exit(running.Main(m)) }

// started returns the server all tests share.
func started(t testing.TB) *server {
	t.Helper()
	return running.Get(t)
}

func start(t testing.TB) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "ferretdb")
	must(t, err)
	binary := filepath.Join(dir, "ferretdb")
	// The server is a module of its own, so that what it needs stays out of ours.
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = "../../../testdata/ferretdb"
	if out, err := build.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		require.Tool(t, "FerretDB (the module proxy did not answer)", !unreachable(string(out)))
		t.Fatalf("building FerretDB: %v\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	must(t, os.Mkdir(data, 0o700))
	s := &server{dir: dir, cmd: exec.Command(binary, "-data", data)}
	s.cmd.Env, s.cmd.Stderr = append(os.Environ(), "OSTIARY_TEST_PASSWORD="+secret, "GOGC=800"), os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil { // it ends with its input, and that with us
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	must(t, err)
	must(t, s.cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if s.address = strings.TrimSpace(line); err != nil {
		s.end()
		t.Fatalf("starting FerretDB: %v", err)
	}
	s.admin, err = mongo.Connect(options.Client().ApplyURI("mongodb://" + s.address + "/").SetAuth(options.Credential{Username: "admin", Password: secret}))
	must(t, err)
	return s
}

func (s *server) end() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.dir)
}

func (s *server) stop() {
	_ = s.admin.Disconnect(context.Background())
	s.end()
}

// unreachable tells a machine without a network from a fault of the module.
func unreachable(out string) bool {
	return slices.ContainsFunc([]string{"dial tcp", "no such host", "i/o timeout", "module lookup disabled", "connection refused"}, func(sign string) bool {
		return strings.Contains(out, sign)
	})
}

// collection makes an empty collection.
func (s *server) collection(t testing.TB) (*mongo.Collection, string) {
	t.Helper()
	name := fmt.Sprintf("w%d", places.Add(1))
	must(t, s.admin.Database("suite").CreateCollection(t.Context(), name))
	return s.admin.Database("suite").Collection(name), "suite." + name
}

func (s *server) open(t testing.TB, l limits) *database {
	t.Helper()
	return opened(t, "mongodb://admin@"+s.address+"/?secret=password", secret, l)
}

func opened(t testing.TB, raw, password string, l limits) *database {
	t.Helper()
	u, err := url.Parse(raw)
	must(t, err)
	d, err := open(u, erasetest.Opening(erasure.Options{Clock: clock.System{}}, password), l)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func put(t testing.TB, c *mongo.Collection, documents ...bson.D) {
	t.Helper()
	for _, d := range documents {
		_, err := c.InsertOne(t.Context(), d)
		must(t, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func index(field string) mongo.IndexModel {
	return mongo.IndexModel{Keys: bson.D{{Key: field, Value: 1}}}
}
