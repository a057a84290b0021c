package local

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/intake"
)

const (
	cleared    = "Sample drawing tool 1" // the software that is scanned
	neverSent  = "person.nda"            // the last of the plain people never signs
	screened   = "person.screened"       // the first of them is screened on the fourth day only
	digest     = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	commit     = "0123456789abcdef0123456789abcdef01234567"
	sampleTool = "sample"
)

// aboutPeople are the types of machine evidence that tell of one person each.
var aboutPeople = []string{"training.completed", screened, neverSent}

// programs: every source of the policy sends what it may, about each promise it may prove so. What tells of a day is sent
// each morning, what tells of a week every seventh, the rest once.
func (s *script) programs() {
	for _, source := range s.w.policy.Sources {
		for _, kind := range source.Types {
			for _, t := range s.tellings(source, kind) {
				every := cmp.Or(t.every, repeats(kind))
				switch {
				case t.asked: // one was never asked for, and counts for nothing; one is what somebody asks for
					s.sends(source, kind, 0, 5*time.Hour, t.about("Sample drawing tool 3").says(s.says(kind, policy.Person{})))
					s.sends(source, kind, 3, 7*time.Hour, t.about(cleared).says(s.says(kind, policy.Person{})))
				case slices.Contains(aboutPeople, kind):
					s.personnel(source, kind, t)
				case every == 0:
					s.sends(source, kind, 1, 7*time.Hour, t.says(s.says(kind, policy.Person{})))
				default:
					for day := 0; s.day.AddDate(0, 0, day).Before(s.end); day += every {
						s.sends(source, kind, day, 5*time.Hour, t.says(s.says(kind, policy.Person{})))
					}
				}
			}
		}
	}
}

// mistake: where nothing else could be excepted, one scan of the eleventh day finds something, about a promise that nothing
// else keeps: what is not known of another keeper is no exception.
func (s *script) mistake() {
	if len(s.excepted()) > 0 {
		return
	}
	const kind = "scan.finished"
	for _, source := range s.w.policy.Sources {
		if !slices.Contains(source.Types, kind) {
			continue
		}
		for _, t := range s.tellings(source, kind) {
			alone := slices.IndexFunc(t.promises, func(id string) bool {
				p, _ := s.w.policy.Promise(id)
				return t.duty == "" && !slices.ContainsFunc(p.KeptBy, func(k policy.Keeper) bool { return k.Mechanism != policy.Records })
			})
			if alone >= 0 {
				s.flaw = t.promises[alone]
				t.promises, t.adds = []string{s.flaw}, maps.Clone(t.adds)
				t.adds["critical"], t.adds["oldest_critical_days"] = 1, 400
				s.sends(source, kind, 10, 7*time.Hour, t.says(s.says(kind, policy.Person{})))
				return
			}
		}
	}
}

// telling is one kind of event of a source: the promises it is about, and what its data has to say for them.
type telling struct {
	promises []string
	duty     string
	every    int // days, where the duty says so
	asked    bool
	adds     map[string]any
}

// about is a telling that answers a request.
func (t telling) about(what string) telling {
	t.adds = maps.Clone(t.adds)
	if t.adds["kind"] != nil {
		t.adds["target"] = what
	} else {
		t.adds["request"] = what
	}
	return t
}

// says is what an event says, for the promises it is about.
func (t telling) says(all func(at time.Time) map[string]any) func(at time.Time) map[string]any {
	return func(at time.Time) map[string]any {
		data := all(at)
		maps.Copy(data, t.adds)
		data["promises"] = t.promises
		return data
	}
}

// tellings are the different events of a type by which a source can prove its promises.
func (s *script) tellings(source policy.Source, kind string) []telling {
	var all []telling
	for _, id := range source.Promises {
		p, _ := s.w.policy.Promise(id)
		for _, keeper := range p.KeptBy {
			for _, ref := range keeper.Refs {
				only := p
				only.KeptBy = []policy.Keeper{{Mechanism: keeper.Mechanism, Refs: []string{ref}}}
				_, windowed := p.Params["window"] // a sample does not know when it may deploy
				if takes, _ := intake.Takes(s.w.policy, s.rules, source, only, kind); !takes || windowed {
					continue
				}
				t := s.feeding(p, ref, kind)
				if keeper.Mechanism != policy.Records {
					t = s.doing(ref, kind)
				}
				i := slices.IndexFunc(all, func(o telling) bool { return o.duty == t.duty && reflect.DeepEqual(o.adds, t.adds) })
				if i < 0 {
					i, all = len(all), append(all, t)
				}
				all[i].promises = append(all[i].promises, id)
			}
		}
	}
	return all
}

// feeding is what feeds a check of a promise.
func (s *script) feeding(p policy.Promise, check, kind string) telling {
	t := telling{adds: limited(p)}
	if member, sort := intake.Sort(kind, check, p); member != "" {
		t.adds[member] = sort
	}
	if kind == "review.done" { // a count of all people or contracts, made by a machine
		t.every = 7
	}
	return t
}

// doing is what does a duty.
func (s *script) doing(id, kind string) telling {
	d, _ := s.rules.Duty(id)
	t := telling{duty: id, asked: d.Requested()}
	if every := d.Every; every.Years == 0 && every.Months == 0 && every.Days <= 14 {
		t.every = every.Days
	}
	t.adds = map[string]any{}
	for _, n := range d.Machines() {
		if n.Type == kind && n.About != "" {
			maps.Copy(t.adds, named(kind, n.About))
		}
	}
	if does := s.holders(d.Owner); kind == "review.done" && len(does) > 0 {
		t.adds["reviewer"] = does[0].Email
	}
	return t
}

// named is what an event has to say for a duty that asks for evidence about something.
func named(kind, about string) map[string]any {
	switch kind {
	case "training.completed":
		return map[string]any{"course": about}
	case "scan.finished":
		return map[string]any{"kind": about}
	case "review.done":
		review, of, more := strings.Cut(about, "/")
		switch {
		case of == "external":
			return map[string]any{"review": review, "external": true}
		case more:
			return map[string]any{"review": review, "period": of}
		}
		return map[string]any{"review": review}
	}
	return nil // the sample of the type says so already
}

// limited is what an event has to say because of the limits of a promise: exactly what is allowed.
func limited(p policy.Promise) map[string]any {
	adds := map[string]any{}
	for name, param := range p.Params {
		number, err := param.Int()
		switch {
		case name == "suite" || name == "scope" || name == "kind":
			adds[name] = param.Values[0]
		case name == "scopes" || name == "content":
			var found []string
			for _, listed := range param.Values {
				found = append(found, strings.ReplaceAll(listed, "*", "png"))
			}
			adds["found"] = found
		case err == nil && slices.Contains([]string{"cost", "dup_nonce", "fields", "hits", "min_len", "overlap", "roles"}, name):
			adds["measured"], adds["value"] = name, number
		}
	}
	return adds
}

// personnel: an event about each person on the first morning, but for the one who is late and the one who never signs.
func (s *script) personnel(source policy.Source, kind string, t telling) {
	plain := s.plain()
	for i, p := range s.people() {
		day := 0
		if kind == screened && len(plain) > 0 && p.ID == plain[0].ID {
			day = 3
		}
		if kind == neverSent && len(plain) > 0 && p.ID == plain[len(plain)-1].ID {
			continue
		}
		// One after the other: of two counts of the same instant the worse one holds.
		s.sends(source, kind, day, 10*time.Hour+time.Duration(i)*lifeStep, t.says(s.says(kind, p)))
	}
}

// sends adds the scene of one event, an hour after what it tells of, unless the life is over by then.
func (s *script) sends(source policy.Source, kind string, day int, hour time.Duration, says func(at time.Time) map[string]any) {
	at := s.day.AddDate(0, 0, day).Add(hour - time.Hour)
	if !at.Add(time.Hour).Before(s.end) {
		return
	}
	id := "sample-" + strconv.Itoa(len(s.all))
	s.on(day, hour, kind+" of "+source.ID, func(ctx context.Context, w *World) error {
		return w.evidenceOf(ctx, source.ID, map[string]any{
			"specversion": "1.0", "id": id, "source": "urn:sample:" + source.ID, "type": kind, "time": at.Format(time.RFC3339), "data": says(at),
		})
	})
}

// repeats is every how many days evidence of a type is sent; 0 for once.
func repeats(kind string) int {
	switch kind {
	case "backup.completed", "uptime.report":
		return 1
	case "endpoint.report", "scan.finished", "build.tested", "build.scanned":
		return 7
	}
	return 0
}

func scan() map[string]any {
	return map[string]any{"tool": sampleTool, "kind": "vulnerability", "target": "all hosts", "expected": 12, "seen": 12, "errors": 0, "critical": 0, "grade": "A+"}
}

// says is the data of an event, as the schemas of collectevidence describe them: all is well.
func (s *script) says(kind string, p policy.Person) func(at time.Time) map[string]any {
	person := strings.ToLower(p.Email)
	if kind == "review.done" {
		if deciders := s.holders(policy.Security, policy.Owner); len(deciders) > 0 {
			person = deciders[0].Email
		}
	}
	return func(at time.Time) map[string]any {
		ago := func(d time.Duration) string { return at.Add(-d).Format(time.RFC3339) }
		switch kind {
		case "training.completed":
			return map[string]any{"person": person, "course": sampleTool, "passed": true, "score": 92}
		case screened:
			return map[string]any{"person": person, "level": "standard", "result": "clear", "checks": []string{"identity", "criminal-record"}}
		case neverSent:
			return map[string]any{"person": person, "document": digest, "signed": ago(day)}
		case "review.done":
			return map[string]any{"review": "tools", "reviewer": person, "expected": 40, "reviewed": 40, "open": 0, "until": at.AddDate(1, 0, 0).Format(time.RFC3339), "waited_s": 86400}
		case "build.tested":
			return map[string]any{"commit": commit, "suite": sampleTool, "tests": 120, "passed": 120, "failed": 0, "deployed": ago(time.Hour), "signed_off": ago(time.Minute)}
		case "build.scanned":
			return map[string]any{"commit": commit, "tool": sampleTool, "scope": "dependencies", "committed": ago(time.Hour), "critical": 0, "high": 0, "medium": 2, "low": 5}
		case "release.deployed":
			return map[string]any{"digest": digest, "environment": "live", "suite_passed": true, "signed_off": true,
				"dev_at": ago(4 * day), "staging_at": ago(2 * day), "base_built": ago(5 * day), "previous": ago(7 * day)}
		case "backup.completed":
			return map[string]any{"expected": 1, "failed": 0, "stores": []map[string]any{{"store": sampleTool, "restorable": ago(3 * time.Minute), "regions": 3, "offsite": 1, "size_off_percent": 2}}}
		case "backup.restored":
			return map[string]any{"store": sampleTool, "declared": ago(2 * time.Hour), "restored": ago(time.Hour), "lost_s": 240, "checksum_ok": true, "rest_unchanged": true}
		case "pentest.report":
			return map[string]any{"report": digest, "tester": "external", "scope": []string{"network", "application"}, "from": ago(20 * day), "to": ago(2 * day), "critical_open": 0, "high_open": 0, "medium_open": 1, "low_open": 3}
		case "endpoint.report":
			return map[string]any{"expected": 31, "seen": 31, "unmanaged": 0, "unencrypted": 0, "antivirus_off": 0, "old_signatures": 0}
		case "uptime.report":
			return map[string]any{"endpoint": sampleTool, "from": ago(30 * day), "to": ago(0), "last": ago(time.Minute), "probes": 43200, "missing": 0, "failed": 1,
				"alert_fired": ago(20 * time.Hour), "alert_reached": ago(20*time.Hour - 30*time.Second), "alert_acknowledged": ago(20*time.Hour - 5*time.Minute)}
		}
		all := scan()
		all["drill"], all["alert_raised"] = ago(2*time.Minute), ago(time.Minute)
		return all
	}
}
