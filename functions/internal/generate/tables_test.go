package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/terraform/configuration"
)

var three = []manifest.Function{
	{Name: "asks", Control: "access", Callers: manifest.Staff, MemoryMiB: 256, Instances: 3, Concurrency: 20, TimeoutS: 30, Triggers: []manifest.Trigger{{Kind: manifest.HTTP}},
		Permissions: []manifest.Permission{{Permission: "b.c.d", Resource: "database:access"}, {Permission: "a.c.d", Resource: "database:access"}}},
	{Name: "works", Control: "access", Callers: manifest.Machine, MemoryMiB: 512, Instances: 1, Concurrency: 1, TimeoutS: 120, Freshness: "5m",
		Triggers: []manifest.Trigger{{Kind: manifest.Topic, Topic: "thing.changed"}, {Kind: manifest.Schedule, Cron: "* * * * *"}},
		Permissions: []manifest.Permission{
			{Permission: "storage.objects.create", Resource: "bucket:evidence-inbox"}, {Permission: "storage.objects.get", Resource: "bucket:evidence-inbox"}}},
	{Name: "shows", Control: "trust", Callers: manifest.Public, Triggers: []manifest.Trigger{{Kind: manifest.HTTP}}},
}

func TestDeployed(t *testing.T) {
	t.Parallel()
	lines := strings.Split(Deployed(three), "\n")
	for i, want := range []string{
		2: "| `asks` | staff | load balancer, with IAP | 256 MiB | 3 | 20 | 30 s | – | – |",
		3: "| `works` | machine | from inside | 512 MiB | 1 | 1 | 120 s | `thing.changed`, `* * * * *` | 5m |",
		4: "| `shows` | public | load balancer | 0 MiB | 0 | 0 | 0 s | – | – |",
	} {
		if want != "" && lines[i] != want {
			t.Errorf("got  %s\nwant %s", lines[i], want)
		}
	}
}

// TestRights: a row for each resource, permissions in order; adding to the inbox is a right on places in it, and everything
// else there one on the bucket.
func TestRights(t *testing.T) {
	t.Parallel()
	const want = "| member | on | may |\n| --- | --- | --- |\n" +
		"| `fn-asks` | `database:access` | `a.c.d`, `b.c.d` |\n" +
		"| the agent of IAP | `function:asks` | `roles/run.invoker` |\n" +
		"| `fn-works` | `bucket:evidence-inbox` | `storage.objects.get` |\n" +
		"| `fn-works` | `place:evidence-inbox` | `storage.objects.create` |\n" +
		"| `in-works` | `function:works` | `roles/run.invoker` |\n" +
		"| everybody | `function:shows` | `roles/run.invoker` |\n"
	if got := Rights(three); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	all := []configuration.Variable{
		{Name: "later", Type: "string", Default: `"x"`, Description: "May be left out."},
		{Name: "zone", Type: "object({ a = string })", Description: "One | the other."},
		{Name: "empty", Type: "map(string)", Default: "{ }", Description: "None."},
		{Name: "bucket", Type: "string", Description: "Where."},
	}
	const want = "| variable | type | left out | meaning |\n| --- | --- | --- | --- |\n" +
		"| `bucket` | `string` | has to be given | Where. |\n" +
		"| `zone` | `object({ a = string })` | has to be given | One \\| the other. |\n" +
		"| `empty` | `map(string)` | `{}` | None. |\n" +
		"| `later` | `string` | `\"x\"` | May be left out. |\n"
	if got := Variables(all); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestDeploying: the page keeps what people wrote around its tables; one without a place for a table is refused.
func TestDeploying(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Deploying(folder, three); err == nil {
		t.Error("a tree without the page passed")
	}
	places := map[string]string{}
	for _, name := range []string{"deployed", "rights", "variables", "organization"} {
		places[name] = "<!-- begin " + name + " -->\nold\n<!-- end " + name + " -->\n"
	}
	write(deploying, "before\n"+places["deployed"]+places["rights"]+places["variables"]+places["organization"]+"after\n")
	if _, err := Deploying(folder, three); err == nil {
		t.Error("a tree without an environment passed")
	}
	write(inputs+"/variables.tf", "variable \"region\" {\n  description = \"Where.\"\n  type        = string\n}\n")
	if _, err := Deploying(folder, three); err == nil {
		t.Error("a tree without what stands around environments passed")
	}
	write(around+"/variables.tf", "variable \"scope\" {\n  description = \"What is watched.\"\n  type        = string\n}\n")
	page, err := Deploying(folder, three)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n", "after\n", "| `fn-asks` |", "| `works` | machine |", "| `region` | `string` | has to be given | Where. |", "| `scope` | `string` | has to be given | What is watched. |"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(string(page), "old") {
		t.Errorf("something of before is left:\n%s", page)
	}
	for name := range places {
		text := "before\n"
		for other, place := range places {
			if other != name {
				text += place
			}
		}
		write(deploying, text)
		if _, err := Deploying(folder, three); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a page without a place for %s: %v", name, err)
		}
	}
}
