package cloudasset

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// Get implements asset.Source. Resource and policy are read one after the other; who may read only one of them gets neither,
// since what is half known looks like less than there is.
func (s *Source) Get(ctx context.Context, kind, key string) (asset.Asset, error) {
	of, known := services[kind]
	name, fits := of.name(key)
	if !known || !fits {
		return asset.Asset{}, fault.New(fault.NotFound, "reading a %s: no service is asked about it by this name", kind)
	}
	// What is answered was true after this moment: facts may look older than they are, never newer.
	read := s.clock.Now().UTC()
	data, err := s.call(ctx, kind, http.MethodGet, of.base, of.under+name, of.query, nil)
	if fault.Is(err, fault.NotFound) || err == nil && of.gone != nil && of.gone(data) {
		return asset.Asset{Key: key, Type: kind, Project: asset.ProjectOf(key), Deleted: true, Read: read}, nil
	}
	if err != nil {
		return asset.Asset{}, err
	}
	spelled(kind, data)
	line := map[string]any{"name": key, "assetType": kind, "resource": map[string]any{"data": data, "location": located(key, data)}}
	// A bucket's name tells no project; the inventory tells it as the nearest ancestor.
	if number, _ := data["projectNumber"].(string); number != "" && asset.ProjectOf(key) == "" {
		line["ancestors"] = []string{"projects/" + number}
	}
	if kind == datasetKind {
		if p, is := datasetPolicy(data, asset.ProjectOf(key)); is {
			line["iamPolicy"] = p
		}
	}
	if of.policy != none {
		p, err := s.policy(ctx, kind, of, name)
		if err != nil {
			return asset.Asset{}, err
		}
		line["iamPolicy"] = p
	}
	raw, err := json.Marshal(line)
	if err != nil {
		return asset.Asset{}, fault.New(fault.Invalid, "reading a %s: no JSON can be made of it", kind)
	}
	for a, err := range asset.Decode(bytes.NewReader(raw), read, asset.NewNames()) {
		a.Ancestors = nil // it says its project at most, and not what that lies in
		return a, err
	}
	return asset.Asset{}, fault.New(fault.Invalid, "reading a %s: it is empty", kind)
}

func (s *Source) policy(ctx context.Context, kind string, of service, name string) (asset.Object, error) {
	var p asset.Object
	var err error
	// Without the version a service hides conditions, and a binding that has one looks like one for always.
	switch of.policy {
	case get:
		p, err = s.call(ctx, kind, http.MethodGet, of.base, of.under+name+":getIamPolicy", "options.requestedPolicyVersion=3", nil)
	case post:
		p, err = s.call(ctx, kind, http.MethodPost, of.base, of.under+name+":getIamPolicy", "", []byte(`{"options":{"requestedPolicyVersion":3}}`))
	case below:
		p, err = s.call(ctx, kind, http.MethodGet, of.base, of.under+name+"/getIamPolicy", "optionsRequestedPolicyVersion=3", nil)
	case iam:
		p, err = s.call(ctx, kind, http.MethodGet, of.base, of.under+name+"/iam", "optionsRequestedPolicyVersion=3", nil)
	}
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Transient, "reading who may use a %s: it went away meanwhile", kind)
	}
	return p, err
}

// call asks once and returns the object that is answered.
func (s *Source) call(ctx context.Context, kind, method, base, path, query string, body []byte) (asset.Object, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Host, ".googleapis.com") {
		return nil, fault.New(fault.Misconfigured, "reading a %s: its service is none of Google's", kind)
	}
	u.Path, u.RawQuery = u.Path+path, query
	client, err := s.get.Get(ctx)
	if err != nil {
		return nil, unconnected("Google's APIs", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "reading a %s: no address can be made of its name", kind)
	}
	if r.Header.Set("Accept", "application/json"); body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(r)
	if err != nil { // the transport's words hold the address, and with it the name
		return nil, fault.New(fault.Transient, "reading a %s: no answer", kind)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, asset.MaxBytes+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Transient, "reading a %s: the answer is cut off", kind)
	case len(data) > asset.MaxBytes:
		return nil, fault.New(fault.Invalid, "reading a %s: the answer has more than %d bytes", kind, asset.MaxBytes)
	case answer.StatusCode != http.StatusOK:
		return nil, refused(kind, answer.StatusCode, answer.Header, data)
	}
	var o asset.Object
	if json.Unmarshal(data, &o) != nil || o == nil {
		return nil, fault.New(fault.Transient, "reading a %s: the answer is no JSON object", kind)
	}
	return o, nil
}

// located is where an asset is, as the inventory says it: by its name, or by what some services say elsewhere.
func located(key string, data asset.Object) string {
	for _, part := range []string{"/locations/", "/regions/", "/zones/"} {
		if _, rest, of := strings.Cut(key, part); of {
			place, _, _ := strings.Cut(rest, "/")
			return place
		}
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(key, "//"), "/")
	field := map[string]string{"storage.googleapis.com": "location", "bigquery.googleapis.com": "location", "cloudsql.googleapis.com": "region", "firestore.googleapis.com": "locationId"}[host]
	if place, _ := data[field].(string); place != "" {
		return strings.ToLower(place)
	}
	return "global"
}
