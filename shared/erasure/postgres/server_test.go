package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/require"
)

// secret is the password of every role of the tests.
const secret = erasetest.Password

// server is a PostgreSQL of this machine, in a folder of its own.
type server struct {
	dir, port string
	cmd       *exec.Cmd
	ended     chan struct{}
	admin     *pgxpool.Pool
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

// start makes a cluster and runs it: initdb and postgres refuse to run as root, so then they run as postgres.
func start(t testing.TB) *server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	path, err := exec.LookPath("initdb")
	if err == nil {
		found = append(found, path)
	}
	require.Tool(t, "postgresql", len(found) > 0)
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "pg")
	must(t, err)
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		owner, err := user.Lookup("postgres")
		must(t, err)
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		must(t, os.Chown(dir, uid, gid))
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	password := filepath.Join(dir, "password")
	must(t, os.WriteFile(password, []byte(secret), 0o644)) //nolint:gosec // the test's own
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir, cmd.SysProcAttr, cmd.Env = dir, attributes, []string{"LC_ALL=C.UTF-8", "PATH=" + bin}
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "admin", "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "-N").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s := &server{dir: dir, port: port(t), ended: make(chan struct{})}
	s.cmd = run("postgres", "-D", data, "-p", s.port, "-k", dir, "-h", "127.0.0.1", "-F", "-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "autovacuum=off")
	var said bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &said, &said
	mortal(s.cmd)
	begun := make(chan error)
	go func() {
		runtime.LockOSThread() // the child ends with the thread that started it
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		begun <- err
		if err == nil {
			_ = s.cmd.Wait()
			close(s.ended)
		}
	}()
	must(t, <-begun)
	s.admin, err = pgxpool.New(context.Background(), "postgres://"+url.UserPassword("admin", secret).String()+"@127.0.0.1:"+s.port+"/postgres?sslmode=disable&pool_max_conns=16")
	must(t, err)
	for began := clock.System.Now(clock.System{}); s.admin.Ping(context.Background()) != nil; time.Sleep(20 * time.Millisecond) {
		if clock.System.Now(clock.System{}).Sub(began) > 30*time.Second {
			_ = s.cmd.Process.Kill()
			<-s.ended
			_ = os.RemoveAll(dir)
			t.Fatalf("the server is not ready after 30 s: %s", said.String())
		}
	}
	for _, role := range []string{"eraser", "reader", "stranger"} {
		s.do(t, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", role, secret))
	}
	return s
}

func (s *server) stop() {
	s.admin.Close()
	_ = s.cmd.Process.Signal(syscall.SIGINT) // fast shutdown
	<-s.ended
	_ = os.RemoveAll(s.dir)
}

func port(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func (s *server) do(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := s.admin.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// one reads a single value.
func one[T any](t testing.TB, s *server, sql string, args ...any) (value T) {
	t.Helper()
	if err := s.admin.QueryRow(context.Background(), sql, args...).Scan(&value); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// schema makes an empty schema that the roles may look into.
func (s *server) schema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("w%d", places.Add(1))
	s.do(t, "CREATE SCHEMA "+name)
	s.do(t, "GRANT USAGE ON SCHEMA "+name+" TO eraser, reader, stranger")
	t.Cleanup(func() { s.do(t, "DROP SCHEMA "+name+" CASCADE") })
	return name
}

// table makes a table with the columns, and its rights.
func (s *server) table(t testing.TB, place, columns string) string {
	t.Helper()
	s.do(t, fmt.Sprintf("CREATE TABLE %s (%s)", place, columns))
	s.grant(t, place)
	return place
}

func (s *server) grant(t testing.TB, place string) {
	t.Helper()
	s.do(t, "GRANT "+join(Grants["Reader.Find"])+" ON "+place+" TO reader")
	s.do(t, "GRANT "+join(Grants["Store.Erase"])+" ON "+place+" TO eraser")
}

func join(list []string) (all string) {
	for i, part := range list {
		if i > 0 {
			all += ", "
		}
		all += part
	}
	return all
}

// as opens the server for a role.
func (s *server) as(t testing.TB, role string, l limits) *database {
	t.Helper()
	u, err := url.Parse("postgres://" + role + "@127.0.0.1:" + s.port + "/postgres?secret=password")
	must(t, err)
	return opened(t, u, []byte(secret), l)
}

func opened(t testing.TB, u *url.URL, password []byte, l limits) *database {
	t.Helper()
	d, err := open(u, erasetest.Opening(erasure.Options{Clock: clock.System{}}, string(password)), l)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
