// Package sample carries the sample data of the product of the sample company: what two of its customers, the twins, keep
// in its stores. The people and numbers in both are the same, so that whoever is erased in one can be seen to stay in the
// other. Nobody in it exists. It is for the ostiary command and for tests; no deployed function links it.
package sample

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

//go:embed shared.json
var shared []byte

//go:embed assets.json
var assets []byte

// Assets returns what a project of the sample company has on Google Cloud, as gcloud asset list writes it; false for one that
// has nothing.
func Assets(project string) ([]byte, bool) { return assets, project == "sharedcontacts-live" }

// Twins are the tenants that hold the data.
var Twins = []string{"cabinet-nord", "cabinet-sud"}

// Document is one document, object or row.
type Document struct {
	Name    string         `json:"name"` // in the place of its entry
	Created time.Time      `json:"created"`
	Fields  map[string]any `json:"fields"`
}

// Of returns the data of a tenant, by entry of the data map.
func Of(tenant string) (map[string][]Document, error) {
	var all map[string][]Document
	if err := json.Unmarshal(bytes.ReplaceAll(shared, []byte("{tenant}"), []byte(tenant)), &all); err != nil {
		return nil, fmt.Errorf("reading the sample data: %w", err)
	}
	return all, nil
}
