package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/terraform/configuration"
)

// The page about deploying, and the folders whose variables it lists. Both environments have the same.
const (
	deploying = "docs/deploying.md"
	inputs    = "terraform/environments/staging"
	around    = "terraform/org"
)

// Deploying is the page about deploying with its tables made anew: what is deployed, who may do what, and what has to be given.
func Deploying(root string, functions []manifest.Function) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, deploying))
	if err != nil {
		return nil, fmt.Errorf("reading the page about deploying: %w", err)
	}
	parts := []struct{ name, table string }{{"deployed", Deployed(functions)}, {"rights", Rights(functions)}}
	for _, of := range []struct{ name, folder string }{{"variables", inputs}, {"organization", around}} {
		folder, err := configuration.Read(os.DirFS(root), of.folder)
		if err != nil {
			return nil, err
		}
		parts = append(parts, struct{ name, table string }{of.name, Variables(folder.Variables())})
	}
	for _, part := range parts {
		if text, err = Replace(text, part.name, part.table); err != nil {
			return nil, fmt.Errorf("%s: %w", deploying, err)
		}
	}
	return text, nil
}

// Deployed is the table of what is deployed of each function.
func Deployed(functions []manifest.Function) string {
	var b strings.Builder
	b.WriteString("| function | callers | reached | memory | instances | requests at a time | time-out | woken by | silent at most |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, f := range functions {
		var woken []string
		for _, t := range f.Triggers {
			switch t.Kind {
			case manifest.Topic:
				woken = append(woken, "`"+t.Topic+"`")
			case manifest.Schedule:
				woken = append(woken, "`"+t.Cron+"`")
			}
		}
		reached := "load balancer"
		switch f.Callers {
		case manifest.Staff:
			reached = "load balancer, with IAP"
		case manifest.Machine:
			reached = "from inside"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %d MiB | %d | %d | %d s | %s | %s |\n",
			f.Name, f.Callers, reached, f.MemoryMiB, f.Instances, f.Concurrency, f.TimeoutS, orNone(strings.Join(woken, ", ")), orNone(f.Freshness))
	}
	return b.String()
}

// Rights is the table of who may do what on which resource: the accounts functions run as, and those that call them. What a function
// may create in the inbox of the evidence log it may below its own name, and the names of those it sweeps for.
func Rights(functions []manifest.Function) string {
	var b strings.Builder
	b.WriteString("| member | on | may |\n| --- | --- | --- |\n")
	for _, f := range functions {
		on := map[string][]string{}
		for _, p := range f.Permissions {
			where := p.Resource
			if where == "bucket:evidence-inbox" && p.Permission == "storage.objects.create" {
				where = "place:evidence-inbox"
			}
			on[where] = append(on[where], p.Permission)
		}
		for _, where := range slices.Sorted(maps.Keys(on)) {
			fmt.Fprintf(&b, "| `fn-%s` | `%s` | `%s` |\n", f.Name, where, strings.Join(slices.Sorted(slices.Values(on[where])), "`, `"))
		}
		who := "`in-" + f.Name + "`"
		switch f.Callers {
		case manifest.Staff:
			who = "the agent of IAP"
		case manifest.Public:
			who = "everybody"
		case manifest.Service:
			who = "the company's `service_members`"
		}
		fmt.Fprintf(&b, "| %s | `function:%s` | `roles/run.invoker` |\n", who, f.Name)
	}
	return b.String()
}

// Variables is the table of a folder's variables, those that have to be given first.
func Variables(all []configuration.Variable) string {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b configuration.Variable) int {
		given := func(v configuration.Variable) int { return min(len(v.Default), 1) }
		if d := given(a) - given(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	var b strings.Builder
	b.WriteString("| variable | type | left out | meaning |\n| --- | --- | --- | --- |\n")
	for _, v := range all {
		left := "has to be given"
		if v.Default != "" {
			left = "`" + cell(v.Default) + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", v.Name, cell(v.Type), left, cell(v.Description))
	}
	return b.String()
}

// cell is a text as it may stand in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "{ }", "{}").Replace(text)
}

// orNone is a text, or a dash where there is none.
func orNone(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
