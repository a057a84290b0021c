// Package asset is what a company has on Google Cloud: facts about resources and who may use them, each with its age, under
// one name however it was written.
//
// # What it promises
//
// Exports and lists of Cloud Asset Inventory, its feed and single answers of Google's APIs read alike. A resource has one
// key, the same that package auditlog gives what a log entry is about: self links, full names, ids of Terraform, numbers and
// ids of projects lead to it. What was not read is not known, and never empty: a resource without its policy has no
// policy, one whose policy was read and is empty has an empty one.
//
// # What it does not do
//
// It reads no API itself, and it judges nothing: packages baseline and diff do. Of a list that is shorter than it was
// yesterday it cannot say whether the rest is gone or was not told: Inventory.Lost says which kinds vanished whole.
package asset

import (
	"maps"
	"slices"
	"time"
)

// Asset is a resource with what is known of it.
type Asset struct {
	Key       string   // such as //compute.googleapis.com/projects/P/global/firewalls/F
	Type      string   // of Cloud Asset Inventory, such as compute.googleapis.com/Firewall
	Project   string   // its id, or its number where the id is not known; "" above projects
	Ancestors []string // from the nearest, such as projects/1, folders/2, organizations/3
	Location  string   // as its service writes it; "" where there is none
	Data      Object   // as its API writes it; nil: not read
	IAM       *Policy  // who may use it; nil: not read
	Deleted   bool     // told by the feed; nothing else is known then
	// Read is when Data was true, or the resource was gone: the time of the export, of the feed's message, or of the answer.
	// Zero is not known, and older than everything. The policy has a time of its own.
	Read time.Time
}

// Object is a value of JSON's kind object. Numbers are float64, as package encoding/json decodes them.
type Object = map[string]any

// Policy says who may use a resource, by role. Order means nothing in it: Members are sorted and each there once, bindings of
// one role and one condition are one binding.
type Policy struct {
	Bindings []Binding
	Audit    []Audit
	Read     time.Time
}

// Binding gives a role to members.
type Binding struct {
	Role      string
	Condition string // its expression; "" for always
	Members   []string
}

// Audit says which Data Access logs of a service are written.
type Audit struct {
	Service string // or allServices
	Type    string // ADMIN_READ, DATA_READ, DATA_WRITE
	Exempt  []string
}

// Inventory is everything that is known, by key. It is for one goroutine at a time. The zero value is not fit for use.
type Inventory struct {
	assets map[string]*Asset
	names  *Names
	sorted []*Asset            // what All returned last; nil where that is not known any more
	types  map[string][]*Asset // the same, by type; nil as well then
}

// NewInventory returns an empty inventory.
func NewInventory() *Inventory {
	return &Inventory{assets: map[string]*Asset{}, names: NewNames()}
}

// Names are the projects the inventory knows by number.
func (v *Inventory) Names() *Names { return v.names }

// Add takes facts about a resource. Each kind of fact, resource and policy, is kept as it was read last: older facts
// change nothing. Projects are learned by it: call Settle when all is added.
func (v *Inventory) Add(a Asset) {
	v.names.learn(a)
	known, there := v.assets[a.Key]
	if !there || a.Deleted || known.Deleted {
		v.sorted, v.types = nil, nil
	}
	if !there {
		v.assets[a.Key] = &a
		return
	}
	newer := !a.Read.Before(known.Read)
	if a.Deleted || known.Deleted {
		if newer {
			*known = a
		}
		return
	}
	if a.Data != nil && (known.Data == nil || newer) {
		known.Data, known.Location, known.Read = a.Data, a.Location, a.Read
	}
	if a.IAM != nil && (known.IAM == nil || !a.IAM.Read.Before(known.IAM.Read)) {
		known.IAM = a.IAM
	}
	if len(known.Ancestors) == 0 {
		known.Ancestors = a.Ancestors
	}
}

// Settle writes every key anew with the ids of projects that were learned since, and joins what turns out to be one.
func (v *Inventory) Settle() {
	for _, key := range slices.Sorted(maps.Keys(v.assets)) {
		a := v.assets[key]
		name := v.names.Key(a.Type, key)
		a.Project = v.names.ID(a.Project)
		if name == key {
			continue
		}
		delete(v.assets, key)
		v.sorted, v.types = nil, nil
		a.Key = name
		v.Add(*a)
	}
}

// Get returns a resource by any of its names.
func (v *Inventory) Get(kind, name string) (*Asset, bool) {
	a, known := v.assets[v.names.Key(kind, name)]
	return a, known
}

// All returns the resources that are there, by key.
func (v *Inventory) All() []*Asset {
	if v.sorted != nil {
		return slices.Clone(v.sorted)
	}
	all := make([]*Asset, 0, len(v.assets))
	for _, a := range v.assets {
		if !a.Deleted {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *Asset) int { return compare(a.Key, b.Key) })
	v.sorted = all
	return slices.Clone(all)
}

// Of returns the resources of a type that are there, by key. The list is the inventory's own, and nobody changes it.
func (v *Inventory) Of(kind string) []*Asset {
	if v.types == nil {
		v.types = map[string][]*Asset{}
		for _, a := range v.All() {
			v.types[a.Type] = append(v.types[a.Type], a)
		}
	}
	return v.types[kind]
}

// Each hands on the resources that are there, in no order.
func (v *Inventory) Each(take func(*Asset)) {
	for _, a := range v.assets {
		if !a.Deleted {
			take(a)
		}
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Len returns how many resources are known, those that are deleted too.
func (v *Inventory) Len() int { return len(v.assets) }

// Kinds counts the resources that are there, by type.
func (v *Inventory) Kinds() map[string]int {
	kinds := map[string]int{}
	for _, a := range v.assets {
		if !a.Deleted {
			kinds[a.Type]++
		}
	}
	return kinds
}

// Lost returns the types of which there were resources before and are none now, sorted: nobody deletes all of a kind as
// often as a reader loses its right to list it.
func (v *Inventory) Lost(before map[string]int) []string {
	now := v.Kinds()
	var lost []string
	for kind, n := range before {
		if n > 0 && now[kind] == 0 {
			lost = append(lost, kind)
		}
	}
	slices.Sort(lost)
	return lost
}
