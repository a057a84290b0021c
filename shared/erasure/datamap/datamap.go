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
//
// # Steps
//
// An entry whose items are recognised in several ways ("or") makes a step of each way whose identifier is known, so that
// nothing of it is left unsearched; an item may be found by more than one of them. Step.ID tells them apart. Step.After
// and Step.Within name entries, and mean all their steps.
//
// What Step.Within names lies inside the step's own items and goes with them. It has been erased before, and whoever
// carries the step out leaves it alone as long as one of these entries keeps something: by a ground, a hold, a lock of
// the store, for a person to look at, for another tenant, or because it could not be searched. A hold counts although its
// entry has no step. An entry of another action or role never lies inside: such a map is refused when it is read.
//
// # Owners
//
// Who owns a tenant's account is said once, at the top level, in one of two forms:
//
//	owners: {entry: tenant-record, identifier: uid, from: owners}            # a field, or a list, of a record of the tenant
//	owners: {entry: users, identifier: uid, from: uid, where: role, is: owner} # people one of whose fields says so
//
// Owners makes the one look-up of it: erasure.Reader's Values, bounded by erasure.MaxValues, returns all owners of the
// tenant. Owns compares them with the identifiers of a person: whether she is one of them, and whether she is the last. Of
// more owners than the bound nobody is the last, and whether somebody is one is for a person to say. Without the key
// nobody is known to be an owner.
package datamap

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/opendsr"
)

// File is the policy file of the map. Without it the erasure control is off.
const File = "datamap.yaml"

// Map is datamap.yaml with its defaults filled in. It never changes, and is safe for concurrent use.
type Map struct {
	Kinds      []Kind      // of identifiers, in the order of the file
	Entries    []*Entry    // in the order of the file
	Free       []Place     // where no personal data lies
	Outside    []Outside   // data that other means erase, or nobody can: named in every receipt
	Ignored    []Ignored   // stores of live projects that somebody has looked into, and no entry is about
	Backups    []Backup    // how long erased data survives in them
	Recipients []Recipient // to whom data was disclosed (GDPR article 19)
	Providers  []Provider  // with whom accounts are connected
	Retention  []Rule      // what is erased by age
	Owner      *Owners     // how the owners of a tenant are found; nil where nothing tells
	Limits     Limits
	// Here are the regions in which this deployment works; none for all that the map has. What is in another one is neither
	// searched nor erased from here: it stands open in plans and receipts, and a deployment there does its part.
	Here []string `json:",omitempty"`
	// Strict says that a request is not completed while a store holds a place that the map does not know.
	Strict bool

	digest     string
	faulty     bool // read with problems: compiles nothing
	kinds      map[string]int
	entries    map[string]int
	walk       []int             // order of kinds: each after those it is derived from
	order      []int             // of entries
	before     []map[int]bool    // entries that come before an entry, however far
	nested     map[string]nested // of entries, by id
	regions    map[string]string // of tenants that chose one
	everywhere []string          // those regions, each once
	live       []string          // projects of the live environments
	zone       *time.Location
}

// Kind is one kind of identifier.
type Kind struct {
	ID string `yaml:"id"`
	// Reusable says that somebody else may have the same later: data made after the request is not the requester's.
	Reusable  bool      `yaml:"reusable"`
	Normalise Normalise `yaml:"normalise"`
	// OpenDSR is the identity type by which a tenant names people of his in instructions, and recipients are told of them; "" for none,
	// but of the first addresses for email.
	OpenDSR opendsr.IdentityType `yaml:"opendsr"`
	// Staff says that it names people who work here and no customer: what is found by it is in no customer's plan.
	Staff bool `yaml:"staff"`
}

// Identity is what the kind is called where somebody is told of a person by OpenDSR, "" for nothing. Any address is one.
func (k Kind) Identity() opendsr.IdentityType {
	if k.OpenDSR == "" && k.Normalise == AsEmail {
		return opendsr.Email
	}
	return k.OpenDSR
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
	Below      []string  `yaml:"below"`   // what lies below items of this entry and nowhere else: collection groups; tables that foreign keys empty with its rows
	Created    string    `yaml:"created"` // field that tells when an item was made; "" for the store's own record
	Fields     []Field   `yaml:"fields"`  // of Anonymise: what becomes of each; of Pseudonymise: what was done
	Group      *Group    `yaml:"group"`   // of Anonymise: who must not stand alone afterwards
	After      []string  `yaml:"after"`   // ids of entries that come first
	Access     bool      `yaml:"access"`  // sessions, tokens and grants: they come before everything else
	Grants     *Grants   `yaml:"grants"`  // the items are connections with accounts at providers: they end there first
	Derives    []Derived `yaml:"derives"`
	Retain     *Retain   `yaml:"retain"`
	Recipients []string  `yaml:"recipients"`   // ids of recipients who were given this data
	Published  string    `yaml:"published"`    // where anybody could see it (GDPR article 17(2)), in one line; "" for nowhere
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

	// Global is no role of an entry: the ledger of who was erased has it for what is of no tenant.
	Global Role = "global"
)

// Tenant says how items tell their tenant. Exactly one is set.
type Tenant struct {
	Path   bool   `yaml:"path"`   // {tenant} is a segment of the place or of the name
	Field  string `yaml:"field"`  // dotted path, column or metadata key that holds the tenant's id
	Global string `yaml:"global"` // data of no tenant: why, who reviewed it and when
}

// Selector says how the items of a person are recognised: exactly one way, and with Of the kind of identifier where the
// way has no template. Or is another way, by another kind of identifier: what either finds is the person's.
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
	Case     Case      `yaml:"case"` // of addresses: how the store has their letters
	Or       *Selector `yaml:"or"`
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

// Ignored is a store beside those of the map that needs no entry: a server's own, or one of another system.
type Ignored struct {
	Store  string       `yaml:"store" json:"store"`   // URL without account and parameters; {region} stands for each there is
	Why    string       `yaml:"why" json:"why"`       // and who has looked
	Review calendar.Day `yaml:"review" json:"review"` // the last day on which that counts, LongestIgnored ahead at most
}

// LongestIgnored is for how many days a look into a store counts.
const LongestIgnored = 400

// Backup is one class of backups.
type Backup struct {
	Class string `yaml:"class"`
	Days  int    `yaml:"days"` // how long the longest is kept
	// By is what of a platform keeps them: firestore_pitr, firestore_schedule, cloudsql_pitr, gcs_soft_delete; "" for anything
	// else. What of Firestore is in a class that is called pitr is by firestore_pitr.
	By string `yaml:"by"`
}

// Recipient is somebody who was given data, and is told of its erasure (GDPR article 19).
type Recipient struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	By   By     `yaml:"by"`
	To   string `yaml:"to"`
	// Gives are the kinds of identifiers the recipient knows people by, and is told them by; none else leaves. Of an account
	// that closes it is told the tenant's id alone.
	Gives []string `yaml:"gives"`
	// Secret is the name of the secret that signs what it is told (ByWebhook), or is shown to it (ByOpenDSR, a Bearer token);
	// "" for none.
	Secret string `yaml:"secret"`
}

// By says how a recipient is told.
type By string

// The ways of telling.
const (
	ByOpenDSR By = "opendsr"
	ByWebhook By = "webhook"
	ByMail    By = "mail" // whether it was heard, a person says
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
	LeaverDays       int // from the last day of somebody who works here until what names her is erased, 0 to 400
	GraceDays        int // before a closed account is erased, 0 to 30
	InternalDays     int // target of erasing what needs no person (GDPR article 17(1), "without undue delay")
	ForwardDays      int // working days from the proof until a person's request is passed on to the tenant whose data it is
	ReviewDays       int // until somebody has looked at what only a person can judge; sooner where the law's deadline is nearer
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
	for s := &e.Select; s != nil; s = s.Or {
		all = append(all, s)
	}
	return all
}
