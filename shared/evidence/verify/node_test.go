package verify_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/require"
)

// script is the second verifier.
const script = "../../../testdata/evidence/verify.mjs"

// caller runs the script once per line of arguments, in one process: each import of another address runs it anew, with
// nothing left of the run before.
const caller = `
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
const script = pathToFileURL(process.argv[1]).href, tell = process.stdout.write.bind(process.stdout);
let run = 0;
process.exit = (code) => { throw { code }; };
for await (const line of createInterface({ input: process.stdin })) {
  const said = [];
  console.log = console.error = (...words) => said.push(words.map((w) => w?.stack ?? w).join(' '));
  process.argv = ['node', 'verify.mjs', ...JSON.parse(line)];
  process.exitCode = 0;
  let exit;
  try { await import(script + '?' + run++); exit = process.exitCode; } catch (e) { exit = e.code ?? 70; said.push(String(e.stack)); }
  process.exitCode = 0;
  tell(JSON.stringify({ exit, said: said.join('\n') }) + '\n');
}`

// nodeVerifier is a process that runs the second verifier as often as it is asked.
type nodeVerifier struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

// second starts the second verifier; nil where there is no Node, which only a laptop may lack.
func second(t *testing.T) *nodeVerifier {
	t.Helper()
	node, err := exec.LookPath("node")
	t.Run("node", func(t *testing.T) { require.Tool(t, "node", err == nil) })
	if err != nil {
		return nil
	}
	path, err := filepath.Abs(script)
	check(t, err)
	cmd := exec.Command(node, "--input-type=module", "-e", caller, path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		check(t, cmd.Wait())
	})
	return &nodeVerifier{in: in, out: bufio.NewReader(out)}
}

// run asks for one verdict.
func (n *nodeVerifier) run(args ...string) (exit int, said string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	line, err := json.Marshal(args)
	if err != nil {
		return 0, "", err
	}
	if _, err := fmt.Fprintf(n.in, "%s\n", line); err != nil {
		return 0, "", err
	}
	answer, err := n.out.ReadBytes('\n')
	if err != nil {
		return 0, "", err
	}
	var told struct {
		Exit int
		Said string
	}
	err = json.Unmarshal(answer, &told)
	return told.Exit, told.Said, err
}

func (n *nodeVerifier) exit(t testing.TB, args ...string) (int, string) {
	t.Helper()
	exit, said, err := n.run(args...)
	check(t, err)
	return exit, said
}

// As a command, the script ends as it does in the tests.
func TestNodeCommand(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	require.Tool(t, "node", err == nil)
	forged := onDisk(t, files{verify.CheckpointFile: []byte("prose")})
	for _, c := range []struct {
		exit int
		args []string
	}{
		{0, []string{vectors + "/bundle", "--trust", vectors + "/trust.json", "--strict"}},
		{4, []string{forged, "--trust", vectors + "/trust.json"}},
		{4, []string{script, "--trust", vectors + "/trust.json"}},
		{64, []string{vectors + "/bundle"}},
		{64, []string{vectors + "/nowhere", "--trust", vectors + "/trust.json"}},
	} {
		cmd := exec.CommandContext(t.Context(), node, append([]string{script}, c.args...)...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != c.exit {
			t.Errorf("%s: exit %d, want %d\n%s", strings.Join(c.args, " "), got, c.exit, out)
		}
	}
}
