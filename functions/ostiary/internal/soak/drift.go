package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// drift is somebody who gives herself a role on a bucket with customers' data, and takes it back, and two people who
// accept what they find for a while.
type drift struct {
	*run

	mu       sync.Mutex
	assets   []json.RawMessage
	open     []bool // of each bucket: somebody who should not may read it
	changed  int
	accepted int
}

// buckets is how many there are beside those of the sample.
const buckets = 6

// assertion is what such a role is held against.
const assertion = "customer-data-members"

func bucket(n int) string { return fmt.Sprintf("sharedcontacts-soak-%d", n) }

func (d *drift) name() string { return "drift" }

func (d *drift) workers() int { return 1 }

func (d *drift) file() string { return filepath.Join(d.data(), "assets", live+".json") }

func (d *drift) prepare(ctx context.Context) error {
	text, err := os.ReadFile(d.file())
	if err == nil {
		err = json.Unmarshal(text, &d.assets)
	}
	if err != nil {
		return fmt.Errorf("reading what there is: %w", err)
	}
	d.open = make([]bool, buckets)
	if err := d.write(); err != nil {
		return err
	}
	for n := range buckets {
		if err := d.tell(ctx, n); err != nil {
			return err
		}
	}
	// Of what was never listed as a whole nobody says that it is in order.
	_, err = d.client.local(ctx, "POST", "clock", map[string]string{"advance": "40m"})
	return err
}

// write puts what there is where it is read: the old or the new, whoever reads.
func (d *drift) write() error {
	all := d.assets[:len(d.assets):len(d.assets)]
	for n, open := range d.open {
		bindings := `{"role": "roles/storage.objectUser", "members": ["serviceAccount:app@` + live + `.iam.gserviceaccount.com"]}`
		if open {
			bindings += `, {"role": "roles/storage.objectViewer", "members": ["user:emma.dubois@` + domain + `"]}`
		}
		all = append(all, json.RawMessage(fmt.Sprintf(`{"name": "//storage.googleapis.com/%s", "assetType": "storage.googleapis.com/Bucket", "ancestors": ["projects/123456789012", "organizations/1"],
			"resource": {"location": "europe-west1", "data": {"name": %q, "location": "EUROPE-WEST1", "labels": {"data_class": "personal"}, "iamConfiguration": {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": true}}}},
			"iamPolicy": {"bindings": [%s]}}`, bucket(n), bucket(n), bindings)))
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err == nil {
		err = os.WriteFile(d.file()+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(d.file()+".new", d.file())
	}
	return err
}

// tell sends the hint that something of a bucket changed, until it is taken.
func (d *drift) tell(ctx context.Context, n int) error {
	now, err := d.client.now(ctx)
	if err != nil {
		return err
	}
	hint := map[string]any{"asset": map[string]any{"name": "//storage.googleapis.com/" + bucket(n), "assetType": "storage.googleapis.com/Bucket"}, "window": map[string]any{"startTime": now}}
	_, err = d.client.again(ctx, call{kind: "asset changes", method: "POST", path: "/_local/events", body: hint})
	return err
}

func (d *drift) work(ctx context.Context, r *rand.Rand) error {
	sleep(ctx, time.Duration(200+r.IntN(1500))*time.Millisecond)
	if r.IntN(3) == 0 {
		return d.accepts(ctx)
	}
	d.mu.Lock()
	n := r.IntN(buckets)
	d.open[n] = !d.open[n]
	d.changed++
	err := d.write()
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.tell(ctx, n)
}

// drifted is a finding as the interface shows it.
type drifted struct {
	ID, State, What, Asset string
}

func (d *drift) findings(ctx context.Context) ([]drifted, error) {
	var all []drifted
	for after := ""; ; {
		a, err := d.client.again(ctx, call{kind: "lists", method: "GET", path: "/acceptdrift/v1/findings" + after, as: &caller{email: stefan}})
		if err != nil {
			return nil, err
		}
		var page struct {
			Findings []drifted
			Next     string
		}
		if err := a.into(&page); err != nil || !a.good() {
			return nil, fmt.Errorf("listing findings: %s, %w", a, err)
		}
		if all = append(all, page.Findings...); page.Next == "" {
			return all, nil
		}
		after = "?after=" + page.Next
	}
}

// accepts has two people accept one of the findings for a day.
func (d *drift) accepts(ctx context.Context) error {
	now, err := d.client.now(ctx)
	if err != nil {
		return err
	}
	all, err := d.findings(ctx)
	for _, f := range all {
		if f.State != "open" || !strings.Contains(f.Asset, "sharedcontacts-soak") {
			continue
		}
		for _, who := range []string{stefan, odile} {
			a, err := d.client.do(ctx, call{kind: "acceptances", method: "POST", path: "/acceptdrift/v1/findings/" + f.ID + "/accept", as: &caller{email: who},
				body: map[string]any{"reason": "She moves the files of a customer.", "ticket": "T-9", "until": now.Add(24 * time.Hour)}})
			if err != nil {
				if errors.Is(err, errUnanswered) {
					return nil
				}
				return err
			}
			if a.text("state") == "accepted" {
				d.mu.Lock()
				d.accepted++
				d.mu.Unlock()
			}
		}
		return nil
	}
	return err
}

// check: what is out of order has a finding of its own, what is in order has none that is open, and there are as many
// records of both.
func (d *drift) check(ctx context.Context) error {
	all, err := d.findings(ctx)
	if err != nil {
		return err
	}
	sameFindings(d.oracle, d.open, all)
	opened := len(d.log.find(func(r record.Record) bool { return r.Kind == record.Finding && r.Facts["assertion"] == assertion }))
	healed := len(d.log.find(func(r record.Record) bool {
		return r.Kind == record.Remediation && r.Facts["assertion"] == assertion && r.Facts["event"] == "healed"
	}))
	still := 0
	for _, f := range all {
		if strings.HasPrefix(f.What, assertion) {
			still++
		}
	}
	d.oracle.holds(alarmOnce, opened-healed == still, "%d findings of drift are on record as opened and %d as healed; %d are there", opened, healed, still)
	return nil
}

func sameFindings(o *oracle, open []bool, all []drifted) {
	for n, bad := range open {
		var found []string
		for _, f := range all {
			if strings.HasSuffix(f.Asset, "/"+bucket(n)) && strings.HasPrefix(f.What, assertion) {
				found = append(found, f.ID+" "+f.State)
			}
		}
		want := 0
		if bad {
			want = 1
		}
		o.holds(alarmOnce, len(found) == want, "of the bucket %s, out of order: %v, there are the findings %v", bucket(n), bad, found)
	}
}

func (d *drift) counts() map[string]int {
	return map[string]int{"changes of assets": d.changed, "findings accepted": d.accepted}
}
