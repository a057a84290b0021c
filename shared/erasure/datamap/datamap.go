// Package datamap reads datamap.yaml, which says where personal data lies, how somebody's part of it is found and what
// is done to it, and makes of it the queries of one request.
//
// It promises that no query leaves it that is not bound to a tenant, that an identifier nobody verified and a value
// that could mean more than one person never become part of one, that what is called anonymised keeps nothing computed
// from an identifier, and that the steps come in an order which cuts access first, takes what lies below before what it
// lies under, and leaves for last the record that tells whether somebody exists. What it cannot promise is that the map
// is true: Unmapped compares it with what the stores hold.
//
// It asks nothing of any store and decides about no request.
package datamap

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
)

// File is the policy file of the map. Without it the erasure control is off.
const File = "datamap.yaml"

// Map is datamap.yaml with its defaults filled in. It never changes, and is safe for concurrent use.
type Map struct {
	Kinds      []Kind      // of identifiers, in the order of the file
	Entries    []*Entry    // in the order of the file
	Free       []Place     // where no personal data lies
	Outside    []Outside   // data that other means erase, or nobody can: named in every receipt
	Backups    []Backup    // how long erased data survives in them
	Recipients []Recipient // to whom data was disclosed (GDPR article 19)
	Retention  []Rule      // what is erased by age
	Limits     Limits
	// Strict says that a request is not completed while a store holds a place that the map does not know.
	Strict bool

	digest  string
	faulty  bool // read with problems: compiles nothing
	kinds   map[string]int
	entries map[string]int
	walk    []int             // order of kinds: each after those it is derived from
	order   []int             // of entries
	before  []map[int]bool    // entries that come before an entry, however far
	regions map[string]string // of tenants that chose one
	zone    *time.Location
}

// Kind is one kind of identifier.
type Kind struct {
	ID string `yaml:"id"`
	// Reusable says that somebody else may have the same later: data made after the request is not the requester's.
	Reusable  bool      `yaml:"reusable"`
	Normalise Normalise `yaml:"normalise"`
	// Staff says that it names people who work here and no customer: what is found by it is in no customer's plan.
	Staff bool `yaml:"staff"`
}

// Entry is one place with personal data of one kind of people.
type Entry struct {
	ID         string    `yaml:"id"`
	Store      string    `yaml:"store"`  // URL; {region} is the tenant's or Region, {account} "read" or "erase"
	Place      string    `yaml:"place"`  // in the store's notation; {tenant} is the tenant's id
	Region     string    `yaml:"region"` // where the data is of tenants that chose none
	Role       Role      `yaml:"role"`
	Tenant     Tenant    `yaml:"tenant"`
	Select     Selector  `yaml:"select"`
	Action     Action    `yaml:"action"`
	Descend    bool      `yaml:"descend"` // what lies below an item goes with it
	Below      []string  `yaml:"below"`   // collection groups that lie below items of this entry and nowhere else
	Created    string    `yaml:"created"` // field that tells when an item was made; "" for the store's own record
	Fields     []Field   `yaml:"fields"`  // of Anonymise: what becomes of each; of Pseudonymise: what was done
	Group      *Group    `yaml:"group"`   // of Anonymise: who must not stand alone afterwards
	After      []string  `yaml:"after"`   // ids of entries that come first
	Access     bool      `yaml:"access"`  // sessions, tokens and grants: they come before everything else
	Derives    []Derived `yaml:"derives"`
	Retain     *Retain   `yaml:"retain"`
	Recipients []string  `yaml:"recipients"`   // ids of recipients who were given this data
	Backup     string    `yaml:"backup_class"` // NoBackup, or of Map.Backups
	// Directory marks the entry that tells whether somebody exists now; Address is its field with the address a link may
	// be sent to.
	Directory bool   `yaml:"directory"`
	Address   string `yaml:"address"`
}

// NoBackup is the class of what is in no backup.
const NoBackup = "none"

// Role says whose data it is (GDPR article 4(7) and (8)).
type Role string

// The roles. A request of a person touches nothing of Processor: it is forwarded to the tenant, who may instruct.
const (
	Controller Role = "controller"
	Processor  Role = "processor"
)

// Tenant says how items tell their tenant. Exactly one is set.
type Tenant struct {
	Path   bool   `yaml:"path"`   // {tenant} is a segment of the place or of the name
	Field  string `yaml:"field"`  // dotted path, column or metadata key that holds the tenant's id
	Global string `yaml:"global"` // data of no tenant: why, who reviewed it and when
}

// Selector says how the items of a person are recognised: exactly one way, and with Of the kind of identifier where the
// way has no template. Else is used where no identifier of the kind is known, and only then.
type Selector struct {
	Document string    `yaml:"document"` // template of a name, such as "{uid}"
	Equals   string    `yaml:"equals"`   // dotted path
	Contains string    `yaml:"contains"` // dotted path of a list
	MapKey   string    `yaml:"map_key"`  // dotted path of a map
	Prefix   string    `yaml:"prefix"`   // template of the beginning of names; ends with "/"
	Metadata string    `yaml:"metadata"` // metadata key
	Column   string    `yaml:"column"`
	Hook     bool      `yaml:"hook"` // whoever answers the hook knows
	Of       string    `yaml:"of"`
	Else     *Selector `yaml:"else"`
}

// Action is what a request does to the items of an entry.
type Action string

// The actions. Review and Pseudonymise never satisfy a request: the first asks a person, the second is personal data
// still (GDPR article 4(5)). Retain keeps what Retain.Ground asks for, until its end.
const (
	Delete       Action = "delete"
	Anonymise    Action = "anonymise"
	Pseudonymise Action = "pseudonymise"
	Review       Action = "review"
	RetainIt     Action = "retain"
)

// Derived is an identifier that items of an entry hold.
type Derived struct {
	Kind string `yaml:"identifier"`
	From string `yaml:"from"` // dotted path or column
}

// Outside is data that the map knows and no request reaches, such as logs of the platform.
type Outside struct {
	Place string `yaml:"place"`
	What  string `yaml:"what"` // one sentence for the receipt
	Days  int    `yaml:"days"` // until it is gone by itself; 0 for not at all
}

// Backup is one class of backups.
type Backup struct {
	Class string `yaml:"class"`
	Days  int    `yaml:"days"` // how long the longest is kept
}

// Recipient is somebody who was given data, and is told of its erasure (GDPR article 19).
type Recipient struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	By   By     `yaml:"by"`
	To   string `yaml:"to"`
}

// By says how a recipient is told.
type By string

// The ways of telling.
const (
	ByOpenDSR By = "opendsr"
	ByWebhook By = "webhook"
	ByMail    By = "mail" // a task for a person, with the text of the mail
)

// Rule erases what lies in an entry's place, whomever it is about, once it is older than a period.
type Rule struct {
	ID        string          `yaml:"id"`
	Entry     string          `yaml:"entry"`
	Field     string          `yaml:"field"` // from which an item's age counts; "" as Entry.Created
	OlderThan calendar.Period `yaml:"older_than"`
	Action    Action          `yaml:"action"` // Delete or Anonymise
}

// Limits are what needs no person, and how fast and how soon.
type Limits struct {
	AutoApproveItems int // a plan of more waits for a person
	GrowthPercent    int // more than planned by this much pauses the execution
	TenantPercent    int // a plan of more of a tenant's records waits for a person
	GraceDays        int // before a closed account is erased, 0 to 30
	ForwardDays      int // working days until a processor's request is forwarded
	InternalDays     int // target of erasing what needs no person (GDPR article 17(1), "without undue delay")
	RatePerSecond    int // items of one database
}

// Digest is the SHA-256, in hex, of what the map says; comments and order of keys do not count. It names the map in plans
// and receipts.
func (m *Map) Digest() string { return m.digest }

// Entry returns the entry with an id.
func (m *Map) Entry(id string) (*Entry, bool) {
	i, known := m.entries[id]
	if !known {
		return nil, false
	}
	return m.Entries[i], true
}

// Kind returns the kind of identifier with an id.
func (m *Map) Kind(id string) (Kind, bool) {
	i, known := m.kinds[id]
	if !known {
		return Kind{}, false
	}
	return m.Kinds[i], true
}

// Seeds returns the kinds of identifiers that have to be given, because no entry derives them; in the order of the file.
func (m *Map) Seeds() []string {
	var seeds []string
	for _, k := range m.Kinds {
		if !slices.ContainsFunc(m.Entries, func(e *Entry) bool { return e.derives(k.ID) }) {
			seeds = append(seeds, k.ID)
		}
	}
	return seeds
}

func (e *Entry) derives(kind string) bool {
	return slices.ContainsFunc(e.Derives, func(d Derived) bool { return d.Kind == kind })
}

// selectors returns the entry's ways of recognising, the first to be tried first.
func (e *Entry) selectors() []*Selector {
	var all []*Selector
	for s := &e.Select; s != nil; s = s.Else {
		all = append(all, s)
	}
	return all
}
