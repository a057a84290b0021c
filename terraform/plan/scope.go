package plan

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"ostiary.internal/terraform/configuration"
)

// scope is one instance of a module, as expressions in it see it.
type scope struct {
	tree    fs.FS
	path    string // of the folder
	address string // module.function["deliver"]
	folder  *configuration.Folder
	parent  *scope
	call    configuration.Block // in the parent
	key     string              // of the call's for_each
	inner   map[string]*scope
}

func open(tree fs.FS, folder string) (*scope, error) {
	read, err := configuration.Read(tree, folder)
	if err != nil {
		return nil, err
	}
	return &scope{tree: tree, path: folder, folder: read, inner: map[string]*scope{}}, nil
}

var moduleForm = regexp.MustCompile(`^module\.([A-Za-z0-9_-]+)(?:\["([^"]*)"\]|\[([0-9]+)\])?(?:\.|$)`)

// module is the scope of a module by its address from here.
func (s *scope) module(address string) (*scope, error) {
	for address != "" {
		found := moduleForm.FindStringSubmatch(address)
		if found == nil {
			return nil, fmt.Errorf("%q is no address of a module", address)
		}
		child, err := s.child(found[1], found[2]+found[3])
		if err != nil {
			return nil, err
		}
		s, address = child, address[len(found[0]):]
	}
	return s, nil
}

// child is the scope of a module called here.
func (s *scope) child(name, key string) (*scope, error) {
	address := "module." + name
	if s.address != "" {
		address = s.address + "." + address
	}
	call, found := s.folder.Find("module", name)
	if !found {
		return nil, fmt.Errorf("%s calls no module %s", s.path, name)
	}
	if _, counted := call.Attributes["count"]; counted {
		address += "[" + key + "]"
	} else if key != "" {
		address += fmt.Sprintf("[%q]", key)
	}
	if known := s.inner[address]; known != nil {
		return known, nil
	}
	source := configuration.Unquote(call.Attributes["source"])
	if !strings.HasPrefix(source, "./") && !strings.HasPrefix(source, "../") {
		return nil, fmt.Errorf("module %s in %s comes from %q: modules of this tree are called by their path", name, s.path, source)
	}
	child, err := open(s.tree, path.Join(s.path, source))
	if err != nil {
		return nil, err
	}
	child.address, child.parent, child.call, child.key = address, s, call, key
	s.inner[address] = child
	return child, nil
}
