package asset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// MaxBytes bounds one asset as it is written.
const MaxBytes = 10 << 20

// line is an asset as exports (snake case) and the API and feed (camel case) write it.
type line struct {
	Name       string    `json:"name"`
	AssetType  string    `json:"assetType"`
	AssetType2 string    `json:"asset_type"`
	UpdateTime time.Time `json:"updateTime"`
	Resource   *struct {
		Data     Object `json:"data"`
		Location string `json:"location"`
	} `json:"resource"`
	IAM       *policy  `json:"iamPolicy"`
	IAM2      *policy  `json:"iam_policy"`
	Ancestors []string `json:"ancestors"`

	// Of a search: only some fields of a resource, which may not pass for all.
	Additional json.RawMessage `json:"additionalAttributes"`
	Versioned  json.RawMessage `json:"versionedResources"`
}

type policy struct {
	Bindings []struct {
		Role      string   `json:"role"`
		Members   []string `json:"members"`
		Condition *struct {
			Expression string `json:"expression"`
		} `json:"condition"`
	} `json:"bindings"`
	Audit  []auditConfig `json:"auditConfigs"`
	Audit2 []auditConfig `json:"audit_configs"`
}

type auditConfig struct {
	Service string     `json:"service"`
	Logs    []auditLog `json:"auditLogConfigs"`
	Logs2   []auditLog `json:"audit_log_configs"`
}

type auditLog struct {
	Type    any      `json:"logType"`
	Type2   any      `json:"log_type"`
	Exempt  []string `json:"exemptedMembers"`
	Exempt2 []string `json:"exempted_members"`
}

// Decode reads assets: an export (an object a line), an array, or an answer with a list "assets" or "results". read is
// when they were read, zero where nobody knows. What cannot be read of one is an error of kind Invalid that names its
// number, from 1; reading goes on after it where its end is known. An error of another kind ends it.
func Decode(r io.Reader, read time.Time, names *Names) iter.Seq2[Asset, error] {
	return func(yield func(Asset, error) bool) {
		in := bufio.NewReaderSize(r, 1<<16)
		first, err := firstByte(in)
		switch {
		case err == io.EOF:
			yield(Asset{}, fault.New(fault.Invalid, "reading assets: the file is empty"))
		case err != nil:
			yield(Asset{}, fault.New(fault.Transient, "reading assets: %w", err))
		case first == '[':
			decodeArray(json.NewDecoder(in), read, names, yield)
		default:
			decodeLines(in, read, names, yield)
		}
	}
}

func firstByte(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if !strings.ContainsRune(" \t\r\n\ufeff", rune(b)) && b != 0xEF && b != 0xBB && b != 0xBF {
			return b, in.UnreadByte()
		}
	}
}

func decodeArray(d *json.Decoder, read time.Time, names *Names, yield func(Asset, error) bool) {
	if _, err := d.Token(); err != nil {
		yield(Asset{}, fault.New(fault.Invalid, "reading assets: %w", err))
		return
	}
	n := 0
	for d.More() {
		var raw json.RawMessage
		n++
		if err := d.Decode(&raw); err != nil {
			yield(Asset{}, fault.New(fault.Invalid, "reading asset %d: the list is cut off or no JSON", n))
			return
		}
		if !yield(one(raw, n, read, names)) {
			return
		}
	}
	if _, err := d.Token(); err != nil {
		yield(Asset{}, fault.New(fault.Invalid, "reading assets: the list is cut off after %d", n))
	}
}

// decodeLines reads values one after the other, one a line or over many lines.
func decodeLines(in io.Reader, read time.Time, names *Names, yield func(Asset, error) bool) {
	d := json.NewDecoder(in)
	for n := 1; ; n++ {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if err == io.EOF {
			return
		}
		if err != nil {
			yield(Asset{}, fault.New(fault.Invalid, "reading asset %d: it is cut off or no JSON", n))
			return
		}
		if list := inside(raw); list != nil {
			for i, member := range list {
				if !yield(one(member, i+1, read, names)) {
					return
				}
			}
			continue
		}
		if !yield(one(raw, n, read, names)) {
			return
		}
	}
}

// inside returns the members of an answer that holds a list of assets; nil for what is none.
func inside(raw json.RawMessage) []json.RawMessage {
	if !bytes.Contains(raw[:min(len(raw), 4096)], []byte(`"assets"`)) && !bytes.Contains(raw[:min(len(raw), 4096)], []byte(`"results"`)) {
		return nil
	}
	var answer struct {
		Name    string            `json:"name"`
		Assets  []json.RawMessage `json:"assets"`
		Results []json.RawMessage `json:"results"`
	}
	if json.Unmarshal(raw, &answer) != nil || answer.Name != "" {
		return nil
	}
	return slices.Concat(answer.Assets, answer.Results)
}

func one(raw json.RawMessage, n int, read time.Time, names *Names) (Asset, error) {
	var l line
	if len(raw) > MaxBytes {
		return Asset{}, fault.New(fault.Invalid, "reading asset %d: longer than %d bytes", n, MaxBytes)
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return Asset{}, fault.New(fault.Invalid, "reading asset %d: not the JSON of one", n)
	}
	a, err := l.asset(read, names)
	if err != nil {
		return a, fault.New(fault.Invalid, "reading asset %d: %w", n, err)
	}
	return a, nil
}

// Feed reads a message of an asset feed.
func Feed(data []byte, names *Names) (Asset, error) {
	var m struct {
		Asset   *line `json:"asset"`
		Deleted bool  `json:"deleted"`
		Window  struct {
			Start time.Time `json:"startTime"`
		} `json:"window"`
	}
	if len(data) > MaxBytes || json.Unmarshal(data, &m) != nil || m.Asset == nil {
		return Asset{}, fault.New(fault.Invalid, "reading a message of an asset feed: not the JSON of one")
	}
	a, err := m.Asset.asset(m.Window.Start, names)
	if err != nil {
		return a, fault.New(fault.Invalid, "reading a message of an asset feed: %w", err)
	}
	if a.Deleted = m.Deleted; a.Deleted {
		a.Data, a.IAM = nil, nil
	}
	return a, nil
}

func (l *line) asset(read time.Time, names *Names) (Asset, error) {
	kind := l.AssetType
	if kind == "" {
		kind = l.AssetType2
	}
	switch {
	case l.Name == "" || !strings.Contains(kind, "/"):
		return Asset{}, fmt.Errorf("its name or type is missing")
	case l.Resource == nil && (l.Additional != nil || l.Versioned != nil):
		return Asset{}, fmt.Errorf("it comes from a search, which tells some fields only: export or list with content type RESOURCE instead")
	}
	if read.IsZero() {
		read = l.UpdateTime
	}
	a := Asset{Type: kind, Ancestors: l.Ancestors, Read: read.UTC()}
	if l.Resource != nil && l.Resource.Data != nil {
		a.Data, a.Location = l.Resource.Data, l.Resource.Location
		shape(kind, a.Data)
	}
	for _, p := range []*policy{l.IAM, l.IAM2} {
		if p != nil {
			a.IAM = p.policy()
			a.IAM.Read = a.Read
		}
	}
	a.Key = names.Key(kind, l.Name)
	if mail, _ := a.Data["email"].(string); kind == accountType && mail != "" {
		a.Key = "//" + accountHost + "/projects/" + names.ID(ProjectOf(a.Key)) + accountPart + mail
	}
	if a.Project = ProjectOf(a.Key); a.Project == "" && len(l.Ancestors) > 0 && strings.HasPrefix(l.Ancestors[0], "projects/") {
		a.Project = names.ID(l.Ancestors[0])
	}
	return a, nil
}

func (p *policy) policy() *Policy {
	var out Policy
	for _, b := range p.Bindings {
		condition := ""
		if b.Condition != nil {
			condition = b.Condition.Expression
		}
		out.Grant(b.Role, condition, b.Members...)
	}
	for _, c := range slices.Concat(p.Audit, p.Audit2) {
		for _, log := range slices.Concat(c.Logs, c.Logs2) {
			kind := logType(log.Type)
			if kind == "" {
				kind = logType(log.Type2)
			}
			out.Audit = append(out.Audit, Audit{Service: c.Service, Type: kind, Exempt: slices.Sorted(slices.Values(slices.Concat(log.Exempt, log.Exempt2)))})
		}
	}
	slices.SortFunc(out.Audit, func(a, b Audit) int { return compare(a.Service+"/"+a.Type, b.Service+"/"+b.Type) })
	return &out
}

// logType reads what exports write as a number and the API as a name.
func logType(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case float64:
		return map[float64]string{1: "ADMIN_READ", 2: "DATA_WRITE", 3: "DATA_READ"}[t]
	}
	return ""
}

// Grant adds members to the binding of a role and a condition.
func (p *Policy) Grant(role, condition string, members ...string) {
	at := slices.IndexFunc(p.Bindings, func(b Binding) bool { return b.Role == role && b.Condition == condition })
	if at < 0 {
		at = len(p.Bindings)
		p.Bindings = append(p.Bindings, Binding{Role: role, Condition: condition})
	}
	b := &p.Bindings[at]
	for _, m := range members {
		m = Member(m)
		if i, there := slices.BinarySearch(b.Members, m); !there {
			b.Members = slices.Insert(b.Members, i, m)
		}
	}
}

// Member writes a member one way: addresses have no case, and one that was deleted stays marked so.
func Member(m string) string {
	kind, who, of := strings.Cut(m, ":")
	switch {
	case !of || kind == "principal" || kind == "principalSet":
		return m
	case kind == "deleted":
		return "deleted:" + Member(who)
	}
	return kind + ":" + strings.ToLower(who)
}

func digits(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
