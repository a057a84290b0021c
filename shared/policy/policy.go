// Package policy reads a company's policy folder: its layout, and the files that belong to no control in
// particular (company, people, tenants, services, promises).
//
// It promises to be strict and complete: unknown or duplicate keys, unknown files, a second document, a tag, a
// value out of its range are problems, all problems of all files are told at once with file and line, and reading
// costs bounded time and memory whatever the folder holds. It promises that equal files give an equal Digest.
//
// It does not know what rules, baselines, duties, templates, access.yaml, datamap.yaml or breach.yaml mean: it
// hands each control its file with Decode. References into those files are checked elsewhere.
package policy

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Policy is a policy folder that has been read. It never changes, and is safe for concurrent use.
type Policy struct {
	// Digest is the SHA-256, in hex, over names, lengths and bytes of every file of the folder, and of the files of
	// the extended folder that may apply. It names the policy in every record.
	Digest   string
	Company  Company
	People   []Person
	Tenants  []Tenant
	Services []Service
	Gateways []Gateway
	Sources  []Source
	Promises []Promise
	Dangling []Problem // references to nothing, where Open let them pass; sorted

	files    map[string][]byte // by name within the folder, inherited ones included
	origins  map[string]string // inherited files: where they really stand
	packed   map[string][]byte // what Digest covers
	emails   map[string]int    // people by e-mail address
	people   map[string]int    // by id, as those below
	tenants  map[string]int
	services map[string]int
	accounts map[string]int // services by e-mail address
	gateways map[string]int
	sources  map[string]int // by e-mail address
	promises map[string]int

	making sync.Mutex
	made   map[string]any // by Once
}

// Once returns what derive makes of the policy, the same at every call with the same key: a policy never changes, and neither
// may what is made of it. A key is one caller's and stands for one type; derive does not call Once. Rules take some 30
// milliseconds to compile, and several functions of one process have the same.
func Once[T any](p *Policy, key string, derive func() T) T {
	p.making.Lock()
	defer p.making.Unlock()
	if made, there := p.made[key]; there {
		return made.(T)
	}
	made := derive()
	if p.made == nil {
		p.made = map[string]any{}
	}
	p.made[key] = made
	return made
}

// Person returns the person with an e-mail address, in any case of letters. Whether she still works here is
// Person.Active.
func (p *Policy) Person(email string) (Person, bool) {
	return at(p.People, p.emails, strings.ToLower(email))
}

// PersonByID returns the person with an id of people.yaml.
func (p *Policy) PersonByID(id string) (Person, bool) { return at(p.People, p.people, id) }

// Tenant returns the tenant with an id of tenants.yaml.
func (p *Policy) Tenant(id string) (Tenant, bool) { return at(p.Tenants, p.tenants, id) }

// Service returns the service whose account has an e-mail address, in any case of letters.
func (p *Policy) Service(email string) (Service, bool) {
	return at(p.Services, p.accounts, strings.ToLower(email))
}

// ServiceByID returns the service with an id of services.yaml.
func (p *Policy) ServiceByID(id string) (Service, bool) { return at(p.Services, p.services, id) }

// Gateway returns the gateway with an id of services.yaml.
func (p *Policy) Gateway(id string) (Gateway, bool) { return at(p.Gateways, p.gateways, id) }

// Source returns the source of machine evidence whose account has an e-mail address, in any case of letters.
func (p *Policy) Source(email string) (Source, bool) {
	return at(p.Sources, p.sources, strings.ToLower(email))
}

// Promise returns the promise with an id.
func (p *Policy) Promise(id string) (Promise, bool) { return at(p.Promises, p.promises, id) }

// Names returns the names of all files below a folder such as "rules" or "templates/fr", sorted, those of the
// extended folder included.
func (p *Policy) Names(folder string) []string {
	var names []string
	for name := range p.files {
		if strings.HasPrefix(name, folder+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Read returns the bytes of one file, such as "templates/fr/breach.txt"; they must not be changed.
func (p *Policy) Read(file string) (data []byte, found bool) {
	data, found = p.files[file]
	return data, found
}

// Decode fills into, a pointer to a struct with yaml tags, from one YAML file of the folder, strictly. Found is
// false when the folder has no such file: the control is off. With problems, into holds what fitted.
func (p *Policy) Decode(file string, into any) (found bool, problems []Problem) {
	data, found := p.files[file]
	if !found {
		return false, nil
	}
	d, problems := parse(p.origin(file), data)
	return true, append(problems, d.decode(into)...)
}

// Problem returns a problem of one key of a YAML file, such as "fixed[0].until", at the key's place.
func (p *Policy) Problem(file, key, what, allowed string) Problem {
	d, _ := parse(p.origin(file), p.files[file])
	line, column, _ := d.place(key)
	return Problem{File: d.file, Line: line, Column: column, Key: keyOrFile(key), What: what, Allowed: allowed}
}

// Remark is Problem for what is allowed and most likely not meant.
func (p *Policy) Remark(file, key, what, allowed string) Problem {
	problem := p.Problem(file, key, what, allowed)
	problem.Remark = true
	return problem
}

// Packed returns every file that Digest covers, by name, in the order of the digest: "policy/..." for the folder,
// "extends/..." for the extended one. It is what a published archive holds.
func (p *Policy) Packed() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, name := range slices.Sorted(maps.Keys(p.packed)) {
			if !yield(name, p.packed[name]) {
				return
			}
		}
	}
}

func (p *Policy) origin(file string) string {
	if origin, inherited := p.origins[file]; inherited {
		return origin
	}
	return file
}

func at[T any](all []T, index map[string]int, key string) (found T, ok bool) {
	if i, ok := index[key]; ok {
		return all[i], true
	}
	return found, false
}
