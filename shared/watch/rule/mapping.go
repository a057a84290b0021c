package rule

import (
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// watchFile says what rules cannot know by themselves. What it does not say, an application's log holds below
// jsonPayload under the names of the keys, and resources may be anywhere.
const watchFile = "watch.yaml"

// watching is watch.yaml.
type watching struct {
	// Logs are the company's own logs that rules about applications read. The first whose log an entry is of applies.
	Logs []applicationLog `yaml:"logs"`
	// Regions are where resources may be made, such as europe-west1, "europe-*" or eu; none: anywhere.
	Regions []string `yaml:"regions"`
	// Replay is for `ostiary replay` alone.
	Replay struct {
		Home string `yaml:"home"`
	} `yaml:"replay"`
}

// applicationLog is an auditlog.Mapping as a policy writes it.
type applicationLog struct {
	Log     string `yaml:"log"`
	When    string `yaml:"when"`
	Service string `yaml:"service"`
	Actor   string `yaml:"actor"`
	User    string `yaml:"user"`
	Tenant  string `yaml:"tenant"`
	Action  string `yaml:"action"`
	Ticket  string `yaml:"ticket"`
	Reason  string `yaml:"reason"`
	Time    string `yaml:"time"`
	Target  string `yaml:"target"`
	IP      string `yaml:"ip"`
	Outcome string `yaml:"outcome"`

	Opened []string `yaml:"ticket_opened"`
	Closed []string `yaml:"ticket_closed"`

	Assumed bool `yaml:"-"`
}

// fromActor says that whoever acts, and where it happened, counts as the company's own.
const fromActor = "actor"

// Mappings returns where the company's own logs hold what, as auditlog.Decode takes it, and everything wrong with
// watch.yaml. The last is for every log, also for entries of a log of the file that its paths find nothing in: actor,
// user, tenant, action, ticket, reason, time, target, ip and outcome below jsonPayload, service "application"; the actions
// ticket_opened and ticket_closed are what they say.
func Mappings(p *policy.Policy) ([]auditlog.Mapping, []policy.Problem) {
	var file watching
	_, problems := p.Decode(watchFile, &file)
	wrong := func(key, what, allowed string) {
		problems = append(problems, p.Problem(watchFile, key, what, allowed))
	}
	var all []auditlog.Mapping
	for i, l := range file.Logs {
		at := key("logs", i)
		for name, path := range map[string]string{
			"actor": l.Actor, "user": l.User, "tenant": l.Tenant, "action": l.Action, "ticket": l.Ticket, "reason": l.Reason, "time": l.Time,
			"target": l.Target, "ip": l.IP, "outcome": l.Outcome, "when": l.When,
		} {
			if path != "" && !isPath(path) {
				wrong(at+"."+name, "is no path of a log entry", allowedPaths)
			}
		}
		if l.Action == "" {
			wrong(at+".action", "is missing", allowedPaths)
		}
		if l.Service == "" {
			wrong(at+".service", "is missing", "a name for the application")
		}
		if slices.ContainsFunc(file.Logs[:i], func(before applicationLog) bool { return before.When == "" && strings.HasSuffix(l.Log, before.Log) }) {
			wrong(at+".log", "is never reached: an earlier one takes every entry of it", "the end of a log name; the more general one last")
		}
		if len(l.Opened)+len(l.Closed) > 0 && l.Ticket == "" {
			wrong(at+".ticket", "is missing", "the path of the ticket that is opened and closed")
		}
		all = append(all, auditlog.Mapping(l))
	}
	for i, region := range file.Regions {
		if region == "" || strings.Contains(strings.TrimSuffix(region, "*"), "*") {
			wrong("regions["+strconv.Itoa(i)+"]", "is no region", `a name such as europe-west1, or the begin of names such as "europe-*"`)
		}
	}
	if home := file.Replay.Home; home != "" && home != fromActor {
		wrong("replay.home", "is unknown", fromActor)
	}
	return append(all, plainMapping()), policy.Sort(problems)
}

// plainMapping is that of a log that names everything as we do.
func plainMapping() auditlog.Mapping {
	return auditlog.Mapping{
		Service: "application", Actor: "jsonPayload.actor", User: "jsonPayload.user", Tenant: "jsonPayload.tenant",
		Action: "jsonPayload.action", Ticket: "jsonPayload.ticket", Reason: "jsonPayload.reason", Time: "jsonPayload.time",
		Target: "jsonPayload.target", IP: "jsonPayload.ip", Outcome: "jsonPayload.outcome",
		Opened: []string{"ticket_opened"}, Closed: []string{"ticket_closed"},
		Assumed: true,
	}
}

const allowedPaths = "a path such as jsonPayload.actor.email, textPayload, labels.NAME, resource.labels.NAME, insertId"

func isPath(path string) bool {
	root, rest, nested := strings.Cut(path, ".")
	switch root {
	case "jsonPayload", "protoPayload", "labels":
		return nested && rest != ""
	case "resource":
		return rest == "type" || strings.HasPrefix(rest, "labels.") && rest != "labels."
	}
	return path == "textPayload" || path == "insertId"
}

// TrialOf returns the world of a policy for trying out logs, and whether they are taken for the company's own whoever
// wrote them: the starter has no company yet, so the domain of whoever acts counts as an approved one, and the project
// it happened in as one of the company's. watch.yaml says so under replay; a running watch never asks.
func TrialOf(p *policy.Policy) (w World, home bool) {
	var file watching
	_, _ = p.Decode(watchFile, &file) // Mappings tells what is wrong with it
	w = WorldOf(p)
	w.Home = file.Replay.Home == fromActor
	return w, w.Home
}
