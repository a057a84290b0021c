package checkup

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/fault"
)

// deployed is a function as Cloud Functions tells of it (projects.locations.functions, version 2).
type deployed struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Messages []struct {
		Message string `json:"message"`
	} `json:"stateMessages"`
	Service struct {
		Environment map[string]string `json:"environmentVariables"`
		Account     string            `json:"serviceAccountEmail"`
	} `json:"serviceConfig"`
	Updated time.Time `json:"updateTime"`
}

// region is where it runs, by its name.
func (d deployed) region() string {
	parts := strings.Split(d.Name, "/")
	return parts[max(0, len(parts)-3)]
}

// deployments reads what is deployed, in every region, and what the deployment says of itself.
func (v *visit) deployments(ctx context.Context) error {
	all, err := listed[deployed](ctx, v.wire, "https://cloudfunctions.googleapis.com/v2/projects/"+v.Project+"/locations/-/functions?pageSize=1000", "functions")
	if err != nil {
		return err
	}
	for _, d := range all {
		v.there[d.Name[strings.LastIndexByte(d.Name, '/')+1:]] = d
	}
	if v.Evidence == "" {
		v.Evidence = asset.ProjectOf("/" + keyForm.FindString(v.first("OSTIARY_SIGNING_KEY")))
	}
	v.Evidence = cmp.Or(v.Evidence, v.Project)
	said := v.value("checkdrift", "OSTIARY_SELF")
	e, err := self.Expect(slices.Concat([]byte("["), bytes.Join(v.Manifests, []byte(",")), []byte("]")), said)
	switch {
	case err != nil:
		v.unsure("functions", "checkdrift", fmt.Errorf("what the deployment says of itself, OSTIARY_SELF of checkdrift: %w", err))
		fallthrough
	case e == nil:
		e = &self.Expected{Project: v.Project}
		for _, raw := range v.Manifests {
			f, err := self.Read(raw)
			if err != nil {
				return err
			}
			e.Functions = append(e.Functions, f)
		}
		if _, is := v.there["checkdrift"]; is && err == nil {
			v.unsure("functions", "checkdrift", fault.New(fault.Misconfigured, "it is not told what was deployed: OSTIARY_SELF is not set"))
		}
	}
	if e.Project != v.Project {
		v.wrong("functions", "checkdrift", "OSTIARY_SELF is of the project "+e.Project, "Apply the environment's Terraform anew: checkdrift holds another installation against this one.")
		e.Project = v.Project
	}
	v.expected, v.untold = *e, e.Region == ""
	v.expected.Evidence = v.Evidence
	if v.Released != nil {
		v.expected.Code = v.Released
	}
	// What is not deployed is told once, by its name, and not by each thing of it that is missing.
	v.expected.Functions = slices.DeleteFunc(slices.Clone(e.Functions), func(f self.Function) bool { _, is := v.there[f.Name]; return !is })
	v.expected.Regions = maps.Clone(e.Regions)
	if v.expected.Regions == nil {
		v.expected.Regions = map[string]string{}
	}
	for name, d := range v.there {
		if v.untold {
			v.expected.Regions[name] = d.region()
		}
	}
	return nil
}

// value is a variable of a function as it is deployed, or "".
func (v *visit) value(function, variable string) string {
	return v.there[function].Service.Environment[variable]
}

// values are all values of a variable that are deployed, each with the functions that have it.
func (v *visit) values(variable string) map[string][]string {
	all := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(v.there)) {
		if value := v.value(name, variable); value != "" {
			all[value] = append(all[value], name)
		}
	}
	return all
}

// first is a value of a variable that is deployed, the first of several, or "".
func (v *visit) first(variable string) string {
	for _, value := range slices.Sorted(maps.Keys(v.values(variable))) {
		return value
	}
	return ""
}

// deployments looks whether each function is there and came up.
func deployments(_ context.Context, v *visit) {
	good := 0
	for _, f := range v.functions {
		d, is := v.there[f.Name]
		switch {
		case !is:
			v.wrong("functions", f.Name, "it is not deployed: "+f.Summary, "Put its archive into the variable archives, from dist/archives.json, and apply the environment.")
		case d.State != "ACTIVE":
			why := ""
			for _, m := range d.Messages {
				why += ": " + m.Message
			}
			v.wrong("functions", f.Name, "it is "+strings.ToLower(d.State)+why, "Read the build's log: gcloud builds list --region "+d.region()+" --project "+v.Project+"; then apply again.")
		default:
			good++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.there)) {
		if !slices.ContainsFunc(v.functions, func(f manifest.Function) bool { return f.Name == name }) {
			v.wrong("functions", name, "it is deployed, and no function of this release", "Look in the audit log at who deployed it; then take it away: gcloud functions delete "+name+" --gen2 --region "+v.there[name].region()+" --project "+v.Project+".")
		}
	}
	if good > 0 {
		v.ok("functions", "deployed", fmt.Sprintf("%d of %d functions are deployed and active", good, len(v.functions)))
	}
}

var sum = regexp.MustCompile(`[0-9a-f]{64}`)

// policies looks whether every function reads the same policy, and whether it is published under its digest.
func policies(ctx context.Context, v *visit) {
	all := v.values("OSTIARY_POLICY")
	if len(all) == 0 {
		v.unsure("policy", "OSTIARY_POLICY", fault.New(fault.Misconfigured, "no deployed function says which policy it reads"))
		return
	}
	if len(all) > 1 {
		for _, url := range slices.Sorted(maps.Keys(all)) {
			v.wrong("policy", url, "not every function reads it; these do: "+strings.Join(all[url], ", "), "Apply the environment again: one apply gives all functions the policy of the variable policy.")
		}
	}
	for _, url := range slices.Sorted(maps.Keys(all)) {
		bucket, object, is := strings.Cut(strings.TrimPrefix(url, "gs://"), "/")
		if digest := sum.FindString(object); !is || !strings.HasPrefix(url, "gs://") || digest == "" {
			v.wrong("policy", url, "its name holds no digest, so that nobody can tell what it is", "Publish the policy with ostiary policy publish, and give Terraform the address that it prints.")
			continue
		}
		var o struct {
			Created time.Time `json:"timeCreated"`
			Size    string    `json:"size"`
		}
		if err := v.wire.get(ctx, objectURL(bucket, object), &o); fault.Is(err, fault.NotFound) {
			v.wrong("policy", url, "it is not there: no function that starts now can read its policy", "Publish the policy again: the same folder has the same digest, and so the same name.")
		} else if err != nil {
			v.unsure("policy", url, err)
		} else if len(all) == 1 {
			v.ok("policy", url, fmt.Sprintf("published %s, read by %d functions", o.Created.UTC().Format(time.RFC3339), len(all[url])))
		}
	}
}
