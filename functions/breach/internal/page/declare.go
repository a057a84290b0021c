package page

import (
	"html/template"
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/shared/breach/cases"
)

// Declare is the form to declare a breach or a suspicion with.
type Declare struct {
	Form    Form
	Client  string // the form's own id: sent twice, it is one case
	Most    string // of a datetime-local field: now
	Zone    string
	Offset  string
	Tenants []Choice     // labels are text
	Facts   []Pick       // how sure it is when it occurred, and who found it
	Named   string       // names of the tenants that are ticked because an alarm names them; "" for none
	keep    template.URL // the same tenants, in the address
	Drill   string       // names of those who get what would go to customers, in an exercise
}

// NewDeclare is the form as nobody has filled it in yet, with the tenants ticked that an alarm names, by id; what is no id is
// left out.
func (r Reader) NewDeclare(client string, named ...string) Declare {
	d := Declare{Client: client, Most: r.Local(r.Now), Zone: r.Rules.Zone.String(), Offset: r.Now.In(r.Rules.Zone).Format("-07:00")}
	d.Tenants, d.Facts = r.pick(), picks(cases.Read{})[:2]
	var ids, names []string
	for _, c := range d.Tenants {
		if slices.Contains(named, c.Value) {
			ids, names = append(ids, c.Value), append(names, c.Label)
		}
	}
	if len(ids) > 0 {
		d.Named, d.Form.Values = strings.Join(names, ", "), url.Values{"tenant": ids}
		d.keep = template.URL(d.Form.Values.Encode()) // ids of the policy, and nothing else
	}
	return d
}

// Kept is what stays in the address when the language is changed.
func (d Declare) Kept() template.URL { return d.keep }

// pick are all tenants, as people look for them.
func (r Reader) pick() (all []Choice) {
	for _, t := range r.Policy.Tenants {
		all = append(all, Choice{t.ID, t.Name})
	}
	slices.SortFunc(all, func(a, b Choice) int { return collate(a.Label, b.Label) })
	return all
}
