package attribution

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/veil"
)

var salted = veil.Veil{Salt: []byte("0123456789abcdef")}

// knows is a veil that was told what is secret.
func knows(paths ...string) veil.Veil { return veil.Veil{Salt: salted.Salt, Secret: paths} }

func read(t testing.TB, text string) (o asset.Object) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err, text)
	}
	return o
}

func written(all []finding.Change, unasked string) string {
	var lines []string
	for _, c := range all {
		line := c.Field + ": " + c.Was + " > " + c.Now
		if c.Unsure {
			line += " ?"
		}
		lines = append(lines, line)
	}
	if unasked != "" {
		lines = append(lines, "("+unasked+")")
	}
	return strings.Join(lines, " | ")
}

// What a request asked for stands beside what was, however the service writes it, and what was so before is left out.
func TestAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ request, was, want string }{
		"a field":                   {`{"sourceRanges":["0.0.0.0/0"],"name":"f"}`, `{"name":"g","sourceRanges":["10.0.0.0/8"],"priority":1000}`, "sourceRanges: 10.0.0.0/8 > 0.0.0.0/0"},
		"as it was":                 {`{"sourceRanges":["b","a"],"priority":"1000"}`, `{"sourceRanges":["a","b"],"priority":1000}`, "(same)"},
		"left out is off":           {`{"disabled":false,"n":0,"s":"","l":[]}`, `{"x":1}`, "(left_out)"},
		"off is another than on":    {`{"disabled":false}`, `{"disabled":true}`, "disabled: true > "},
		"in a body":                 {`{"@type":"t","instance":"db","project":"p","body":{"settings":{"ipConfiguration":{"ipv4Enabled":true}}}}`, `{"project":"p","settings":{"ipConfiguration":{"ipv4Enabled":false},"tier":"x"}}`, "settings.ipConfiguration.ipv4Enabled:  > true"},
		"in what it is called":      {`{"sinkName":"s","sink":{"name":"s","destination":"b","filter":"x"},"uniqueWriterIdentity":true}`, `{"destination":"a","filter":"x"}`, "destination: a > b"},
		"a label called as a field": {`{"labels":{"location":"x"}}`, `{"location":"EU","labels":{"location":"y"}}`, "labels.location: y > x"},
		"by a mask":                 {`{"cryptoKey":{"rotationPeriod":"9s","labels":{"a":"b"}},"updateMask":"rotation_period"}`, `{"rotationPeriod":"1s","labels":{}}`, "rotationPeriod: 1s > 9s"},
		"by a mask of paths":        {`{"topic":{"kmsKeyName":"k","labels":{"a":"b"}},"updateMask":{"paths":["labels"]}}`, `{"kmsKeyName":"","labels":{"a":"c"}}`, "labels.a: c > b"},
		"in the plural":             {`{"alloweds":[{"IPProtocol":"tcp"}]}`, `{"allowed":[{"IPProtocol":"udp"}]}`, `allowed: {"IPProtocol":"udp"} > {"IPProtocol":"tcp"}`},
		"a secret":                  {`{"rootPassword":"***","settings":{"userLabels":{"a":"b"}}}`, `{"settings":{"userLabels":{"a":"b"}},"rootPassword":"old"}`, "rootPassword: " + salted.Mark("old") + " > *** ?"},
		"a secret that was let through": {`{"env":[{"name":"DB","value":"hunter2"}]}`, `{"env":[{"name":"DB","value":"hunter1"}]}`,
			`env: {"name":"DB","value":"` + salted.Mark("hunter1") + `"} > {"name":"DB","value":"` + salted.Mark("hunter2") + `"}`},
		"a bag":                    {`{"annotations":{"x":"***"}}`, `{"annotations":{"x":"hunter1"}}`, `annotations: {"x":"` + salted.Mark(`"hunter1"`) + `"} > {"x":"***"} ?`},
		"what was is not known":    {`{"body":{"a":true}}`, ``, "a:  > true ?"},
		"off by a mask":            {`{"cryptoKey":{"name":"k","labels":{"a":"b"}},"updateMask":"rotationPeriod"}`, `{"rotationPeriod":"1s","labels":{"a":"c"}}`, "rotationPeriod: 1s > "},
		"off inside a mask":        {`{"service":{"settings":{"a":true}},"updateMask":"settings"}`, `{"settings":{"a":true,"b":{"c":"x"}},"more":1}`, `settings.b: {"c":"x"} > `},
		"off below what is absent": {`{"sink":{"name":"s"},"updateMask":{"paths":["settings.deep.flag"]}}`, `{"settings":{"deep":{"flag":true,"other":true}}}`, "settings.deep.flag: true > "},
		"a mask of what was not":   {`{"cryptoKey":{"rotationPeriod":"9s"},"updateMask":"rotationPeriod"}`, `{"purpose":"x"}`, "rotationPeriod:  > 9s"},
		"a mask of nothing at all": {`{"cryptoKey":{},"updateMask":"rotationPeriod"}`, `{"purpose":"x"}`, "(same)"},
		"off, and was not known":   {`{"cryptoKey":{"name":"k"},"updateMask":"rotationPeriod"}`, ``, "rotationPeriod:  >  ?"},
		"no, and was not known":    {`{"body":{"enabled":false}}`, ``, "enabled:  >  ?"},
		"a mask of everything":     {`{"cryptoKey":{"purpose":"x"},"updateMask":"*"}`, `{"purpose":"x","rotationPeriod":"1s"}`, "(left_out)"},
		"left out without a mask":  {`{"purpose":"x"}`, `{"purpose":"x","rotationPeriod":"1s","name":"n"}`, "(left_out)"},
		"left out deeper":          {`{"settings":{"a":1}}`, `{"settings":{"a":1,"b":2}}`, "(left_out)"},
		"nothing left out":         {`{"purpose":"x","n":0}`, `{"purpose":"x","name":"n","off":false}`, "(same)"},
		"variables untouched":      {`{"env":[{"name":"A","value":"***"},{"name":"B","value":"***"}],"n":2}`, `{"env":[{"name":"A","value":"x"},{"name":"B","value":"y"}],"n":1}`, "env: *** > *** ? | n: 1 > 2"},
		"a variable more, one less": {`{"env":[{"name":"A","value":"***"},{"name":"C","value":"***"}]}`, `{"env":[{"name":"A","value":"x"},{"name":"B","value":"y"}]}`,
			`env: {"name":"B","value":"` + salted.Mark("y") + `"} >  | env:  > {"name":"C","value":"***"} | env: *** > *** ?`},
		"an argument untouched":  {`{"args":"***"}`, `{"args":["x"]}`, "args: " + salted.Mark(`["x"]`) + " > *** ?"},
		"an address untouched":   {`{"uri":"https://a.example/?***"}`, `{"uri":"https://a.example/x"}`, "uri: https://a.example/?" + salted.Mark("https://a.example/x") + " > https://a.example/?*** ?"},
		"an address of another":  {`{"uri":"https://b.example/?***"}`, `{"uri":"https://a.example/x"}`, "uri: https://a.example/?" + salted.Mark("https://a.example/x") + " > https://b.example/?***"},
		"named, and one changed": {`{"networks":[{"name":"a","value":"0.0.0.0/0"},{"name":"b","value":"10.0.0.1"}]}`, `{"networks":[{"name":"b","value":"10.0.0.1"},{"name":"a","value":"10.0.0.2"}]}`, `networks: {"name":"a","value":"10.0.0.2"} > {"name":"a","value":"0.0.0.0/0"}`},
		"one name twice":         {`{"l":[{"name":"a","v":1},{"name":"a","v":2}]}`, `{"l":[{"name":"a","v":1}]}`, `l: {"name":"a","v":1} > {"name":"a","v":1}, {"name":"a","v":2}`},
		"no object":              {`[1]`, `{}`, "(not_logged)"},
	} {
		var was *asset.Asset
		if c.was != "" {
			was = &asset.Asset{Data: read(t, c.was)}
		}
		if got := written(Asked(&Request{Body: json.RawMessage(c.request)}, was, salted)); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// What Terraform calls sensitive is a mark, whatever it is called.
func TestAskedSensitive(t *testing.T) {
	t.Parallel()
	was := &asset.Asset{Data: read(t, `{"settings":{"quietWord":"hunter1","tier":"a"},"note":"x"}`)}
	got := written(Asked(&Request{Body: json.RawMessage(`{"settings":{"quietWord":"hunter2","tier":"b"},"note":"hunter3"}`)}, was, knows("settings.quiet_word", "note")))
	want := "note: " + salted.Mark("x") + " > " + salted.Mark("hunter3") + " | settings.quietWord: " + salted.Mark("hunter1") + " > " + salted.Mark("hunter2") + " | settings.tier: a > b"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := written(Asked(&Request{Body: json.RawMessage(`{"settings":{"quietWord":"hunter1"}}`)}, was, knows("settings"))); got != "(left_out)" { // and no mark of what is the same
		t.Error(got)
	}
}

// Who was given access, and whose was taken, a line each; a service that logs all of the policy is held against what was.
func TestAskedAccess(t *testing.T) {
	t.Parallel()
	policy := &asset.Policy{Bindings: []asset.Binding{{Role: "r/a", Members: []string{"user:x@a.example", "user:y@a.example"}}, {Role: "r/b", Members: []string{"user:z@a.example"}, Condition: "c"}}}
	for name, c := range map[string]struct {
		request *Request
		was     *asset.Asset
		want    string
	}{
		"told":         {&Request{Added: []string{"r/owner allUsers"}, Removed: []string{"r/a user:x@a.example"}}, nil, "iam:  > r/owner allUsers | iam: r/a user:x@a.example > "},
		"all of it":    {&Request{Whole: true, Added: []string{"r/a user:X@a.example", "r/a user:new@a.example", "r/b user:z@a.example {c}"}}, &asset.Asset{IAM: policy}, "iam:  > r/a user:new@a.example | iam: r/a user:y@a.example > "},
		"all unknown":  {&Request{Whole: true, Added: []string{"r/a user:x@a.example"}}, &asset.Asset{}, "iam:  > r/a user:x@a.example ?"},
		"emptied":      {&Request{Whole: true}, &asset.Asset{IAM: &asset.Policy{Bindings: policy.Bindings[1:]}}, "iam: r/b user:z@a.example {c} > "},
		"cut":          {&Request{Cut: true}, nil, "(too_long)"},
		"nothing":      {&Request{}, nil, "(not_logged)"},
		"no request":   {nil, nil, "(not_logged)"},
		"cut and some": {&Request{Cut: true, Added: []string{"r/a b"}}, nil, "iam:  > r/a b | (too_long)"},
	} {
		if got := written(Asked(c.request, c.was, salted)); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// However much is asked for, what is told of it is bounded, and says that there is more.
func TestAskedBounds(t *testing.T) {
	t.Parallel()
	many, deep := map[string]any{}, any("x")
	for i := range 1000 {
		many[fmt.Sprintf("field%d", i)] = strings.Repeat("ü", 10_000)
		deep = map[string]any{"a": deep}
	}
	for _, body := range []any{many, deep} {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		all, unasked := Asked(&Request{Body: raw}, &asset.Asset{Data: asset.Object{}}, salted)
		size := 0
		for _, c := range all {
			size += len(c.Field) + len(c.Was) + len(c.Now)
		}
		if len(all) == 0 || len(all) > MostAsked || size > MostAsked*3*(MostText+3) || len(all) == MostAsked && unasked != TooLong {
			t.Errorf("%d fields, %d bytes, %q", len(all), size, unasked)
		}
	}
}

// What the watch tells is read; what it says of what was before is not believed, since it does not know.
func TestReadRequest(t *testing.T) {
	t.Parallel()
	h, err := Read([]byte(`{"v":2,"asset":"`+firewall+`","entry":"e","at":"2026-03-03T12:00:00Z","request":{"body":{"a":1},"cut":true},"asked":[{"field":"x"}],"unasked":"same"}`), asset.NewNames())
	if err != nil || h.Request == nil || string(h.Request.Body) != `{"a":1}` || !h.Request.Cut || h.Asked != nil || h.Unasked != "" {
		t.Errorf("%+v %v", h, err)
	}
	kept, err := json.Marshal(h)
	if err != nil || strings.Contains(string(kept), `"body"`) {
		t.Errorf("the request is kept: %s %v", kept, err)
	}
}

// What was asked for goes with whoever asked, through the halves of an operation too, but not with the sixth.
func TestRankAsked(t *testing.T) {
	t.Parallel()
	asked := []finding.Change{{Field: "a", Now: "b"}}
	begin, end := call("b", "ann", "human", -9*60e9), call("e", "", "unknown", -3*60e9)
	begin.Operation, begin.Running, end.Operation = "op", true, "op"
	begin.Asked, end.Unasked = asked, NotLogged
	for name, hints := range map[string][]Hint{"the beginning says it": {begin, end}, "turned": {end, begin}} {
		if got := Rank(question(), hints); len(got) != 1 || len(got[0].Asked) != 1 || got[0].Unasked != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	begin.Asked, begin.Unasked, end.Asked, end.Unasked = nil, NotLogged, asked, ""
	if got := Rank(question(), []Hint{begin, end}); len(got[0].Asked) != 1 || got[0].Unasked != "" {
		t.Errorf("the end says it: %+v", got)
	}
	var many []Hint
	for i := range 8 {
		h := call(fmt.Sprint(i), fmt.Sprint("p", i), "human", -60e9)
		h.Asked = asked
		many = append(many, h)
	}
	got := Rank(question(), many)
	for i, a := range got {
		if (len(a.Asked) > 0) != (i < Most) {
			t.Errorf("%d: %+v", i, a)
		}
	}
}

// Two long values that differ at the end do not read alike, nor do two conditions.
func TestAskedLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MostText)
	all, _ := Asked(&Request{Body: json.RawMessage(`{"filter":"` + long + `a"}`)}, &asset.Asset{Data: asset.Object{"filter": long + "b"}}, salted)
	if len(all) != 1 || all[0].Was == all[0].Now || len(all[0].Now) > MostText+30 {
		t.Errorf("%+v", all)
	}
	all, _ = Asked(&Request{Added: []string{"r m {" + long + "a}"}, Removed: []string{"r m {" + long + "b}"}}, nil, salted)
	if len(all) != 2 || all[0].Now == all[1].Was {
		t.Errorf("%+v", all)
	}
}

func FuzzAsked(f *testing.F) {
	f.Add(`{"body":{"a":{"b":[1,"2",null]}},"updateMask":"a.b"}`, `{"a":{"b":[]}}`)
	f.Add(`{"updateMask":{"paths":[1,null]},"alloweds":{}}`, `null`)
	f.Fuzz(func(t *testing.T, request, was string) {
		var o asset.Object
		_ = json.Unmarshal([]byte(was), &o)
		all, unasked := Asked(&Request{Body: json.RawMessage(request)}, &asset.Asset{Data: o}, salted)
		if len(all) > MostAsked || len(all) == 0 && unasked == "" {
			t.Error(len(all), unasked)
		}
	})
}
