package rules

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"ostiary.internal/terraform/plan"
)

var alertRules = []Rule{
	{"alerts", "Somebody is told when a function fails, when it is silent for too long and when it gives a message up.", "environments/", alerts},
	{"alarm", "Every alert reaches somebody, is switched on and says where it is written what to do.", "environments/", alarms},
	{"lookback", "No alert asks for figures older than a day: it would be refused, or never open.", "environments/", lookback},
}

// conditions is what an alert waits for, as one text.
func conditions(a *plan.Resource) string {
	text, err := json.Marshal(a.At("conditions"))
	if err != nil {
		return ""
	}
	return strings.NewReplacer(`\"`, `"`, `\u003e`, ">", `\u003c`, "<").Replace(string(text))
}

func alerts(l *look) {
	var all []string
	for _, a := range l.of(alert) {
		all = append(all, conditions(a))
	}
	// told tells whether one alert waits for something that holds all of these.
	told := func(parts ...string) bool {
		for _, text := range all {
			found := true
			for _, part := range parts {
				found = found && strings.Contains(text, part)
			}
			if found {
				return true
			}
		}
		return false
	}
	for _, m := range l.Manifests {
		if l.deployed(m.Name) == nil {
			continue
		}
		l.seen++
		if !told(`"`+m.Name+`"`, "5xx") {
			l.missing(m.Name, "nobody is told when it answers with errors")
		}
		if m.Freshness != "" && !told(`"`+m.Name+`"`, "2xx") {
			l.missing(m.Name, "nobody is told when it has not been heard of for %s", m.Freshness)
		}
		if len(m.woken("topic")) > 0 && !told(`"dead.`+m.Name+`"`, "num_undelivered_messages") {
			l.missing(m.Name, "nobody is told when it gives a message up")
		}
	}
}

func alarms(l *look) {
	for _, a := range l.of(alert) {
		if len(a.List("notification_channels")) == 0 && !a.Later("notification_channels") {
			l.wrong(a, "opens an incident that nobody hears of: give notification channels")
		}
		if a.At("enabled") == false {
			l.wrong(a, "is switched off")
		}
		content := a.Text("documentation", "content") + l.Plan.Expression(a, "documentation", "content")
		links := a.Text("documentation", "links", "url") + l.Plan.Expression(a, "documentation", "links", "url")
		if content == "" || links == "" {
			l.wrong(a, "does not say what to do: write a documentation with a link to its playbook")
		}
	}
}

// longest is how far back an alert looks for certain, in seconds, with the time that it has to hold; further only in a preview.
const longest = 24 * 3600

var (
	windows = regexp.MustCompile(`\[([0-9]+)([smhdw])[]:]`)
	offsets = regexp.MustCompile(`\boffset ([0-9]+)([smhdw])`)
	units   = map[string]int{"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
)

// furthest is the longest of the times that an expression names, in seconds.
func furthest(form *regexp.Regexp, query string) int {
	most := 0
	for _, found := range form.FindAllStringSubmatch(query, -1) {
		n, err := strconv.Atoi(found[1])
		if err != nil {
			return longest + 1
		}
		most = max(most, n*units[found[2]])
	}
	return most
}

func lookback(l *look) {
	for _, a := range l.of(alert) {
		for _, each := range a.List("conditions") {
			asked := plan.Resource{Values: map[string]any{"condition": each}}
			query := asked.Text("condition", "condition_prometheus_query_language", "query")
			holds, err := strconv.Atoi(strings.TrimSuffix(asked.Text("condition", "condition_prometheus_query_language", "duration"), "s"))
			if err != nil {
				holds = 0
			}
			if back := furthest(windows, query) + furthest(offsets, query) + holds; back > longest {
				l.wrong(a, "looks %d seconds back, the time that it has to hold with it: alerts see %d", back, longest)
			}
		}
	}
}
