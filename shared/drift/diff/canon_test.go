package diff

import (
	"encoding/json"
	"testing"
)

// Each rule of equality has pairs that are equal and pairs that are not, as both sides write them.
func TestRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is           canon
		equal, other [][2]string
	}{
		"text":     {text, [][2]string{{`"a"`, `"a"`}, {`null`, `""`}}, [][2]string{{`"a"`, `"A"`}, {`"a"`, `""`}}},
		"fold":     {fold, [][2]string{{`"EU"`, `"eu"`}}, [][2]string{{`"EU"`, `"US"`}}},
		"spaced":   {spaced, [][2]string{{`"a  AND\n b"`, `"a AND b"`}}, [][2]string{{`"a AND b"`, `"a OR b"`}}},
		"number":   {number, [][2]string{{`30`, `"30"`}, {`30`, `30.0`}, {`null`, `""`}}, [][2]string{{`30`, `29`}, {`0`, `null`}}},
		"flag":     {flag, [][2]string{{`false`, `null`}, {`true`, `"true"`}}, [][2]string{{`true`, `null`}}},
		"seconds":  {seconds, [][2]string{{`3600`, `"3600s"`}, {`"1h"`, `"3600.0s"`}, {`"86400s"`, `"24h"`}}, [][2]string{{`"3600s"`, `"3601s"`}, {`60`, `"60m"`}}},
		"link":     {link, [][2]string{{`"https://www.googleapis.com/compute/v1/projects/p/global/networks/n"`, `"projects/p/global/networks/n"`}}, [][2]string{{`"projects/p/global/networks/n"`, `"projects/q/global/networks/n"`}}},
		"set":      {set(text), [][2]string{{`["a","b"]`, `["b","a","a"]`}, {`[]`, `null`}}, [][2]string{{`["a"]`, `["a","b"]`}}},
		"sequence": {sequence(text), [][2]string{{`["a","b"]`, `["a","b"]`}}, [][2]string{{`["a","b"]`, `["b","a"]`}}},
		"labels":   {labels, [][2]string{{`{"a":"1","b":"2"}`, `{"b":"2","a":"1"}`}, {`{}`, `null`}}, [][2]string{{`{"a":"1"}`, `{"a":"2"}`}, {`{"a":"1"}`, `{}`}}},
		"prefixes": {prefixes, [][2]string{{`["0.0.0.0/0"]`, `["128.0.0.0/1","0.0.0.0/1"]`}, {`["10.0.0.1"]`, `["10.0.0.1/32"]`}, {`["10.0.0.0/8"]`, `["10.0.0.0/8","10.2.0.0/16"]`},
			{`["10.0.0.0/24"]`, `["10.0.0.0/26","10.0.0.64/26","10.0.0.128/25"]`}, {`["10.0.0.7/24"]`, `["10.0.0.0/24"]`}, {`["::/0"]`, `["8000::/1","::/1"]`}},
			[][2]string{{`["0.0.0.0/0"]`, `["0.0.0.0/1"]`}, {`["0.0.0.0/0"]`, `["::/0"]`}, {`["10.0.1.0/24","10.0.2.0/24"]`, `["10.0.0.0/22"]`}}},
		"ports": {ports, [][2]string{{`["80","81","82"]`, `["80-82"]`}, {`["443"]`, `["443-443"]`}, {`["1-65535"]`, `[]`}, {`["80-90","85-95"]`, `["80-95"]`}}, [][2]string{{`["80"]`, `["80-81"]`}, {`["80","82"]`, `["80-82"]`}}},
		"protocols": {protocols, [][2]string{
			{`[{"protocol":"tcp","ports":["443"]},{"protocol":"udp","ports":[]}]`, `[{"IPProtocol":"udp"},{"IPProtocol":"TCP","ports":["443-443"]}]`},
			{`[{"protocol":"tcp","ports":["80"]},{"protocol":"tcp","ports":["443"]}]`, `[{"ipProtocol":"tcp","port":["443","80"]}]`},
			{`[{"protocol":"6"}]`, `[{"IPProtocol":"tcp","ports":["1-65535"]}]`}, {`[{"protocol":"all"},{"protocol":"tcp","ports":["1"]}]`, `[{"IPProtocol":"all"}]`},
		}, [][2]string{{`[{"protocol":"tcp","ports":["443"]}]`, `[{"IPProtocol":"tcp"}]`}, {`[{"protocol":"tcp"}]`, `[{"IPProtocol":"all"}]`}, {`[{"protocol":"tcp"}]`, `[]`}}},
		"networks of a database": {networksOf, [][2]string{{`[{"name":"a","value":"10.0.0.0/8"}]`, `[{"value":"10.0.0.0/8","kind":"sql#aclEntry"}]`}}, [][2]string{{`[{"value":"10.0.0.0/8"}]`, `[{"value":"0.0.0.0/0"}]`}}},
		"flags of a database":    {databaseFlags, [][2]string{{`[{"name":"a","value":"on"},{"name":"b","value":"1"}]`, `[{"name":"b","value":"1"},{"name":"a","value":"on"}]`}}, [][2]string{{`[{"name":"a","value":"on"}]`, `[{"name":"a","value":"off"}]`}}},
		"replicas": {replicas, [][2]string{{`[{"location":"europe-west1","customer_managed_encryption":[{"kms_key_name":"projects/p/k"}]}]`, `[{"location":"europe-west1","customerManagedEncryption":{"kmsKeyName":"projects/p/k"}}]`}},
			[][2]string{{`[{"location":"europe-west1"}]`, `[{"location":"us-east1"}]`}}},
		"lifecycles": {lifecycles, [][2]string{{`[{"action":[{"type":"Delete","storage_class":""}],"condition":[{"age":90,"with_state":"","num_newer_versions":0}]}]`, `[{"action":{"type":"Delete"},"condition":{"age":"90","numNewerVersions":0}}]`}},
			[][2]string{{`[{"action":[{"type":"Delete"}],"condition":[{"age":90}]}]`, `[{"action":{"type":"Delete"},"condition":{"age":30}}]`}}},
		"variables": {envs, [][2]string{{`[{"name":"A","value":"1","value_source":[]}]`, `[{"name":"A","value":"1"}]`}}, [][2]string{{`[{"name":"A","value":"1"}]`, `[{"name":"A","value":"2"}]`}}},
		"paused":    {paused, [][2]string{{`false`, `"ENABLED"`}, {`true`, `"PAUSED"`}}, [][2]string{{`false`, `"PAUSED"`}}},
	} {
		written := func(s string) string {
			var v any
			if err := json.Unmarshal([]byte(s), &v); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
			out, err := c.is(v)
			if err != nil {
				t.Errorf("%s: %s: %v", name, s, err)
			}
			return out
		}
		for _, p := range c.equal {
			if a, b := written(p[0]), written(p[1]); a != b {
				t.Errorf("%s: %s and %s are written %q and %q", name, p[0], p[1], a, b)
			}
		}
		for _, p := range c.other {
			if a, b := written(p[0]), written(p[1]); a == b {
				t.Errorf("%s: %s and %s are both written %q", name, p[0], p[1], a)
			}
		}
	}
}

// A zero lifecycle number written and left out is the same; what no rule can read is an error, not equal to anything.
func TestRulesRefuseShapes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is canon
		v  string
	}{
		"text": {text, `{"a":1}`}, "number": {number, `"many"`}, "flag": {flag, `"perhaps"`}, "prefixes": {prefixes, `["everywhere"]`}, "ports": {ports, `["99999"]`},
		"ports backwards": {ports, `["90-80"]`}, "protocols": {protocols, `[{"ports":["1"]}]`}, "labels": {labels, `["a"]`}, "set": {set(text), `[{"a":1}]`},
	} {
		var v any
		if err := json.Unmarshal([]byte(c.v), &v); err != nil {
			t.Fatal(err)
		}
		if out, err := c.is(v); err == nil {
			t.Errorf("%s reads %s as %q", name, c.v, out)
		}
	}
}

func FuzzProtocols(f *testing.F) {
	f.Add(`[{"protocol":"tcp","ports":["443"]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		for _, is := range []canon{protocols, ports, prefixes, lifecycles} {
			_, _ = is(v) // answers, whatever it is
		}
	})
}
