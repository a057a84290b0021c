package diff

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// MaxBytes bounds a state or a plan.
const MaxBytes = 256 << 20

// Resource is one instance of a resource as Terraform remembers, or plans, it.
type Resource struct {
	Address string         // such as module.edge.google_compute_firewall.web["eu"]
	Type    string         // such as google_compute_firewall
	Values  map[string]any // attributes as the provider writes them
	// Sensitive are the attributes whose values nobody may see, as paths with dots: of what lies below one, all of it.
	Sensitive []string
}

// Desired is what Terraform wants: the resources of one or more states, or of a plan.
type Desired struct {
	Resources []Resource
	Other     map[string]int // resources of other providers, by provider: nothing is said of them
}

// Read reads a state (version 4, as `terraform state pull` writes it) or a plan (`terraform show -json`), whichever it
// is. Invalid: anything else, what is cut off, and a state of another version; the error says which command makes one that can be read.
func Read(r io.Reader) (Desired, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Desired{}, fault.New(fault.Transient, "reading a state: %w", err)
	}
	if len(data) > MaxBytes {
		return Desired{}, fault.New(fault.Invalid, "reading a state: longer than %d MiB", MaxBytes>>20)
	}
	var which struct {
		Version *int            `json:"version"`
		Format  string          `json:"format_version"`
		Lineage json.RawMessage `json:"lineage"`
	}
	const advice = "use what `terraform state pull` or `terraform show -json` writes"
	switch err := json.Unmarshal(data, &which); {
	case err != nil:
		return Desired{}, fault.New(fault.Invalid, "reading a state: it is cut off or no JSON; %s", advice)
	case which.Format != "":
		return readPlan(data)
	case which.Version == nil:
		return Desired{}, fault.New(fault.Invalid, "reading a state: neither a state nor a plan; %s", advice)
	case *which.Version != 4:
		return Desired{}, fault.New(fault.Invalid, "reading a state: of version %d instead of 4; %s with Terraform 0.12 or newer", *which.Version, advice)
	}
	return readState(data)
}

type stateFile struct {
	Resources []struct {
		Module    string `json:"module"`
		Mode      string `json:"mode"`
		Type      string `json:"type"`
		Name      string `json:"name"`
		Provider  string `json:"provider"`
		Instances []struct {
			Index      any                 `json:"index_key"`
			Status     string              `json:"status"`
			Deposed    string              `json:"deposed"`
			Attributes map[string]any      `json:"attributes"`
			Sensitive  [][]json.RawMessage `json:"sensitive_attributes"`
		} `json:"instances"`
	} `json:"resources"`
}

func readState(data []byte) (Desired, error) {
	var s stateFile
	d := Desired{Other: map[string]int{}}
	if err := json.Unmarshal(data, &s); err != nil {
		return d, fault.New(fault.Invalid, "reading a state: resources are not of the shape of version 4")
	}
	for _, r := range s.Resources {
		if r.Mode != "managed" {
			continue
		}
		if !ours(r.Type) {
			d.Other[provider(r.Provider)] += len(r.Instances)
			continue
		}
		for _, i := range r.Instances {
			if i.Deposed != "" || i.Status == "tainted" {
				continue // on its way out: nothing is wanted of it
			}
			address := r.Type + "." + r.Name + index(i.Index)
			if r.Module != "" {
				address = r.Module + "." + address
			}
			one := Resource{Address: address, Type: r.Type, Values: i.Attributes}
			for _, steps := range i.Sensitive {
				one.Sensitive = append(one.Sensitive, path(steps))
			}
			d.Resources = append(d.Resources, one)
		}
	}
	return d, nil
}

// path reads a path of sensitive_attributes up to its first index: all of a list with a secret in it is one.
func path(steps []json.RawMessage) string {
	var names []string
	for _, raw := range steps {
		var s struct {
			Type  string `json:"type"`
			Value any    `json:"value"`
		}
		if json.Unmarshal(raw, &s) != nil || s.Type != "get_attr" {
			break
		}
		names = append(names, fmt.Sprint(s.Value))
	}
	return strings.Join(names, ".")
}

func index(v any) string {
	switch i := v.(type) {
	case string:
		return fmt.Sprintf("[%q]", i)
	case float64:
		return fmt.Sprintf("[%d]", int64(i))
	}
	return ""
}

func ours(kind string) bool { return strings.HasPrefix(kind, "google_") }

// provider is the name in provider["registry.terraform.io/hashicorp/random"].
func provider(written string) string {
	_, inner, _ := strings.Cut(written, `"`)
	inner, _, _ = strings.Cut(inner, `"`)
	return inner[strings.LastIndexByte(inner, '/')+1:]
}

type module struct {
	Resources []struct {
		Address   string          `json:"address"`
		Mode      string          `json:"mode"`
		Type      string          `json:"type"`
		Provider  string          `json:"provider_name"`
		Values    map[string]any  `json:"values"`
		Sensitive json.RawMessage `json:"sensitive_values"`
	} `json:"resources"`
	Children []module `json:"child_modules"`
}

type values struct {
	Root module `json:"root_module"`
}

// readPlan reads what a plan ends in; of a state that was shown, what is there.
func readPlan(data []byte) (Desired, error) {
	var p struct {
		Planned *values `json:"planned_values"`
		Values  *values `json:"values"`
		Errored bool    `json:"errored"`
	}
	d := Desired{Other: map[string]int{}}
	if err := json.Unmarshal(data, &p); err != nil {
		return d, fault.New(fault.Invalid, "reading a plan: not of the shape `terraform show -json` writes")
	}
	switch {
	case p.Errored:
		return d, fault.New(fault.Invalid, "reading a plan: making it ended in an error, so it is not whole; plan again")
	case p.Planned != nil:
		d.add(p.Planned.Root)
	case p.Values != nil:
		d.add(p.Values.Root)
	default:
		return d, fault.New(fault.Invalid, "reading a plan: it holds no values; use what `terraform show -json` writes of a plan or a state")
	}
	return d, nil
}

func (d *Desired) add(m module) {
	for _, r := range m.Resources {
		switch {
		case r.Mode != "managed":
		case !ours(r.Type):
			d.Other[provider(`"`+r.Provider+`"`)]++
		default:
			var marks any
			one := Resource{Address: r.Address, Type: r.Type, Values: r.Values}
			if json.Unmarshal(r.Sensitive, &marks) == nil {
				one.Sensitive = marked(marks, "")
			}
			d.Resources = append(d.Resources, one)
		}
	}
	for _, child := range m.Children {
		d.add(child)
	}
}

// marked returns the paths that are true in sensitive_values.
func marked(v any, at string) (paths []string) {
	switch m := v.(type) {
	case bool:
		if m && at != "" {
			return []string{at}
		}
	case []any:
		for _, one := range m {
			paths = append(paths, marked(one, at)...)
		}
	case map[string]any:
		for name, one := range m {
			paths = append(paths, marked(one, strings.TrimPrefix(at+"."+name, "."))...)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// secret reports whether a field's value may not be seen.
func (r Resource) secret(field string) bool {
	return slices.ContainsFunc(r.Sensitive, func(p string) bool {
		return p == field || strings.HasPrefix(field, p+".") || strings.HasPrefix(p, field+".")
	})
}
