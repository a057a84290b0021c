package rule

import (
	_ "embed"
	"slices"
	"strings"

	"ostiary.internal/shared/watch/auditlog"
)

// catalogueText is the data file of methods; its head says where it comes from and of which day it is.
//
//go:embed catalogue.csv
var catalogueText string

// logged is a method of the catalogue and the stream it is logged to.
type logged struct{ stream, method, verb string }

// catalogue holds the methods by service.
type catalogue map[string][]logged

func readCatalogue() catalogue {
	c := catalogue{}
	for line := range strings.Lines(catalogueText) {
		service, rest, _ := strings.Cut(strings.TrimSpace(line), ",")
		stream, method, complete := strings.Cut(rest, ",")
		if strings.HasPrefix(line, "#") || !complete {
			continue
		}
		c[service] = append(c[service], logged{stream: stream, method: method, verb: auditlog.Verb(method)})
	}
	return c
}

// names are what the methods of services may be called in a rule.
func (c catalogue) names(services []string) (names []string) {
	for _, service := range services {
		for _, l := range c[service] {
			names = append(names, l.verb)
		}
	}
	return names
}

// of returns the methods that an ending accepts; without services, of all of them.
func (c catalogue) of(e ending, services []string) (methods []logged) {
	for service, all := range c {
		if len(services) > 0 && !slices.Contains(services, service) {
			continue
		}
		for _, l := range all {
			if e.accepts(l.method, l.verb) {
				methods = append(methods, l)
			}
		}
	}
	return methods
}
