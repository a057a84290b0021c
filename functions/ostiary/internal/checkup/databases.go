package checkup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// newest is how old the newest backup of a database may be, of which one is made each day.
const newest = 36 * time.Hour

// ledger is the database that says who was erased. An older copy would have forgotten the newest: it is in no backup.
const ledger = "ledger"

// firestoreURL is where a database, or what belongs to it, is administered.
func (v *visit) firestoreURL(database, path string) string {
	return "https://firestore.googleapis.com/v1/projects/" + v.Project + "/databases/" + database + path
}

// databases looks at each database that a deployed function uses.
func databases(ctx context.Context, v *visit) {
	names := map[string]bool{}
	for _, variable := range []string{"OSTIARY_STORE", "OSTIARY_VAULT", "OSTIARY_LEDGER", "OSTIARY_WATCHDOG"} {
		for value := range v.values(variable) {
			if name, is := strings.CutPrefix(value, "firestore://"+v.Project+"/"); is {
				names[name] = true
			} else {
				v.wrong("databases", value, "a function keeps its state where this installation has no database", "Apply the environment again: "+variable+" is of this project.")
			}
		}
	}
	backups, err := v.backups(ctx)
	if err != nil {
		v.unsure("databases", "backups", err)
	}
	var all sync.WaitGroup
	for name := range names {
		all.Go(func() { v.database(ctx, name, backups) })
	}
	all.Wait()
}

// database is one as Firestore tells of it (projects.databases).
type database struct {
	Location   string    `json:"locationId"`
	Protection string    `json:"deleteProtectionState"`
	Recovery   string    `json:"pointInTimeRecoveryEnablement"`
	Created    time.Time `json:"createTime"`
}

func (v *visit) database(ctx context.Context, name string, backups map[string]time.Time) {
	var d database
	if err := v.wire.get(ctx, v.firestoreURL(name, ""), &d); fault.Is(err, fault.NotFound) {
		v.wrong("databases", name, "it is not there: every function that keeps its state there fails", "Apply the environment again. If it was deleted, restore it from a backup: docs/operations.md.")
		return
	} else if err != nil {
		v.unsure("databases", name, err)
		return
	}
	before := v.saidOf("databases", name)
	if !asset.InEU(d.Location) {
		v.wrong("databases", name, "it lies in "+d.Location+", outside of the European Union", "A database cannot move: make another in the Union, and import what it holds.")
	}
	if d.Protection != "DELETE_PROTECTION_ENABLED" {
		v.wrong("databases", name, "anybody who may delete databases can delete it", "Apply the environment again: Terraform protects it.")
	}
	if on := d.Recovery == "POINT_IN_TIME_RECOVERY_ENABLED"; on == (name == ledger) {
		v.wrong("databases", name, map[bool]string{true: "it can be recovered to a point in time, and would have forgotten who was erased since", false: "it cannot be recovered to a point in time"}[on], "Apply the environment again: Terraform sets point_in_time_recovery_enablement.")
	}
	v.backed(ctx, name, d, backups)
	v.indexed(ctx, name)
	v.ending(ctx, name)
	if v.saidOf("databases", name) == before {
		v.ok("databases", name, "protected, in "+d.Location+", and its indexes and time-to-live policies are ready")
	}
}

// saidOf counts what was said of a subject of an area.
func (v *visit) saidOf(area, subject string) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.out.Checks {
		if c.Area == area && (c.Subject == subject || strings.HasPrefix(c.Subject, subject+" ")) {
			n++
		}
	}
	return n
}

// backups are the times of the newest good backup of each database.
func (v *visit) backups(ctx context.Context) (map[string]time.Time, error) {
	all, err := listed[struct {
		Database string    `json:"database"`
		State    string    `json:"state"`
		Taken    time.Time `json:"snapshotTime"`
	}](ctx, v.wire, "https://firestore.googleapis.com/v1/projects/"+v.Project+"/locations/-/backups", "backups")
	if err != nil {
		return nil, err
	}
	last := map[string]time.Time{}
	for _, b := range all {
		if name := asset.Base(b.Database); b.State == "READY" && b.Taken.After(last[name]) {
			last[name] = b.Taken
		}
	}
	return last, nil
}

// backed looks whether a database is backed up each day and each week, and whether that happens.
func (v *visit) backed(ctx context.Context, name string, d database, backups map[string]time.Time) {
	plans, err := listed[map[string]any](ctx, v.wire, v.firestoreURL(name, "/backupSchedules"), "backupSchedules")
	if err != nil {
		v.unsure("databases", name, err)
		return
	}
	daily := slices.ContainsFunc(plans, func(p map[string]any) bool { return p["dailyRecurrence"] != nil })
	weekly := slices.ContainsFunc(plans, func(p map[string]any) bool { return p["weeklyRecurrence"] != nil })
	now, last := v.Clock.Now(), backups[name]
	switch {
	case name == ledger && len(plans) > 0:
		v.wrong("databases", name, "it is backed up: restored, it would have forgotten who was erased since", "Delete its schedules: gcloud firestore backups schedules delete --database "+ledger+" --project "+v.Project+".")
	case name == ledger:
	case !daily || !weekly:
		v.wrong("databases", name, "it is not backed up each day and each week", "Apply the environment again: Terraform makes both schedules.")
	case backups == nil: // it is told that they could not be read
	case last.IsZero() && now.Sub(d.Created) > newest:
		v.wrong("databases", name, "there is no backup of it", "See whether the schedules are older than a day, and what the audit log says of BackupSchedule.")
	case last.IsZero():
		v.told("databases", name+" backups", "there is none yet; the first one is made within a day")
	case now.Sub(last) > newest:
		v.wrong("databases", name, "its newest backup was made "+ago(now.Sub(last)), "See whether somebody took its schedules away for a time, and what the audit log says of BackupSchedule.")
	}
}

// indexed looks whether every composite index that a query needs is ready. Those of one field Firestore makes itself.
func (v *visit) indexed(ctx context.Context, name string) {
	var wanted []string
	for _, c := range v.Schemas[name] {
		for _, index := range c.Indexes {
			if len(index) > 1 {
				wanted = append(wanted, indexName(c.Name, index, "ASCENDING"), indexName(c.Name, index, "DESCENDING"))
			}
		}
	}
	if len(wanted) == 0 {
		return
	}
	all, err := listed[struct {
		Name   string `json:"name"`
		State  string `json:"state"`
		Fields []struct {
			Path  string `json:"fieldPath"`
			Order string `json:"order"`
		} `json:"fields"`
	}](ctx, v.wire, v.firestoreURL(name, "/collectionGroups/-/indexes"), "indexes")
	if err != nil {
		v.unsure("databases", name+" indexes", err)
		return
	}
	states := map[string]string{}
	for _, x := range all {
		parts := strings.Split(x.Name, "/")
		if len(parts) < 6 {
			continue
		}
		is, order := parts[5], ""
		for _, f := range x.Fields {
			if f.Path != "__name__" {
				is, order = is+" "+f.Path, f.Order
			}
		}
		states[is+" "+order] = x.State
	}
	for _, want := range wanted {
		switch state := states[want]; state {
		case "READY":
		case "":
			v.wrong("databases", name+" indexes", "the index "+want+" is not there: queries that need it fail", "Apply the environment again: Terraform makes it.")
		default:
			v.wrong("databases", name+" indexes", "the index "+want+" is "+strings.ToLower(state), "While it is being made, wait some minutes; one that needs repair has to be deleted and applied again.")
		}
	}
}

// indexName is an index in words: the collection, its fields, and the direction of the last of them.
func indexName(collection string, index store.Index, order string) string {
	return collection + " " + strings.Join(index, " ") + " " + order
}

// ending looks whether what ends is deleted: without the policy a document is invisible, and stays.
func (v *visit) ending(ctx context.Context, name string) {
	all, err := listed[struct {
		Name string `json:"name"`
		TTL  *struct {
			State string `json:"state"`
		} `json:"ttlConfig"`
	}](ctx, v.wire, v.firestoreURL(name, "/collectionGroups/-/fields?filter=ttlConfig%3A%2A"), "fields")
	if err != nil {
		v.unsure("databases", name+" time to live", err)
		return
	}
	states := map[string]string{}
	for _, f := range all {
		if group, field, is := strings.Cut(f.Name, "/fields/"); is && field == store.ExpiresField && f.TTL != nil {
			states[asset.Base(group)] = f.TTL.State
		}
	}
	known := map[string]bool{}
	for _, c := range v.Schemas[name] {
		if known[c.Name] = c.Expires; !c.Expires {
			continue
		}
		switch state := states[c.Name]; state {
		case "ACTIVE":
		case "CREATING":
			v.told("databases", name+" time to live", "of "+c.Name+" it is being made, which takes some minutes")
		default:
			v.wrong("databases", name+" time to live", "what ends in "+c.Name+" is never deleted", "Apply the environment again: Terraform makes the policy on the field "+store.ExpiresField+".")
		}
	}
	for _, group := range slices.Sorted(maps.Keys(states)) {
		if !known[group] && v.Schemas[name] != nil {
			v.wrong("databases", name+" time to live", fmt.Sprintf("documents of %s are deleted when they end, which no function of this release wants", group), "Find out who made the policy, and take it away before it deletes anything.")
		}
	}
}
