package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	fenced    = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	called    = regexp.MustCompile(`\bostiary ([a-z]+)((?: [a-z-]+)?)`)
	doctored  = regexp.MustCompile(`(?s)ostiary doctor (.*?[^\\])\n`)
	flagged   = regexp.MustCompile(`--([a-z]+)`)
	linked    = regexp.MustCompile(`\]\(#([^)]+)\)`)
	headed    = regexp.MustCompile(`(?m)^#+ (.+)$`)
	outputted = regexp.MustCompile(`terraform (?:-chdir=terraform/environments/[a-z]+ )?output (?:-json|-raw) ([a-z_]+)`)
	declared  = regexp.MustCompile(`(?m)^(?:output|variable) "([a-z_]+)"`)
)

// TestDeployingPage: each command of the page about deploying is one, with flags it has; each link leads to a heading; and what it asks
// Terraform for is an output.
func TestDeployingPage(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	page := read("docs/deploying.md")
	var shell strings.Builder
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		shell.WriteString(block[1])
	}
	words := called.FindAllStringSubmatch(shell.String(), -1)
	for _, one := range words {
		at := slices.IndexFunc(commands(), func(c command) bool { return c.name == one[1] })
		if at < 0 {
			t.Errorf("there is no command %q", one[1])
			continue
		}
		if sub := strings.TrimSpace(one[2]); sub != "" && !strings.HasPrefix(sub, "-") && !strings.Contains(commands()[at].args, sub) {
			t.Errorf("ostiary %s has no %q", one[1], sub)
		}
	}
	if len(words) < 6 {
		t.Errorf("only %d commands were found", len(words))
	}
	var help bytes.Buffer
	run(context.Background(), []string{"doctor", "--help"}, &help, &help)
	lines := doctored.FindAllStringSubmatch(shell.String(), -1)
	for _, line := range lines {
		for _, flag := range flagged.FindAllStringSubmatch(line[1], -1) {
			if !strings.Contains(help.String(), "\n  -"+flag[1]) {
				t.Errorf("ostiary doctor has no --%s", flag[1])
			}
		}
	}
	if len(lines) < 2 {
		t.Errorf("the page examines %d times", len(lines))
	}
	anchors := map[string]bool{}
	for _, h := range headed.FindAllStringSubmatch(page, -1) {
		anchors[strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	for _, link := range linked.FindAllStringSubmatch(page, -1) {
		if !anchors[link[1]] {
			t.Errorf("no heading is #%s", link[1])
		}
	}
	outputs := map[string]bool{}
	for _, root := range []string{"bootstrap", "environments/staging"} {
		for _, o := range declared.FindAllStringSubmatch(read("terraform/"+root+"/outputs.tf"), -1) {
			outputs[o[1]] = true
		}
	}
	asked := outputted.FindAllStringSubmatch(page, -1)
	for _, o := range asked {
		if !outputs[o[1]] {
			t.Errorf("Terraform has no output %s", o[1])
		}
	}
	if len(asked) < 5 || len(anchors) < 15 {
		t.Errorf("%d outputs, %d headings", len(asked), len(anchors))
	}
}
