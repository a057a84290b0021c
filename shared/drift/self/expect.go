package self

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"

	"ostiary.internal/shared/platform/fault"
)

// mostDeployed bounds what a deployment says of itself, in bytes of JSON: a filter of a sink is the longest part.
const mostDeployed = 1 << 20

// Expect returns what has to be there by the manifests of all functions, a JSON array of them, and by what the deployment says
// of itself: JSON with the fields of [Deployed], packed with gzip and in base64, as Terraform's base64gzip writes it. nil where
// the deployment says nothing. Misconfigured: either cannot be read.
func Expect(manifests []byte, deployed string) (*Expected, error) {
	if deployed == "" {
		return nil, nil
	}
	d, err := deployment(deployed)
	if err != nil {
		return nil, err
	}
	e := &Expected{Project: d.Project, Evidence: d.Evidence, Region: d.Region, Code: d.Code, Regions: d.Regions, Values: d.Values, Images: d.Images, Watched: d.Watched, Need: d.Need, Locked: d.Locked, Deployers: d.Deployers}
	var all []json.RawMessage
	if json.Unmarshal(manifests, &all) != nil || len(all) == 0 {
		return nil, fault.New(fault.Misconfigured, "reading the manifests: not a list of them")
	}
	for _, one := range all {
		f, err := Read(one)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "%w", err)
		}
		e.Functions = append(e.Functions, f)
	}
	return e, nil
}

// Deployed is what a deployment says of itself.
type Deployed struct {
	V       int    `json:"v"`
	Project string `json:"project"`
	Region  string `json:"region"`
	// Evidence is the project of the evidence log; the same where it is left out.
	Evidence string            `json:"evidence"`
	Code     map[string]string `json:"code"`    // digest that was released, by function
	Regions  map[string]string `json:"regions"` // of functions that run in another region, by function
	// Values are digests of the variables' values, by function and name, without OSTIARY_SELF.
	Values  map[string]map[string]string `json:"values"`
	Images  map[string]string            `json:"images"`  // image that has to run, or its digest, by function; may be empty
	Watched []string                     `json:"watched"` // ids of projects
	Need    string                       `json:"need"`    // filter of what has to arrive
	Locked  []string                     `json:"locked"`  // names of buckets
	// Deployers are members that act as the functions' accounts to deploy them; nobody where it is left out.
	Deployers []string `json:"deployers"`
}

func deployment(packed string) (d Deployed, err error) {
	refused := func(why string) (Deployed, error) {
		return Deployed{}, fault.New(fault.Misconfigured, "reading what was deployed: %s", why)
	}
	data, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return refused("not base64")
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return refused("not packed with gzip")
	}
	text, err := io.ReadAll(io.LimitReader(unpacked, mostDeployed+1))
	if err != nil || len(text) > mostDeployed {
		return refused("cut off, or too long")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&d) != nil || decoder.More() || d.V != 1 || d.Project == "" || d.Region == "" {
		return refused("not the JSON of it, with v 1, project and region")
	}
	return d, nil
}
