package checkup

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/gcs"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/witness"
	"ostiary.internal/shared/platform/fault"
)

// Bounds of what is in time.
const (
	sealing = log.Interval + 10*time.Minute // the log never stands still for longer than its interval
	intake  = 15 * time.Minute              // a record that lies in the inbox for longer is not being sealed
	weekly  = 8 * 24 * time.Hour            // a witness confirms at least once a week
)

// evidence looks how the buckets are kept.
func evidence(_ context.Context, v *visit) { v.buckets() }

// evidenceLog looks whether records are sealed, and by whom the log is signed and confirmed.
func evidenceLog(ctx context.Context, v *visit) {
	at, trusted := v.first("OSTIARY_LOG_HEAD"), v.first("OSTIARY_TRUST")
	if at == "" || trusted == "" {
		v.unsure("log", "checkpoint", fault.New(fault.Misconfigured, "no deployed function says where the log is and whose signatures count"))
		return
	}
	trust, err := sign.ReadTrust([]byte(trusted))
	if err != nil {
		v.wrong("log", "OSTIARY_TRUST", "it is no trust file: "+err.Error(), "Write it again, with ostiary evidence trust --key, and apply the environment.")
		return
	}
	head, err := v.head(at)
	if err != nil {
		v.unsure("log", "checkpoint", err)
		return
	}
	defer head.Close()
	v.sealed(ctx, head, trust)
}

// head opens the bucket of the log's head.
func (v *visit) head(at string) (log.Objects, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "gs" {
		return nil, fault.New(fault.Misconfigured, "the log's head is at %s, which is no bucket", at)
	}
	prefix := strings.TrimPrefix(u.Path, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return gcs.New(u.Host, prefix, patience, func(ctx context.Context) (*storage.Client, error) {
		return storage.NewClient(ctx, option.WithHTTPClient(v.wire.client), storage.WithJSONReads())
	})
}

// sealed looks at the newest checkpoint: its signature, its age, and who confirmed one.
func (v *visit) sealed(ctx context.Context, head log.Objects, trust sign.Trust) {
	now := v.Clock.Now()
	signed, err := log.Head(head)(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		v.wrong("log", "checkpoint", "nothing was sealed yet: the log has no checkpoint", "See whether sealevidence runs: gcloud functions logs read sealevidence --gen2 --project "+v.Project+".")
		return
	case fault.Is(err, fault.Denied):
		v.published(ctx, err)
		return
	case err != nil:
		v.unsure("log", "checkpoint", err)
		return
	}
	seen, err := trust.Verify(signed)
	if err != nil {
		v.wrong("log", "checkpoint", "nobody of the trust file signed the newest checkpoint: "+err.Error(), "Do not go on: compare OSTIARY_TRUST and OSTIARY_SIGNING_KEY with the copy of the trust file that is kept elsewhere, and declare a suspicion where they differ.")
		return
	}
	at, err := log.Sealed(ctx, head)
	switch age := now.Sub(at); {
	case err != nil:
		v.unsure("log", "checkpoint", err)
	case age > sealing:
		v.wrong("log", "checkpoint", "records were sealed the last time "+ago(age), "Run it once: gcloud scheduler jobs run sealevidence-0; then read its log.")
	default:
		v.ok("log", "checkpoint", fmt.Sprintf("signed, of %d entries, sealed %s", seen.Size, ago(age)))
	}
	if len(trust.Witnesses) == 0 {
		v.told("log", "witness", "the trust file names none: that the log was not written anew, nobody outside can say")
		return
	}
	confirmed, err := witness.Confirmations(ctx, head, trust)
	switch {
	case err != nil:
		v.unsure("log", "witness", err)
	case len(confirmed) == 0:
		v.wrong("log", "witness", "none of the trust file's witnesses ever confirmed the log", "Have a witness confirm it, with ostiary evidence witness, and publish what it wrote, with --publish.")
	case now.Sub(confirmed[0].At) > weekly:
		v.wrong("log", "witness", "it was confirmed the last time "+ago(now.Sub(confirmed[0].At)), "Ask "+confirmed[0].Name+" to confirm it, as every week.")
	default:
		v.ok("log", "witness", confirmed[0].Name+" confirmed it "+ago(now.Sub(confirmed[0].At)))
	}
}

// published asks the trust page how new the log is, where the log itself may not be read: everybody may.
func (v *visit) published(ctx context.Context, denied error) {
	site := strings.TrimSuffix(v.first("OSTIARY_URL"), "/")
	if _, is := v.there["trustpage"]; !is || !strings.HasPrefix(site, "https://") {
		v.unsure("log", "checkpoint", denied)
		return
	}
	answer, err := v.stranger(ctx, site+"/trustpage/v1/freshness")
	switch {
	case err != nil:
		v.unsure("log", "checkpoint", denied)
	case answer.StatusCode == http.StatusOK:
		v.say(Check{"log", "checkpoint", Undetermined, "the trust page says that it is young; whose signature it has was not seen, for the bucket of the head may not be read", next(denied)})
	case answer.StatusCode == http.StatusServiceUnavailable:
		v.wrong("log", "checkpoint", "the trust page says that it is old", "See whether sealevidence and keeppromises run: gcloud functions logs read sealevidence --gen2 --project "+v.Project+".")
	default:
		v.unsure("log", "checkpoint", denied)
	}
}

// inbox looks whether a record waits for longer than it takes to seal it.
func (v *visit) inbox(ctx context.Context) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(v.first("OSTIARY_EVIDENCE"), "gs://"), "/")
	if bucket == "" {
		return
	}
	all, err := listed[struct {
		Created time.Time `json:"timeCreated"`
	}](ctx, v.wire, "https://storage.googleapis.com/storage/v1/b/"+url.PathEscape(bucket)+"/o?maxResults=1000&fields=nextPageToken,items(timeCreated)", "items")
	if err != nil {
		v.unsure("inbox", "records", err)
		return
	}
	var oldest time.Time
	for _, o := range all {
		if oldest.IsZero() || o.Created.Before(oldest) {
			oldest = o.Created
		}
	}
	if age := v.Clock.Now().Sub(oldest); len(all) > 0 && age > intake {
		v.wrong("inbox", "records", fmt.Sprintf("%d records wait to be sealed, the oldest came %s", len(all), ago(age)), "See whether sealevidence runs: gcloud functions logs read sealevidence --gen2 --project "+v.Project+".")
		return
	}
	v.ok("inbox", "records", "no record waits for longer than it takes to seal it")
}

// buckets looks at how the buckets are kept that functions write to, and those of the policy and of Terraform's state.
func (v *visit) buckets() {
	good := 0
	names := map[string]bool{}
	for _, f := range v.functions {
		for resource, keys := range v.uses(f) {
			if strings.HasPrefix(resource, "bucket:") || strings.HasPrefix(resource, "place:") {
				for _, key := range keys {
					names[key] = true
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		a, is := v.asset(bucketType, key)
		if !is || a.Data == nil {
			if !is {
				v.wrong("evidence", "bucket "+short(key), "it is not there", "Apply the environment again; a bucket that was deleted can be restored for seven days: gcloud storage restore.")
			}
			continue
		}
		bad := 0
		access := inside(a.Data, "iamConfiguration")
		for why, holds := range map[string]bool{
			"it does not keep the public out":                  text(access, "publicAccessPrevention") == "enforced",
			"single objects may have rights of their own":      inside(access, "uniformBucketLevelAccess")["enabled"] == true,
			"it lies outside of the European Union":            asset.InEU(text(a.Data, "location")),
			"what is overwritten in the head is gone for ever": key != located(v.first("OSTIARY_LOG_HEAD")) || inside(a.Data, "versioning")["enabled"] == true,
		} {
			if !holds {
				bad++
				v.wrong("evidence", "bucket "+short(key), why, "Apply the environment again: Terraform sets it.")
			}
		}
		if bad == 0 {
			good++
		}
	}
	if good > 0 {
		v.ok("evidence", "buckets", fmt.Sprintf("%d buckets are closed to the public and lie in the European Union", good))
	}
}

// objectURL is where Cloud Storage tells of an object.
func objectURL(bucket, object string) string {
	return "https://storage.googleapis.com/storage/v1/b/" + url.PathEscape(bucket) + "/o/" + url.PathEscape(object)
}
