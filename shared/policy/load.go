package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Load reads the policy folder dir of fsys, whose parent holds the folder it may extend. It returns every problem
// of every file, sorted by file and line; the Policy then holds what could be read, fit for a control's own check
// and for nothing else unless Refuse says nil. Of more than 10000 problems the rest is left out. An error, of kind
// Misconfigured, means that the folder could not be read at all: it does not exist, a file is unreadable, there are
// more than 2000 files or 8 MiB.
func Load(fsys fs.FS, dir string) (*Policy, []Problem, error) {
	all := func(string) bool { return true }
	files, problems, err := readFolder(fsys, dir, "", all)
	if err != nil {
		return nil, nil, err
	}
	l := &loading{
		policy: &Policy{files: files, origins: map[string]string{}, packed: map[string][]byte{}},
		docs:   map[string]document{}, zones: map[string]*time.Location{}, wrongAt: map[place]bool{}, wrongBelow: map[place]bool{},
	}
	l.add(problems...)
	for name, data := range files {
		l.policy.packed["policy/"+name] = data
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l.parse(name, name, files[name])
	}
	l.company()
	if err := l.extend(fsys, dir); err != nil {
		return nil, nil, err
	}
	l.people()
	l.tenants()
	l.promises()
	l.services()
	l.policy.Digest = digest(l.policy.packed)
	return l.policy, Sort(l.problems), nil
}

// loading is a policy on its way in.
type loading struct {
	policy   *Policy
	docs     map[string]document
	zones    map[string]*time.Location
	problems []Problem
	// One mistake is told once: what is wrong with a value's shape silences what would be wrong with its meaning.
	wrongAt, wrongBelow map[place]bool
	asked               int // how often there was no promise
}

type place struct{ file, key string }

// maxProblems are told of one folder; beyond that a person does not mend but start anew.
const maxProblems = 10_000

func (l *loading) add(problems ...Problem) {
	for _, p := range problems {
		if len(l.problems) == maxProblems {
			return
		}
		l.problems = append(l.problems, p)
		l.wrongAt[place{p.File, p.Key}] = true
		for key := p.Key; key != ""; key = parent(key) {
			l.wrongBelow[place{p.File, key}] = true
		}
	}
}

// wrong reports a problem of a key unless the key, what is below it or what it stands in is wrong already.
func (l *loading) wrong(file, key, what, allowed string) {
	l.report(Problem{File: file, Key: key, What: what, Allowed: allowed})
}

// dangling reports that what a key refers to does not exist.
func (l *loading) dangling(file, key, what, allowed string) {
	l.report(Problem{File: file, Key: key, What: what, Allowed: allowed, Dangling: true})
}

func (l *loading) report(p Problem) {
	if len(l.problems) == maxProblems || l.wrongBelow[place{p.File, p.Key}] {
		return
	}
	for key := p.Key; key != ""; key = parent(key) {
		if l.wrongAt[place{p.File, key}] {
			return
		}
	}
	var exists bool
	if p.Line, p.Column, exists = l.docs[p.File].place(p.Key); !exists {
		p.What = "is missing"
	}
	l.add(p)
}

// noPromise says that there is no promise with an id, and of the first hundred what was meant.
func (l *loading) noPromise(id string) (what, allowed string) {
	if l.asked++; l.asked > maxSuggested {
		return "there is no promise " + quote(id), "ids of promises"
	}
	return l.policy.noPromise(id)
}

// parent returns the key that key stands in, "" for a key of the file itself.
func parent(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }

// parse reads one YAML file, if it is one, under the name its problems shall carry.
func (l *loading) parse(name, shown string, data []byte) {
	if path.Ext(name) != ".yaml" || strings.HasPrefix(name, "templates/") {
		return
	}
	d, problems := parse(shown, data)
	l.docs[name] = d
	l.add(problems...)
}

// decode fills into from one file. It is false when there is nothing to look at: no such file, or not YAML.
func (l *loading) decode(file string, required bool, into any) bool {
	d, exists := l.docs[file]
	if !exists && required {
		l.add(Problem{File: file, Line: 1, Column: 1, Key: wholeFile, What: "does not exist", Allowed: "company.yaml, people.yaml and promises/ are required"})
	}
	if d.root == nil {
		return false
	}
	l.add(d.decode(into)...)
	return !l.wrongAt[place{file, wholeFile}]
}

// extend adds the files of the folder that company.yaml extends.
func (l *loading) extend(fsys fs.FS, dir string) error {
	name := l.policy.Company.Extends
	if name == "" {
		return nil
	}
	const key = "company.extends"
	sibling := path.Join(path.Dir(dir), name)
	info, err := fs.Stat(fsys, sibling)
	switch {
	case !isID(name) || sibling == dir:
		l.wrong("company.yaml", key, quote(name)+" is not the name of another folder", "the name of a folder beside this one")
		return nil
	case dir == "." || err != nil || !info.IsDir():
		l.wrong("company.yaml", key, "there is no folder "+quote(name)+" beside this one", "the name of a folder beside this one")
		return nil
	}
	prefix := fmt.Sprintf("../%s/", name)
	files, problems, err := readFolder(fsys, sibling, prefix, isInherited)
	if err != nil {
		return err
	}
	l.add(problems...)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		l.policy.packed["extends/"+file] = files[file]
		if _, replaced := l.policy.files[file]; replaced {
			continue
		}
		l.policy.files[file] = files[file]
		l.policy.origins[file] = prefix + file
		l.parse(file, prefix+file, files[file])
	}
	return nil
}

// digest packs files by name, each name and content behind its length, so that no two folders pack alike.
func digest(files map[string][]byte) string {
	h := sha256.New()
	field := func(data []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(data))))
		h.Write(data)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		field([]byte(name))
		field(files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}
