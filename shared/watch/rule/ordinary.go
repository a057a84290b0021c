package rule

import (
	"slices"
	"strings"

	"ostiary.internal/shared/watch/auditlog"
)

// Ordinary names what sort of entry it is that no rule minds: a class as alarms have one, for listings that hold every
// entry.
func Ordinary(e *auditlog.Entry) string {
	service, verb := e.Service, e.Verb
	switch {
	case e.Kind == auditlog.Application:
		return "application"
	case service == "login.googleapis.com":
		return "login"
	case begins(verb, "get", "list", "aggregatedlist", "batchget", "search", "lookup", "testiampermissions", "check", "watch", "describe", "count", "read", "fetch"):
		return "read"
	case machinery(e.Actor) || e.Stream == auditlog.SystemEvent:
		return "google-agent"
	case e.Stream == auditlog.DataAccess && e.Operation.ID == "":
		return "data-plane"
	case slices.Contains([]string{"serviceusage.googleapis.com", "servicemanagement.googleapis.com"}, service) &&
		begins(verb, "enable", "disable", "activate", "deactivate", "batchenable"):
		return "service-state"
	case service == "logging.googleapis.com":
		return "logging-config"
	}
	return changeOf(e)
}

// changeOf tells changes apart by their verb.
func changeOf(e *auditlog.Entry) string {
	request := tree(e.Request).Value()
	switch verb := e.Verb; {
	case Text(request, "enableFlowLogs") != "" || Text(request, "logConfig.enable") != "":
		return "logging-flowlogs"
	case begins(verb, "create", "insert", "bulkinsert", "clone", "import", "batchcreate"):
		return "resource-create"
	case begins(verb, "delete", "remove", "destroy", "batchdelete", "drop"):
		return "resource-delete"
	case begins(verb, "update", "patch", "set", "modify", "replace", "add", "attach", "detach", "resize", "move", "start", "stop", "enable", "disable", "undelete", "restore"):
		return "resource-change"
	}
	return "other"
}

func begins(verb string, with ...string) bool {
	return slices.ContainsFunc(with, func(prefix string) bool { return strings.HasPrefix(verb, prefix) })
}
