package authorize

import (
	"bufio"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/web"
)

// page is the table that is promised and read by people.
const page = "../../../docs/authorization.md"

// line is what is promised about one route.
type line struct {
	may    []string          // who gets in: roles and names of callers; "everybody" signed in, "anybody" at all
	others string            // the code everybody else reads who proved who she is
	but    map[string]string // codes of those who may see the thing, and not do this to it
	open   bool              // everybody who is approved sees the thing
	limit  string            // what bounds how often
	at     int               // in the page
}

// key names a route as the page does.
func key(function string, r web.Route) string { return function + " " + r.Method + " " + r.Path }

var (
	heading = regexp.MustCompile("^## `([a-z]+)`")
	row     = regexp.MustCompile("^\\| `([A-Z]+ [^`]+)` \\| ([^|]*) \\| ([^|]*) \\| ([^|]*) \\|$")
	code    = regexp.MustCompile("`([a-z0-9_]+)`")
)

// readTable reads the page's tables, by function and route.
func readTable(t testing.TB) map[string]line {
	t.Helper()
	file, err := os.Open(page)
	must(t, err)
	defer file.Close()
	table, function := map[string]line{}, ""
	scanner := bufio.NewScanner(file)
	for n := 1; scanner.Scan(); n++ {
		text := scanner.Text()
		if found := heading.FindStringSubmatch(text); found != nil {
			function = found[1]
		}
		found := row.FindStringSubmatch(text)
		switch {
		case found == nil && strings.HasPrefix(text, "| `"):
			t.Fatalf("%s:%d: no line of the table", page, n)
		case found == nil:
			continue
		case table[function+" "+found[1]].at > 0:
			t.Errorf("%s:%d: %s %s stands there twice", page, n, function, found[1])
		}
		table[function+" "+found[1]] = readLine(t, n, found[2:])
	}
	must(t, scanner.Err())
	return table
}

func readLine(t testing.TB, n int, cells []string) line {
	t.Helper()
	l := line{may: strings.Split(cells[0], ", "), but: map[string]string{}, open: strings.Contains(cells[1], "all see it"), limit: cells[2], at: n}
	for part := range strings.SplitSeq(cells[1], "; ") {
		said := code.FindStringSubmatch(part)
		who, _, named := strings.Cut(part, ": ")
		switch {
		case said == nil && part != "–":
			t.Fatalf("%s:%d: %q names no code", page, n, part)
		case said == nil:
		case named:
			for one := range strings.SplitSeq(who, ", ") {
				l.but[one] = said[1]
			}
		default:
			l.others = said[1]
		}
	}
	return l
}

// gets reports whether a caller of some labels gets in.
func (l line) gets(labels ...string) bool {
	return slices.ContainsFunc(l.may, func(may string) bool {
		return may == "anybody" || slices.Contains(labels, may)
	})
}

// hides reports whether a caller who is refused may not know what is there.
func (l line) hides(c caller) bool {
	return l.but[c.label] == "" && !(l.open && c.kind == staff)
}

// TestTable: each route has a line, and each line a route; what bounds a route is said, and what the route's own table says of it.
func TestTable(t *testing.T) {
	t.Parallel()
	w, table := newWorld(t), readTable(t)
	for _, m := range w.manifests {
		for _, r := range w.Routes(m.Name) {
			k := key(m.Name, r)
			l, known := table[k]
			if !known {
				t.Errorf("%s has no line for `%s %s` of %s: say who may, what others are told, and what bounds it", page, r.Method, r.Path, m.Name)
				continue
			}
			delete(table, k)
			if counted := strings.Contains(l.limit, "network"); counted == r.Uncapped {
				t.Errorf("%s:%d: %s: the source cap counts it: %t; the table says %q", page, l.at, k, !r.Uncapped, l.limit)
			}
			if r.Problems != nil && !r.Page && l.others != "" && !slices.Contains(r.Problems, l.others) {
				t.Errorf("%s:%d: %s: the route does not list %s", page, l.at, k, l.others)
			}
		}
	}
	for k, l := range table {
		t.Errorf("%s:%d: there is no route %s", page, l.at, k)
	}
}
