// Package configuration reads Terraform configuration, the text of .tf files, as far as tests and generated tables need it:
// blocks, their attributes as written, and what an expression refers to. It evaluates nothing. The plan's own JSON leaves out what
// a local value stands for and which instance an index picks; both stand in the text.
package configuration

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Body is what stands between two braces, or in a whole file.
type Body struct {
	Attributes map[string]string // expressions as written, without comments
	Blocks     []Block
}

// Block is one block, such as resource "google_pubsub_topic" "event" {...}.
type Block struct {
	Body
	Type   string
	Labels []string
	File   string
	Line   int
}

// Folder is one module: all .tf files of a folder, and no folder below it.
type Folder struct {
	Blocks []Block
	locals map[string]string
}

// Read reads the module in a folder. A folder without .tf files is an error: nothing would follow from it.
func Read(tree fs.FS, folder string) (*Folder, error) {
	files, err := fs.Glob(tree, path.Join(folder, "*.tf"))
	if err != nil {
		return nil, fmt.Errorf("listing the configuration in %s: %w", folder, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no .tf file: give the folder that was planned", folder)
	}
	f := &Folder{locals: map[string]string{}}
	for _, file := range files {
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		body, err := Parse(file, string(text))
		if err != nil {
			return nil, err
		}
		f.Blocks = append(f.Blocks, body.Blocks...)
	}
	for _, b := range f.Blocks {
		if b.Type == "locals" {
			for name, expression := range b.Attributes {
				f.locals[name] = expression
			}
		}
	}
	return f, nil
}

// Local is the expression of a local value.
func (f *Folder) Local(name string) (string, bool) {
	expression, ok := f.locals[name]
	return expression, ok
}

// Find is the first block of a type with these labels.
func (f *Folder) Find(kind string, labels ...string) (Block, bool) {
	i := slices.IndexFunc(f.Blocks, func(b Block) bool { return b.Type == kind && slices.Equal(b.Labels, labels) })
	if i < 0 {
		return Block{}, false
	}
	return f.Blocks[i], true
}

// Inner is the first block of a type inside this one. A dynamic block counts as what it makes.
func (b Block) Inner(kind string) (Block, bool) {
	for _, inner := range b.Blocks {
		if inner.Type == kind {
			return inner, true
		}
		if inner.Type == "dynamic" && slices.Equal(inner.Labels, []string{kind}) {
			return inner.Inner("content")
		}
	}
	return Block{}, false
}

// Expression is what stands for an attribute at a path of nested blocks, the first of each type.
func (b Block) Expression(at ...string) (string, bool) {
	for _, kind := range at[:len(at)-1] {
		inner, ok := b.Inner(kind)
		if !ok {
			return "", false
		}
		b = inner
	}
	expression, ok := b.Attributes[at[len(at)-1]]
	return expression, ok
}

// Variable is an input of a module.
type Variable struct {
	Name, Description, Type string
	Default                 string // as written; empty where it has to be given
}

// Variables are a module's inputs, as they stand in its files.
func (f *Folder) Variables() []Variable {
	var all []Variable
	for _, b := range f.Blocks {
		if b.Type == "variable" && len(b.Labels) == 1 {
			all = append(all, Variable{b.Labels[0], Unquote(b.Attributes["description"]), oneLine(b.Attributes["type"]), oneLine(b.Attributes["default"])})
		}
	}
	return all
}

// Unquote is what a quoted string without templates stands for; what is none comes back as it is.
func Unquote(expression string) string {
	text := strings.TrimSpace(expression)
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return text
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n", `\t`, "\t", `$${`, `${`, `%%{`, `%{`).Replace(text[1 : len(text)-1])
}

// oneLine is an expression in one line. What ends an entry of an object there is the end of its line, and a comma here.
func oneLine(expression string) string {
	var kept strings.Builder
	for _, line := range strings.Split(expression, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		before := kept.String()
		switch {
		case line == "" || before == "":
		case strings.ContainsAny(before[len(before)-1:], "({[,") || strings.ContainsAny(line[:1], ")}]"):
			kept.WriteByte(' ')
		default:
			kept.WriteString(", ")
		}
		kept.WriteString(line)
	}
	return kept.String()
}
