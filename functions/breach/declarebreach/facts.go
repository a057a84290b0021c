package declarebreach

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// details are those of a body as package cases takes them, with their texts. Earlier cases are given by id or number, and are
// such as the caller may know of.
func (k *desk) details(r *http.Request, who caller.Staff, b *Details) (d cases.Details, words cases.Words, err error) {
	if b == nil {
		return d, words, nil
	}
	if words.Not, err = inapplicable(b.Not); err != nil {
		return d, words, err
	}
	d = cases.Details{Certainty: cases.Exactness(b.Certainty), Origin: cases.Origin(b.Origin), Intent: cases.Intent(b.Intent), Found: cases.Found(b.Found)}
	words.Details = map[string]string{}
	for name, text := range map[string]string{"systems": b.Systems, "before": b.Before, "police": b.Police, "others": b.Others} {
		if text = strings.TrimSpace(text); text != "" {
			words.Details[name] = text
		}
	}
	if b.Earlier != nil {
		d.Earlier = []string{}
	}
	for _, ref := range b.Earlier {
		id, err := k.ID(r.Context(), strings.ToLower(strings.ReplaceAll(strings.TrimSpace(ref), "-", "")))
		if err != nil {
			return d, words, err
		}
		c, err := k.Cases.Look(r.Context(), id)
		if fault.Is(err, fault.NotFound) || err == nil && (!k.knows(c, who) || id == r.PathValue("id")) {
			return d, words, fault.Refuse(fault.Invalid, "earlier_unknown", "One of the earlier cases is none you may look at.", "Give its number as the list has it.")
		}
		if err != nil {
			return d, words, err
		}
		if !slices.Contains(d.Earlier, c.Number) {
			d.Earlier = append(d.Earlier, c.Number)
		}
	}
	return d, words, nil
}

// fields are the names of details in a body for those of cases.DetailFields that are called otherwise there.
var fields = map[string]string{"found": "discovered_by", "before": "measures_before", "others": "other_authorities"}

// inapplicable are the reasons for which details do not apply, by their names in cases.DetailFields.
func inapplicable(reasons map[string]string) (not map[string]string, err error) {
	for _, name := range cases.DetailFields {
		if why, said := reasons[cmp.Or(fields[name], name)]; said {
			if not == nil {
				not = map[string]string{}
			}
			if not[name] = strings.TrimSpace(why); not[name] == "" {
				return nil, about(name, reasonMissing())
			}
		}
	}
	if len(not) < len(reasons) {
		return nil, fault.Refuse(fault.Invalid, "details_invalid", "One of what does not apply is none of the details.", "Use their names; earlier incidents are left out instead.")
	}
	return not, nil
}

func reasonMissing() error {
	return fault.Refuse(fault.Invalid, "reason_missing", "It is not said why something does not apply.", "Give the reason beside it; what is not known yet is unknown instead.")
}

// counted is a count as an answer has it.
func counted(c cases.Read, of cases.Count) Count { return Count{of.N, string(of.How), c.Text(of.Why)} }

// detailed makes the event of a body of details.
func (k *desk) detailed(r *http.Request, who caller.Staff, b Details) (cases.Event, cases.Words, error) {
	d, words, err := k.details(r, who, &b)
	return cases.Event{What: cases.Complete, Details: d}, words, err
}

// complete takes what the register asks for, as far as it is known now.
func (k *desk) complete(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Details](w, r)
	if err != nil {
		return err
	}
	e, words, err := k.detailed(r, who, body)
	if err != nil {
		return err
	}
	now := k.Clock.Now()
	after, err := k.happen(r, who, e, words, now)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, k.wholeTo(after, who, now))
}

func withdrawn(b Withdrawal) (cases.Event, cases.Words, error) {
	if stands := strings.TrimSpace(b.Stands); stands != "" {
		return cases.Event{What: cases.Withdraw, Clock: b.Clock}, cases.Words{Text: stands}, nil
	}
	if b.At.IsZero() {
		return cases.Event{}, cases.Words{}, fault.Refuse(fault.Invalid, "times_invalid", "It is not said when the report was taken back.", "Give the time on the authority's receipt, or say why the report stands.")
	}
	return cases.Event{What: cases.Withdraw, Clock: b.Clock, At: b.At.UTC(), Yes: true}, said(b.Reference), nil
}

// triaged is what was found of a suspicion. Who has the next step is somebody who may look at cases.
func (k *desk) triaged(b Triage) (cases.Event, cases.Words, error) {
	e, words := cases.Event{What: cases.Triage, Result: cases.Result(b.Result), At: b.At.UTC(), Owner: b.Owner}, said(b.Reason)
	words.Next = strings.TrimSpace(b.Next)
	if b.Owner != "" {
		owner, known := k.Policy.PersonByID(b.Owner)
		if !known || !owner.Active(k.Clock.Now()) || !k.looks(caller.Staff{Person: owner}) {
			return e, words, fault.Refuse(fault.Invalid, "owner_invalid", "The next step is put down to nobody who may look at cases.", "Use the id of somebody who decides, is called, or audits.")
		}
	}
	return e, words, nil
}

// facts fills in what is known beside.
func (k *desk) facts(told *Whole, c cases.Read) {
	d := c.Details
	told.Details = Details{
		Certainty: string(d.Certainty), Origin: string(d.Origin), Intent: string(d.Intent), Found: string(d.Found),
		Systems: c.Text(d.Systems), Before: c.Text(d.Before), Police: c.Text(d.Police), Others: c.Text(d.Others), Earlier: d.Earlier,
	}
	for name, why := range d.Not {
		if told.Details.Not == nil {
			told.Details.Not = map[string]string{}
		}
		told.Details.Not[cmp.Or(fields[name], name)] = c.Text(why)
	}
	told.Incident = c.Incident
	if f := c.Triage; f != nil {
		told.Triage = &Triaged{string(f.Result), f.By, f.At, c.Text(f.Reason), f.Owner, c.Text(f.Next)}
	}
}
