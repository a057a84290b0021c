package diff

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

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
	// Applied is what was applied last, where a plan tells it; nil: what is wanted.
	Applied []Resource
	Other   map[string]int // resources of other providers, by provider: nothing is said of them
	Size    int64          // bytes it was read from
}

// Join joins what several states and plans want. Of resources a plan speaks of, the plan says what is wanted, and a state what
// was applied last.
func Join(all ...Desired) Desired {
	out := Desired{Other: map[string]int{}}
	spoken, planned := map[string]Resource{}, false
	for _, d := range all {
		out.Size += d.Size
		for provider, n := range d.Other {
			out.Other[provider] += n
		}
		planned = planned || d.Applied != nil
		for _, r := range d.Applied {
			spoken[r.Address] = r
		}
	}
	for _, d := range all {
		for _, r := range d.Resources {
			before, is := spoken[r.Address]
			switch {
			case d.Applied != nil:
				out.Resources = append(out.Resources, r)
			case is && before.same(r):
				spoken[r.Address] = r
			default: // of another root than any plan
				out.Resources = append(out.Resources, r)
				if planned {
					out.Applied = append(out.Applied, r)
				}
			}
		}
	}
	if planned {
		out.Applied = append(slices.AppendSeq(make([]Resource, 0, len(spoken)+len(out.Applied)), maps.Values(spoken)), out.Applied...)
	}
	return out
}

// same reports whether two resources of one address are one: two roots may use the same addresses.
func (r Resource) same(o Resource) bool {
	a, is := r.Values["id"].(string)
	b, also := o.Values["id"].(string)
	return r.Type == o.Type && (a == b || !is || !also)
}

// stateResource is one resource of a state, with its instances.
type stateResource struct {
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
}

// managed adds what a resource of a state wants.
func (d *Desired) managed(r stateResource) {
	switch {
	case r.Mode != "managed":
		return
	case !ours(r.Type):
		d.Other[provider(r.Provider)] += len(r.Instances)
		return
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

// path reads a path of sensitive_attributes, through the numbers of lists: what is secret in one of a list is in all of them. Where it goes
// into a map, or a set, all of that is.
func path(steps []json.RawMessage) string {
	var names []string
	for _, raw := range steps {
		var s struct {
			Type  string `json:"type"`
			Value any    `json:"value"`
		}
		if json.Unmarshal(raw, &s) != nil {
			break
		}
		if _, number := s.Value.(float64); number && s.Type == "index" {
			continue
		}
		if s.Type != "get_attr" {
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

// plannedResource is one resource of a plan, or of a state that was shown.
type plannedResource struct {
	Address   string          `json:"address"`
	Mode      string          `json:"mode"`
	Type      string          `json:"type"`
	Provider  string          `json:"provider_name"`
	Values    map[string]any  `json:"values"`
	Sensitive json.RawMessage `json:"sensitive_values"`
}

// planned returns what a resource of a plan wants; false of those nothing is said of, which are counted.
func (d *Desired) planned(r plannedResource) (Resource, bool) {
	switch {
	case r.Mode != "managed":
		return Resource{}, false
	case !ours(r.Type):
		d.Other[provider(`"`+r.Provider+`"`)]++
		return Resource{}, false
	}
	var marks any
	one := Resource{Address: r.Address, Type: r.Type, Values: r.Values}
	if json.Unmarshal(r.Sensitive, &marks) == nil {
		one.Sensitive = marked(marks, "")
	}
	return one, true
}

// drifted is what a plan found changed since it was applied.
type drifted struct {
	Address string `json:"address"`
	Mode    string `json:"mode"`
	Type    string `json:"type"`
	Change  struct {
		Before map[string]any `json:"before"`
	} `json:"change"`
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
