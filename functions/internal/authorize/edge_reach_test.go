package authorize

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// connecting are the packages of deployed functions that open connections by themselves, each with who says
// where to. Whoever calls an address that somebody outside of the company had a say in does so by package reach, which looks
// at what a name resolved to at the moment of connecting; its own tests, and those of the packages that use it, try private,
// link-local, mapped and metadata addresses, and redirects.
var connecting = map[string]string{
	"shared/platform/reach":                   "whoever: hooks of erasing, webhooks, texts, chat, mail services, callbacks of OpenDSR, recipients, providers of OAuth",
	"shared/trust/probe/outside":              "hosts of the policy's probes, at addresses that package reach takes for public",
	"shared/platform/identity/internal/token": "Google's keys, or those of the issuer that company.yaml names; no token has a say in it",
	"shared/access/allowlist/googledoor":      "Google Cloud's own addresses",
	"functions/erasure/revokegrants":          "a stand-in for hosts of others, on one machine alone: refused on a deployed function",
	"shared/platform/message/smtp":            "the mail server that the operator names",
}

// dials are what opens a connection or makes a client that would.
var dials = map[string][]string{
	"net/http":   {"Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"},
	"net":        {"Dial", "DialTimeout", "DialTCP", "DialUDP", "Dialer"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
	"net/smtp":   {"Dial", "SendMail"},
}

// TestConnections: a deployed function connects to nobody but through a package of the list, and through Google's own
// clients.
func TestConnections(t *testing.T) {
	t.Parallel()
	found := map[string][]string{}
	for dir, name := range deployed(t) {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		must(t, err)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				found[name] = append(found[name], uses(t, file, dials)...)
			}
		}
	}
	for name, how := range found {
		if len(how) > 0 && connecting[name] == "" {
			t.Errorf("%s opens connections (%s): use package reach, or say in the list who names the address", name, strings.Join(how, ", "))
		}
	}
	for name := range maps.Keys(connecting) {
		if len(found[name]) == 0 {
			t.Errorf("%s is listed and opens no connection", name)
		}
	}
}

// deployed are the folders of our own packages that functions link, with their paths.
func deployed(t *testing.T) map[string]string {
	t.Helper()
	const module = "ostiary.internal/"
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir", "./functions/access/...", "./functions/breach/...", "./functions/drift/...", "./functions/erasure/...", "./functions/trust/...", "./functions/watch/...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	must(t, err)
	dirs := map[string]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ ImportPath, Dir string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return dirs
		} else if err != nil {
			t.Fatal(err)
		}
		if name, ours := strings.CutPrefix(p.ImportPath, module); ours && !strings.HasSuffix(name, "test") {
			dirs[p.Dir] = name
		}
	}
}

// uses names what a file uses of some packages.
func uses(t *testing.T, file string, of map[string][]string) (all []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	must(t, err)
	names := map[string]string{} // of the file's imports
	for _, i := range parsed.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		name := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = path
	}
	types := map[ast.Node]bool{} // *http.Client as a type connects to nobody
	ast.Inspect(parsed, func(n ast.Node) bool {
		if star, is := n.(*ast.StarExpr); is {
			types[star.X] = true
		}
		s, is := n.(*ast.SelectorExpr)
		if !is || types[s] {
			return true
		}
		if x, is := s.X.(*ast.Ident); is && slices.Contains(of[names[x.Name]], s.Sel.Name) {
			all = append(all, x.Name+"."+s.Sel.Name)
		}
		return true
	})
	return all
}
