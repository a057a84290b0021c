package house

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// threats is the page that says for each function what could go wrong, and boundaries its picture.
const (
	threats    = "docs/security.md"
	boundaries = "docs/pictures/boundaries.svg"
)

var (
	threatRow = regexp.MustCompile(`^\| ([STRIDE]) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`)
	linkTo    = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
	testName  = regexp.MustCompile("^`(Test[A-Za-z0-9_]+)`$")
	accepted  = regexp.MustCompile(`(^|[.;] )accepted: (.+)$`)
)

// unanswered lists what is wrong with a page of threats, for functions that there are; read reads a file of the tree.
func unanswered(page string, functions []string, read func(path string) (string, error)) (wrong []string) {
	tell := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	at, letters := "", map[string]string{}
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			at = ""
			if name, is := strings.CutPrefix(line, "### "); is && slices.Contains(functions, name) {
				if at = name; letters[name] != "" {
					tell("%s has two tables", name)
				}
			} else if is {
				tell("%s is no function", name)
			}
			continue
		}
		if row := threatRow.FindStringSubmatch(line); row != nil && at != "" {
			letters[at] += row[1]
			for _, what := range thin(row) {
				tell("%s, %s: %s", at, row[1], what)
			}
		}
		for _, link := range linkTo.FindAllStringSubmatch(line, -1) {
			if what := dangling(link[1], link[2], read); what != "" {
				tell("%s: %s", at, what)
			}
		}
	}
	for _, name := range functions {
		if letters[name] != "STRIDE" {
			tell("%s has rows for %q: one for each of STRIDE, in this order", name, letters[name])
		}
	}
	return wrong
}

// thin says what a row lacks: something that stops the threat, in a file, and a test that shows it; or why it is accepted.
func thin(row []string) (wrong []string) {
	reason := accepted.FindStringSubmatch(row[3])
	switch {
	case len(strings.TrimSpace(row[2])) < 12:
		wrong = append(wrong, "no threat is said")
	case reason != nil && len(strings.Fields(reason[2])) < 6:
		wrong = append(wrong, "accepted, without a reason")
	case reason == nil && strings.Contains(row[3], "accepted"):
		wrong = append(wrong, `"accepted" stands there in a way nobody would see: write "accepted: " and the reason, last`)
	case reason == nil && len(strings.Fields(row[3])) < 4:
		wrong = append(wrong, "nothing is said to stop it")
	}
	if !linkTo.MatchString(row[3]) {
		wrong = append(wrong, "no file stops it")
	}
	if !slices.ContainsFunc(linkTo.FindAllStringSubmatch(row[4], -1), func(l []string) bool { return testName.MatchString(l[1]) }) {
		wrong = append(wrong, "no test shows it")
	}
	return wrong
}

// dangling says what is wrong with a link of the page: no such file, or no such test in it.
func dangling(text, target string, read func(path string) (string, error)) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "#") {
		return ""
	}
	file := path.Join(path.Dir(threats), target)
	test := testName.FindStringSubmatch(text)
	switch code, err := read(file); {
	case err != nil:
		return file + " is not there"
	case test != nil && (!strings.HasSuffix(file, "_test.go") || !strings.Contains(code, "\nfunc "+test[1]+"(")):
		return fmt.Sprintf("%s is no test of %s", test[1], file)
	}
	return ""
}

func readOfTree(file string) (string, error) {
	if info, err := os.Stat(filepath.Join(root, file)); err != nil || info.IsDir() {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, file))
	return string(text), err
}

// Every function has its table of threats, with all six kinds; each is stopped by something and shown by a test, or accepted with a
// reason; every test and file that is named exists.
func TestThreatsAreAnswered(t *testing.T) {
	t.Parallel()
	page, err := readOfTree(threats)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range unanswered(page, functionNames(t), readOfTree) {
		t.Errorf("%s: %s", threats, what)
	}
}

func functionNames(t *testing.T) (names []string) {
	t.Helper()
	for _, f := range manifests(t) {
		names = append(names, f.Name)
	}
	return names
}

// What would make the page say less than it seems to is found.
func TestThreatsAreMissed(t *testing.T) {
	t.Parallel()
	page, err := readOfTree(threats)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string][2]string{
		`admit has rows for "SRIDE"`:                       {"\n| T | an answer is kept", "\n| an answer is kept"},
		"deliver has rows for":                             {"### deliver\n", "### deliver again\n"},
		"no test shows it":                                 {"[`TestRace`](../functions/access/checkotp/function_test.go), [`TestDeathBeforeTheAnswer`](../functions/access/checkotp/function_test.go), [`TestModel`](../shared/access/otp/model_test.go)", "a test"},
		"TestRaces is no test of":                          {"[`TestRace`]", "[`TestRaces`]"},
		"is no test of functions/access/admit/function.go": {"(../functions/access/admit/function_test.go)", "(../functions/access/admit/function.go)"},
		"caller/calls.go is not there":                     {"caller/caller.go", "caller/calls.go"},
		"accepted, without a reason":                       {"accepted: keeping the doors is its task", "accepted: so be it"},
		"in a way nobody would see":                        {"accepted: keeping the doors is its task", "This is accepted"},
		"no file stops it":                                 {": [throttle.go](../shared/access/otp/throttle.go)", ""},
		"no threat is said":                                {"| two show the same token at once; it is replayed |", "| none |"},
	} {
		spoiled := strings.Replace(page, change[0], change[1], 1)
		if spoiled == page {
			t.Errorf("%s: there is nothing to change", want)
		}
		if found := unanswered(spoiled, functionNames(t), readOfTree); !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%s: found is %q", want, found)
		}
	}
}

// The picture of the boundaries is whole, says in words what it shows, and numbers the crossings that the table explains.
func TestBoundariesAreDrawn(t *testing.T) {
	t.Parallel()
	text, err := readOfTree(boundaries)
	if err != nil {
		t.Fatal(err)
	}
	page, err := readOfTree(threats)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{`<title id="title">`, `<desc id="desc">`, `role="img"`, "prefers-color-scheme:dark"} {
		if !strings.Contains(text, part) {
			t.Errorf("%s has no %s", boundaries, part)
		}
	}
	drawn, told := map[string]bool{}, map[string]bool{}
	for _, n := range regexp.MustCompile(`<text class="m"[^>]*>(\d+)</text>`).FindAllStringSubmatch(text, -1) {
		drawn[n[1]] = true
	}
	for _, n := range regexp.MustCompile(`(?m)^\| (\d+) \| `).FindAllStringSubmatch(page, -1) {
		if told[n[1]] = true; !drawn[n[1]] {
			t.Errorf("%s says what crosses at %s, which is not drawn", threats, n[1])
		}
	}
	if len(drawn) != len(told) || len(told) < 8 {
		t.Errorf("%d crossings are drawn, %d explained", len(drawn), len(told))
	}
}
