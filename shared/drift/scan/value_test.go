package scan

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
)

// valueOf is what the assertion "value" finds of an asset beside others.
func valueOf(t *testing.T, w *world, a asset.Asset, others ...asset.Asset) (got, want string) {
	t.Helper()
	k := &known{live: asset.NewInventory(), head: head{Whole: 1}}
	for _, one := range append(others, a) {
		k.live.Add(one)
	}
	k.live.Settle()
	is, _ := k.live.Get("", a.Key)
	if err := w.salted(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := newVerdicts()
	live := &baseline.Live{Inventory: k.live, Now: start, Read: func(string) bool { return true }}
	w.Service.judgements(v, k, live, w.Set.Judge(is, live))
	for _, s := range v.seen {
		if s.What == "value" {
			return s.Got, s.Want
		}
	}
	return "", ""
}

// TestValues: what somebody accepts is everything that is out of order, and all it rests on: another value of any of it is
// another value, and what it does not rest on changes nothing.
func TestValues(t *testing.T) {
	t.Parallel()
	with := func(a asset.Asset, field string, v any) asset.Asset {
		a.Data = asset.Object{field: v}
		return a
	}
	a, other := door("live", "a", ""), door("live", "b", "")
	for name, c := range map[string]struct {
		assert       []string
		before, then []asset.Asset // the first is judged
		same         bool
	}{
		"a second expression":             {[]string{"data.one", "data.two"}, []asset.Asset{{Data: asset.Object{"one": false, "two": true}}}, []asset.Asset{{Data: asset.Object{"one": false, "two": false}}}, false},
		"a third behind one that is true": {[]string{"data.one", "true", "data.n < 3"}, []asset.Asset{{Data: asset.Object{"one": false, "n": 3.0}}}, []asset.Asset{{Data: asset.Object{"one": false, "n": 4.0}}}, false},
		"what may be left out":            {[]string{"data.?log.?on.orValue(false)"}, []asset.Asset{{Data: asset.Object{"log": asset.Object{"on": false}}}}, []asset.Asset{{Data: asset.Object{}}}, false},
		"a field it does not name":        {[]string{"data.one"}, []asset.Asset{{Data: asset.Object{"one": false}}}, []asset.Asset{{Data: asset.Object{"one": false, "two": 2.0}}}, true},
		"all of its data":                 {[]string{`!("x" in data)`}, []asset.Asset{{Data: asset.Object{"x": 1.0, "etag": "a"}}}, []asset.Asset{{Data: asset.Object{"x": 2.0, "etag": "a"}}}, false},
		"a mark that changes by itself":   {[]string{`!("x" in data)`}, []asset.Asset{{Data: asset.Object{"x": 1.0, "etag": "a"}}}, []asset.Asset{{Data: asset.Object{"x": 1.0, "etag": "b"}}}, true},
		"another asset":                   {[]string{`asset("` + firewall + `", "` + other.Key + `").data.rules.all(r, r > 3)`}, []asset.Asset{{}, with(other, "rules", []any{1.0})}, []asset.Asset{{}, with(other, "rules", []any{2.0})}, false},
		"another asset, another field":    {[]string{`asset("` + firewall + `", "` + other.Key + `").data.rules.all(r, r > 3)`}, []asset.Asset{{}, with(other, "rules", []any{1.0})}, []asset.Asset{{}, func() asset.Asset { b := with(other, "rules", []any{1.0}); b.Data["more"] = 1.0; return b }()}, true},
		"one of many":                     {[]string{`assets("` + firewall + `").all(f, f.data.?open.orValue(true) == false)`}, append([]asset.Asset{{}}, many(8, "open", true)...), append([]asset.Asset{{}}, many(9, "open", true)...), false},
		"no more than how many":           {[]string{`size(assets("` + firewall + `")) < 1`}, append([]asset.Asset{{}}, many(1, "open", true)...), append([]asset.Asset{{}}, many(2, "open", true)...), false},
		"what a function looks at":        {[]string{`rules(data).all(r, !r.open)`}, []asset.Asset{{Data: asset.Object{"allowed": []any{asset.Object{"IPProtocol": "tcp", "ports": []any{"22"}}}, "description": "a"}}}, []asset.Asset{{Data: asset.Object{"allowed": []any{asset.Object{"IPProtocol": "tcp", "ports": []any{"23"}}}, "description": "a"}}}, false},
		"what a function passes over":     {[]string{`rules(data).all(r, !r.open)`}, []asset.Asset{{Data: asset.Object{"allowed": []any{asset.Object{"IPProtocol": "tcp", "ports": []any{"22"}}}, "description": "a"}}}, []asset.Asset{{Data: asset.Object{"allowed": []any{asset.Object{"IPProtocol": "tcp", "ports": []any{"22"}}}, "description": "b"}}}, true},
		"the place":                       {[]string{`location == "x"`}, []asset.Asset{{Location: "a"}}, []asset.Asset{{Location: "b"}}, false},
	} {
		w := newWorldOf(t, "value", assertion("asset: ["+firewall+"]\n", strings.Join(c.assert, "', '"), "high"))
		var got [2]string
		for i, all := range [][]asset.Asset{c.before, c.then} {
			all = slices.Clone(all)
			mine := a
			mine.Location, mine.Data = all[0].Location, all[0].Data
			if mine.Data == nil {
				mine.Data = asset.Object{}
			}
			var want string
			if got[i], want = valueOf(t, w, mine, all[1:]...); got[i] == "" || want == "" {
				t.Errorf("%s: %q of %q", name, got[i], want)
			}
		}
		if (got[0] == got[1]) != c.same {
			t.Errorf("%s: %q, then %q", name, got[0], got[1])
		}
	}
}

func many(n int, field string, v any) (all []asset.Asset) {
	for i := range n {
		b := door("live", "x"+string(rune('a'+i)), "")
		b.Data = asset.Object{field: v}
		all = append(all, b)
	}
	return all
}

// TestPlaces: what an expression says of the asset that is judged, and of others.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"data.a.b >= 1": "data a.b|", "data.?a.?b.orValue(1) > 0": "data a.b|", "data.a.exists(x, x.b)": "data a|", "iam.all(b, true)": "iam |", `"x" in data`: "data |",
		`asset("t", data.a).data.b`: "data a|data b", `assets("t").exists(f, f.data.?b.orValue("") == location)`: "location |data b", "data.database == 1": "data database|", "x.iam == 1": "|iam ",
		`covered("x")`:         "|data filter,data exclusions,data disabled,data destination,data includeChildren,data interceptChildren",
		`covered("x", 3)`:      "|data filter,data exclusions,data disabled,data destination,data includeChildren,data interceptChildren,data locked,data retentionDays,data retentionPolicy",
		`above().all(o, true)`: "|",
	} {
		own, others := places(expression)
		write := func(all []place) string {
			var texts []string
			for _, p := range all {
				texts = append(texts, p.name+" "+strings.Join(p.path, "."))
			}
			return strings.Join(texts, ",")
		}
		if got := write(own) + "|" + write(others); got != want {
			t.Errorf("%s: %s, want %s", expression, got, want)
		}
	}
}

// TestSecrets: what of a resource may be a secret, or somebody's address, is in no value of a finding; that it is another is.
func TestSecrets(t *testing.T) {
	t.Parallel()
	list := func(name, value string) asset.Object {
		return asset.Object{"items": []any{asset.Object{"key": name, "value": value}}}
	}
	const secret = "hunter2 emma@firm.example"
	for assert, c := range map[string]struct {
		data  func(secret string) asset.Object
		shows string
	}{
		`data.commonInstanceMetadata.items.exists(i, i.key == "x")`: {func(s string) asset.Object { return asset.Object{"commonInstanceMetadata": list("startup-script", s)} }, "startup-script"},
		`"x" in data.metadata.annotations`: {func(s string) asset.Object {
			return asset.Object{"metadata": asset.Object{"annotations": asset.Object{"lastModifier": s}}}
		}, "lastModifier"},
		`data.env.exists(e, e.name == "x")`: {func(s string) asset.Object { return asset.Object{"env": []any{asset.Object{"name": "DB", "value": s}}} }, "DB"},
		`data.serviceConfig == 1`: {func(s string) asset.Object {
			return asset.Object{"serviceConfig": asset.Object{"environmentVariables": asset.Object{"DB": s}, "timeout": 60.0}}
		}, "60"},
		`data.containers.exists(x, x == 1)`: {func(s string) asset.Object {
			return asset.Object{"containers": []any{asset.Object{"image": "i", "args": []any{"--password", s}, "command": []any{s}}}}
		}, "image"},
		`data.pushConfig.pushEndpoint == "x"`: {func(s string) asset.Object {
			return asset.Object{"pushConfig": asset.Object{"pushEndpoint": "https://a.example/x?token=" + strings.ReplaceAll(s, " ", "+")}}
		}, "https://a.example/?"},
		`data.uri == "x"`: {func(s string) asset.Object {
			return asset.Object{"uri": "https://" + strings.ReplaceAll(s, " ", ":") + "/x"}
		}, "https://firm.example/?"},
		`data.settings == 1`: {func(s string) asset.Object {
			return asset.Object{"settings": asset.Object{"rootPassword": s, "tier": "small"}}
		}, "small"},
		`!("settings" in data)`: {func(s string) asset.Object { return asset.Object{"settings": s} }, "data"},
		`data.metadata.annotations["ingress"] == "x"`: {func(s string) asset.Object {
			return asset.Object{"metadata": asset.Object{"annotations": asset.Object{"ingress": "all", "lastModifier": s}}}
		}, `metadata.annotations.ingress: "all"`},
		`data.metadata.?annotations[?"ingress"].orValue("") == "x"`: {func(s string) asset.Object {
			return asset.Object{"metadata": asset.Object{"annotations": asset.Object{"ingress": "all", "lastModifier": s}}}
		}, `metadata.annotations.ingress: "all"`},
	} {
		w := newWorldOf(t, "value", "what: {en: a, fr: b, de: c}\nasset: ["+firewall+"]\nassert: ['"+assert+"']\nseverity: high\n")
		w.seasoned(t)
		var got []string
		for _, one := range []string{secret, secret, "hunter3 emma@firm.example"} {
			a := door("live", "a", "")
			a.Data = c.data(one)
			value, _ := valueOf(t, w, a)
			if strings.Contains(value, "hunter") || strings.Contains(value, "emma") || !strings.Contains(value, c.shows) {
				t.Errorf("%s: %q", assert, value)
			}
			got = append(got, value)
		}
		if indexed := strings.Contains(assert, `"ingress"`); got[0] != got[1] || (got[1] == got[2]) != indexed {
			t.Errorf("%s: the same and another: %q", assert, got)
		}
	}
}

// TestTerraformsSecrets: what Terraform calls sensitive is a mark in what an assertion found, of the asset and of what it was held
// against, in whichever of what it wants and applied that stands; of another asset it is shown.
func TestTerraformsSecrets(t *testing.T) {
	t.Parallel()
	a, other := door("live", "a", ""), door("live", "b", "")
	a.Data = asset.Object{"settings": asset.Object{"quietWord": "hunter1", "n": 1.0}, "allowed": []any{asset.Object{"IPProtocol": "hunter1"}}}
	other.Data = asset.Object{"quietWord": "hunter1"}
	said := func(key, path string) map[string][]diff.Resource {
		return map[string][]diff.Resource{key: {{Type: "google_compute_firewall", Sensitive: []string{path}}}}
	}
	for name, c := range map[string]struct {
		assert string
		wants  wanted
		hidden bool
	}{
		"wanted":              {`data.settings.quietWord == ""`, wanted{byKey: said(a.Key, "settings.quiet_word")}, true},
		"applied":             {`data.settings.quietWord == ""`, wanted{applied: said(a.Key, "settings.quiet_word")}, true},
		"inside":              {`data.settings == 1`, wanted{byKey: said(a.Key, "settings.quiet_word")}, true},
		"above":               {`data.settings.quietWord == ""`, wanted{byKey: said(a.Key, "settings")}, true},
		"by another name":     {`data.allowed.exists(p, p == 1)`, wanted{byKey: said(a.Key, "allow")}, true},
		"of another":          {`asset("` + firewall + `", "` + other.Key + `").data.quietWord == ""`, wanted{byKey: said(other.Key, "quiet_word")}, true},
		"another's is shown":  {`data.settings.quietWord == ""`, wanted{byKey: said(other.Key, "settings.quiet_word")}, false},
		"nobody says so":      {`data.settings.quietWord == ""`, wanted{}, false},
		"another's, the same": {`asset("` + firewall + `", "` + other.Key + `").data.quietWord == ""`, wanted{byKey: said(a.Key, "quiet_word")}, false},
	} {
		w := newWorldOf(t, "value", assertion("asset: ["+firewall+"]\n", c.assert, "high"))
		w.Service.want = c.wants
		w.seasoned(t)
		got, _ := valueOf(t, w, a, other)
		if strings.Contains(got, "hunter") == c.hidden || strings.Contains(got, "hmac:") != c.hidden {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// seasoned makes the salt.
func (w *world) seasoned(t *testing.T) {
	t.Helper()
	if err := w.salted(t.Context()); err != nil || len(w.Service.want.salt) == 0 {
		t.Fatal(err)
	}
}
