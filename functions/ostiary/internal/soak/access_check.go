package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
)

func (a *access) check(ctx context.Context) error {
	a.mu.Lock()
	attempts := slices.Clone(a.attempts)
	a.mu.Unlock()
	codesOnce(a.oracle, attempts)
	onRecord(a.oracle, attempts, a.log.find(func(r record.Record) bool { return r.Facts["action"] == "check" }))
	now, err := a.client.now(ctx)
	if err != nil {
		return err
	}
	live, err := a.standing(ctx, attempts, now)
	if err != nil {
		return err
	}
	doors, err := a.doors(ctx)
	if err != nil {
		return err
	}
	sameDoors(a.oracle, live, doors)
	return a.knockAll(ctx, live)
}

// codesOnce: no code was accepted by two requests, whoever asked.
func codesOnce(o *oracle, attempts []*attempt) {
	type code struct {
		who  *person
		step int64
	}
	accepted := map[code]int{}
	for _, t := range attempts {
		if t.status >= 200 && t.status < 300 {
			accepted[code{t.who, t.step}]++
			o.holds(codeOnce, t.step >= 0, "a wrong code of %s was accepted", t.who.id)
		}
	}
	for c, times := range accepted {
		o.holds(codeOnce, times == 1, "the code of %s at step %d was accepted %d times", c.who.id, c.step, times)
	}
}

// outcomes are what the evidence says of an attempt, by the code of its answer.
var outcomes = map[string][]string{
	"": {"ok", "resync-ok"}, "otp_replay": {"replay"}, "otp_waiting": {"waiting"}, "otp_locked": {"locked"}, "otp_malformed": {"malformed"},
	"otp_wrong": {"wrong", "stale", "drift-capped", "resync-started", "unknown"},
}

// onRecord: every attempt that was answered is on record once, with its outcome; and no more codes are on record as
// accepted than were answered so, or were never answered.
func onRecord(o *oracle, attempts []*attempt, checks []record.Record) {
	byRequest := map[string][]string{}
	recorded := 0
	for _, r := range checks {
		byRequest[r.Facts["request"]] = append(byRequest[r.Facts["request"]], r.Facts["outcome"])
		if slices.Contains(outcomes[""], r.Facts["outcome"]) {
			recorded++
		}
	}
	accepted, unknown := 0, 0
	for _, t := range attempts {
		good := t.status >= 200 && t.status < 300
		wanted, told := outcomes[t.code]
		switch {
		case good:
			accepted++
		case t.status == 0 || t.again || !told:
			unknown++ // an answer that was lost may have been of a code that was accepted
		}
		if t.status == 0 || t.again || !told {
			continue // what a second try is told may be what the first came to
		}
		sum := sha256.Sum256([]byte(t.request))
		found := byRequest["sha256:"+hex.EncodeToString(sum[:])]
		o.holds(logWhole, len(found) == 1 && slices.Contains(wanted, found[0]), "an attempt of %s, answered %d %s (request %s), is on record as %v", t.who.id, t.status, t.code, t.request, found)
	}
	o.holds(logWhole, recorded >= accepted && recorded <= accepted+unknown, "%d codes are on record as accepted; %d were answered so, of %d more it is not known", recorded, accepted, unknown)
}

// standing: what was answered as registered is there, and lives unless she tried to end it or its time is over. It
// returns how many hold each prefix.
func (a *access) standing(ctx context.Context, attempts []*attempt, now time.Time) (map[string]int, error) {
	found, live := map[string]lease{}, map[string]int{}
	for _, p := range a.people {
		all, err := a.leases(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, l := range all {
			found[l.ID] = l
			if l.live(now) {
				live[l.Prefix]++
				a.oracle.holds(addressByLease, l.State == "confirmed" || l.State == "working", "the lease %s of %s is %s though nothing fails", l.ID, p.id, l.State)
			}
		}
	}
	for i, t := range attempts {
		if t.lease == "" || !t.ends.After(now) {
			continue
		}
		l, there := found[t.lease]
		a.oracle.holds(addressByLease, there, "the lease %s of %s was answered and is gone", t.lease, t.who.id)
		a.oracle.holds(addressByLease, !there || l.live(now) || ended(t, attempts[i+1:]), "the lease %s of %s was answered and is %s by itself", t.lease, t.who.id, l.State)
	}
	return live, nil
}

// ended reports whether she may have ended a lease: it or the other address of its device, or by two newer devices, which
// is as many as she may have.
func ended(t *attempt, later []*attempt) bool {
	t.who.mu.Lock()
	defer t.who.mu.Unlock()
	if t.who.tried[t.lease] || t.paired && (t.pair == "" || t.who.tried[t.pair]) {
		return true
	}
	newer := 0
	for _, l := range later {
		if l.who == t.who && l.lease != t.lease && (l.lease != "" || l.status == 0) {
			newer++
		}
	}
	return newer >= 2
}

// door is what lets people in, with the prefixes it says it lets in.
type door struct {
	name     string
	prefixes []string
}

// files of a door, and the expression that finds the prefixes in each.
var doorFiles = map[string]*regexp.Regexp{
	"nginx.conf":     regexp.MustCompile(`(?m)^allow (\S+);$`),
	"nftables.nft":   regexp.MustCompile(`(?m)^add element .* \{ (\S+) \}$`),
	"allowlist.json": regexp.MustCompile(`"prefix": "([^"]+)"`),
}

// doors are the list of addresses, the target and its files, each without the fixed sites.
func (a *access) doors(ctx context.Context) ([]door, error) {
	var listed struct {
		Entries []struct{ Prefix string }
		Fixed   []struct{ Prefix string }
		Targets []struct {
			Name, State string
			Entries     []string
		}
	}
	if err := a.client.read(ctx, "allowlist", &listed); err != nil {
		return nil, err
	}
	fixed := map[string]bool{}
	for _, f := range listed.Fixed {
		fixed[f.Prefix] = true
	}
	list := door{name: "the list"}
	for _, e := range listed.Entries {
		list.prefixes = append(list.prefixes, e.Prefix)
	}
	all := []door{list}
	for _, t := range listed.Targets {
		a.oracle.holds(addressByLease, t.State == "confirmed", "the door %s is %s though nothing fails", t.Name, t.State)
		all = append(all, door{"the door " + t.Name, t.Entries})
		for _, name := range slices.Sorted(maps.Keys(doorFiles)) {
			data, err := os.ReadFile(filepath.Join(a.data(), "allowlist", t.Name, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // nobody has registered yet
			}
			if err != nil {
				return nil, err
			}
			all = append(all, door{"the file " + name + " of the door " + t.Name, matches(doorFiles[name], data)})
		}
	}
	for i := range all {
		all[i].prefixes = slices.DeleteFunc(all[i].prefixes, func(prefix string) bool { return fixed[prefix] })
	}
	return all, nil
}

// matches are what the expression finds.
func matches(form *regexp.Regexp, data []byte) (all []string) {
	for _, f := range form.FindAllSubmatch(data, -1) {
		all = append(all, string(f[1]))
	}
	return all
}

// sameDoors: each door lets in the prefixes of the live leases, and nothing else.
func sameDoors(o *oracle, live map[string]int, doors []door) {
	want := slices.Sorted(maps.Keys(live))
	for _, d := range doors {
		have := slices.Sorted(slices.Values(d.prefixes))
		for _, prefix := range have {
			o.holds(addressByLease, live[prefix] > 0, "%s lets in %s, for which there is no live lease", d.name, prefix)
		}
		for _, prefix := range want {
			o.holds(addressByLease, slices.Contains(have, prefix), "%s does not let in %s, which is registered", d.name, prefix)
		}
	}
}

// knockAll asks as a gateway for each address that may come in, and for as many that may not any more.
func (a *access) knockAll(ctx context.Context, live map[string]int) error {
	asked := 0
	for _, p := range a.people {
		for n := range 50 {
			from := p.address(n)
			admitted := live[netip.MustParseAddr(from).String()+"/32"] > 0
			if !admitted && asked > 2*len(live)+20 {
				continue
			}
			got, err := a.client.again(ctx, call{kind: "gateway", method: "GET", path: "/admit/v1/check", as: &caller{gateway: "edge"}, header: map[string]string{"X-Real-Ip": from}})
			if err != nil {
				return err
			}
			asked++
			a.oracle.holds(addressByLease, (got.status == http.StatusNoContent) == admitted, "the gateway is told %d about %s, with %d live leases", got.status, from, live[from+"/32"])
		}
	}
	return nil
}
