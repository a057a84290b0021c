package register

import (
	"io"
	"strings"
	"time"

	"ostiary.internal/shared/platform/table"
)

// columns are those of the CSV, in order.
var columns = []struct {
	name string
	of   func(Row) string
}{
	{"number", func(r Row) string { return r.Number }},
	{"kind", func(r Row) string { return r.Kind }},
	{"state", func(r Row) string { return r.State }},
	{"roles", func(r Row) string { return listed(r.Roles) }},
	{"occurred_from", func(r Row) string { return moment(r.OccurredFrom) }},
	{"occurred_to", func(r Row) string { return moment(r.OccurredTo) }},
	{"occurrence", func(r Row) string { return r.Occurrence }},
	{"detected_at", func(r Row) string { return moment(r.Detected) }},
	{"aware_at", func(r Row) string { return moment(r.Aware) }},
	{"processor_aware_at", func(r Row) string { return moment(r.Processor) }},
	{"contained_at", func(r Row) string { return moment(r.Contained) }},
	{"discovered", func(r Row) string { return r.Discovered }},
	{"what", func(r Row) string { return r.What }},
	{"nature", func(r Row) string { return r.Nature }},
	{"origin", func(r Row) string { return r.Origin }},
	{"cause", func(r Row) string { return r.Cause }},
	{"systems", func(r Row) string { return r.Systems }},
	{"data", func(r Row) string { return listed(r.Data) }},
	{"subject_categories", func(r Row) string { return r.Subjects }},
	{"people", func(r Row) string { return r.People }},
	{"records", func(r Row) string { return r.Records }},
	{"countries", func(r Row) string { return listed(r.Countries) }},
	{"people_by_country", func(r Row) string { return listed(r.ByCountry) }},
	{"concerned", func(r Row) string { return listed(r.Concerned) }},
	{"measures_before", func(r Row) string { return r.Protection }},
	{"se", func(r Row) string { return r.SE }},
	{"level", func(r Row) string { return r.Level }},
	{"inputs", func(r Row) string { return r.Inputs }},
	{"flags", func(r Row) string { return listed(r.Flags) }},
	{"triggers", func(r Row) string { return listed(r.Triggers) }},
	{"closest_case", func(r Row) string { return r.Closest }},
	{"authority", func(r Row) string { return r.Authority.Answer }},
	{"authority_reason", func(r Row) string { return r.Authority.Reason }},
	{"authority_by", func(r Row) string { return r.Authority.By }},
	{"filed_at", func(r Row) string { return moment(r.FiledAt) }},
	{"filed_reference", func(r Row) string { return r.Reference }},
	{"filed_withdrawn", func(r Row) string { return r.Withdrawn }},
	{"delay_reasons", func(r Row) string { return r.Delay }},
	{"other_filings", func(r Row) string { return listed(r.Others) }},
	{"other_authorities", func(r Row) string { return r.Authorities }},
	{"police", func(r Row) string { return r.Police }},
	{"persons", func(r Row) string { return r.Persons.Answer }},
	{"persons_reason", func(r Row) string { return r.Persons.Reason }},
	{"persons_by", func(r Row) string { return r.Persons.By }},
	{"persons_exception", func(r Row) string { return r.Exception }},
	{"persons_text_sha256", func(r Row) string { return r.PersonsText }},
	{"persons_told_at", func(r Row) string { return moment(r.PersonsTold) }},
	{"persons_means", func(r Row) string { return r.PersonsMeans }},
	{"tenants", tenants},
	{"follow_ups", func(r Row) string { return listed(r.FollowUps) }},
	{"consequences", func(r Row) string { return r.Consequences }},
	{"measures", func(r Row) string { return r.Measures }},
	{"closed_at", func(r Row) string { return moment(r.Closed) }},
	{"review_by", func(r Row) string { return r.ReviewBy }},
	{"reviewed_at", func(r Row) string { return moment(r.Reviewed) }},
	{"lessons", func(r Row) string { return r.Lessons }},
	{"actions", func(r Row) string { return listed(r.Actions) }},
	{"earlier_incidents", func(r Row) string { return listed(r.Earlier) }},
}

func listed(all []string) string { return strings.Join(all, "\n") }

func tenants(r Row) string {
	var lines []string
	for _, t := range r.Tenants {
		line := t.Tenant + ": " + t.Decision.Answer
		if t.Decision.Reason != "" {
			line += " (" + t.Decision.Reason + ")"
		}
		lines = append(lines, line+", told "+stamp(t.Told))
		lines = append(lines, t.Notices...)
	}
	return listed(lines)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return Unknown
	}
	return t.UTC().Format(time.RFC3339)
}

// CSV writes rows with a header line, as package table does: no cell is a formula. Exercises are left out.
func CSV(w io.Writer, rows []Row) error {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	if err := table.Begin(w, names); err != nil {
		return err
	}
	for _, r := range real(rows) {
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.of(r))
		}
		if err := table.Line(w, cells); err != nil {
			return err
		}
	}
	return nil
}
