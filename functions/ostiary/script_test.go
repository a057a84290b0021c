package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScenarios plays the files of testdata/scenarios, each against a server of its own; its README says how they
// read. Whatever a file looks at, the runner also looks at: that every answer keeps to the OpenAPI description,
// that every refusal is a whole problem document and changes nothing anybody can see, and that neither the log nor the
// evidence holds a secret, a code or a person's data.
func TestScenarios(t *testing.T) {
	t.Parallel()
	play(t, "testdata/scenarios")
}

// TestCommands plays the files of testdata/commands: the command as its users type it.
func TestCommands(t *testing.T) {
	t.Parallel()
	play(t, "testdata/commands")
}

func play(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir: dir, RequireExplicitExec: true, RequireUniqueNames: true, Cmds: verbs(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("POLICY", filepath.Join(samples, "sharedcontacts"))
			for id, email := range people {
				env.Setenv(id, email)
			}
			s := &session{devices: map[string]*device{}, header: http.Header{}, touched: map[string]bool{}}
			env.Values["session"] = s
			env.Defer(func() {
				if err := s.close(); err != nil {
					env.T().Fatal(err)
				}
			})
			return nil
		},
	})
}

// people of the sample company, by id.
var people = map[string]string{
	"odile": "odile.martin@sharedcontacts.example", "simone": "simone.bernard@sharedcontacts.example",
	"stefan": "stefan.weber@sharedcontacts.example", "dorothea": "dorothea.klein@sharedcontacts.example",
	"marc": "marc.petit@sharedcontacts.example", "omkar": "omkar.rao@sharedcontacts.example",
	"asha": "asha.iyer@sharedcontacts.example", "emma": "emma.dubois@sharedcontacts.example",
	"erik": "erik.vogel@sharedcontacts.example", "camila": "camila.soto@sharedcontacts.example",
	"aurel": "aurel.roth@sharedcontacts.example",
}

// verbs are the commands of a file beside those of testscript.
func verbs() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	all := map[string]func(ts *testscript.TestScript, neg bool, args []string){}
	add := func(name string, do func(ts *testscript.TestScript, s *session, args []string) error) {
		all[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("%s is never negated", name)
			}
			s := ts.Value("session").(*session)
			if s.unseen && name[0] >= 'A' {
				ts.Fatalf("nobody looked at the answer to %s: %s", s.asked, s.answer)
			}
			ts.Check(do(ts, s, args))
		}
	}
	for _, method := range []string{"GET", "POST", "DELETE", "PUT", "HEAD"} {
		add(method, func(_ *testscript.TestScript, s *session, args []string) error { return s.call(method, args) })
	}
	for status := 200; status < 600; status++ {
		add(strconv.Itoa(status), func(ts *testscript.TestScript, s *session, args []string) error { return s.expect(ts, status, args) })
	}
	add("serve", func(ts *testscript.TestScript, s *session, args []string) error {
		if err := s.serve(ts.MkAbs("data"), args, ts.MkAbs); err != nil {
			return err
		}
		ts.Setenv("SERVER", s.server.url)
		return nil
	})
	add("halt", func(_ *testscript.TestScript, s *session, _ []string) error { return s.stop() })
	add("crash", func(_ *testscript.TestScript, s *session, _ []string) error {
		s.server.kill()
		s.server, s.logged = nil, s.logged+s.server.log()
		return nil
	})
	add("logged", func(ts *testscript.TestScript, s *session, args []string) error {
		return os.WriteFile(ts.MkAbs(args[0]), []byte(s.log()), 0o600)
	})
	add("letter", func(ts *testscript.TestScript, s *session, args []string) error {
		return s.setAside(ts.MkAbs("data"), args)
	})
	add("as", func(_ *testscript.TestScript, s *session, args []string) error { return s.signIn(args) })
	add("from", func(_ *testscript.TestScript, s *session, args []string) error { return s.sit(args) })
	add("scan", func(_ *testscript.TestScript, s *session, args []string) error { return s.scan(args) })
	add("enrol", func(_ *testscript.TestScript, s *session, args []string) error { return s.enrol(args) })
	add("advance", func(_ *testscript.TestScript, s *session, args []string) error { return s.advance(args) })
	add("jump", func(_ *testscript.TestScript, s *session, args []string) error { return s.jump(args) })
	add("settle", func(_ *testscript.TestScript, s *session, _ []string) error {
		_, err := s.server.local("POST", "settle", nil)
		return err
	})
	add("life", func(_ *testscript.TestScript, s *session, args []string) error { return s.life(args) })
	add("lived", func(ts *testscript.TestScript, s *session, _ []string) error { return s.lived(ts.MkAbs(".")) })
	add("records", func(_ *testscript.TestScript, s *session, args []string) error { return s.records(args) })
	add("keep", func(ts *testscript.TestScript, s *session, args []string) error {
		if len(args) != 1 {
			return errors.New("usage: keep FILE")
		}
		return os.WriteFile(ts.MkAbs(args[0]), s.answer.body, 0o600)
	})
	add("policies", func(ts *testscript.TestScript, _ *session, _ []string) error {
		return os.CopyFS(ts.MkAbs("policies"), os.DirFS(samples))
	})
	add("exits", exits)
	return all
}

// exits runs a command that must end with an exit code.
func exits(ts *testscript.TestScript, _ *session, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: exits CODE COMMAND ...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		return err
	}
	if strconv.Itoa(code) != args[0] {
		return fmt.Errorf("exit code %d instead of %s", code, args[0])
	}
	return nil
}

// session is the state of one file.
type session struct {
	server  *server
	devices map[string]*device
	who     map[string]any // the body of a sign-in; nil for nobody
	header  http.Header    // sent with each call
	touched map[string]bool
	keys    int
	logged  string // by the processes that have ended

	asked  string
	answer answer
	unseen bool // no status line has looked at the answer yet
}

// close ends the server and looks at what it leaves behind.
func (s *session) close() error {
	if s.unseen {
		return fmt.Errorf("nobody looked at the answer to %s: %s", s.asked, s.answer)
	}
	if s.server == nil {
		return nil
	}
	server := s.server
	select {
	case <-server.ended:
		return fmt.Errorf("the server ended by itself: %v\n%s", server.exit, server.log())
	default:
	}
	return errors.Join(s.discreet(), s.stop())
}

// serve starts the server: now=, clock=, policy=, bare and variables of the environment.
func (s *session) serve(dir string, args []string, path func(string) string) error {
	if s.server != nil {
		return errors.New("the server runs already")
	}
	o := options{dir: dir}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "now":
			o.now = value
		case "clock":
			o.clock = value
		case "policy":
			o.policy = path(value)
		case "bare":
			o.bare = true
		default:
			o.env = append(o.env, arg)
		}
	}
	var err error
	s.server, err = launch(o)
	return err
}

func (s *session) stop() error {
	server := s.server
	s.server = nil
	err := server.stop()
	s.logged += server.log()
	return err
}

// log is what the processes of this file wrote to stderr.
func (s *session) log() string {
	if s.server == nil {
		return s.logged
	}
	return s.logged + s.server.log()
}

// argument is one of name=text, name:=JSON, Header:value.
var argument = regexp.MustCompile(`^(?:([a-z_0-9]+)(:?=)|([A-Z][A-Za-z-]*):)((?s).*)$`)

// call makes a request.
func (s *session) call(method string, args []string) error {
	if len(args) == 0 {
		return errors.New("call what?")
	}
	c := call{method: method, path: args[0], header: s.header.Clone()}
	object := map[string]json.RawMessage{}
	for _, arg := range args[1:] {
		found := argument.FindStringSubmatch(arg)
		switch {
		case strings.HasPrefix(arg, "{") || strings.HasPrefix(arg, "["):
			c.body = arg
		case found == nil:
			return fmt.Errorf("%q is not name=text, name:=JSON, Header:value or a JSON body", arg)
		case found[3] != "":
			c.header.Add(found[3], found[4])
		default:
			value, err := s.codes(found[4])
			if err != nil {
				return err
			}
			object[found[1]] = json.RawMessage(value)
			if found[2] == "=" {
				object[found[1]], _ = json.Marshal(value)
			}
		}
	}
	if len(object) > 0 {
		c.body = object
	}
	if strings.HasSuffix(c.path, "/leases") && method == http.MethodPost && c.header.Values("Idempotency-Key") == nil {
		s.keys++
		c.header.Set("Idempotency-Key", "key-"+strconv.Itoa(s.keys))
	}
	signed, err := s.server.as(s.who)
	if err != nil {
		return err
	}
	for name, values := range signed {
		if c.header.Values(name) == nil {
			c.header[name] = values
		}
	}
	return s.watched(c)
}

// watched makes the call, and compares what anybody can see before and after one that is refused.
func (s *session) watched(c call) error {
	changing := !slices.Contains([]string{"GET", "HEAD"}, c.method) && !strings.HasPrefix(c.path, "/_local/")
	var before map[string]string
	var err error
	if changing {
		if before, err = s.seen(); err != nil {
			return err
		}
	}
	s.answer, err = s.server.send(c)
	s.asked, s.unseen = c.method+" "+c.path, err == nil
	if err != nil || !changing || s.answer.status < 400 {
		return err
	}
	after, err := s.seen()
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		return fmt.Errorf("%s was refused with %s and changed what can be seen:\nbefore %v\nafter  %v", s.asked, s.answer.code(), before, after)
	}
	return nil
}

var shown = regexp.MustCompile(`^(.*")?@([a-z0-9]+)([+-][0-9]+s|!)?("(?:.*))?$`)

// codes puts one-time codes in: @phone is what that device shows now, @phone-30s what it showed then, @phone! a
// wrong code.
func (s *session) codes(text string) (string, error) {
	for {
		found := shown.FindStringSubmatch(text)
		if found == nil {
			return text, nil
		}
		d := s.devices[found[2]]
		if d == nil {
			return "", fmt.Errorf("there is no device %s", found[2])
		}
		now, err := s.server.now()
		if err != nil {
			return "", err
		}
		show := d.code
		if found[3] == "!" {
			show = d.wrong
		} else if found[3] != "" {
			by, err := time.ParseDuration(found[3])
			if err != nil {
				return "", err
			}
			now = now.Add(by)
		}
		code, err := show(now)
		if err != nil {
			return "", err
		}
		text = found[1] + code + found[4]
	}
}
