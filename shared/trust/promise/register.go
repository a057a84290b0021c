package promise

import (
	"maps"
	"slices"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
	"ostiary.internal/shared/policy"
)

// Register is what the policy promises, as everybody may read it: register.json. Equal policies give equal bytes.
type Register struct {
	V         int       `json:"v"`
	Company   string    `json:"company"`
	Languages []string  `json:"languages"` // en, fr, de: the company's own first
	Policy    string    `json:"policy"`    // digest of the policy's files, SHA-256 in hex
	Promises  []Promise `json:"promises"`  // in the order of the policy
	Duties    []Duty    `json:"duties,omitempty"`
}

// Promise is one sentence of the register.
type Promise struct {
	ID       string            `json:"id"`
	SameAs   string            `json:"same_as,omitempty"` // the promise that says the same; its evidence counts here
	Text     Text              `json:"text"`
	TextHash string            `json:"text_hash"` // what a statement signs; TextHash computes it
	Source   Source            `json:"source"`
	Check    string            `json:"check"`
	Severity policy.Severity   `json:"severity"`
	Params   map[string]string `json:"params,omitempty"` // in the form of the policy file, such as ">=3"
	KeptBy   []Keeper          `json:"kept_by"`
	MaxAge   string            `json:"max_age,omitempty"` // ISO 8601, how long a proof counts at most
}

// Text is the sentence in each language it was published in.
type Text struct {
	DE string `json:"de,omitempty"`
	EN string `json:"en,omitempty"`
	FR string `json:"fr,omitempty"`
}

// In returns the sentence in a language (en, fr, de), "" where there is none.
func (t Text) In(language string) string {
	return policy.Text{EN: t.EN, FR: t.FR, DE: t.DE}.In(language)
}

// signers are the roles that may sign a statement about the promise.
func (p Promise) signers() []string {
	var roles []string
	for _, k := range p.KeptBy {
		if k.Mechanism == policy.Statement {
			roles = append(roles, k.Refs...)
		}
	}
	return roles
}

// Source is where the sentence was published.
type Source struct {
	File    string `json:"file,omitempty"`
	Section string `json:"section,omitempty"`
}

// Keeper is one mechanism and what it refers to.
type Keeper struct {
	Mechanism policy.Mechanism `json:"mechanism"`
	Refs      []string         `json:"refs"`
}

// Duty is what the register tells of a duty of duties.yaml.
type Duty struct {
	ID    string `json:"id"`
	Every string `json:"every,omitempty"` // ISO 8601: how often; "" for a duty of an occasion
	On    string `json:"on,omitempty"`    // the occasion
	// Personal tells that each person owes it, or has it owed: its findings are as many as there are persons behind.
	Personal bool `json:"personal,omitempty"`
}

// Duties are the duties of a policy, in any order.
type Duties []Duty

// NewRegister makes the register of a policy. Duties may be nil: promises kept by duties are then NotRunning.
func NewRegister(p *policy.Policy, duties Duties) Register {
	r := Register{V: Version, Company: p.Company.Name, Languages: slices.Clone(p.Company.Languages), Policy: p.Digest, Promises: []Promise{}}
	for _, from := range p.Promises {
		to := Promise{
			ID: from.ID, SameAs: from.SameAs, Text: Text{DE: from.Text.DE, EN: from.Text.EN, FR: from.Text.FR}, TextHash: TextHash(from.Text),
			Source: Source(from.Source), Check: from.Check, Severity: from.Severity, KeptBy: []Keeper{},
		}
		for name, param := range from.Params {
			if to.Params == nil {
				to.Params = map[string]string{}
			}
			to.Params[name] = param.String()
		}
		for _, k := range from.KeptBy {
			to.KeptBy = append(to.KeptBy, Keeper{k.Mechanism, slices.Clone(k.Refs)})
		}
		if !from.MaxAge.IsZero() {
			to.MaxAge = from.MaxAge.String()
		}
		r.Promises = append(r.Promises, to)
	}
	for _, d := range duties {
		r.Duties = append(r.Duties, d)
	}
	slices.SortFunc(r.Duties, func(a, b Duty) int { return compareText(a.ID, b.ID) })
	return r
}

// TextHash is what a statement signs: the record.Digest of the sentence in all its languages, as canonical JSON
// such as {"de":"...","fr":"..."}. It changes when any translation changes.
func TextHash(t policy.Text) string {
	return record.Digest(canonical(Text{DE: t.DE, EN: t.EN, FR: t.FR}))
}

// Canonical returns the register's only bytes.
func (r Register) Canonical() []byte { return canonical(r) }

// Digest returns the record.Digest of the canonical bytes.
func (r Register) Digest() string { return record.Digest(r.Canonical()) }

// maxRegister is the largest register that is read, in bytes.
const maxRegister = 16 << 20

// ReadRegister reads register.json. Invalid: not the canonical bytes of a register, or larger than 16 MiB.
func ReadRegister(data []byte) (Register, error) {
	var r Register
	if len(data) > maxRegister {
		return Register{}, fault.New(fault.Invalid, "reading a register: larger than %d bytes", maxRegister)
	}
	if _, err := strictjson.Decode(data, 8, &r); err != nil {
		return Register{}, fault.New(fault.Invalid, "reading a register: %w", err)
	}
	if r.V != Version {
		return Register{}, fault.New(fault.Invalid, "reading a register: version %d, known is %d", r.V, Version)
	}
	if err := r.check(); err != nil {
		return Register{}, err
	}
	if string(r.Canonical()) != string(data) {
		return Register{}, fault.New(fault.Invalid, "reading a register: not in canonical form")
	}
	return r, nil
}

// check refuses what the loading of a policy would have refused and the computing of states relies on.
func (r Register) check() error {
	ids := map[string]Promise{}
	for _, p := range r.Promises {
		if _, twice := ids[p.ID]; twice || p.ID == "" {
			return fault.New(fault.Invalid, "reading a register: promise %.40q is there twice", p.ID)
		}
		if _, err := period(p.MaxAge); err != nil {
			return fault.New(fault.Invalid, "reading a register: promise %.40q: %w", p.ID, err)
		}
		if p.TextHash != TextHash(policy.Text{EN: p.Text.EN, FR: p.Text.FR, DE: p.Text.DE}) {
			return fault.New(fault.Invalid, "reading a register: promise %.40q: text_hash is not that of its text", p.ID)
		}
		ids[p.ID] = p
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if same := ids[id].SameAs; same != "" && (same == id || ids[same].ID == "" || ids[same].SameAs != "") {
			return fault.New(fault.Invalid, "reading a register: promise %.40q is the same as no promise that stands for itself", id)
		}
	}
	for _, d := range r.Duties {
		if _, err := period(d.Every); err != nil {
			return fault.New(fault.Invalid, "reading a register: duty %.40q: %w", d.ID, err)
		}
	}
	return nil
}

// period reads an ISO 8601 duration; "" is none.
func period(s string) (calendar.Period, error) {
	if s == "" {
		return calendar.Period{}, nil
	}
	return calendar.ParsePeriod(s)
}
