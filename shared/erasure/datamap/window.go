package datamap

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// window is how long what a platform keeps of erased data can be there, in days.
type window struct {
	scheme      string // of the stores it is of
	least, most int
}

const firestorePITR = "firestore_pitr"

// windows of platforms. Where least is more than a day, nobody can have it gone earlier.
//   - Firestore keeps old versions for 7 days, or an hour where recovery is off (cloud.google.com/firestore/docs/pitr), and
//     scheduled backups for up to 14 weeks (cloud.google.com/firestore/docs/backups).
//   - Cloud SQL keeps logs for up to 35 days in its largest edition (cloud.google.com/sql/docs/postgres/backup-recovery/pitr).
//   - Cloud Storage keeps deleted objects for 7 to 90 days; none goes earlier (cloud.google.com/storage/docs/soft-delete).
var windows = map[string]window{
	firestorePITR:        {"firestore", 7, 7},
	"firestore_schedule": {"firestore", 1, 98},
	"cloudsql_pitr":      {"postgres", 1, 35},
	"gcs_soft_delete":    {"gcs", 7, 90},
}

var pitrForm = regexp.MustCompile(`(^|[^a-z0-9])pitr([^a-z0-9]|$)`)

// window holds a class of backups against what its platform can do: a receipt says by when nothing is left in it.
func (r *reader) window(key string, b Backup) {
	by := b.By
	if by != "" {
		w, known := windows[by]
		if !known {
			r.wrong(key+".by", "is unknown", strings.Join(slices.Sorted(maps.Keys(windows)), ", ")+", or nothing")
			return
		}
		for i, e := range r.m.Entries {
			if e.Backup == b.Class && schemeOf(e.Store) != w.scheme {
				r.wrong(at("entries", i)+".backup_class", "is kept by another platform ("+by+")", "a class of its own")
			}
		}
	} else if pitrForm.MatchString(b.Class) && slices.ContainsFunc(r.m.Entries, func(e *Entry) bool {
		return e.Backup == b.Class && schemeOf(e.Store) == "firestore"
	}) {
		by = firestorePITR
	}
	w, known := windows[by]
	if !known || b.Days >= w.least && b.Days <= w.most {
		return
	}
	allowed := fmt.Sprintf("%d to %d days", w.least, w.most)
	if w.least == w.most {
		allowed = fmt.Sprintf("%d days", w.most)
	}
	r.wrong(key+".days", "is not how long "+by+" keeps what was erased", allowed+"; another class, with by:, where something else keeps it")
}
