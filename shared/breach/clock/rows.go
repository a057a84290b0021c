package clock

import (
	"bytes"
	_ "embed" // the data
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/calendar"
)

//go:embed clocks.yaml
var file []byte

// stored is a row as the file has it.
type stored struct {
	ID     string `yaml:"id"`
	Who    string `yaml:"who"`
	To     string `yaml:"to"`
	Law    string `yaml:"law"`
	Start  Start  `yaml:"start"`
	After  string `yaml:"after"`
	Within string `yaml:"within"`
	Cap    *struct {
		Start  Start  `yaml:"start"`
		Within string `yaml:"within"`
	} `yaml:"cap"`
	Shift     string  `yaml:"shift"`
	Repeats   bool    `yaml:"repeats"`
	Binding   Binding `yaml:"binding"`
	ValidFrom string  `yaml:"valid_from"`
	ValidTo   string  `yaml:"valid_to"`
	Confirmed bool    `yaml:"confirmed"`
	Note      string  `yaml:"note"`
}

var rows = func() []Row {
	all, err := read(file)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return all
}()

// Rows returns every clock of the data file.
func Rows() []Row { return slices.Clone(rows) }

// RowOf returns a row by its id.
func RowOf(id string) (Row, bool) {
	at := slices.IndexFunc(rows, func(r Row) bool { return r.ID == id })
	if at < 0 {
		return Row{}, false
	}
	return rows[at], true
}

// InForce reports whether the row is in force on a day.
func (r Row) InForce(d calendar.Day) bool {
	return !d.Before(r.From) && (r.Until.IsZero() || !r.Until.Before(d))
}

// HasHours reports whether the row names a period, or leaves one to a contract.
func (r Row) HasHours() bool { return r.Within != nil || r.contract }

// read decodes a file of rows. Errors name the row and what is wrong.
func read(data []byte) ([]Row, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithKnownFields(true), yaml.WithUniqueKeys(true))
	if err != nil {
		return nil, err
	}
	var whole struct {
		Clocks []stored `yaml:"clocks"`
	}
	if err := loader.Load(&whole); err != nil {
		return nil, fmt.Errorf("reading the clocks: %w", err)
	}
	var all []Row
	for _, s := range whole.Clocks {
		r, err := s.row()
		if err == nil && slices.ContainsFunc(all, func(o Row) bool { return o.ID == r.ID }) {
			err = fmt.Errorf("is there twice")
		}
		if err != nil {
			return nil, fmt.Errorf("reading the clocks: %q: %w", s.ID, err)
		}
		all = append(all, r)
	}
	for _, r := range all {
		if r.After != "" && !slices.ContainsFunc(all, func(o Row) bool { return o.ID == r.After }) {
			return nil, fmt.Errorf("reading the clocks: %q comes after %q, which is not there", r.ID, r.After)
		}
	}
	return all, nil
}

func (s stored) row() (r Row, err error) {
	r = Row{ID: s.ID, Who: s.Who, To: s.To, Law: s.Law, Start: s.Start, After: s.After, Binding: s.Binding, Certain: s.Confirmed, Repeats: s.Repeats, Note: s.Note}
	if s.ID == "" || s.Who == "" || s.To == "" || s.Law == "" {
		return r, fmt.Errorf("lacks id, who, to or law")
	}
	if !slices.Contains([]Start{Aware, ProcessorAware, Told, HighRisk, Classified, Submitted}, s.Start) || (s.Start == Submitted) != (s.After != "") {
		return r, fmt.Errorf("start %q is not known, or does not go with after %q", s.Start, s.After)
	}
	if !slices.Contains([]Binding{Law, Contract, Information}, s.Binding) {
		return r, fmt.Errorf("binding %q is not law, contract or information", s.Binding)
	}
	switch s.Within {
	case "":
	case "contract":
		r.contract = true
	default:
		if r.Within, err = period(s.Within); err != nil {
			return r, err
		}
	}
	if s.Cap != nil {
		within, err := period(s.Cap.Within)
		if err != nil {
			return r, err
		}
		r.Cap = &Cap{s.Cap.Start, *within}
	}
	switch s.Shift {
	case "":
	case "noon":
		r.Noon = true
	default:
		return r, fmt.Errorf("shift %q is not noon", s.Shift)
	}
	if r.From, err = calendar.ParseDay(s.ValidFrom); err != nil {
		return r, err
	}
	if s.ValidTo != "" {
		r.Until, err = calendar.ParseDay(s.ValidTo)
	}
	return r, err
}

func period(text string) (*calendar.Period, error) {
	p, err := calendar.ParsePeriod(text)
	if err != nil || p.IsZero() {
		return nil, fmt.Errorf("period %q is not an ISO 8601 duration above zero", text)
	}
	return &p, nil
}
