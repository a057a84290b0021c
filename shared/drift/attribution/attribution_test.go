package attribution

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
)

const firewall = "//compute.googleapis.com/projects/acme/global/firewalls/f"

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func call(entry, person, kind string, at time.Duration) Hint {
	h := Hint{Asset: firewall, Person: person, Kind: kind, Method: "v1.compute.firewalls.patch", Entry: entry, At: noon.Add(at), Chain: []string{kind}}
	if person != "" {
		h.Chain[0] = person
	}
	return h
}

func question() Question {
	return Question{Asset: firewall, Good: noon.Add(-time.Hour), Seen: noon, Stream: true, Terraform: true, Since: noon.Add(-Kept)}
}

func said(all []finding.Actor) string {
	var words []string
	for _, a := range all {
		w := a.Kind
		if a.Person != "" {
			w += "=" + a.Person
		}
		if a.Planned {
			w += " planned"
		}
		if a.Suspicious {
			w += " suspicious"
		}
		if a.Why != "" {
			w += " " + a.Why
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

func TestRank(t *testing.T) {
	t.Parallel()
	m := time.Minute
	deploy := call("d", "", "service", -10*m)
	deploy.Deployer = true
	other := call("o", "eve", "human", -m)
	other.Asset += "2"
	begin, end := call("b", "ann", "human", -9*m), call("e", "", "unknown", -3*m)
	begin.Operation, begin.Running, end.Operation = "op", true, "op"
	lost := end
	lost.Failed = true
	read := call("r", "bob", "human", -m)
	read.Method = "v1.compute.firewalls.get"
	for name, c := range map[string]struct {
		change func(*Question)
		hints  []Hint
		want   string
	}{
		"one":                   {nil, []Hint{call("a", "ann", "human", -m)}, "human=ann"},
		"the last first":        {nil, []Hint{call("a", "ann", "human", -m), call("b", "bob", "human", -30*m)}, "human=ann, human=bob"},
		"not of another":        {nil, []Hint{other}, "unknown no_entry"},
		"not before":            {nil, []Hint{call("a", "ann", "human", -2*time.Hour)}, "unknown no_entry"},
		"not after":             {nil, []Hint{call("a", "ann", "human", 3*m)}, "unknown no_entry"},
		"clocks differ":         {nil, []Hint{call("a", "ann", "human", m), call("b", "bob", "human", -time.Hour-m)}, "human=ann, human=bob"},
		"a reader last":         {nil, []Hint{read, call("a", "ann", "human", -9*m)}, "human=ann, human=bob"},
		"Google's last":         {nil, []Hint{call("g", "", "agent", -m), call("a", "ann", "human", -9*m)}, "human=ann, agent"},
		"Google's alone":        {nil, []Hint{call("g", "", "system", -m)}, "agent"},
		"hidden":                {nil, []Hint{call("g", "", "redacted", -m)}, "unknown hidden"},
		"of another provider":   {nil, []Hint{call("g", "", "federated", -m)}, "service"},
		"suspicious":            {nil, []Hint{deploy}, "service suspicious"},
		"planned":               {func(q *Question) { q.Desired = true }, []Hint{deploy}, "service planned"},
		"while it applies":      {func(q *Question) { q.Applying = true }, []Hint{deploy}, "service"},
		"Terraform has none":    {func(q *Question) { q.Terraform = false }, []Hint{deploy}, "service"},
		"a person is not":       {func(q *Question) { q.Desired = true }, []Hint{call("a", "ann", "human", -m)}, "human=ann"},
		"one operation":         {nil, []Hint{end, begin}, "human=ann"},
		"it failed":             {nil, []Hint{begin, lost}, "unknown no_entry"},
		"log off":               {func(q *Question) { q.Stream = false }, nil, "unknown stream_off"},
		"log off, and somebody": {func(q *Question) { q.Stream = false }, []Hint{begin}, "human=ann"},
		"before retention":      {func(q *Question) { q.Good = q.Since.Add(-m) }, nil, "unknown before_retention"},
		"never in order":        {func(q *Question) { q.Good = time.Time{} }, []Hint{begin}, "human=ann, unknown before_retention"},
		"more than five": {func(q *Question) { q.Good = time.Time{} }, []Hint{call("1", "a", "human", -m), call("2", "b", "human", -2*m), call("3", "c", "human", -3*m), call("4", "d", "human", -4*m), call("5", "e", "human", -5*m), call("6", "f", "human", -6*m)},
			"human=a, human=b, human=c, human=d, human=e, human=f"},
	} {
		q := question()
		if c.change != nil {
			c.change(&q)
		}
		if got := said(Rank(q, c.hints)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// What is told of an operation is who began it, and when it ended.
func TestOperation(t *testing.T) {
	t.Parallel()
	begin, end := call("b", "ann", "human", -9*time.Minute), call("e", "", "unknown", -3*time.Minute)
	begin.Operation, begin.Running, begin.UserAgent, end.Operation, end.Ticket = "op", true, "gcloud/480", "op", "OPS-7"
	got := Rank(question(), []Hint{end, begin})
	if len(got) != 1 || got[0].Entry != "b" || !got[0].At.Equal(end.At) || got[0].UserAgent != "gcloud/480" || got[0].Ticket != "OPS-7" {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		hints []Hint
		now   time.Time
		want  bool
	}{
		{[]Hint{begin}, noon, true}, {[]Hint{begin, end}, noon, false}, {[]Hint{end, begin}, noon, false},
		{[]Hint{begin}, noon.Add(2 * time.Hour), false}, {[]Hint{begin}, noon.Add(-time.Hour), false}, {nil, noon, false},
	} {
		if Running(firewall, c.hints, c.now) != c.want {
			t.Errorf("%v at %v", c.hints, c.now)
		}
	}
}

// The order of hints and doubles of them change nothing.
func TestOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 7))
		var hints []Hint
		for i := range 8 {
			h := call(string(rune('a'+i)), []string{"", "ann", "bob"}[r.IntN(3)], []string{"service", "agent", "unknown"}[r.IntN(3)], -time.Duration(r.IntN(90))*time.Minute)
			h.Operation = []string{"", "", "op1", "op2"}[r.IntN(4)]
			h.Running, h.Failed, h.Deployer = h.Operation != "" && r.IntN(2) == 0, h.Operation != "" && r.IntN(5) == 0, r.IntN(3) == 0
			hints = append(hints, h)
		}
		want := Rank(question(), hints)
		more := append(slices.Clone(hints), hints[:r.IntN(8)]...)
		r.Shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
		if got := Rank(question(), more); !slices.EqualFunc(got, want, finding.Actor.Equal) {
			t.Errorf("seed %d: %v, want %v", seed, got, want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	names := asset.NewNames()
	names.Learn("4711", "acme")
	for _, c := range []struct{ data, want string }{
		{`{"v":1,"asset":"//compute.googleapis.com/projects/4711/global/firewalls/f","service":"compute.googleapis.com","method":"m","actor_kind":"human","at":"2026-03-03T12:00:00Z","entry":"e"}`, "human"},
		{`{"v":2,"asset":"` + firewall + `","actor_kind":"service","person":"ann","chain":["ann","service:deploy"],"deployer":true,"at":"2026-03-03T12:00:00Z","entry":"e"}`, "human"},
		{`{"v":2,"asset":"` + firewall + `","actor_kind":"service","chain":["service:deploy"],"operation":"o","at":"2026-03-03T12:00:00Z","entry":"e"}`, "service running"},
		{`{"v":2,"asset":"` + firewall + `","actor_kind":"service","chain":["federated","service"],"operation":"o","ends":true,"outcome":"failed","at":"2026-03-03T12:00:00Z","entry":"e","more":1}`, "federated failed"},
	} {
		h, err := Read([]byte(c.data), names)
		got := h.Kind
		if h.Running {
			got += " running"
		}
		if h.Failed {
			got += " failed"
		}
		if err != nil || got != c.want || h.Asset != firewall || !h.At.Equal(noon) {
			t.Errorf("%+v %v, want %s", h, err, c.want)
		}
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"asset":"//a/b","entry":"e"}`, `{"asset":7}`, `{"asset":"//a/b","at":"2026-03-03T12:00:00Z"}`} {
		if _, err := Read([]byte(bad), names); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"v":2,"asset":"//a/b","chain":[""],"operation":"o","at":"2026-03-03T12:00:00Z","entry":"e"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := Read(data, asset.NewNames())
		if err != nil {
			return
		}
		q := question()
		q.Asset, q.Good, q.Seen = h.Asset, h.At, h.At
		if all := Rank(q, []Hint{h}); len(all) == 0 || len(all) > Most {
			t.Errorf("%v", all)
		}
	})
}

// TestCrowd: nobody hides behind the calls of others.
func TestCrowd(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	hints := []Hint{{Asset: "a", Person: "sara", Kind: "human", Method: "x.update", Entry: "first", At: at}}
	for i := range 10 {
		hints = append(hints, Hint{Asset: "a", Kind: "service", Chain: []string{"service:deploy"}, Method: "x.update", Entry: "later" + string(rune('0'+i)), At: at.Add(time.Duration(i+1) * time.Minute)})
	}
	got := Rank(Question{Asset: "a", Good: at.Add(-time.Hour), Seen: at.Add(time.Hour), Stream: true, Since: at.Add(-24 * time.Hour)}, hints)
	if len(got) != Most+1 || got[Most].Person != "sara" {
		t.Errorf("%+v", got)
	}
}
