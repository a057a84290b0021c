package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Limits of one YAML file. A written policy stays far below them.
const (
	maxFileBytes = 1 << 20
	maxDepth     = 32
	maxExpanded  = 10_000 // values reached through anchors
)

// wholeFile is the key of a problem that concerns no key in particular.
const wholeFile = "file"

// document is one YAML file that has been read: a single document of mappings, lists and plain values, without
// duplicate keys or tags, whose anchors stay within limits.
type document struct {
	file string
	root *yaml.Node // nil when the file could not be read
}

// parse reads one file. A document without a root comes with at least one problem.
func parse(file string, data []byte) (document, []Problem) {
	d := document{file: file}
	fail := func(line, column int, what, allowed string) (document, []Problem) {
		return d, []Problem{{File: file, Line: max(line, 1), Column: max(column, 1), Key: wholeFile, What: what, Allowed: allowed}}
	}
	if line, what := unprintable(data); what != "" {
		return fail(line, 1, what, "text in UTF-8")
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		return fail(1, 1, err.Error(), "")
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		return fail(1, 1, "is empty", "one YAML document")
	} else if err != nil {
		return fail(syntaxError(err))
	}
	if err := loader.Load(&second); err == nil {
		return fail(second.Line, second.Column, "a second document begins here", "one YAML document a file")
	} else if !errors.Is(err, io.EOF) {
		return fail(syntaxError(err))
	}
	root := first.Content[0]
	v := vetting{file: file}
	v.vet(root, "", 0, false)
	if len(v.problems) > 0 && v.unbounded {
		return d, v.problems
	}
	d.root = root
	return d, v.problems
}

// unprintable finds the first byte that is not text; what is "" when there is none.
func unprintable(data []byte) (line int, what string) {
	line = 1
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return line, "is not UTF-8"
		case r == '\n':
			line++
		case r < ' ' && r != '\t' && r != '\r' || r == 0x7f:
			return line, "holds a control character"
		}
		rest = rest[size:]
	}
	return line, ""
}

// syntaxError returns place and text of an error of the YAML reader.
func syntaxError(err error) (line, column int, what, allowed string) {
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		what = e.Message
		if e.ContextMsg != "" {
			what = e.ContextMsg + ": " + what
		}
		return e.Mark.Line, e.Mark.Column, "is not YAML: " + what, ""
	}
	return 1, 1, "is not YAML: " + err.Error(), ""
}

// vetting looks for what no file of a policy may hold, whatever its type.
type vetting struct {
	file      string
	problems  []Problem
	expanded  int
	unbounded bool
}

func (v *vetting) wrong(n *yaml.Node, key, what, allowed string) {
	v.problems = append(v.problems, Problem{File: v.file, Line: n.Line, Column: n.Column, Key: keyOrFile(key), What: what, Allowed: allowed})
}

// vet walks n, through anchors too; aliased says that n is reached through one and has been reported already.
func (v *vetting) vet(n *yaml.Node, key string, depth int, aliased bool) {
	if v.unbounded {
		return
	}
	if aliased {
		v.expanded++
	}
	if v.expanded > maxExpanded || depth > maxDepth {
		v.unbounded = true
		v.wrong(n, "", "anchors expand beyond all measure", fmt.Sprintf("%d values, %d levels", maxExpanded, maxDepth))
		return
	}
	if n.Style&yaml.TaggedStyle != 0 && !aliased {
		v.wrong(n, key, "has a tag", "plain values without tags")
	}
	switch n.Kind {
	case yaml.AliasNode:
		v.vet(n.Alias, key, depth+1, true)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			v.vet(item, index(key, i), depth+1, aliased)
		}
	case yaml.MappingNode:
		seen := make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			if name.Kind != yaml.ScalarNode {
				v.wrong(name, key, "has a key that is not a plain value", "text as key")
				continue
			}
			if line, twice := seen[name.Value]; twice && !aliased {
				v.wrong(name, join(key, name.Value), fmt.Sprintf("is here twice, first in line %d", line), "each key once")
			}
			seen[name.Value] = name.Line
			v.vet(value, join(key, name.Value), depth+1, aliased)
		}
	}
}

// pair is one key of a mapping and its value, anchors resolved.
type pair struct{ name, value *yaml.Node }

// pairs returns the entries of a mapping in order, those of merge keys (<<) after its own. Of several with one name
// the first counts.
func pairs(n *yaml.Node) []pair {
	var own, merged []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], resolve(n.Content[i+1])
		switch {
		case name.Kind != yaml.ScalarNode:
		case name.Tag != "!!merge":
			own = append(own, pair{name, value})
		case value.Kind == yaml.SequenceNode:
			for _, each := range value.Content {
				merged = append(merged, pairs(resolve(each))...)
			}
		case value.Kind == yaml.MappingNode:
			merged = append(merged, pairs(value)...)
		}
	}
	seen, all := map[string]bool{}, own[:0:0]
	for _, p := range append(own, merged...) {
		if !seen[p.name.Value] {
			seen[p.name.Value] = true
			all = append(all, p)
		}
	}
	return all
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// place returns line and column of key, or, when it is not there, of its nearest parent that is.
func (d document) place(key string) (line, column int, exists bool) {
	if d.root == nil {
		return 1, 1, true
	}
	at, n, found := d.root, d.root, true
	for key != "" && found {
		var step string
		step, key = cutKey(key)
		found = false
		switch n = resolve(n); n.Kind {
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(step); err == nil && i < len(n.Content) {
				at, n, found = n.Content[i], n.Content[i], true
			}
		case yaml.MappingNode:
			for _, p := range pairs(n) {
				if p.name.Value == step {
					at, n, found = p.name, p.value, true
					break
				}
			}
		}
	}
	return max(at.Line, 1), max(at.Column, 1), found
}

// cutKey splits "people[2].email" into "people" and "[2].email", and that into "2" and "email".
func cutKey(key string) (step, rest string) {
	if key[0] == '[' {
		step, rest, _ = strings.Cut(key[1:], "]")
		return step, strings.TrimPrefix(rest, ".")
	}
	if i := strings.IndexAny(key, ".["); i >= 0 {
		return key[:i], strings.TrimPrefix(key[i:], ".")
	}
	return key, ""
}

func index(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

func keyOrFile(key string) string {
	if key == "" {
		return wholeFile
	}
	return key
}
