package configuration

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const sample = `# A comment with { and "
variable "doors" {
  description = "Where doors are: \"none\" where it is empty." // not this
  type = object({
    firewalls = optional(string, "") # nor this
    shards    = optional(number, 4)
  })
  default = {}

  validation {
    condition     = alltrue([for d in values(var.doors) : d != ""])
    error_message = "Doors have names."
  }
}

variable "region" {
  type        = string
  description = "A region."
}

locals {
  name = var.manifest.name /* of the function */
  text = <<-EOT
    } is no end, ${local.name} is a name
  EOT
  after = 1
}

resource "google_pubsub_topic" "dead" {
  count = length(local.topics) > 0 ? 1 : 0
  name  = "dead.${local.name}"

  message_storage_policy { allowed_persistence_regions = [var.region] }

  dynamic "rule" {
    for_each = local.rules
    content {
      action = rule.value
    }
  }
}
`

func TestRead(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"modules/m/main.tf": {Data: []byte(sample)}, "modules/m/more.tf": {Data: []byte("locals {\n  more = true\n}\n")}, "modules/m/deeper/no.tf": {Data: []byte("{")}}
	f, err := Read(tree, "modules/m")
	if err != nil {
		t.Fatal(err)
	}
	variables := f.Variables()
	want := []Variable{
		{"doors", `Where doors are: "none" where it is empty.`, `object({ firewalls = optional(string, ""), shards = optional(number, 4) })`, "{}"},
		{"region", "A region.", "string", ""},
	}
	if !slices.Equal(variables, want) {
		t.Errorf("variables are %+v", variables)
	}
	for name, expression := range map[string]string{"name": "var.manifest.name", "after": "1", "more": "true"} {
		if have, found := f.Local(name); !found || have != expression {
			t.Errorf("local %s is %q", name, have)
		}
	}
	if text, _ := f.Local("text"); !strings.Contains(text, "} is no end") {
		t.Errorf("local text is %q", text)
	}
	topic, found := f.Find("resource", "google_pubsub_topic", "dead")
	if !found || topic.Line != 29 || topic.File != "modules/m/main.tf" {
		t.Fatalf("the topic is %+v", topic)
	}
	for _, c := range []struct {
		at   []string
		want string
	}{
		{[]string{"name"}, `"dead.${local.name}"`},
		{[]string{"message_storage_policy", "allowed_persistence_regions"}, "[var.region]"},
		{[]string{"rule", "action"}, "rule.value"},
	} {
		if have, found := topic.Expression(c.at...); !found || have != c.want {
			t.Errorf("%v is %q", c.at, have)
		}
	}
	for _, at := range [][]string{{"labels"}, {"lifecycle", "prevent_destroy"}, {"rule", "other"}} {
		if have, found := topic.Expression(at...); found {
			t.Errorf("%v is %q, and is not there", at, have)
		}
	}
	if _, found := f.Find("resource", "google_pubsub_topic", "other"); found {
		t.Error("a topic that is not there was found")
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	for text, line := range map[string]int{
		"locals {\n  a = [1\n":              3,
		"locals {\n  a = \"x\n}\n":          2,
		"locals {\n":                        2,
		"}\n":                               1,
		"resource \"a\"":                    1,
		"locals {\n  a = <<EOT\nnever\n}\n": 2,
		"locals {\n  a = \"${b\"\n}\n":      2,
		"= 1\n":                             1,
		"resource ! {}\n":                   1,
		"locals {\n  a = { b = 1\n  c = \"d\"\n}\n": 5,
	} {
		if _, err := Parse("x.tf", text); err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("x.tf:%d: ", line)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Read(fstest.MapFS{"a/b.txt": {}}, "a"); err == nil {
		t.Error("a folder without configuration was read")
	}
	if _, err := Read(fstest.MapFS{"a/b.tf": {Data: []byte("{")}}, "a"); err == nil {
		t.Error("a file that cannot be read was read")
	}
}

func render(r Reference) string {
	text := r.Root
	for _, s := range r.Steps {
		if s.Index != "" {
			text += "[" + s.Index + "]"
		} else {
			text += "." + s.Name
		}
	}
	return text
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`google_pubsub_topic.dead[0].id`:                              "google_pubsub_topic.dead[0].id",
		`"${local.base}/${local.name}/events"`:                        "local.base local.name",
		`var.topics[each.key]`:                                        "each.key var.topics[each.key]",
		`google_a.b["x:${each.key}"].name`:                            `each.key google_a.b["x:${each.key}"].name`,
		`{ for name, t in google_pubsub_topic.event : name => t.id }`: "google_pubsub_topic.event",
		`merge(local.a, var.b ? { c = module.m.out } : {})`:           "local.a var.b module.m.out",
		`one(google_service_account.invoker[*].email)`:                "google_service_account.invoker[*].email",
		`"$${local.none} %%{local.none} \"${local.one}\""`:            "local.one",
		`length(var.a) > 0 ? var.b : "var.c"`:                         "var.a var.b",
		"<<-EOT\n  ${local.in}\nEOT":                                  "local.in",
		`split("/", each.value)[1]`:                                   "each.value",
		`self.local.x`:                                                "",
		`[for v in values(local.m) : v.local.x]`:                      "local.m",
	} {
		var have []string
		for _, r := range References(expression) {
			have = append(have, render(r))
		}
		if strings.Join(have, " ") != want {
			t.Errorf("%s refers to %q, want %q", expression, have, want)
		}
	}
}

func TestSingle(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{
		"local.a": true, " google_a.b[0].c ": true, `var.m[each.key].x`: true, "var.a ? var.b : var.a": false, "f(local.a)": false, `"${local.a}"`: false, "[local.a]": false, "12": false,
	} {
		if _, whole := Single(expression); whole != want {
			t.Errorf("%s is one reference: %v", expression, whole)
		}
	}
}

func TestObjectAndCall(t *testing.T) {
	t.Parallel()
	entries, written := Object("{\n  a = 1, \"b.c\" = { d = [2, 3] }\n  (var.e) = \"x,y = z\"\n  f: 4\n}")
	have := map[string]string{}
	for _, e := range entries {
		have[e.Key] = e.Value
	}
	if want := map[string]string{"a": "1", "b.c": "{ d = [2, 3] }", "var.e": `"x,y = z"`, "f": "4"}; !written || !maps.Equal(have, want) {
		t.Errorf("entries are %v", have)
	}
	for _, none := range []string{"{ for a in b : a => a }", "merge({}, {})", "[1]", "{ a }"} {
		if _, written := Object(none); written {
			t.Errorf("%s is no object that is written out", none)
		}
	}
	if arguments, called := Call(`merge(local.a, { b = f(1, 2) }, [for x in y : z]...)`, "merge"); !called || len(arguments) != 3 || arguments[1] != "{ b = f(1, 2) }" {
		t.Errorf("arguments are %q", arguments)
	}
	for _, none := range []string{"merge(a).b", "merged(a)", "a"} {
		if _, called := Call(none, "merge"); called {
			t.Errorf("%s is no call of merge", none)
		}
	}
}

// TestTree: all configuration of this repository can be read, and every variable says what it is.
func TestTree(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("..")
	read := 0
	for _, form := range []string{"bootstrap", "org", "modules/platform", "modules/function", "modules/doors", "modules/edge", "modules/monitoring", "modules/streams", "environments/staging", "environments/live"} {
		f, err := Read(tree, form)
		if err != nil {
			t.Error(err)
			continue
		}
		read++
		for _, v := range f.Variables() {
			if v.Description == "" || v.Type == "" || v.Type == "any" || strings.Contains(v.Type, "(any)") {
				t.Errorf("%s: variable %s lacks a description or a type", form, v.Name)
			}
		}
	}
	if read == 0 {
		t.Error("nothing was read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("a = \"${\"}\"}\"\n")
	f.Fuzz(func(_ *testing.T, text string) {
		body, err := Parse("x.tf", text)
		if err != nil {
			return
		}
		for _, expression := range body.Attributes {
			References(expression)
			Object(expression)
			Call(expression, "merge")
		}
	})
}
