package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// policies are the policy folders of the environments, by name: what the functions there decide by, and what the sinks and feeds
// that wake them are made of. A company whose policy lies in another repository writes both files from there.
var policies = map[string]string{
	"staging": "testdata/policies/sharedcontacts",
	"live":    "testdata/policies/sharedcontacts",
}

// streamsIn is the folder of what the sinks and feeds of an environment are made of.
const streamsIn = "terraform/org/policies"

// streams are the files of all environments, by name.
func streams(root string) (map[string][]byte, error) {
	all := map[string][]byte{}
	of := map[string]map[string][]byte{} // by policy folder: environments may run the same
	for environment, folder := range policies {
		if _, made := of[folder]; !made {
			files, err := Streams(filepath.Join(root, folder))
			if err != nil {
				return nil, fmt.Errorf("the policy of %s: %w", environment, err)
			}
			of[folder] = files
		}
		for name, text := range of[folder] {
			all[streamsIn+"/"+environment+"/"+name] = text
		}
	}
	return all, nil
}

// Streams are the two files that follow from a policy folder, by name: what log sinks have to let through, and of which types of
// assets feeds have to tell.
func Streams(folder string) (map[string][]byte, error) {
	watched, err := Watched(folder)
	if err != nil {
		return nil, err
	}
	assets, err := Assets(folder)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"watched.json": watched, "assets.json": assets}, nil
}

// streamsOf writes the files of one policy folder into a folder, which it makes where it is not there.
func streamsOf(policy, folder string) error {
	files, err := Streams(policy)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", folder, err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}
