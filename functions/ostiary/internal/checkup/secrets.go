package checkup

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// secrets looks whether each version that a function is told to read is there and switched on. What is in it, it does not read.
func secrets(ctx context.Context, v *visit) {
	good, pins := 0, v.pins()
	for _, pin := range slices.Sorted(maps.Keys(pins)) {
		name, version, _ := strings.Cut(pin, ":")
		var is struct {
			State string `json:"state"`
		}
		err := v.wire.get(ctx, "https://secretmanager.googleapis.com/v1/projects/"+v.Project+"/secrets/"+url.PathEscape(name)+"/versions/"+url.PathEscape(version), &is)
		readers := strings.Join(pins[pin], ", ")
		switch {
		case version == "":
			v.wrong("secrets", name, "no version is pinned for "+readers, "Add a version, and name it in the variable secret_versions.")
		case fault.Is(err, fault.NotFound):
			v.wrong("secrets", name, "its version "+version+" is not there; waiting for it: "+readers, "Add it: gcloud secrets versions add "+name+" --data-file=- --project "+v.Project+"; if it has another number, say so in secret_versions and apply.")
		case err != nil:
			v.unsure("secrets", name, err)
		case is.State != "ENABLED":
			v.wrong("secrets", name, "its version "+version+" is "+strings.ToLower(is.State)+"; it is read by "+readers, "Switch it on again, or pin another version in secret_versions and apply.")
		default:
			good++
		}
	}
	if good > 0 {
		v.ok("secrets", "versions", fmt.Sprintf("%d pinned versions are there and switched on", good))
	}
}

// pins are the versions of secrets that functions are told to read, NAME:VERSION, each with those functions.
func (v *visit) pins() map[string][]string {
	all := map[string][]string{}
	for value, functions := range v.values("OSTIARY_SECRETS") {
		u, err := url.Parse(value)
		if err != nil {
			continue
		}
		for _, pin := range divided(u.Query().Get("pin")) {
			all[pin] = append(all[pin], functions...)
		}
	}
	for pin := range all {
		slices.Sort(all[pin])
	}
	return all
}

// mostRotation is the longest time a key that seals may be used: 90 days, and a day for whoever counts another way.
const mostRotation = 91 * 24 * time.Hour

// keys looks whether the keys are on, and whether those that seal are changed in time.
func keys(ctx context.Context, v *visit) {
	good := 0
	for _, a := range v.of(keyType) {
		if a.Data == nil {
			continue
		}
		name := short(a.Key)
		why, next := v.key(ctx, a)
		switch {
		case why == "":
			good++
		case why == unnamed:
			v.say(Check{"keys", name, Undetermined, why, "Apply the environment again: Terraform names the version."})
		case next == "":
			v.unsure("keys", name, fault.New(fault.Transient, "%s", why))
		default:
			v.wrong("keys", name, why, next)
		}
	}
	if good > 0 {
		v.ok("keys", "in use", fmt.Sprintf("%d keys are switched on, and those that seal rotate", good))
	}
}

// key says what is wrong with one, and what to do; without the second nobody knows.
func (v *visit) key(ctx context.Context, a *asset.Asset) (why, next string) {
	if text(a.Data, "purpose") == "ASYMMETRIC_SIGN" {
		return v.signing(ctx, a)
	}
	if state := text(inside(a.Data, "primary"), "state"); state != "ENABLED" {
		return "its primary version is " + strings.ToLower(state) + ": nothing can be sealed, nor opened that it sealed", "Switch the version on again, before it is destroyed: gcloud kms keys versions enable, or restore."
	}
	period, err := time.ParseDuration(text(a.Data, "rotationPeriod"))
	at, wrong := time.Parse(time.RFC3339, text(a.Data, "nextRotationTime"))
	switch {
	case err != nil || period <= 0 || period > mostRotation:
		return "it is not changed every 90 days", "Apply the environment again: Terraform sets rotation_period."
	case wrong != nil || at.Before(v.Clock.Now().Add(-24*time.Hour)):
		return "its rotation is overdue", "Rotate it: gcloud kms keys versions create --primary; then see why Cloud KMS did not."
	}
	return "", ""
}

// unnamed is said of a key of which no version was looked at.
const unnamed = "no deployed function says which version of it signs"

// signing looks at the versions of a key by which functions sign.
func (v *visit) signing(ctx context.Context, a *asset.Asset) (why, next string) {
	name, looked := strings.TrimPrefix(a.Key, "//cloudkms.googleapis.com/"), false
	for _, variable := range []string{"OSTIARY_SIGNING_KEY", "OSTIARY_RECEIPT_KEY"} {
		for value := range v.values(variable) {
			u, err := url.Parse(value)
			if err != nil || !strings.Contains(value, name+"/cryptoKeyVersions/") {
				continue
			}
			var is struct {
				State     string `json:"state"`
				Algorithm string `json:"algorithm"`
			}
			looked = true
			version := strings.TrimPrefix(u.Host+u.Path, "/")
			if err := v.wire.get(ctx, "https://cloudkms.googleapis.com/v1/"+version, &is); err != nil {
				return err.Error(), ""
			}
			switch {
			case is.State != "ENABLED":
				return "the version that signs is " + strings.ToLower(is.State), "Switch it on again: gcloud kms keys versions enable; a version that is destroyed cannot come back, and needs a new one in the trust file."
			case is.Algorithm != "EC_SIGN_ED25519":
				return "the version that signs is of " + is.Algorithm, "Make a key of EC_SIGN_ED25519: what is signed otherwise no verifier of this release takes."
			}
		}
	}
	if !looked {
		return unnamed, ""
	}
	return "", ""
}
